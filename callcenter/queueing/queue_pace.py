"""How fast a queue dials: its mode and its limits, which may be changed while it runs. The next decision follows."""

import math
from dataclasses import asdict, dataclass

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.base import audit
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import tell_later
from callcenter.queues import CallQueue

MOST_ABANDONED = 0.03  # of answered calls, whatever anybody sets
MOST_RATIO = 5.0
MOST_A_SECOND = 100

# Who decides when a phone rings, from the slowest to the quickest; campaigns.pacing knows what each one does.
MODES: dict[str, LazyString] = {
    "manual": _l("Manual: the operator picks the person and calls."),
    "preview": _l("Preview: the operator sees the person first, then calls or skips."),
    "progressive": _l("Progressive: one phone rings for each free operator."),
    "power": _l("Power: a fixed number of phones rings for each free operator."),
    "predictive": _l("Predictive: as many phones ring as the limit of abandoned calls allows."),
}
NAMES: dict[str, LazyString] = {
    "manual": _l("Manual"),
    "preview": _l("Preview"),
    "progressive": _l("Progressive"),
    "power": _l("Power"),
    "predictive": _l("Predictive"),
}
# Why a queue dials one phone for each free operator although its mode would allow more: `call_queues.falls_back`.
FALLBACKS: dict[str, LazyString] = {
    "small_team": _l("Too few operators to hold a limit: one phone rings for each free operator."),
    "warming_up": _l("Too few calls so far to know how people answer: one phone rings for each free operator."),
    "risk_budget": _l(
        "The abandoned calls have reached their limit: hardly more than one phone rings for each free operator."
    ),
}


@dataclass(frozen=True)
class Pace:
    """`mode`: one of MODES. `abandon_limit`: share of answered calls that may find nobody within two seconds (0 to
    MOST_ABANDONED). `ratio`: phones for each free operator in the mode power. `gives_up`: may a phone that has rung for
    15 s be left while nobody is free? `calls_per_second`: that begin; None: as many as the carrier takes."""

    mode: str
    abandon_limit: float = 0.01
    ratio: float = 1.5
    gives_up: bool = True
    calls_per_second: int | None = None


def of(session: Session, queue_id: int) -> Pace:
    """Raises NotFound."""
    return of_queue(queues.get(session, queue_id))


def of_queue(queue: CallQueue) -> Pace:
    return Pace(queue.mode, queue.abandon_limit, queue.ratio, queue.gives_up, queue.calls_per_second)


def set_pace(session: Session, queue_id: int, pace: Pace, user_id: int | None) -> None:
    """Let the queue dial so from its next decision on, and audit it. Raises InvalidInput, NotFound."""
    faults = faults_of(pace)
    if faults:
        raise InvalidInput(faults)
    queue = session.get(CallQueue, queue_id, with_for_update=True, populate_existing=True)
    if queue is None:
        raise NotFound(_("There is no such call queue."))
    old = of_queue(queue)
    if old == pace:
        return
    audit.record(session, user_id, "queues.set_pace", f"queue/{queue_id}", was=asdict(old), now=asdict(pace))
    for name, value in asdict(pace).items():
        setattr(queue, name, value)
    queue.falls_back = None
    session.flush()
    for topic in (f"queue/{queue_id}", "floor", "dialer"):
        tell_later(session, topic)


def faults_of(pace: Pace) -> dict[str, str]:
    """What cannot be used of it: field → a sentence."""
    faults = {}
    if pace.mode not in MODES:
        faults["mode"] = _("There is no dialling mode %(mode)s; choose one of: %(modes)s.",
                           mode=pace.mode, modes=", ".join(MODES))  # fmt: skip
    if not 0 <= pace.abandon_limit <= MOST_ABANDONED:  # also refuses what is no number
        faults["abandon_limit"] = _("Give a limit between 0 and %(most)s %% of the answered calls.",
                                    most=f"{MOST_ABANDONED * 100:g}")  # fmt: skip
    if not 1 <= pace.ratio <= MOST_RATIO or math.isnan(pace.ratio):
        faults["ratio"] = _("Give between 1 and %(most)s phones for each free operator.", most=f"{MOST_RATIO:g}")
    if pace.calls_per_second is not None and not 1 <= pace.calls_per_second <= MOST_A_SECOND:
        faults["calls_per_second"] = _("Give between 1 and %(most)s calls a second, or nothing.", most=MOST_A_SECOND)
    return faults


def fallback_sentence(code: str | None) -> str | None:
    """Why the queue dials more slowly than its mode says, in the reader's language; None while it does not."""
    return None if code is None else str(FALLBACKS.get(code, code))
