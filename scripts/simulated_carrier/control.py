"""What the carrier is doing, and the switches by which a test or a newcomer makes it misbehave.

Orders are JSON posts only, which a page of another site cannot send without asking; the program listens on 127.0.0.1.
"""

from collections import Counter
from typing import Any

from aiohttp import web

from scripts.simulated_carrier import received
from scripts.simulated_carrier.api import EXCHANGE
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.message_desk import is_phone

routes = web.RouteTableDef()


@routes.get("/healthz")
async def health(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


@routes.get("/control/state")
async def show_state(request: web.Request) -> web.Response:
    return web.json_response(state(request.app[EXCHANGE]))


def state(exchange: Exchange) -> dict[str, Any]:
    """Counts, settings, and the calls that are not over."""
    legs = list(exchange.legs.values())
    rooms = [room for room in exchange.voice.rooms.known.values() if room.status != "completed"]
    counts: dict[str, int] = {
        **{f"calls {status}": number for status, number in sorted(Counter(leg.status for leg in legs).items())},
        **{f"messages {status}": n for status, n in sorted(received.by_status(exchange.texts.ledger).items())},
        "messages in queues": exchange.texts.senders.waiting,
        "conferences": len(rooms),
        "webhooks sent": exchange.webhooks.sent,
        "webhooks waiting": exchange.webhooks.waiting,
        "callbacks lost": exchange.webhooks.failed,
        "recordings": len(exchange.recordings.known),
        **{f"telegram {what}": n for what, n in exchange.telegram.counts().items()},
        "mails received": exchange.mail.received.total(),
    }
    return {
        "counts": counts,
        "open_calls": [{"sid": leg.sid, "to": leg.to, "status": leg.status} for leg in legs if not leg.is_final],
        "conferences": {room.name: sorted(p.leg.to for p in room.participants.values()) for room in rooms},
        "settings": {name: value for name, value in vars(exchange.options).items() if name != "auth_token"},
    }


async def read_order(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Post JSON.")
    try:
        order = await request.json()
    except ValueError:
        raise web.HTTPUnprocessableEntity(text="That is not JSON.") from None
    if not isinstance(order, dict):
        raise web.HTTPUnprocessableEntity(text="Post one JSON object.")
    return order


def read_phone(text: object) -> str:
    if not isinstance(text, str) or not is_phone(text):
        raise web.HTTPUnprocessableEntity(text=f"{text!r} is not a phone in E.164 (+529220100001).")
    return text


@routes.post("/control/settings")
async def change_settings(request: web.Request) -> web.Response:
    """Any number of Options by name, say {"late_share": 0.2}; answers all of them."""
    try:
        request.app[EXCHANGE].options.change(await read_order(request))
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None
    return web.json_response(state(request.app[EXCHANGE])["settings"])


@routes.post("/control/token")
async def change_token(request: web.Request) -> web.Response:
    """{"secondary": a token that is taken beside the first} or {"promote": true}: the second is the only one."""
    accounts, order = request.app[EXCHANGE].accounts, await read_order(request)
    try:
        if order.get("promote"):
            accounts.promote()
        elif isinstance(order.get("secondary"), str) and order["secondary"]:
            accounts.main.secondary = order["secondary"]
        else:
            raise ValueError("say secondary, a token, or promote")
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None
    return web.json_response({"ok": True})


@routes.get("/control/exchanges")
async def show_exchanges(request: web.Request) -> web.Response:
    """?after=: requests to the REST interface (but those of messages) with their answers, oldest first."""
    kept = request.app[EXCHANGE].exchanges.after(int(request.query.get("after", "0")))
    return web.json_response([one.show() for one in kept])


@routes.get("/control/notifications")
async def show_notifications(request: web.Request) -> web.Response:
    """What Twilio's debugger would show, newest first."""
    return web.json_response([one.show() for one in request.app[EXCHANGE].notifications.of()])


@routes.get("/control/callbacks")
async def show_callbacks(request: web.Request) -> web.Response:
    """?after=: what we posted, oldest first; `status` of the answer, 0 while there is none."""
    after = int(request.query.get("after", "0"))
    kept = [posted for posted in request.app[EXCHANGE].webhooks.kept if posted.number > after]
    return web.json_response(
        [{"n": posted.number, "url": posted.url, "form": posted.form, "status": posted.status} for posted in kept]
    )
