"""How much an account of Twilio may do at once, less what it does already."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.settings import Twilio
from callcenter.operators import Operator


def lines(session: Session, account: Twilio) -> int:
    """Calls to people that may go on at once: operators' own legs are calls of the account, too."""
    rooms = session.scalar(select(func.count()).select_from(Operator).where(Operator.room_ref.is_not(None))) or 0
    return max(0, account.concurrent_calls - rooms)
