"""Of the part `results`: how long a person who answers a survey by link, or by the keys of a telephone, waits until an
answer is saved and the next question is there, while hundreds do so at once.

Beside a product: `python -m scripts.bench.answers links SURVEY PEOPLE` makes links for people of the demonstration and
prints their addresses, one a line.
"""

import argparse
import asyncio
import random
import re
import statistics
import time
from dataclasses import dataclass, field

from aiohttp import ClientSession, ClientTimeout, CookieJar, TCPConnector
from sqlalchemy import Engine, exists, select, text
from sqlalchemy.orm import Session

from callcenter.base import db
from callcenter.contacts import Contact
from callcenter.queues import QueueEntry
from scripts.bench import Figure, product, twilio_turns
from scripts.bench.floor import database, p95
from scripts.bench.twilio_turns import RECORDED, Pace, press_keys, ringing
from surveys.fieldwork import survey_links

THINKING = 10.0  # seconds over each question, from half to one and a half times as much
ARRIVING = 30.0  # seconds in which everybody opens their link; what is measured begins when all are at it
MINUTES = 1.0
SPARE = 3  # links for each who answers at once: who is done goes on with another person's, so that they stay as many
SPARE_CALLS = 8  # the same by telephone: some do not take part, and are done at once
SURVEY = 1  # the demonstration's
KEEP = text("""
    UPDATE attempts SET deadline_at = now() + interval '10 minutes' WHERE closed_at IS NULL AND id IN (
        SELECT c.id FROM calls c JOIN call_queues q ON q.id = c.queue_id WHERE q.name = :name)
""")
NUMBERS = {"age": "34", "likely": "8"}
_FIELD = re.compile(r'<input type="hidden" name="(item|key|shown_at)" value="([^"]*)"')
_CHOICE = re.compile(r'(?:<button class="[^"]*option" name="value"|<input class="btn-check"[^>]*) value="([^"]+)"')


class NothingMeasured(Exception):
    """Not one answer was saved, or some were lost: there is nothing to say of the speed."""


@dataclass
class Seen:
    """Milliseconds of each answer that was saved from `since` on (monotonic); `lost`: what was answered by anything
    else."""

    since: float
    waits: list[float] = field(default_factory=list)
    finished: int = 0
    lost: int = 0

    def saved(self, wait: float) -> None:
        if time.monotonic() >= self.since:
            self.waits.append(wait)


def measure_answers(people: int, keypads: int, seed: int, *, minutes: float = MINUTES) -> list[Figure]:
    """`people` answer by link and `keypads` by keys, all at once, each a question in ten seconds or so."""
    with product.running(env=product.SIGNED) as running:
        links = running.python("scripts.bench.answers", "links", str(SURVEY), str(SPARE * people)).split()
        calls = ringing(running, SPARE_CALLS * keypads)
        since = time.monotonic() + ARRIVING
        until = since + minutes * 60
        seen, heard = Seen(since=since), twilio_turns.Seen(since=since)
        pace = Pace(THINKING, ARRIVING - THINKING, until)

        async def everybody() -> None:
            with database(running) as engine:
                unswept = asyncio.create_task(_keep_from_sweep(engine))
                await asyncio.gather(
                    _answer(running.url, links, people, random.Random(seed), until, seen),
                    press_keys(running.url, product.TOKEN, calls, seed, heard, pace, at_once=keypads),
                )
                unswept.cancel()

        asyncio.run(everybody())
    if not seen.waits or seen.lost or not heard.waits or heard.faults:
        raise NothingMeasured(
            f"by link {len(seen.waits)} answers were saved and {seen.lost} were not; by keys {len(heard.waits)}, and"
            f" refused with {heard.faults}"
        )
    return [
        Figure("answer_p95_ms", p95(seen.waits), "ms", target=50),
        Figure("answer_median_ms", statistics.median(seen.waits), "ms"),
        Figure("answers_saved", len(seen.waits), "answers"),
        Figure("keypad_p95_ms", p95(heard.waits), "ms", target=50),
        Figure("keypad_median_ms", statistics.median(heard.waits), "ms"),
        Figure("keypad_turns", len(heard.waits), "documents"),
    ]


async def _keep_from_sweep(engine: Engine) -> None:
    """The carrier never had these calls: the sweep, which would ask it about them, is not to come upon them."""
    while True:
        with engine.begin() as connection:
            connection.execute(KEEP, {"name": RECORDED})
        await asyncio.sleep(5.0)


async def _answer(base: str, links: list[str], people: int, dice: random.Random, until: float, seen: Seen) -> None:
    left = iter(links)

    async def one_after_the_other(dice: random.Random) -> None:
        await asyncio.sleep(dice.uniform(0, ARRIVING - THINKING))
        while time.monotonic() < until and (link := next(left, None)) is not None:
            await _person(base, link, dice, until, seen)

    await asyncio.gather(*(one_after_the_other(random.Random(dice.random())) for _ in range(people)))


async def _person(base: str, link: str, dice: random.Random, until: float, seen: Seen) -> None:
    """One telephone: opens the link, begins, and answers until nothing is left or the time is up."""
    path = link[link.index("/e/") :]
    jar, patience = CookieJar(unsafe=True), ClientTimeout(total=30)
    async with ClientSession(base, cookie_jar=jar, timeout=patience, connector=TCPConnector(limit=1)) as http:
        async with http.get(path) as answer:
            await answer.read()
        async with http.post(f"{path}/begin") as answer:
            page = await answer.text()
        while time.monotonic() < until:
            asked = dict(_FIELD.findall(page))
            if "item" not in asked:
                seen.finished += 1
                return
            await asyncio.sleep(dice.uniform(0.5, 1.5) * THINKING)
            if time.monotonic() > until:
                return
            form = asked | {"value": _value(page, asked["item"], dice)}
            begun = time.perf_counter()
            async with http.post(f"{path}/answers", data=form, headers={"HX-Request": "true"}) as answer:
                page, is_saved = await answer.text(), answer.status == 200
            if not is_saved or 'id="fault"' in page:
                seen.lost += 1
                return
            seen.saved((time.perf_counter() - begun) * 1000)


def _value(page: str, item: str, dice: random.Random) -> str:
    if item == "consent":
        return "yes"
    choices = _CHOICE.findall(page)
    return dice.choice(choices) if choices else NUMBERS.get(item, "")


def give(session: Session, survey_id: int, people: int) -> list[str]:
    """The addresses of links for so many people."""
    called = exists().where(QueueEntry.contact_id == Contact.id, QueueEntry.state != "waiting")
    ids = list(session.scalars(select(Contact.id).where(~called).order_by(Contact.id).limit(people)))
    return list(survey_links.give(session, survey_id, ids, source="bench").values())


def main() -> None:
    import wsgi

    parser = argparse.ArgumentParser(prog="python -m scripts.bench.answers", description=__doc__)
    parser.add_argument("act", choices=["links"], help="make links of a survey for people of the demonstration")
    parser.add_argument("survey", type=int, help="number of the survey")
    parser.add_argument("people", type=int, help="how many")
    options = parser.parse_args()
    wsgi.start_process()
    with db.open_session() as session:
        print("\n".join(give(session, options.survey, options.people)))
        session.commit()


if __name__ == "__main__":
    main()
