"""Which channels may be used, and for what: a channel stays off until somebody records the use case that its provider
approved. Carriers refuse electoral texts and Meta refuses parties, candidates and campaigns, while surveys, institutes,
associations and public bodies may write: so every send carries its purpose, and it must be one that was approved.

In a drill nothing leaves the house: a channel without a record is on there.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, false, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import calendar
from callcenter.base import audit
from callcenter.base.clock import ZONE, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused
from campaigns import channels

OFF, OTHER_PURPOSE, EXPIRED = "channel_off", "channel_purpose", "channel_expired"
SENTENCES: dict[str, LazyString] = {
    OFF: _l("This channel is off: nobody recorded the use case that its provider approved (Messages → Channels)."),
    OTHER_PURPOSE: _l("The provider did not approve this channel for that purpose (Messages → Channels)."),
    EXPIRED: _l("The provider's approval of this channel has run out (Messages → Channels)."),
}
_APPROVALS = 20_290  # our own space of PostgreSQL's advisory locks


class ChannelRule(Base):
    """What a provider approved of a channel. `use_case`: in its words or ours; `reference`: where that is written (a
    ticket, a letter). `purposes`: codes of calendar.PURPOSES. Dates are days of real time in the house's zone.

    `daily_people`: how many different people the provider lets us begin with in 24 hours, all our senders together
    (WhatsApp); None: it sets no such limit. `off_reason`: why somebody turned the channel off."""

    __tablename__ = "channel_rules"
    channel: Mapped[str] = mapped_column(primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False, server_default=false())
    use_case: Mapped[str] = mapped_column(default="", server_default="")
    reference: Mapped[str] = mapped_column(default="", server_default="")
    purposes: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    approved_on: Mapped[date | None]
    valid_until: Mapped[date | None]
    daily_people: Mapped[int | None]
    off_reason: Mapped[str | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Approval:
    """What an administrator records of a provider's approval."""

    use_case: str
    reference: str
    purposes: Collection[str]
    approved_on: date | None
    valid_until: date | None = None
    daily_people: int | None = None


def of(session: Session, channel: str) -> ChannelRule | None:
    return session.get(ChannelRule, channel)


def every(session: Session) -> dict[str, ChannelRule]:
    return {rule.channel: rule for rule in session.scalars(select(ChannelRule))}


def why_off(session: Session, channel: str, purpose: str, *, simulated: bool) -> str | None:
    """Why nothing may be sent by this channel for this purpose now: a code of SENTENCES, or None."""
    rule = session.get(ChannelRule, channel)
    if rule is None:
        return None if simulated else OFF
    if not rule.is_on:
        return OFF
    if purpose not in rule.purposes:
        return OTHER_PURPOSE
    return EXPIRED if rule.valid_until is not None and rule.valid_until < _today() else None


def check(session: Session, channel: str, purpose: str, *, simulated: bool) -> None:
    """Raises Refused with the sentence when nothing may be sent by this channel for this purpose."""
    code = why_off(session, channel, purpose, simulated=simulated)
    if code is not None:
        raise Refused(code, str(SENTENCES[code]))


def record(session: Session, channel: str, said: Approval, user_id: int | None) -> ChannelRule:
    """Keep what the provider approved and turn the channel on; audited. Raises InvalidInput with every fault."""
    if faults := _faults(channel, said):
        raise InvalidInput(faults)
    rule = _held(session, channel)
    rule.is_on, rule.off_reason = True, None
    rule.use_case, rule.reference = said.use_case.strip(), said.reference.strip()
    rule.purposes = [purpose for purpose in calendar.PURPOSES if purpose in said.purposes]
    rule.approved_on, rule.valid_until, rule.daily_people = said.approved_on, said.valid_until, said.daily_people
    _note(session, rule, user_id, "channels.approve", purposes=rule.purposes, reference=rule.reference)
    return rule


def turn_off(session: Session, channel: str, reason: str, user_id: int | None) -> None:
    """Nothing more leaves by this channel, also in a drill; campaigns that send pause by themselves. Raises
    InvalidInput."""
    if not reason.strip():
        raise InvalidInput({"off_reason": _("Write why the channel is turned off.")})
    rule = _held(session, channel)
    rule.is_on, rule.off_reason = False, reason.strip()[:300]
    _note(session, rule, user_id, "channels.turn_off", reason=rule.off_reason)


def daily_people(session: Session, channel: str) -> int | None:
    """How many different people the provider lets us begin with in 24 hours, as somebody recorded it."""
    return session.scalar(select(ChannelRule.daily_people).where(ChannelRule.channel == channel))


def _faults(channel: str, said: Approval) -> dict[str, str]:
    faults = {}
    if channel not in channels.NAMES:
        faults["channel"] = _("There is no channel %(name)s.", name=channel)
    if not said.use_case.strip():
        faults["use_case"] = _("Write the use case that the provider approved.")
    if not said.reference.strip():
        faults["reference"] = _("Write where the approval is: a ticket, an e-mail, a contract.")
    if not set(said.purposes) & set(calendar.PURPOSES):
        faults["purposes"] = _("Choose at least one purpose that the provider approved.")
    if said.approved_on is None or said.approved_on > _today():
        faults["approved_on"] = _("Write the day of the approval; it cannot be a day to come.")
    if said.valid_until is not None and said.approved_on is not None and said.valid_until < said.approved_on:
        faults["valid_until"] = _("The approval ends before it begins.")
    if said.daily_people is not None and said.daily_people < 1:
        faults["daily_people"] = _("Write a number of people, or leave it blank.")
    return faults


def _held(session: Session, channel: str) -> ChannelRule:
    """The row of the channel, made if need be; ours alone until the commit."""
    session.execute(select(func.pg_advisory_xact_lock(_APPROVALS, func.hashtext(channel))))
    rule = session.get(ChannelRule, channel, populate_existing=True)
    if rule is None:
        rule = ChannelRule(channel=channel)
        session.add(rule)
    return rule


def _note(session: Session, rule: ChannelRule, user_id: int | None, act: str, **detail: Any) -> None:
    rule.changed_by, rule.changed_at = user_id, real_now()
    session.flush()
    audit.record(session, user_id, act, f"channel/{rule.channel}", **detail)


def _today() -> date:
    return real_now().astimezone(ZONE).date()
