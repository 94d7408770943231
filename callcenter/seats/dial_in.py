"""Operators who call us: a code of six digits opens their line once, from whatever telephone they have.

It expires, counts once, is kept as a fingerprint only, and is throttled by the number that calls and by the operator
who asks for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import Refused
from callcenter.phones import normalise
from callcenter.seats import one_time_codes, operator_lines
from callcenter.seats.operator_lines import OperatorLine

LIFE = timedelta(minutes=10)
ASKED = 5  # codes that one operator may ask for in one_time_codes.WINDOW
WRONG = 5  # wrong codes from one number in that time; then even the right one is refused
WRONG_IN_ALL = 60  # from all numbers together: who changes numbers guesses no better
EVERYBODY = "dial-in:all"


@dataclass(frozen=True)
class Code:
    """What the operator's screen shows, once."""

    digits: str
    until: datetime


@dataclass(frozen=True)
class Taken:
    """`operator_id`: whose line this is; None for a wrong code. `is_shut`: too many were wrong."""

    operator_id: int | None
    is_shut: bool = False


def make(session: Session, operator_id: int, user_id: int) -> Code:
    """A new code; an older one counts no more. Raises Refused."""
    asked = f"dial-in:{operator_id}"
    if one_time_codes.is_shut(session, asked, ASKED):
        raise Refused("too_often", _("That was too often. Wait a quarter of an hour."))
    one_time_codes.note(session, asked)
    line = operator_lines.of(session, operator_id)
    line.dial_hash = None
    session.flush()
    digits = _unused(session)
    line.dial_hash, line.dial_until = _fingerprint(digits), real_now() + LIFE
    audit.record(session, user_id, "operator_lines.code", f"operator/{operator_id}")
    return Code(digits, line.dial_until)


def take(session: Session, caller: str, digits: str) -> Taken:
    """Whose code this is: it counts no more from now on. `caller`: as the carrier names who calls."""
    who = _who(caller)
    if one_time_codes.is_shut(session, who, WRONG) or one_time_codes.is_shut(session, EVERYBODY, WRONG_IN_ALL):
        return Taken(None, is_shut=True)
    wanted = select(OperatorLine).where(OperatorLine.dial_hash == _fingerprint(digits))
    line = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if line is None or line.dial_until is None or line.dial_until <= real_now():
        one_time_codes.note(session, who)
        one_time_codes.note(session, EVERYBODY)
        return Taken(None, is_shut=one_time_codes.is_shut(session, who, WRONG))
    line.dial_hash = line.dial_until = None
    line.way = "dial_in"
    audit.record(session, None, "operator_lines.dialled_in", f"operator/{line.operator_id}")
    return Taken(line.operator_id)


def expects(session: Session, caller: str) -> bool:
    """Is this the checked telephone of an operator who has asked for a code?"""
    numbers = normalise(caller).numbers
    if len(numbers) != 1:
        return False
    wanted = select(OperatorLine.operator_id).where(
        OperatorLine.phone == numbers[0].e164,
        OperatorLine.verified_at.is_not(None),
        OperatorLine.dial_until > real_now(),
    )
    return session.scalar(wanted.limit(1)) is not None


def _unused(session: Session) -> str:
    while True:
        digits = one_time_codes.fresh()
        taken = select(OperatorLine.operator_id).where(OperatorLine.dial_hash == _fingerprint(digits))
        if session.scalar(taken) is None:
            return digits


def _fingerprint(digits: str) -> bytes:
    return one_time_codes.fingerprint(digits, "dial-in")


def _who(caller: str) -> str:
    """All who withhold their number are one."""
    numbers = normalise(caller).numbers
    known = numbers[0].e164 if len(numbers) == 1 else "withheld"
    return "tel:" + one_time_codes.fingerprint(known, "caller").hex()[:32]
