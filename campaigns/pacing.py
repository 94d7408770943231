"""How many phones to ring now. Pure: no clock, no database, no chance; decided anew at every event."""

from dataclasses import dataclass
from typing import ClassVar

MODES = ("progressive",)
KINDS = ("answered", "not_answered", "given_up", "abandoned", "talk", "wrap")


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
    """One queue's pace. Progressive: one phone for each operator who waits, hence nobody picks up to silence."""

    modes: ClassVar[tuple[str, ...]] = MODES

    def __init__(self, mode: str, abandon_limit: float = 0.01, ratio: float = 1.0) -> None:
        if mode not in MODES:
            raise UnknownModeError(f"There is no dialling mode {mode!r}; the modes are: {', '.join(MODES)}.")
        if not 0 <= abandon_limit <= 0.03:
            raise ValueError(f"abandon_limit is {abandon_limit}; it must be between 0 and 0.03.")
        if ratio < 1:
            raise ValueError(f"ratio is {ratio}; it must be 1 or more.")
        self.mode, self.abandon_limit, self.ratio = mode, abandon_limit, ratio

    def observe(self, kind: str, seconds: float, now: float) -> None:  # noqa: ARG002 - other modes learn from them
        """Hear what became of an attempt, or how long a talk or wrap-up took. Progressive needs no estimates."""
        if kind not in KINDS:
            raise ValueError(f"There is no observation {kind!r}; there are: {', '.join(KINDS)}.")

    def decide(self, view: FloorView) -> Decision:
        wanted = view.idle - len(view.ringing) - view.waiting
        place = max(0, min(wanted, view.lines_free))
        return Decision(place, 0, None if place else _why(view, wanted))


@dataclass(frozen=True)
class Sessions:
    """One recorded survey's room. `limit`: conversations that its campaign allows, None for no limit of its own;
    `held`: those that talk or ring now; `free`: what the switches have left for all of them, None when no program that
    holds conversations runs; `lines_free`: calls the carrier still takes."""

    limit: int | None
    held: int
    free: int | None
    lines_free: int


def decide_recorded(room: Sessions) -> Decision:
    """One phone for each free session: nobody picks up to silence, and no operator is needed."""
    if room.free is None:
        return Decision(0, 0, "ivr_away")
    own = room.free if room.limit is None else min(room.limit - room.held, room.free)
    if own <= 0:
        return Decision(0, 0, "sessions_busy")
    place = max(0, min(own, room.lines_free))
    return Decision(place, 0, None if place else "no_lines")


def _why(view: FloorView, wanted: int) -> str:
    if wanted > 0:
        return "no_lines"
    if view.idle > 0:
        return "enough_ringing"
    return "operators_busy" if view.talking or view.wrapping else "no_operators"
