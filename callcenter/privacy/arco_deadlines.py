"""How urgent privacy requests are: working days left, and the light that they give."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE, campaign_now
from callcenter.gate.working_days import WorkingDays, working_days
from callcenter.privacy.arco import ArcoRequest

# The light from so many working days left on: of the twenty to answer, when 10, 15 and 18 are over.
LIGHTS = ((-1, "late"), (2, "red"), (5, "amber"), (10, "yellow"))
LABELS: dict[str, LazyString] = {
    "late": _l("Late"),
    "red": _l("Very urgent"),
    "amber": _l("Urgent"),
    "yellow": _l("Half the time is over"),
    "green": _l("In time"),
    "closed": _l("Closed"),
}
WARNS = ("late", "red", "amber", "yellow")


@dataclass(frozen=True)
class Standing:
    """A case and its deadline. `left`: working days until it, 0 today, below zero past it; None once it is closed."""

    case: ArcoRequest
    left: int | None

    @property
    def light(self) -> str:
        return light(self.left)


def light(left: int | None) -> str:
    """How urgent: closed | late | red | amber | yellow | green."""
    if left is None:
        return "closed"
    return next((name for most, name in LIGHTS if left <= most), "green")


def days_left(case: ArcoRequest, days: WorkingDays, today: date) -> int | None:
    """Working days until the deadline that runs; None for a closed case."""
    return None if case.due_on is None else days.between(today, case.due_on)


def stand(session: Session, cases: Sequence[ArcoRequest]) -> list[Standing]:
    """Where each case stands today (campaign time)."""
    days, today = working_days(session), campaign_now(session).astimezone(ZONE).date()
    return [Standing(case, days_left(case, days, today)) for case in cases]


def listed(session: Session, *, closed: bool, limit: int = 50, offset: int = 0) -> list[Standing]:
    """Open cases by deadline, or closed ones, newest first."""
    if closed:
        wanted = select(ArcoRequest).where(ArcoRequest.closed_at.is_not(None)).order_by(ArcoRequest.closed_at.desc())
    else:
        wanted = select(ArcoRequest).where(ArcoRequest.closed_at.is_(None)).order_by(ArcoRequest.due_on, ArcoRequest.id)
    return stand(session, session.scalars(wanted.limit(limit).offset(offset)).all())


def warnings(session: Session) -> Counter[str]:
    """How many open cases give each light that warns."""
    lights = Counter(one.light for one in listed(session, closed=False, limit=10_000))
    return Counter({name: lights[name] for name in WARNS if lights[name]})
