"""Who picked up and found nobody is left alone for three days, whatever campaign asks; only an operator who is held for
the call already (a preview, a callback of theirs) may call sooner."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased

from callcenter.attempts import UNCOUNTED, Attempt

REST = timedelta(hours=72)  # campaign time


def is_resting_abandoned(phone: Any, now: datetime) -> ColumnElement[bool]:
    """The condition of a phone whose last call that counted was abandoned less than REST ago. `phone`: a column; `now`:
    campaign time. One short walk along an index for each phone."""
    later = aliased(Attempt)
    after = and_(later.phone == phone, later.at > Attempt.at, later.channel == "call", later.outcome.not_in(UNCOUNTED))
    return exists().where(
        Attempt.phone == phone, Attempt.at > now - REST, Attempt.channel == "call", Attempt.outcome == "abandoned",
        ~exists().where(after),
    )  # fmt: skip
