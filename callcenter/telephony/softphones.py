"""Softphones: the account with which one browser registers at a switch, from log-in to log-out, and how its line is.

Names: `op-<operator id>` is an operator's, `sup-<user id>` a supervisor's. The secret is random, made anew at each
log-in, told to the page once, and known to the switch only while the account lives. Used only where the carrier has a
switchboard; this module knows no rooms.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, and_, exists, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import switches
from callcenter.base import sealed
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.telephony import line_quality
from callcenter.telephony.line_quality import Measured

GRACE = timedelta(seconds=10)  # a page may be reloaded, its connection lost: until then nothing is hung up
PATIENCE = timedelta(seconds=5)  # an opening or closing not done by then lost its job
LONGEST = timedelta(hours=16)  # as long as a session (sign_in.SESSION_LIFE); then the secret is no good any more
REALM = "convoca.invalid"  # the switch knows an account by its name alone
OPERATOR = "op-"


class Softphone(Base):
    """One account. `serial` counts its secrets: work for an older one is dropped. `operator_id`: None of a
    supervisor's. `contact`: where the switch reaches the browser; `gone_at`: since when it does not."""

    __tablename__ = "softphones"
    name: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), unique=True)
    switch: Mapped[str] = mapped_column(ForeignKey("switches.name", ondelete="CASCADE"))
    secret_sealed: Mapped[str]
    serial: Mapped[int]
    asked_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closing_at: Mapped[datetime | None]
    fault: Mapped[str | None]
    contact: Mapped[str | None]
    registered_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    loss: Mapped[float | None]
    jitter_ms: Mapped[float | None]
    round_trip_ms: Mapped[float | None]
    measured_at: Mapped[datetime | None]

    @property
    def is_there(self) -> bool:
        return self.registered_at is not None and self.gone_at is None and self.closing_at is None


@dataclass(frozen=True)
class Credentials:
    """What a page registers with. `ws_url` may be a path of our own origin (a proxy in front of both)."""

    name: str
    uri: str
    ws_url: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Order:
    """An account to open: where, and with which secret. Free of the session."""

    switch: str
    secret: str = field(repr=False)


def log_in(session: Session, name: str, user_id: int) -> Credentials:
    """Make an account, or give the one there is a new secret; a job opens it at the switch within a second.

    It stays on its switch while that one is heard of, else goes to the one with the fewest. Raises Refused
    `no_switch` when there is none."""
    secret = secrets.token_urlsafe(24)
    phone = _locked(session, name)
    switch = _switch_for(session, phone)
    if phone is None:
        phone = Softphone(name=name, user_id=user_id, operator_id=_operator_id(name), serial=0)
        session.add(phone)
    elif phone.switch != switch.name:
        _close_later(session, phone)
    phone.user_id, phone.switch, phone.secret_sealed = user_id, switch.name, sealed.seal(secret)
    phone.serial += 1
    phone.asked_at = real_now()
    phone.opened_at = phone.closing_at = phone.fault = phone.measured_at = None
    _open_later(session, phone)
    return Credentials(name, f"sip:{name}@{REALM}", switch.ws_url, secret)


def log_out(session: Session, name: str) -> None:
    """The secret counts no more; harmless when there is no such account."""
    phone = _locked(session, name)
    if phone is not None and phone.closing_at is None:
        phone.closing_at = real_now()
        _close_later(session, phone)


def log_out_user(session: Session, user_id: int, but: str) -> None:
    """Every account of this person except `but` (an operator's ends with their shift, after a call that goes on)."""
    for name in session.scalars(select(Softphone.name).where(Softphone.user_id == user_id, Softphone.name != but)):
        log_out(session, name)


def order(session: Session, name: str, serial: int) -> Order | None:
    """What a job must open; None when that secret is open, replaced or withdrawn."""
    phone = _locked(session, name)
    if phone is None or phone.serial != serial or phone.opened_at or phone.closing_at:
        return None
    return Order(phone.switch, sealed.unseal(phone.secret_sealed))


