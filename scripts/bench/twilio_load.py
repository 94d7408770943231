"""Calls that nobody answers, at a steady rate, beside a floor at work: planned, judged by the gate, placed and recorded
by the product's own code in a process of its own. The simulated carrier tells of each, as of every other call.

The campaigns of the load are manual, so that the dialer leaves their people to this process."""

import argparse
import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from queue import SimpleQueue

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

import wsgi
from callcenter import calls, jobs, queues
from callcenter.base.db import open_session
from callcenter.calls import Call
from callcenter.contacts import Contact
from callcenter.queues import CallQueue
from scripts.demo import SEED
from scripts.simulated_carrier.citizens import citizen

CALLER = "+525512340000"
FIRST_PHONE = 9_226_000_000
PLACERS = 4  # a worker waits for the carrier most of its time
PAUSE = 0.05
Kinds = tuple[str, ...]
LONG: Kinds = ("no_answer",)
SHORT: Kinds = ("busy", "invalid")  # whose phones ring for a moment only


@dataclass(frozen=True)
class Load:
    """`rate` calls a second for `seconds`; some of them ring for long, so that `lines` are up at once with those of the
    operators."""

    rate: float
    seconds: float
    lines: int


def main(argv: list[str] | None = None) -> None:
    """Prints a line of JSON when the people are there, and one at the end: {"calls", "seconds"}."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.twilio_load", description=__doc__)
    parser.add_argument("--rate", type=float, default=30.0, help="calls a second (default 30)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long (default 60)")
    parser.add_argument("--lines", type=int, default=100, help="calls up at once, operators' too (default 100)")
    options = parser.parse_args(argv)
    wsgi.start_process()
    logging.getLogger().setLevel(logging.WARNING)  # a line a call would be measured too
    load = Load(options.rate, options.seconds, options.lines)
    people = round(load.rate * load.seconds) + load.lines
    with open_session() as session:
        made: dict[Kinds, int] = {kinds: _queue(session, kinds, people) for kinds in (LONG, SHORT)}
        session.commit()
    print(json.dumps({"ready": people}), flush=True)
    input()  # until the floor is at work
    placed, seconds = _place(load, made)
    print(json.dumps({"calls": placed, "seconds": seconds}), flush=True)


def _queue(session: Session, kinds: Kinds, people: int) -> int:
    """A running manual campaign of people whose first call ends in this way; returns its id."""
    queue = CallQueue(
        name=f"Bench {'/'.join(kinds)}", purpose="survey", carrier="simulated", caller_id=CALLER, mode="manual",
        on_behalf_of="Casa Inventada", privacy_notice_url="https://example.org/aviso", state="running",
    )  # fmt: skip
    session.add(queue)
    session.flush()
    rows = [_person(phone) for phone in _phones(kinds, people)]
    ids = session.scalars(insert(Contact).returning(Contact.id), rows).all()
    queues.fill(session, queue.id, select(Contact.id).where(Contact.id.in_(ids)))
    return queue.id


def _phones(kinds: Kinds, people: int) -> Iterator[str]:
    """Of the invented citizens, those whose first call ends like this."""
    for number in count():
        phone = f"+52{FIRST_PHONE + number}"
        if citizen(phone, SEED).reaction(1).kind in kinds:
            people -= 1
            yield phone
            if not people:
                return


def _person(phone: str) -> dict[str, object]:
    return {
        "name": f"Persona {phone[-6:]}", "given_names": "Persona", "name_key": f"persona {phone[-6:]}", "phone": phone,
        "source": "bench", "consent": "opted_in", "invented": True, "state": 30, "municipality": "Minatitlán",
    }  # fmt: skip


def _place(load: Load, made: Mapping[Kinds, int]) -> tuple[int, float]:
    """(calls placed, seconds it took). One thread plans, as the dialer does; others place, as workers do."""
    planned: SimpleQueue[list[str] | None] = SimpleQueue()
    placers = [threading.Thread(target=_placer, args=(planned,)) for _ in range(PLACERS)]
    for thread in placers:
        thread.start()
    begun, placed = time.monotonic(), 0
    while (elapsed := time.monotonic() - begun) < load.seconds:
        due = int(elapsed * load.rate) - placed
        if due > 0:
            decision = _plan(load, made, due)
            planned.put(decision)
            placed += len(decision)
        time.sleep(PAUSE)
    for _ in placers:
        planned.put(None)
    for thread in placers:
        thread.join()
    return placed, time.monotonic() - begun


def _plan(load: Load, made: Mapping[Kinds, int], due: int) -> list[str]:
    """The next calls: as many long ones as lines are free, the others short."""
    with open_session() as session:
        long = min(due, max(load.lines - _up(session), 0))
        found: list[str] = []
        for kinds, number in ((LONG, long), (SHORT, due - long)):
            if number:
                entries = queues.claim(session, made[kinds], number)
                found += map(str, calls.plan(session, queues.get(session, made[kinds]), entries))
        session.commit()
    return found


def _up(session: Session) -> int:
    """Calls that the carrier has now, as far as the ledger knows."""
    return session.scalar(select(func.count()).where(Call.state.not_in(("planned", "wrap_up", "ended")))) or 0


def _placer(planned: "SimpleQueue[list[str] | None]") -> None:
    while (decision := planned.get()) is not None:
        jobs.place_calls(decision)


if __name__ == "__main__":
    main()
