"""How an operator hears and speaks where the carrier is Twilio: in the browser, on a telephone that we ring, or on one
with which they call us. What we ring is checked first: they press a code that only their screen shows.

This module knows no rooms; `operators` asks it whom to ring.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, column, select, table, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import carriers, contacts, suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.phones import normalise
from callcenter.seats import one_time_codes
from callcenter.telephony import line_quality
from callcenter.telephony.line_quality import Measured

WAYS = ("browser", "ring", "dial_in")
CHECK_LIFE = timedelta(minutes=10)
CHECK_TRIES = 3  # wrong codes until a new one is needed
CHECKS = 5  # calls to check a telephone, by operator and by telephone, in one_time_codes.WINDOW
PATIENCE = {"browser": timedelta(seconds=5), "ring": timedelta(seconds=45)}  # until a ring not taken is repeated

_operators = table("operators", column("id"), column("room_asked_at"))  # the noun itself stands above this module


class OperatorLine(Base):
    """One operator's line. `way`: one of WAYS. `phone`: E.164, rung only once `verified_at` stands. `check_hash`: of
    the code that is to be pressed on it; `dial_hash`: of the code with which they call us (callcenter.seats.dial_in).
    `ready_at`: since when the page can be rung; None while it cannot."""

    __tablename__ = "operator_lines"
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True)
    way: Mapped[str] = mapped_column(default="browser", server_default="browser")
    phone: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    check_hash: Mapped[bytes | None]
    check_until: Mapped[datetime | None]
    check_tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    dial_hash: Mapped[bytes | None] = mapped_column(unique=True)
    dial_until: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    loss: Mapped[float | None]
    jitter_ms: Mapped[float | None]
    round_trip_ms: Mapped[float | None]
    measured_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Ring:
    """Whom to ring for an operator's line. `mark`: names this ring among all, and is no secret."""

    address: str
    mark: str


def of(session: Session, operator_id: int) -> OperatorLine:
    """The operator's line, locked and fresh; made on first use."""
    session.execute(insert(OperatorLine).values(operator_id=operator_id).on_conflict_do_nothing())
    return session.get_one(OperatorLine, operator_id, with_for_update=True, populate_existing=True)


def way(session: Session, operator_id: int) -> str:
    """One of WAYS."""
    chosen = session.scalar(select(OperatorLine.way).where(OperatorLine.operator_id == operator_id))
    return chosen or "browser"


def patience(session: Session, operator_id: int) -> timedelta:
    """How long a ring may take until it is repeated."""
    return PATIENCE.get(way(session, operator_id), PATIENCE["ring"])


def mark(asked_at: datetime | None) -> str:
    """The name of a ring, by the moment in which it was asked for."""
    return "closed" if asked_at is None else str(round(asked_at.timestamp() * 1_000_000))


def ring(session: Session, operator_id: int) -> Ring | None:
    """Whom to ring now for this operator's line; None while there is nothing to ring."""
    found = address(session, operator_id)
    asked_at = session.scalar(select(_operators.c.room_asked_at).where(_operators.c.id == operator_id))
    return Ring(found, mark(asked_at)) if found is not None else None


def address(session: Session, operator_id: int) -> str | None:
    """The page, or their telephone; None while neither can be rung."""
    line = session.get(OperatorLine, operator_id, populate_existing=True)
    if line is not None and line.way != "browser":
        return line.phone if line.way == "ring" and line.verified_at else None
    is_there = not carriers.can("browser_leg") or (line is not None and line.ready_at is not None)
    return f"client:op-{operator_id}" if is_there else None


def choose(session: Session, operator_id: int, chosen: str, user_id: int) -> bool:
    """Take another way from now on; False when it is the one there is. Raises InvalidInput, Refused."""
    if chosen not in WAYS:
        raise InvalidInput({"way": _("Choose: the browser, a call to your telephone, or your own call.")})
    line = of(session, operator_id)
    if line.way == chosen:
        return False
    if chosen == "ring" and line.verified_at is None:
        raise Refused("phone_unchecked", _("Confirm your telephone first: we ring it, and you press the code."))
    line.way = chosen
    audit.record(session, user_id, "operator_lines.choose", f"operator/{operator_id}", way=chosen)
    return True


