"""Callbacks: from the operator's words to a time at which the person of a call may be rung, where they live."""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from flask_babel import format_time, get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.calendar import HoursOn, Span, opens_at
from callcenter.contacts import Contact
from callcenter.gate import rulebook
from callcenter.ledger.call_ledger import Call
from callcenter.places.zones import zones_of
from callcenter.queueing import plain_time


def understood(session: Session, call_id: UUID, operator_id: int, text: str) -> datetime:
    """The time said by `text`, in the person's zone. Raises InvalidInput with a sentence that says what to write."""
    zones = zones_of_call(session, call_id, operator_id)
    return from_words(text, campaign_now(session), zones, rulebook.read(session).hours_on)


def from_words(text: str, now: datetime, zones: tuple[ZoneInfo, ...], hours: HoursOn) -> datetime:
    """As `understood`, for a person who lives in `zones`, within `hours`."""
    try:
        at = plain_time.understand(text, now.astimezone(zones[0]), hours_there(hours, zones))
    except plain_time.Unclear as unclear:
        detail = {name: _shown(value) for name, value in unclear.detail.items()}
        raise InvalidInput({"callback": str(plain_time.SENTENCES[unclear.code]) % detail}) from None
    return allowed(at, now, zones, hours)


def allowed(at: datetime, now: datetime, zones: tuple[ZoneInfo, ...], hours: HoursOn) -> datetime:
    """`at` itself when people may be called then in every zone of theirs. Raises InvalidInput."""
    local = at.astimezone(zones[0])
    if at <= now:
        raise InvalidInput({"callback": str(plain_time.SENTENCES["past"])})
    if opens_at(at, zones, hours) is not None:
        opens, closes = hours(local.date(), zones[0])
        sentence = str(plain_time.SENTENCES["closed"]) % {"opens": _shown(opens), "closes": _shown(closes)}
        raise InvalidInput({"callback": sentence})
    return local


def hours_there(hours: HoursOn, zones: tuple[ZoneInfo, ...]) -> Callable[[date], Span]:
    """The hours of each day in the person's first zone."""
    return lambda day: hours(day, zones[0])


def spoken(at: datetime, now: datetime, *, short: bool = False) -> str:
    """The time as the operator repeats it to the person: «tomorrow (Thu, 13 May), 6:00 p.m.». `short`: for a button."""
    day = format_skeleton("MMMMEd", at, tzinfo=at.tzinfo, locale=get_locale() or "es_MX")
    days = (at.date() - _local_day(at, now)).days
    values = {"day": day, "time": format_time(at, "short", rebase=False)}
    if days == 0:
        return str(_("today, %(time)s", **values))
    if days == 1 and short:
        return str(_("tomorrow, %(time)s", **values))
    if days == 1:
        return str(_("tomorrow (%(day)s), %(time)s", **values))
    return str(_("%(day)s, %(time)s", **values))


def zones_of_call(session: Session, call_id: UUID, operator_id: int) -> tuple[ZoneInfo, ...]:
    """The zones of the person in the operator's call. Raises NotFound when it is not theirs."""
    row = session.execute(
        select(Call.id, Contact.state, Contact.municipality, Contact.phone)
        .join(Call.attempt)
        .outerjoin(Contact, Contact.id == Attempt.contact_id)
        .where(Call.id == call_id, Call.operator_id == operator_id)
    ).one_or_none()
    if row is None:
        raise NotFound(_("There is no such call of yours."))
    return zones_of(row.state, row.municipality, row.phone) if row.phone else (ZONE,)


def _local_day(at: datetime, now: datetime) -> date:
    return now.astimezone(at.tzinfo).date()


def _shown(value: object) -> str:
    return str(value) if isinstance(value, str) else format_time(value, "short", rebase=False)
