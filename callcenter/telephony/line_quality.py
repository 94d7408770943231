"""How good an operator's line is, from what the page measures of it: one word, and what it means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput

STALE = timedelta(seconds=20)  # the page measures every five
# Above these a conversation suffers: words drop out, people talk over each other (ITU-T G.114, and experience).
MOST_LOSS, MOST_JITTER_MS, MOST_ROUND_TRIP_MS = 0.03, 60.0, 400.0
LIMITS = {"loss": 1.0, "jitter_ms": 60_000.0, "round_trip_ms": 600_000.0}  # beyond these a figure is nonsense

WORDS: dict[str | None, LazyString] = {
    "good": _l("Good line"),
    "poor": _l("Poor line"),
    None: _l("Line not measured"),
}


@dataclass(frozen=True)
class Measured:
    """Figures of the last seconds. `loss`: share of packets that did not come, 0–1, of the worse direction."""

    loss: float | None
    jitter_ms: float | None
    round_trip_ms: float | None


class Line(Protocol):
    loss: float | None
    jitter_ms: float | None
    round_trip_ms: float | None
    measured_at: datetime | None


def read(given: Mapping[str, object]) -> Measured:
    """What a page has sent. Raises InvalidInput naming the figure that is none."""
    return Measured(*(_figure(given, name) for name in LIMITS))


def word(line: Line, now: datetime) -> str | None:
    """good | poor; None when nothing was measured lately."""
    if line.measured_at is None or line.measured_at < now - STALE:
        return None
    is_poor = (
        (line.loss or 0) > MOST_LOSS
        or (line.jitter_ms or 0) > MOST_JITTER_MS
        or (line.round_trip_ms or 0) > MOST_ROUND_TRIP_MS
    )
    return "poor" if is_poor else "good"


def _figure(given: Mapping[str, object], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LIMITS[name]:
        raise InvalidInput({name: _("This must be a number from 0 to %(most)s.", most=LIMITS[name])})
    return float(value)
