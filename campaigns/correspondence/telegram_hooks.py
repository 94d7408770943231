"""What people write to our bot, as Telegram brings it: verified, committed, answered. An update that comes twice
changes nothing."""

import hmac
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from callcenter import contacts
from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.settings import Settings, web_settings
from callcenter.base.web import csrf
from campaigns import inbox
from campaigns.channels import Reply, channel_addresses, channel_checks, telegram_bot
from campaigns.channels.telegram_words import NAME, Update, read_update

blueprint = Blueprint("telegram_hooks", __name__)
# Citizens read Spanish, whatever language the house works in. The one text that the ledger does not hold: who starts
# the bot asked for it, Telegram takes it as the answer to this very request, and it says nothing but how to go on.
GREETING = (
    "Hola. Para que sepamos quién es usted, puede compartir su teléfono con el botón de abajo. "
    "Escriba BAJA cuando no quiera recibir más mensajes."
)
SHARE = "Compartir mi teléfono"
THANKS = "Gracias. Escriba BAJA cuando no quiera recibir más mensajes."


@blueprint.post(channel_checks.HOOK)
@public("carries the secret that we gave to Telegram")
def update() -> ResponseReturnValue:
    settings, given = web_settings(), request.headers.get(telegram_bot.HEADER, "")
    if not hmac.compare_digest(given.encode(), telegram_bot.secret(settings).encode()):
        return "This is not Telegram.\n", 403, {"Content-Type": "text/plain; charset=utf-8"}
    said = request.get_json(silent=True)
    if not isinstance(said, dict):
        raise InvalidInput("An update of Telegram is a JSON object.")
    session, news = web_session(), read_update(said)
    answer = take(session, news, settings)
    session.commit()
    return answer


csrf.exempt(update)  # Telegram's secret stands in for the token


def take(session: Session, news: Update, settings: Settings) -> dict[str, Any]:
    """Keep the news; returns the method that answers it, empty for none. Harmless twice; the caller commits."""
    if news.left is not None:
        channel_addresses.mark(session, NAME, news.left, channel_addresses.BLOCKED)
    if news.returned is not None:
        channel_addresses.reopen(session, NAME, news.returned)
    reply = news.reply
    if reply is None:
        return {}
    reply = _named(session, reply, news.start, settings)
    known = channel_addresses.heard(session, reply)
    if news.start is not None:
        channel_addresses.welcome_back(session, NAME, reply.address)
        return {} if known.contact_id else _greeting(reply)
    if news.is_shared:
        return {"method": "sendMessage", "chat_id": reply.address, "text": THANKS,
                "reply_markup": {"remove_keyboard": True}}  # fmt: skip
    inbox.receive(session, reply, contact_id=known.contact_id)
    return {}


def _named(session: Session, reply: Reply, start: str | None, settings: Settings) -> Reply:
    """Who it is, when they came by a link that we gave to one person."""
    contact_id = telegram_bot.read_start(start, settings) if start else None
    if contact_id is None:
        return reply
    try:
        contacts.get(session, contact_id)
    except NotFound:  # erased since
        return reply
    return Reply(**{**reply.__dict__, "contact_id": contact_id})


def _greeting(reply: Reply) -> dict[str, Any]:
    keys = [[{"text": SHARE, "request_contact": True}]]
    return {"method": "sendMessage", "chat_id": reply.address, "text": GREETING,
            "reply_markup": {"keyboard": keys, "one_time_keyboard": True, "resize_keyboard": True}}  # fmt: skip
