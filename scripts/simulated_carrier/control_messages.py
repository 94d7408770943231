"""The control page of messages: what phones, senders and filters do, and what citizens write to us."""

from typing import Any

from aiohttp import web

from scripts.simulated_carrier import senders
from scripts.simulated_carrier.api import EXCHANGE
from scripts.simulated_carrier.contents import STATUSES
from scripts.simulated_carrier.control import read_order, read_phone
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.handsets import Order
from scripts.simulated_carrier.senders import Sender
from scripts.simulated_carrier.telegram import Chat
from scripts.simulated_carrier.texts import WHATSAPP

routes = web.RouteTableDef()


def _bad(sentence: object) -> web.HTTPUnprocessableEntity:
    return web.HTTPUnprocessableEntity(text=str(sentence))


@routes.post("/control/sms")
async def write_sms(request: web.Request) -> web.Response:
    """{"from": a citizen, "to": one of our senders, "body"}."""
    exchange, order = request.app[EXCHANGE], await read_order(request)
    known = [address for address in exchange.texts.senders.known if not address.startswith(WHATSAPP)]
    ours = order.get("to", list(exchange.numbers)[-1])
    if ours not in known or senders.kind(ours) == "name":
        raise _bad(f"to must be one of {', '.join(name for name in known if senders.kind(name) != 'name')}.")
    text = exchange.texts.receive(read_phone(order.get("from")), ours, str(order.get("body", "")))
    return web.json_response({"sid": text.sid})


@routes.post("/control/whatsapp")
async def write_whatsapp(request: web.Request) -> web.Response:
    """{"from": a citizen's phone | "bsuid": how WhatsApp names one without a phone, "to"?, "body", "name"?,
    "button"?: {"text", "payload"}, "media"?: true}."""
    exchange, order = request.app[EXCHANGE], await read_order(request)
    known = [address for address in exchange.texts.senders.known if address.startswith(WHATSAPP)]
    ours = order.get("to", known[0])
    if ours not in known:
        raise _bad(f"to must be one of {', '.join(known)}.")
    more = _introduced(exchange, order) | _what_else(exchange, order)
    text = exchange.texts.receive(more["From"], ours, str(order.get("body", "")), more)
    return web.json_response({"sid": text.sid, "from": text.sender})


def _introduced(exchange: Exchange, order: dict[str, Any]) -> dict[str, str]:
    user_id = order.get("bsuid")
    if user_id is None:
        names = exchange.texts.names_of(read_phone(order.get("from")))
    else:
        names = {"From": f"{WHATSAPP}{user_id}", "ExternalUserId": str(user_id), "ProfileName": "Vecina"}
    return names | ({"ProfileName": str(order["name"])} if "name" in order else {})


