"""How many phones to ring now. Pure: no clock, no database, no chance; decided anew at every event.

Predictive dialling takes one more phone while the chance that its answer finds nobody free stays below the risk that
the campaign's budget allows (campaigns.pacing_budget). That chance is taken at four moments ahead, from what rings,
talks and is written up and for how long (campaigns.pacing_estimates): answers until then, less operators free by then,
are about normally distributed. docs/dialer.md has the figures.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from campaigns.pacing_budget import Budget
from campaigns.pacing_estimates import HORIZONS, RINGS, TALK_STEP, TALKS, WRAPS, Rings, Talks

MODES = ("manual", "preview", "progressive", "power", "predictive")
KINDS = ("answered", "not_answered", "given_up", "abandoned", "talk", "wrap")
BY_HAND = ("manual", "preview")  # the operator starts each call
MOST_ABANDONED = 0.03
RUNG_ENOUGH = 15.0  # seconds after which an attempt may be given up
GIVEN_UP_SHARE, GIVEN_UP_START = 0.10, 20  # of all attempts; and how many a campaign is taken to have had at its start
SMALL_TEAM = 3  # operators below whom no limit can be held: one phone for each of them
ONCE = 300  # attempts that one decision starts at most


@dataclass(frozen=True)
class FloorView:
    """One queue's floor. `now`: seconds of any clock that only goes forward. `idle`: operators free; `waiting`:
    citizens answered without an operator; `lines_free`: calls the carrier still takes. `wrapping`, `talking`,
    `ringing`: seconds since each began."""

    now: float
    idle: int
    wrapping: tuple[float, ...]
    talking: tuple[float, ...]
    ringing: tuple[float, ...]
    waiting: int
    lines_free: int


@dataclass(frozen=True)
class Decision:
    """`place`: attempts to start now. `hang_up`: how many of the oldest ringing attempts to give up. `reason`: the
    binding limit, as a code; None while calls are placed."""

    place: int
    hang_up: int
    reason: str | None


class UnknownModeError(ValueError):
    """The mode is none of MODES; the message names them."""


class Pacer:
    """One campaign's pace. `abandon_limit`: share of answered calls that may find nobody within two seconds; `ratio`:
    phones for each free operator in the mode `power`; `gives_up`: may long ringing be broken off while nobody is free?
    """

    modes: ClassVar[tuple[str, ...]] = MODES

    def __init__(self, mode: str, abandon_limit: float = 0.01, ratio: float = 1.0, *, gives_up: bool = True) -> None:
        if mode not in MODES:
            raise UnknownModeError(f"There is no dialling mode {mode!r}; the modes are: {', '.join(MODES)}.")
        if not 0 <= abandon_limit <= MOST_ABANDONED:
            raise ValueError(f"abandon_limit is {abandon_limit}; it must be between 0 and {MOST_ABANDONED}.")
        if ratio < 1:
            raise ValueError(f"ratio is {ratio}; it must be 1 or more.")
        self.mode, self.abandon_limit, self.ratio, self.gives_up = mode, abandon_limit, ratio, gives_up
        self.budget, self.rings, self.talks = Budget(abandon_limit), Rings(), Talks()
        self.attempts = self.given_up = 0
        self._operators = 0

    @classmethod
    def from_history(
        cls, rows: Iterable[tuple[str, float, float]], mode: str = "predictive", abandon_limit: float = 0.01,
        ratio: float = 1.0, *, gives_up: bool = True, operators: int = 0,
    ) -> Self:  # fmt: skip
        """A pacer that has seen these (kind, seconds, at), oldest first: as it was before a restart."""
        pacer = cls(mode, abandon_limit, ratio, gives_up=gives_up)
        pacer._operators = operators
        for kind, seconds, at in rows:
            pacer.observe(kind, seconds, at)
        return pacer

    def observe(self, kind: str, seconds: float, now: float) -> None:
        """Hear what became of an attempt after `seconds` of ringing (an abandoned one was `answered` first), or how
        long a talk or a write-up took."""
        if kind not in KINDS:
            raise ValueError(f"There is no observation {kind!r}; there are: {', '.join(KINDS)}.")
        if kind in ("talk", "wrap"):
            self.talks.feed(kind, seconds)
        elif kind == "abandoned":
            self.budget.abandon(now)
        else:
            self.attempts += 1
            self.given_up += kind == "given_up"
            self.rings.feed(seconds, answered=kind == "answered", given_up=kind == "given_up")
            if kind == "answered":
                self.budget.answer(now, self._operators)

    def decide(self, view: FloorView) -> Decision:
        self._operators = view.idle + len(view.wrapping) + len(view.talking)
        if self.mode in BY_HAND:
            return Decision(0, 0, self.mode)
        hang_up = self._too_long(view)
        ringing = view.ringing[hang_up:]
        one_each = max(0, view.idle - len(ringing) - view.waiting)
        wanted, why = self._wanted(view, ringing, one_each)
        place = max(0, min(max(wanted, one_each), view.lines_free, ONCE))
        return Decision(place, hang_up, None if place else _why(view, why, max(wanted, one_each)))

    def _wanted(self, view: FloorView, ringing: tuple[float, ...], one_each: int) -> tuple[int, str]:
        """Attempts that the mode asks for, and the code of what binds it: `floor` when nothing but the floor does."""
        if self.mode == "progressive":
            return one_each, "floor"
        if self._operators < SMALL_TEAM:
            return one_each, "small_team"
        risk = self.budget.risk(view.now, self._operators)
        if self.mode == "power":
            if self.budget.answered >= 1 / MOST_ABANDONED and risk == 0.0:
                return one_each, "risk_budget"
            return int(self.ratio * view.idle) - len(ringing) - view.waiting, "floor"
        if risk == 0.0:
            return one_each, "risk_budget" if self.budget.answered * self.abandon_limit >= 1 else "warming_up"
        return self._affordable(view, ringing, risk), "floor"

    def _affordable(self, view: FloorView, ringing: tuple[float, ...], risk: float) -> int:
        """How many more phones may ring before one more answer is likelier than `risk` to find nobody."""
        chances = self.rings.chances()
        talking, wrapping = self.talks.tables()
        answers = chances[:, _bins(ringing, 1.0, RINGS)]
        free = np.concatenate(
            (talking[:, _bins(view.talking, TALK_STEP, TALKS)], wrapping[:, _bins(view.wrapping, TALK_STEP, WRAPS)]),
            axis=1,
        )
        middle = (answers.sum(axis=1) - free.sum(axis=1) - (view.idle - view.waiting) + 0.5).tolist()
        spread = ((answers * (1 - answers)).sum(axis=1) + (free * (1 - free)).sum(axis=1)).tolist()
        more = chances[:, 0].tolist()
        most = min(max(view.lines_free, 0), ONCE)
        for number in range(most):
            if _finds_nobody(middle, spread) > risk:
                return number
            for at, chance in enumerate(more):
                middle[at] += chance
                spread[at] += chance * (1 - chance)
        return most

    def _too_long(self, view: FloorView) -> int:
        """Attempts to give up: they have rung long, nobody is free, and few enough were given up so far."""
        if not self.gives_up or self.mode not in ("power", "predictive") or view.idle > 0:
            return 0
        old = sum(seconds >= RUNG_ENOUGH for seconds in view.ringing)
        left = int(GIVEN_UP_SHARE * (self.attempts + GIVEN_UP_START) - self.given_up)
        return max(0, min(old, left))


def _bins(seconds: tuple[float, ...], step: float, bins: int) -> list[int]:
    return [min(int(each / step), bins - 1) for each in seconds]


def _finds_nobody(middle: list[float], spread: list[float]) -> float:
    """The mean over the moments ahead of the chance that answers until then use up whoever is free by then."""
    total = 0.0
    for mean, variance in zip(middle, spread, strict=True):
        total += 0.5 * math.erfc(-mean / math.sqrt(2 * variance + 1e-9))
    return total / len(HORIZONS)


def _why(view: FloorView, why: str, wanted: int) -> str:
    """Why nothing is placed."""
    if wanted > 0:
        return "no_lines"
    if view.idle > 0:
        return why if why != "floor" else "enough_ringing"
    if view.talking or view.wrapping:
        return why if why == "risk_budget" else "operators_busy"
    return "no_operators"
