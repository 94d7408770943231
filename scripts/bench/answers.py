"""Of the part `results`: how long a person who answers a survey by link waits until an answer is saved and the next
question is there, while hundreds do so at once.

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
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import db
from callcenter.contacts import Contact
from scripts.bench import Figure, product
from scripts.bench.floor import p95
from surveys.fieldwork import survey_links

THINKING = 10.0  # seconds over each question, from half to one and a half times as much
ARRIVING = 30.0  # seconds in which everybody opens their link; what is measured begins when all are at it
MINUTES = 1.0
SPARE = 3  # links for each who answers at once: who is done goes on with another person's, so that they stay as many
SURVEY = 1  # the demonstration's
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


def measure_answers(people: int, seed: int, *, minutes: float = MINUTES) -> list[Figure]:
    """`people` answer at once, each a question in ten seconds or so."""
    with product.running() as running:
        links = running.python("scripts.bench.answers", "links", str(SURVEY), str(SPARE * people)).split()
        seen = asyncio.run(_answer(running.url, links, people, minutes * 60, seed))
    if not seen.waits or seen.lost:
        raise NothingMeasured(f"{len(seen.waits)} answers were saved and {seen.lost} were not")
    return [
        Figure("answer_p95_ms", p95(seen.waits), "ms", target=50),
        Figure("answer_median_ms", statistics.median(seen.waits), "ms"),
        Figure("answers_saved", len(seen.waits), "answers"),
    ]


async def _answer(base: str, links: list[str], people: int, seconds: float, seed: int) -> Seen:
    since = time.monotonic() + ARRIVING
    seen, until, left = Seen(since=since), since + seconds, iter(links)
    dice = random.Random(seed)

    async def one_after_the_other(dice: random.Random) -> None:
        await asyncio.sleep(dice.uniform(0, ARRIVING - THINKING))
        while time.monotonic() < until and (link := next(left, None)) is not None:
            await _person(base, link, dice, until, seen)

    await asyncio.gather(*(one_after_the_other(random.Random(dice.random())) for _ in range(people)))
    return seen


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
    ids = list(session.scalars(select(Contact.id).order_by(Contact.id).limit(people)))
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
