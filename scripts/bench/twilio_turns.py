"""Of the part `twilio`: how long Twilio waits for the next document of a recorded survey, while many people press keys.

Beside a product: `python -m scripts.bench.twilio_turns calls NUMBER` puts so many ringing calls of a recorded campaign
into its ledger, and prints the number of each with its phone, one a line.
"""

import argparse
import asyncio
import math
import random
import statistics
import time
from dataclasses import dataclass, field, replace
from uuid import UUID
from xml.etree import ElementTree

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from sqlalchemy import select
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter import calls, queues
from callcenter.base import db
from callcenter.base.clock import real_now
from callcenter.calls import Call
from callcenter.contacts import Contact
from callcenter.queues import CallQueue
from scripts.bench import Figure
from scripts.bench.floor import p95
from scripts.bench.product import Product
from scripts.demo import SEED
from scripts.simulated_carrier import interviewees
from scripts.simulated_carrier.citizens import Citizen, citizen

THINKING = 1.5  # seconds until a key is pressed, from half to one and a half times as much
PATIENCE = ClientTimeout(total=15)  # Twilio's own
PEOPLE = 20
RECORDED = "Bench: recorded"  # the campaign of these calls


class NothingMeasured(Exception):
    """Nobody came to a question, or a document was refused: there is nothing to say of the speed."""


@dataclass
class Seen:
    """Milliseconds until each document that came from `since` on (monotonic); `faults`: the answers that were none."""

    since: float = 0.0
    waits: list[float] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)

    def came(self, wait: float) -> None:
        if time.monotonic() >= self.since:
            self.waits.append(wait)


@dataclass(frozen=True)
class Pace:
    """`thinking`: seconds until a key is pressed, from half to one and a half times as much; all have begun after
    `arriving` seconds, and nobody goes on after `until` (monotonic)."""

    thinking: float = THINKING
    arriving: float = THINKING
    until: float = math.inf


def measure_turns(running: Product, token: str, seed: int) -> list[Figure]:
    """PEOPLE interviews at once, from the answered call to the goodbye."""
    people, seen = ringing(running, PEOPLE), Seen()
    asyncio.run(press_keys(running.url, token, people, seed, seen))
    if len(seen.waits) < PEOPLE or seen.faults:
        raise NothingMeasured(f"{len(seen.waits)} documents, and refused with {seen.faults}")
    return [
        Figure("twiml_answer_p95_ms", p95(seen.waits), "ms", target=50),
        Figure("twiml_answer_median_ms", statistics.median(seen.waits), "ms"),
        Figure("twiml_answers", len(seen.waits), "documents"),
    ]


def ringing(running: Product, number: int) -> list[list[str]]:
    """(call, phone) of so many calls of a recorded campaign whose phones ring."""
    return [line.split() for line in running.python("scripts.bench.twilio_turns", "calls", str(number)).splitlines()]


async def press_keys(
    base: str, token: str, people: list[list[str]], seed: int, seen: Seen, pace: Pace = Pace(), *, at_once: int = PEOPLE
) -> None:
    """So many are interviewed at once, each from the answered call to the goodbye; then it is another person's turn."""
    dice, left = random.Random(seed), iter(people)
    async with ClientSession(timeout=PATIENCE, connector=TCPConnector(limit=0)) as http:
        caller = _Caller(http, RequestValidator(token), seen, pace)

        async def one_after_the_other(dice: random.Random) -> None:
            await asyncio.sleep(dice.uniform(0, pace.arriving))
            while time.monotonic() < pace.until and (person := next(left, None)) is not None:
                call_id, phone = person
                await caller.interview(f"{base}/hooks/voice/survey/{call_id}", phone, dice)

        await asyncio.gather(*(one_after_the_other(random.Random(dice.random())) for _ in range(at_once)))


@dataclass
class _Caller:
    """Twilio, as far as a webhook sees it."""

    http: ClientSession
    validator: RequestValidator
    seen: Seen
    pace: Pace

    async def interview(self, url: str, phone: str, dice: random.Random) -> None:
        person = replace(citizen(phone, SEED), takes_part=True)
        form = {"CallSid": _ref(phone), "CallStatus": "in-progress", "From": phone}
        document = await self._post(url, form)
        while document is not None and (verb := document.find("Gather")) is not None:
            await asyncio.sleep(dice.uniform(0.5, 1.5) * self.pace.thinking)
            if time.monotonic() > self.pace.until:
                return
            document = await self._post(_action(verb), form | _pressed(verb, person))

    async def _post(self, url: str, form: dict[str, str]) -> ElementTree.Element | None:
        headers = {"X-Twilio-Signature": self.validator.compute_signature(url, form)}
        begun = time.perf_counter()
        async with self.http.post(url, data=form, headers=headers) as answer:
            body = await answer.text()
        self.seen.came((time.perf_counter() - begun) * 1000)
        if answer.status != 200:
            self.seen.faults.append(answer.status)
            return None
        return ElementTree.fromstring(body)  # noqa: S314  # our own product's document


def _action(verb: ElementTree.Element) -> str:
    """Where the keys go; what stands behind # is for Twilio alone."""
    return verb.get("action", "").partition("#")[0]


def _pressed(verb: ElementTree.Element, person: Citizen) -> dict[str, str]:
    keys = interviewees.keys(person, [said.text or "" for said in verb.iter("Say")]) or ""
    ends = verb.get("finishOnKey", "") if keys else ""
    return {"Digits": keys, "FinishedOnKey": ends, "msg": "Gather End"}


def _ref(phone: str) -> str:
    return f"CA{phone.removeprefix('+'):0>32}"


def ring(session: Session, number: int) -> list[tuple[UUID, str]]:
    """So many calls of a new recorded campaign of the demonstration's survey, as they are while the phone rings."""
    queue = CallQueue(
        name=RECORDED, purpose="survey", carrier="simulated", caller_id="+525512340000", mode="manual",
        script="survey/1", answered_by="recording", on_behalf_of="Casa Inventada", state="running",
        privacy_notice_url="https://example.org/aviso",
    )  # fmt: skip
    session.add(queue)
    session.flush()
    people = select(Contact.id).order_by(Contact.id.desc()).limit(number).subquery()
    queues.fill(session, queue.id, select(people.c.id))
    found = []
    for call_id in calls.plan(session, queue, queues.claim(session, queue.id, number)):
        call = session.get_one(Call, call_id)
        call.state, call.placed_at, call.carrier_ref = "ringing", real_now(), _ref(call.attempt.phone)
        found.append((call_id, call.attempt.phone))
    return found


def main() -> None:
    import wsgi

    parser = argparse.ArgumentParser(prog="python -m scripts.bench.twilio_turns", description=__doc__)
    parser.add_argument("act", choices=["calls"], help="let calls of a recorded campaign ring")
    parser.add_argument("number", type=int, help="how many")
    options = parser.parse_args()
    wsgi.start_process()
    with db.open_session() as session:
        rung = ring(session, options.number)
        session.commit()
    print("\n".join(f"{call_id} {phone}" for call_id, phone in rung))


if __name__ == "__main__":
    main()