def _what_else(exchange: Exchange, order: dict[str, Any]) -> dict[str, str]:
    button, more = order.get("button"), {}
    if isinstance(button, dict):
        more = {"ButtonText": str(button.get("text", "")), "ButtonPayload": str(button.get("payload", ""))}
        more["MessageType"] = "button"
    if order.get("media"):
        account = exchange.options.account_sid
        # Fetched with the account's own credentials, at the carrier that posts it.
        url = f"{exchange.base_url}/2010-04-01/Accounts/{account}/Messages/{{sid}}/Media/ME{'5' * 32}"
        more |= {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": "image/png", "MessageType": "image"}
    return more


@routes.get("/control/senders")
async def list_senders(request: web.Request) -> web.Response:
    return web.json_response([_shown(sender) for sender in request.app[EXCHANGE].texts.senders.known.values()])


@routes.post("/control/senders/{address}")
async def order_sender(request: web.Request) -> web.Response:
    """Any of {"parts_per_second", "people_a_day" (null: as the settings say), "state", "quality"}; an unknown sender is
    made."""
    exchange, order = request.app[EXCHANGE], await read_order(request)
    address = request.match_info["address"]
    if senders.kind(address) is None:
        raise _bad(f"{address!r} is no sender: a phone, a short code, a name of 11 letters, or whatsapp:+52…")
    fault = _fault(order)
    if fault is not None:
        raise _bad(fault)
    sender = exchange.texts.senders.known.get(address) or exchange.adopt(address)
    for name, value in order.items():
        setattr(sender, name, value)
    return web.json_response(_shown(sender))


def _fault(order: dict[str, Any]) -> str | None:
    words = {"state": senders.STATES, "quality": senders.QUALITIES}
    for name, value in order.items():
        if name in words:
            if value not in words[name]:
                return f"{name} is one of {', '.join(words[name])}, not {value!r}"
        elif name not in ("parts_per_second", "people_a_day"):
            return f"unknown {name!r}; a sender is told parts_per_second, people_a_day, state, quality"
        elif value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            return f"{name} is a number or null, not {value!r}"
    return None


def _shown(sender: Sender) -> dict[str, Any]:
    return {
        "address": sender.address, "parts_per_second": sender.rate, "people_a_day": sender.people_a_day,
        "state": sender.state, "quality": sender.quality, "waiting": len(sender.waiting),
        "parts_waiting": sender.parts_waiting,
    }  # fmt: skip


@routes.post("/control/handsets/{phone}")
async def order_handset(request: web.Request) -> web.Response:
    """{"receives", "replies", "reads", "has_whatsapp"}, see handsets.Order; {} sets the phone free."""
    phone, order = read_phone(request.match_info["phone"]), await read_order(request)
    orders = request.app[EXCHANGE].texts.handsets.orders
    try:
        orders[phone] = Order.read(order)
    except ValueError as error:
        raise _bad(error) from None
    if not order:
        del orders[phone]
    return web.json_response({"ok": True})


@routes.get("/control/filters")
async def show_filters(request: web.Request) -> web.Response:
    return web.json_response({"rules": [vars(rule) for rule in request.app[EXCHANGE].texts.filters.rules]})


@routes.post("/control/filters")
async def order_filters(request: web.Request) -> web.Response:
    """{"rules": […]}, see filters.Rule: they replace all that were there."""
    filters, order = request.app[EXCHANGE].texts.filters, await read_order(request)
    rules = order.get("rules")
    if not isinstance(rules, list):
        raise _bad("rules is a list, which may be empty")
    try:
        filters.replace(rules)
    except ValueError as error:
        raise _bad(error) from None
    return web.json_response({"rules": [vars(rule) for rule in filters.rules]})


@routes.post("/control/contents/{name}")
async def order_content(request: web.Request) -> web.Response:
    """{"status", "reason"?}: what WhatsApp decides about a template, named by its SID or its friendly name."""
    exchange, order = request.app[EXCHANGE], await read_order(request)
    content = exchange.texts.contents.find(request.match_info["name"])
    if content is None:
        raise web.HTTPNotFound(text="There is no such template.")
    if order.get("status") not in STATUSES:
        raise _bad(f"status is one of {', '.join(STATUSES)}")
    content.move(order["status"], str(order.get("reason", "")))
    return web.json_response(content.show_with_approval(exchange.options.account_sid))


@routes.post("/control/telegram")
async def order_telegram(request: web.Request) -> web.Response:
    """{"phone", "does": start | write | share_phone | block | unblock, "text"?, "payload"?} → {"chat_id"}."""
    telegram, order = request.app[EXCHANGE].telegram, await read_order(request)
    phone = read_phone(order.get("phone"))
    deeds = {
        "start": lambda: telegram.start(phone, str(order.get("payload", ""))),
        "write": lambda: telegram.write(phone, str(order.get("text", ""))),
        "share_phone": lambda: telegram.share_phone(phone),
        "block": lambda: telegram.block(phone),
        "unblock": lambda: telegram.block(phone, is_blocked=False),
    }
    if order.get("does") not in deeds:
        raise _bad(f"does must be one of {', '.join(deeds)}")
    chat: Chat = deeds[order["does"]]()
    return web.json_response({"chat_id": chat.id})


@routes.get("/control/telegram")
async def show_telegram(request: web.Request) -> web.Response:
    chats = request.app[EXCHANGE].telegram.chats.values()
    return web.json_response([
        {"chat_id": chat.id, "phone": chat.phone, "is_started": chat.is_started, "has_blocked": chat.has_blocked,
         "count": chat.count, "received": chat.received}
        for chat in chats
    ])  # fmt: skip


@routes.get("/control/mail")
async def show_mail(request: web.Request) -> web.Response:
    """?to=: the last mails, oldest first, and how many each address received."""
    mail, to = request.app[EXCHANGE].mail, request.query.get("to")
    letters = [letter.show() for letter in mail.letters if to in (None, letter.to)]
    return web.json_response({"mails": letters, "received": dict(mail.received)})