def set_phone(session: Session, operator_id: int, given: str, user_id: int) -> None:
    """Keep the operator's telephone; it counts only when it was checked. Raises InvalidInput."""
    reading = normalise(given)
    if len(reading.numbers) != 1 or reading.numbers[0].extension:
        raise InvalidInput({"phone": _("Write one telephone number of ten digits, without an extension.")})
    phone = reading.numbers[0].e164
    if suppressions.find(session, phone) is not None:
        raise InvalidInput({"phone": _("This phone is on the suppression list: it is not called, not even for work.")})
    line = of(session, operator_id)
    if line.phone != phone:
        line.phone, line.verified_at = phone, None
        line.way = "browser" if line.way == "ring" else line.way
        forget_check(line)
        audit.record(session, user_id, "operator_lines.phone", f"operator/{operator_id}", phone=contacts.masked(phone))


def begin_check(session: Session, operator_id: int) -> str:
    """The code to show on the screen; a worker rings the telephone after the commit. Raises Refused."""
    line = of(session, operator_id)
    if line.phone is None:
        raise Refused("no_phone", _("Write your telephone first."))
    called = "tel:" + one_time_codes.fingerprint(line.phone, "checked").hex()[:32]
    for who in (f"check:{operator_id}", called):
        if one_time_codes.is_shut(session, who, CHECKS):
            raise Refused("too_often", _("That was too often. Wait a quarter of an hour."))
        one_time_codes.note(session, who)
    code = one_time_codes.fresh()
    line.check_hash = one_time_codes.fingerprint(code, f"check:{operator_id}")
    line.check_until, line.check_tries = real_now() + CHECK_LIFE, 0
    enqueue_later(session, "callcenter.seats.line_jobs.ring_to_check", operator_id, queue="urgent")
    return code


def is_checking(session: Session, operator_id: int) -> bool:
    """Is a code to be pressed on this operator's telephone?"""
    line = of(session, operator_id)
    return line.check_hash is not None and line.check_until is not None and line.check_until > real_now()


def check(session: Session, operator_id: int, digits: str) -> str:
    """What came of the digits pressed: `right`, `wrong` (once more), or `over`. Pressed again, right stays right."""
    line = of(session, operator_id)
    if line.check_hash is None or line.check_until is None or line.check_until <= real_now():
        return "right" if line.verified_at is not None else "over"
    if not hmac.compare_digest(line.check_hash, one_time_codes.fingerprint(digits, f"check:{operator_id}")):
        line.check_tries += 1
        if line.check_tries >= CHECK_TRIES:
            forget_check(line)
            return "over"
        return "wrong"
    line.verified_at = real_now()
    forget_check(line)
    audit.record(session, None, "operator_lines.checked", f"operator/{operator_id}")
    tell_later(session, f"operator/{operator_id}")
    return "right"


def forget_check(line: OperatorLine) -> None:
    line.check_hash = line.check_until = None


def registered(session: Session, operator_id: int, *, is_there: bool) -> None:
    """The page can be rung from now on, or no more. There: its leg is rung at once."""
    line = of(session, operator_id)
    line.ready_at = real_now() if is_there else None
    line.measured_at = None
    if is_there and line.way == "browser":
        enqueue_later(session, "callcenter.jobs.open_room", operator_id, True, queue="urgent")
    tell_later(session, f"operator/{operator_id}")


def page_gone(session: Session, operator_id: int) -> None:
    """Nobody took a ring in the page, or the operator has left: it is rung again when it says that it is there."""
    session.execute(update(OperatorLine).where(OperatorLine.operator_id == operator_id).values(ready_at=None))


def measured(session: Session, operator_id: int, figures: Measured) -> None:
    """What the page has measured of its line. Told to the screens when the word for it changes."""
    line = of(session, operator_id)
    before = line_quality.word(line, real_now())
    line.loss, line.jitter_ms, line.round_trip_ms = figures.loss, figures.jitter_ms, figures.round_trip_ms
    line.measured_at = real_now()
    if line_quality.word(line, real_now()) != before:
        tell_later(session, f"operator/{operator_id}")
        tell_later(session, "floor")


def card(session: Session, operator_id: int) -> dict[str, Any] | None:
    """What the console shows of the telephone in the page, as softphones.card does; None where it has none."""
    line = session.get(OperatorLine, operator_id, populate_existing=True)
    if line is not None and line.way != "browser":
        return None
    is_there = line is not None and line.ready_at is not None
    quality = line_quality.word(line, real_now()) if line is not None else None
    return {"registered": is_there, "quality": quality, "fault": None}
