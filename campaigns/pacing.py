"""How many phones to ring now. Pure: no clock, no database, no chance; decided anew at every event.

Predictive dialling takes one more phone while the chance that its answer finds nobody free stays below the risk that
the campaign's budget allows (pace.pacing_budget). That chance is taken at four moments ahead, from what rings,
talks and is written up and for how long (pace.pacing_estimates, by the campaign's own clock, pace.pacing_tempo):
answers until then, less operators free by then, are about normally distributed. docs/dialer.md has the figures.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from campaigns.pace.pacing_budget import Budget
from campaigns.pace.pacing_tempo import Tempo

MODES = ("manual", "preview", "progressive", "power", "predictive")
KINDS = ("answered", "not_answered", "given_up", "abandoned", "talk", "wrap")
BY_HAND = ("manual", "preview")  # the operator starts each call
MOST_ABANDONED = 0.03
RUNG_ENOUGH = 15.0  # seconds after which an attempt may be given up
GIVEN_UP_SHARE, GIVEN_UP_START = 0.12, 20  # of all attempts; and how many a campaign is taken to have had at its start
UNKNOWN = 30  # attempts after which it is known well enough how often telephones are answered
RINGING_SHARE = 0.25  # at most so many ring at once, of all attempts heard of: a beginning is no time to be bold
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

    Of the last decision: `risk` is the chance to find nobody that one more answer might have (predictive), `falls_back`
    why it dialled more slowly than the mode says: small_team | warming_up | risk_budget."""

    modes: ClassVar[tuple[str, ...]] = MODES

    def __init__(self, mode: str, abandon_limit: float = 0.01, ratio: float = 1.0, *, gives_up: bool = True) -> None:
        if mode not in MODES:
            raise UnknownModeError(f"There is no dialling mode {mode!r}; the modes are: {', '.join(MODES)}.")
        if not 0 <= abandon_limit <= MOST_ABANDONED:
            raise ValueError(f"abandon_limit is {abandon_limit}; it must be between 0 and {MOST_ABANDONED}.")
        if ratio < 1:
            raise ValueError(f"ratio is {ratio}; it must be 1 or more.")
        self.mode, self.abandon_limit, self.ratio, self.gives_up = mode, abandon_limit, ratio, gives_up
        self.budget, self.tempo = Budget(abandon_limit), Tempo()
        self.attempts = self.given_up = 0
        self.risk: float | None = None
        self.falls_back: str | None = None

    @classmethod
    def from_history(
        cls, rows: Iterable[tuple[str, float, float]], mode: str = "predictive", abandon_limit: float = 0.01,
        ratio: float = 1.0, *, gives_up: bool = True, answered: int = 0, abandoned: int = 0,
    ) -> Self:  # fmt: skip
        """A pacer that has seen these (kind, seconds, at), oldest first: as it was before a restart. `answered`,
        `abandoned`: calls of the campaign before the first row."""
        pacer = cls(mode, abandon_limit, ratio, gives_up=gives_up)
        pacer.budget.answered, pacer.budget.abandoned = answered, abandoned
        for kind, seconds, at in rows:
            pacer.observe(kind, seconds, at)
        return pacer

    def observe(self, kind: str, seconds: float, now: float) -> None:
        """Hear what became of an attempt after `seconds` of ringing (an abandoned one was `answered` first), or how
        long a talk or a write-up took."""
        if kind not in KINDS:
            raise ValueError(f"There is no observation {kind!r}; there are: {', '.join(KINDS)}.")
        if kind == "abandoned":
            self.budget.abandon(now)
            return
        self.tempo.hear(kind, seconds)
        if kind == "answered":
            self.budget.answer(now)
        self.attempts += kind not in ("talk", "wrap")
        self.given_up += kind == "given_up"

    def decide(self, view: FloorView) -> Decision:
        """What to do now. Called at every event and at least once a second."""
        operators = view.idle + len(view.wrapping) + len(view.talking)
        self.risk = None
        if self.mode in BY_HAND:
            return Decision(0, 0, self.mode)
        one_each = max(0, view.idle - len(view.ringing) - view.waiting)
        wanted, hang_up, why = one_each, 0, "floor"
        if self.mode != "progressive" and operators < SMALL_TEAM:
            why = "small_team"
        elif self.mode == "power":
            wanted, hang_up, why = self._by_ratio(view)
        elif self.mode == "predictive" and self.attempts < UNKNOWN:
            why = "warming_up"
        elif self.mode == "predictive" and not self.budget.is_believed:
            why = "risk_budget"
        elif self.mode == "predictive":
            wanted, hang_up, why = self._by_risk(view, operators)
        self.falls_back = why if why != "floor" else None
        place = max(0, min(max(wanted, one_each), view.lines_free, ONCE))
        return Decision(place, hang_up, None if place else _why(view, why, max(wanted, one_each)))

    def _by_ratio(self, view: FloorView) -> tuple[int, int, str]:
        """(attempts wanted, attempts to give up, what binds): a fixed number of phones for each free operator."""
        hang_up = self._too_long(view)
        if not self.budget.has_room(view.now):
            return 0, hang_up, "risk_budget"
        return int(self.ratio * view.idle) - (len(view.ringing) - hang_up) - view.waiting, hang_up, "floor"

    def _by_risk(self, view: FloorView, operators: int) -> tuple[int, int, str]:
        """As _by_ratio: one more phone while its answer is unlikely enough to find nobody."""
        risk = self.risk = self.budget.risk(view.now, operators)
        crowd = self.tempo.crowd(view.ringing, view.talking, view.wrapping)
        seats = operators - view.waiting
        chance = crowd.fills(seats)
        hang_up, most = 0, self._too_long(view) if chance > risk else 0
        oldest = sorted(view.ringing, reverse=True) if most else []
        while hang_up < most and chance > risk:
            crowd.leave(self.tempo.ring(oldest[hang_up]))
            hang_up, chance = hang_up + 1, crowd.fills(seats)
        wanted, most = 0, min(view.lines_free, ONCE, int(RINGING_SHARE * self.attempts) - len(view.ringing))
        fresh = self.tempo.ring(0.0)
        while chance < risk and wanted < most:
            crowd.join(fresh)
            wanted, chance = wanted + 1, crowd.fills(seats)
        return wanted, hang_up, "floor" if self.budget.has_room(view.now) else "risk_budget"

    def _too_long(self, view: FloorView) -> int:
        """Attempts that may be given up: they have rung long, nobody is free, and few enough were given up so far."""
        if not self.gives_up or view.idle > 0:
            return 0
        old = sum(seconds >= RUNG_ENOUGH for seconds in view.ringing)
        left = int(GIVEN_UP_SHARE * (self.attempts + GIVEN_UP_START) - self.given_up)
        return max(0, min(old, left))


def _why(view: FloorView, why: str, wanted: int) -> str:
    """Why nothing is placed."""
    if wanted > 0:
        return "no_lines"
    if view.idle > 0:
        return why if why != "floor" else "enough_ringing"
    if view.talking or view.wrapping:
        return why if why == "risk_budget" else "operators_busy"
    return "no_operators"
