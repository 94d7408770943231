"""What providers say of our accounts, asked every quarter of an hour: templates and their approval, how WhatsApp sees
our senders, whether the bot hears. The last answer stays, with its time, and so does the last fault."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base, open_session
from callcenter.base.errors import ProviderError
from callcenter.base.outbox import enqueue_later
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.channels import content, telegram_bot
from campaigns.channels.whatsapp import prefixed
from campaigns.dispatch import senders
from campaigns.texts import message_templates

log = logging.getLogger(__name__)
HOOK = "/hooks/telegram"  # where campaigns.correspondence.telegram_hooks listens


class ChannelCheck(Base):
    """The last time that a channel's provider was asked. `fault`: the code of why it did not answer, None when it did;
    `said`: figures for the page."""

    __tablename__ = "channel_checks"
    channel: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    fault: Mapped[str | None]
    said: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))


@dataclass
class _Own:
    """A sender of this installation's settings, as `senders` wants to hear of it."""

    channel: str
    sender: str
    carrier: str
    pool_id: int | None = None


def latest(session: Session) -> dict[str, ChannelCheck]:
    return {check.channel: check for check in session.scalars(select(ChannelCheck))}


def check_later(session: Session) -> None:
    """Ask every provider in a job."""
    enqueue_later(session, "campaigns.channels.channel_checks.check_all")


def check_all() -> None:
    """Ask every provider; no transaction is open while one answers. One that fails keeps the others from nothing."""
    settings = channels.configured()
    for channel, ask in (("whatsapp", _of_whatsapp), ("telegram", _of_telegram), ("email", _of_email)):
        try:
            said, write = ask(settings)
            fault = None
        except ProviderError as error:
            said, write, fault = {}, None, error.code or "no_answer"
            log.warning("channels: %s was not checked (%s)", channel, fault)
        with open_session() as session:
            if write is not None:
                said = said | write(session)
            _keep(session, channel, fault, said)
            session.commit()


_Written = tuple[dict[str, Any], Callable[[Session], dict[str, Any]] | None]


def _of_whatsapp(settings: Settings) -> _Written:
    if not settings.twilio.whatsapp_sender:
        raise ProviderError("There is no WhatsApp sender.", code="not_set_up", permanent=True)
    templates, standings = content.fetch_templates(settings), content.fetch_senders(settings)

    def write(session: Session) -> dict[str, Any]:
        known = {standing.address: standing for standing in standings}
        for address in {prefixed(settings.twilio.whatsapp_sender), *known}:
            sender = _enter(session, "whatsapp", address, settings)
            standing = known.get(address)
            if standing is not None:
                senders.note_quality(session, sender, standing.quality, standing.daily_people)
        return message_templates.keep(session, settings.carrier, templates)

    return {"templates": len(templates), "senders": len(standings)}, write


def _of_telegram(settings: Settings) -> _Written:
    bot = telegram_bot.username(settings)
    telegram_bot.listen(settings, HOOK)

    def write(session: Session) -> dict[str, Any]:
        _enter(session, "telegram", bot, settings)
        return {}

    return {"bot": bot}, write


def _of_email(settings: Settings) -> _Written:
    if not settings.mail.url:
        raise ProviderError("There is no mail server.", code="not_set_up", permanent=True)

    def write(session: Session) -> dict[str, Any]:
        _enter(session, "email", settings.mail.sender, settings)
        return {}

    return {"sender": settings.mail.sender}, write


def _enter(session: Session, channel: str, address: str, settings: Settings) -> int:
    """The sender's number; entered when it is new."""
    return senders.of_campaign(session, _Own(channel, address, settings.carrier))[0].id


def _keep(session: Session, channel: str, fault: str | None, said: dict[str, Any]) -> None:
    """What was said last stays when nobody answers now."""
    row = insert(ChannelCheck).values(channel=channel, checked_at=real_now(), fault=fault, said=said)
    taken = {"checked_at": row.excluded.checked_at, "fault": row.excluded.fault}
    if fault is None:
        taken["said"] = row.excluded.said
    session.execute(row.on_conflict_do_update(index_elements=["channel"], set_=taken))
