"""What is told of the days before the demonstration begins: whom somebody tried to reach, and what they were asked."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from callcenter.base.clock import DRILL_START, real_now
from scripts.simulated_carrier.citizens import Citizen, Kind

# Thursday to Saturday before the drill's Monday, and that Monday's first hour.
SHIFTS = (
    (date(2027, 5, 6), 10, 19),
    (date(2027, 5, 7), 10, 19),
    (date(2027, 5, 8), 10, 17),
    (date(2027, 5, 10), 9, 10),
)
LINE_OUTCOMES: dict[Kind, str] = {"no_answer": "no_answer", "busy": "busy", "invalid": "invalid_number"}
SECONDS_A_QUESTION = 14


@dataclass(frozen=True)
class Asked:
    """A question of the past, with the codes in the order in which they were shown."""

    name: str
    order: list[str]


@dataclass(frozen=True)
class Try:
    """One call of the past. `at`: campaign time; `answers`: what was said in it, in order of the questions."""

    person: Citizen
    entry: Any  # row: id, contact_id, section, section_kind, municipality
    at: datetime
    id: uuid.UUID
    outcome: str
    answers: tuple[Asked, ...] = ()

    @property
    def reached(self) -> bool:
        return self.outcome not in LINE_OUTCOMES.values()


def real(at: datetime) -> datetime:
    """The moment of the real clock that stands for `at`: the drill's calendar begins now."""
    return real_now() - (DRILL_START - at)


def times(one: Try) -> Mapping[str, datetime | None]:
    """The times of a call, real."""
    placed = real(one.at)
    ring = timedelta(seconds=25 if one.outcome == "no_answer" else min(one.person.reaction(1).ring_seconds, 20))
    answered = placed + ring if one.reached else None
    talk = timedelta(seconds=18 + SECONDS_A_QUESTION * len(one.answers)) if one.reached else timedelta(0)
    hung_up = placed + ring + talk
    return {
        "placed_at": placed,
        "ringing_at": None if one.outcome == "invalid_number" else placed + timedelta(seconds=1),
        "answered_at": answered,
        "offered_at": answered,
        "connected_at": answered,
        "hung_up_at": hung_up,
        "ended_at": hung_up + timedelta(seconds=6 if one.reached else 0),
    }