def opened(session: Session, name: str, serial: int, switch: str) -> None:
    """The switch knows the secret. If it was withdrawn meanwhile, it is closed once more."""
    phone = _locked(session, name)
    if phone is None or (phone.serial == serial and phone.closing_at):
        enqueue_later(
            session, "callcenter.telephony.softphone_jobs.close_account", switch, name, serial, queue="urgent"
        )
    elif phone.serial == serial:
        phone.opened_at, phone.fault = real_now(), None


def not_opened(session: Session, name: str, serial: int, fault: str) -> None:
    """The switch did not take the account; the sweep tries again."""
    phone = _locked(session, name)
    if phone is not None and phone.serial == serial:
        phone.fault = fault
        _tell(session, phone)


def is_closing(session: Session, name: str, serial: int, switch: str) -> bool:
    """Must the switch still forget this secret? Not when a newer one has taken its place there."""
    phone = _locked(session, name)
    return phone is None or phone.switch != switch or (phone.serial == serial and phone.closing_at is not None)


def closed(session: Session, name: str, serial: int, switch: str) -> None:
    """The switch knows the account no more. If a new log-in came meanwhile, its secret is told the switch again."""
    phone = _locked(session, name)
    if phone is None:
        return
    if phone.serial == serial and phone.closing_at is not None:
        session.delete(phone)
    elif phone.serial != serial and phone.switch == switch and phone.closing_at is None:
        phone.opened_at = None
        _open_later(session, phone)


def registered(session: Session, name: str, is_there: bool, contact: str | None = None) -> None:
    """The switch tells that a browser is there, or gone. `contact`: its address; news that an address is gone which
    another has replaced (a reload) are dropped.

    There again: the operator's leg is dialled at once, for the page may have lost the old one. Gone: only noted."""
    phone = _locked(session, name)
    if phone is None or phone.closing_at is not None:
        return
    if is_there:
        is_news = not phone.is_there or (contact is not None and contact != phone.contact)
        phone.contact, phone.gone_at = contact, None
        phone.registered_at = real_now() if is_news else phone.registered_at
        if is_news and phone.operator_id is not None:
            enqueue_later(session, "callcenter.jobs.open_room", phone.operator_id, True, queue="urgent")
        if is_news:
            _tell(session, phone)
    elif phone.is_there and (contact is None or phone.contact in (None, contact)):
        phone.gone_at = real_now()
        _tell(session, phone)


def reconcile(session: Session, switch: str, contacts: dict[str, str]) -> None:
    """What a switch says when it is asked anew: name → contact of every browser that is there now."""
    for phone in session.scalars(select(Softphone).where(Softphone.switch == switch).order_by(Softphone.name)):
        if phone.name in contacts:
            registered(session, phone.name, True, contacts[phone.name])
        else:
            registered(session, phone.name, False)


def is_there(session: Session, name: str) -> bool:
    """Can the switch reach this browser now?"""
    phone = session.get(Softphone, name, populate_existing=True)
    return phone is not None and phone.is_there


def home(session: Session, name: str) -> str:
    """The switch that this account is on. Raises NotFound."""
    phone = session.get(Softphone, name, populate_existing=True)
    if phone is None:
        raise NotFound(_("There is no telephone account of this name."))
    return phone.switch


def lost(operator_id: Any, since: datetime) -> Any:
    """The condition of an operator whose browser the switch has not reached since before `since`. `operator_id`: a
    column. False for one without an account."""
    gone = or_(Softphone.gone_at < since, and_(Softphone.registered_at.is_(None), Softphone.asked_at < since))
    return exists().where(Softphone.operator_id == operator_id, gone)


def present(operator_id: Any) -> Any:
    """The condition of an operator whose browser the switch can ring. `operator_id`: a column."""
    there = and_(Softphone.registered_at.is_not(None), Softphone.gone_at.is_(None), Softphone.closing_at.is_(None))
    return exists().where(Softphone.operator_id == operator_id, there)


