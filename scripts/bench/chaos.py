"""Kill any one process at any moment while people work: no call may stay stuck, nobody may be called twice."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from scripts.bench import Figure, product
from scripts.bench.floor import Floor, database, floor_of, hurry, rows

ABOUT = "kill -9 of any one process, every few seconds, while simulated operators work"
# Operators in a hurry, so that every kill falls into somebody's call.
FULL = {"operators": 8, "think_ms": 600, "seconds": 600}
QUICK = {"operators": 8, "think_ms": 600, "seconds": 75}
SEED = 1
PAUSES = (4.0, 8.0)  # seconds between two kills
CALM = 75.0  # seconds after the last kill in which everything must have come to its end
TOO_LONG = 60.0
WATCH = 5.0
# Every open call: how long the ledger has known it, whether somebody answered, how long they have been gone.
OPEN_CALLS = """
    SELECT c.id::text AS id, c.state, c.connected_at IS NOT NULL AS was_connected,
        extract(epoch FROM now() - a.created_at) AS age, extract(epoch FROM now() - a.deadline_at) AS overdue,
        extract(epoch FROM now() - c.hung_up_at) AS gone
    FROM calls c JOIN attempts a ON a.id = c.id WHERE c.state <> 'ended'
"""
RING = 25.0


class NothingHappened(Exception):
    """Not one call was placed: a zero would mean nothing."""


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    with product.running() as running, database(running) as engine:
        floor = floor_of(running, size["operators"], size["think_ms"], seed=seed)
        watch = Watch(floor, engine, random.Random(seed))
        floor.run(size["seconds"] + CALM, lambda _: watch.over(size["seconds"]))
        calls = [entry for entry in floor.journal() if entry["kind"] == "call" and entry["to"].startswith("+")]
    if not calls:
        raise NothingHappened("not one call was placed")
    return [
        Figure("chaos_stuck", len(watch.stuck), "calls", target=0),
        Figure("chaos_double", doubles((entry["to"], entry["at"]) for entry in calls), "pairs", target=0),
        Figure("calls_total", len(calls), "calls"),
        Figure("calls_connected", len(floor.cards), "calls"),
        Figure("kills", sum(watch.kills.values()), "processes"),
    ]


def doubles(dials: Iterable[tuple[str, float]]) -> int:
    """Pairs of consecutive dials of one phone less than a minute apart."""
    by_phone: defaultdict[str, list[float]] = defaultdict(list)
    for phone, at in sorted(dials, key=lambda dial: dial[1]):
        by_phone[phone].append(at)
    return sum(
        later - earlier < TOO_LONG for times in by_phone.values() for earlier, later in itertools.pairwise(times)
    )


class Watch:
    """The one who kills, and the one who looks at what becomes of the calls."""

    def __init__(self, floor: Floor, engine: Engine, dice: random.Random, pauses: tuple[float, float] = PAUSES) -> None:
        self.floor, self.engine, self.dice, self.pauses = floor, engine, dice, pauses
        self.stuck: dict[str, str] = {}  # call id -> the state it was stuck in
        self.kills: defaultdict[str, int] = defaultdict(int)

    async def over(self, seconds: float) -> None:
        """Kill for so long, and look on until everything must have come to its end."""
        await asyncio.gather(self._kill_until(time.monotonic() + seconds), self._look())

    async def _kill_until(self, end: float) -> None:
        while time.monotonic() < end:
            await asyncio.sleep(self.dice.uniform(*self.pauses))
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it ended by itself, or the note changes
                self._kill_one()
        await asyncio.sleep(CALM)

    def _kill_one(self) -> None:
        name, pid = self.dice.choice(sorted(self.floor.product.pids().items()))
        family = [pid, *children(pid)]
        os.kill(self.dice.choice(family), signal.SIGKILL)
        self.kills[name] += 1

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            await asyncio.to_thread(self._look_once)

    def _look_once(self) -> None:
        # A killed carrier comes back with its own speed, and a killed database answers again soon.
        with contextlib.suppress(requests.RequestException):
            hurry(self.floor)
        with contextlib.suppress(DBAPIError):
            ended = self._ended_at_the_carrier()
            for call in rows(self.engine, OPEN_CALLS):
                if is_stuck(call, ended.get(call.id), time.time()):
                    self.stuck[call.id] = call.state

    def _ended_at_the_carrier(self) -> dict[str, float]:
        """When the carrier was done with each call, by our id."""
        known: dict[str, str] = {}
        ended: dict[str, float] = {}
        for entry in self.floor.journal():
            if entry["kind"] == "call" and entry["id"]:
                known[entry["sid"]] = entry["id"]
            elif entry["kind"] == "end" and entry["sid"] in known:
                ended[known[entry["sid"]]] = entry["at"]
        return ended


def is_stuck(call: Any, ended_at: float | None, now: float) -> bool:
    """Is this open call a minute past the moment at which it had to be over?

    That moment: when the carrier or the ledger saw the citizen go; for a call that nobody took, when its ringing had to
    end; the ledger's own deadline at the latest."""
    if ended_at is not None and now - ended_at > TOO_LONG:
        return True
    if call.gone is not None and call.gone > TOO_LONG:
        return True
    if not call.was_connected and call.age > RING + TOO_LONG:
        return True
    return bool(call.overdue > TOO_LONG)


def children(pid: int) -> list[int]:
    """The process's own children (gunicorn's workers, PostgreSQL's back ends)."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]