def away(operator_id: Any) -> Any:
    """The condition of an operator whom the switch cannot reach at this moment: not a moment for a new call."""
    return exists().where(Softphone.operator_id == operator_id, Softphone.gone_at.is_not(None))


def measured(session: Session, name: str, line: Measured) -> None:
    """What the page has measured of its line. Told to the screens when the word for it changes. Raises NotFound."""
    phone = _locked(session, name)
    if phone is None:
        raise NotFound(_("There is no telephone account of this name."))
    before = line_quality.word(phone, real_now())
    phone.loss, phone.jitter_ms, phone.round_trip_ms = line.loss, line.jitter_ms, line.round_trip_ms
    phone.measured_at = real_now()
    if line_quality.word(phone, real_now()) != before:
        _tell(session, phone)


def card(session: Session, operator_id: int) -> dict[str, Any]:
    """What an operator's screen shows of their telephone: {"registered", "quality": good | poor | null, "fault"}."""
    phone = session.scalar(
        select(Softphone)
        .where(Softphone.operator_id == operator_id)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if phone is None or phone.closing_at is not None:
        return {"registered": False, "quality": None, "fault": None}
    return {
        "registered": phone.is_there,
        "quality": line_quality.word(phone, real_now()),
        "fault": phone.fault,
    }


def sweep(session: Session) -> None:
    """Give lost jobs a successor, and end accounts that nobody logged out or whose person may not sign in any more."""
    now = real_now()
    closing, opening = Softphone.closing_at < now - PATIENCE, Softphone.closing_at.is_(None)
    unopened = and_(opening, Softphone.opened_at.is_(None), Softphone.asked_at < now - PATIENCE)
    disabled = exists().where(User.id == Softphone.user_id, User.active.is_(False))
    over = and_(opening, or_(Softphone.asked_at < now - LONGEST, disabled))
    ending = set(session.scalars(select(Softphone.name).where(over)))
    due = select(Softphone).where(or_(closing, unopened, Softphone.name.in_(ending))).order_by(Softphone.name)
    for phone in session.scalars(due.with_for_update(skip_locked=True).execution_options(populate_existing=True)):
        if phone.closing_at is not None or phone.name in ending:
            phone.closing_at = now
            _close_later(session, phone)
        else:
            _open_later(session, phone)


def _switch_for(session: Session, phone: Softphone | None) -> switches.Switch:
    known = switches.all_switches(session)
    heard = [switch for switch in known if not switches.is_away(switch)] or known
    if not heard:
        raise Refused("no_switch", _("No telephone switch is set up. Tell your administrator."))
    for switch in heard:
        if phone is not None and phone.switch == switch.name:
            return switch
    counted = select(Softphone.switch, func.count()).where(Softphone.closing_at.is_(None)).group_by(Softphone.switch)
    taken = {row[0]: row[1] for row in session.execute(counted)}
    return min(heard, key=lambda switch: (taken.get(switch.name, 0), switch.name))


def _operator_id(name: str) -> int | None:
    return int(name.removeprefix(OPERATOR)) if name.startswith(OPERATOR) else None


def _open_later(session: Session, phone: Softphone) -> None:
    enqueue_later(session, "callcenter.telephony.softphone_jobs.open_account", phone.name, phone.serial, queue="urgent")


def _close_later(session: Session, phone: Softphone) -> None:
    job = "callcenter.telephony.softphone_jobs.close_account"
    enqueue_later(session, job, phone.switch, phone.name, phone.serial, queue="urgent")


def _tell(session: Session, phone: Softphone) -> None:
    if phone.operator_id is not None:
        tell_later(session, f"operator/{phone.operator_id}")
        tell_later(session, "floor")


def _locked(session: Session, name: str) -> Softphone | None:
    return session.get(Softphone, name, with_for_update=True, populate_existing=True)
