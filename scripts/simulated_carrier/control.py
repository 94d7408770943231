"""The control page: what the carrier is doing, and the switches by which a test or a newcomer makes people misbehave.

Orders are JSON posts only, which a page of another site cannot send without asking; the program listens on 127.0.0.1.
"""

import html
import math
from collections import Counter
from typing import Any, get_args

from aiohttp import web

from scripts.simulated_carrier import received
from scripts.simulated_carrier.api import EXCHANGE
from scripts.simulated_carrier.citizens import Kind, Reaction, citizen
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.legs import Leg
from scripts.simulated_carrier.message_desk import is_phone

routes = web.RouteTableDef()
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>Simulated carrier</title><h1>Simulated carrier</h1>
<p>Nobody is called: every person behind this carrier is invented.</p>
<table><caption>Now</caption>{counts}</table>
<table><caption>Last calls</caption><tr><th>To<th>Status<th>Seconds<th>Room<th>Hung up by</tr>{calls}</table>
<p><a href="/received">What every phone really received</a></p>
<p>Orders are JSON posts to /control/numbers/PHONE, /control/hang-up, /control/sms, /control/settings and others:
see docs/simulation.md.</p>
"""


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    counts = "".join(
        f"<tr><th scope=row>{html.escape(name)}<td>{value}" for name, value in state(exchange)["counts"].items()
    )
    calls = "".join(_row(leg) for leg in list(exchange.legs.values())[:-31:-1])
    return web.Response(text=PAGE.format(counts=counts, calls=calls), content_type="text/html")


def _row(leg: Leg) -> str:
    room = leg.conference.name if leg.conference else ""
    cells = (leg.to, leg.status, leg.seconds, room, leg.hung_up_by)
    return "<tr>" + "".join(f"<td>{html.escape(str(cell))}" for cell in cells)


@routes.get("/healthz")
async def health(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


@routes.get("/control/state")
async def show_state(request: web.Request) -> web.Response:
    return web.json_response(state(request.app[EXCHANGE]))


def state(exchange: Exchange) -> dict[str, Any]:
    """Counts, settings, and the calls that are not over."""
    legs = list(exchange.legs.values())
    rooms = [room for room in exchange.voice.conferences.values() if room.status != "completed"]
    counts: dict[str, int] = {
        **{f"calls {status}": number for status, number in sorted(Counter(leg.status for leg in legs).items())},
        **{f"messages {status}": n for status, n in sorted(received.by_status(exchange.texts.ledger).items())},
        "messages in queues": exchange.texts.senders.waiting,
        "conferences": len(rooms),
        "webhooks sent": exchange.webhooks.sent,
        "webhooks waiting": exchange.webhooks.waiting,
        "callbacks lost": exchange.webhooks.failed,
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


@routes.post("/control/numbers/{phone}")
async def order_number(request: web.Request) -> web.Response:
    """{"does": answer | busy | no_answer | invalid | voicemail | null, "ring_seconds", "stay_seconds", "digits"}."""
    phone, order = read_phone(request.match_info["phone"]), await read_order(request)
    kind = order.get("does")
    if kind is not None and kind not in get_args(Kind):
        raise web.HTTPUnprocessableEntity(text=f"does must be one of {', '.join(get_args(Kind))}, or null.")
    request.app[EXCHANGE].order(phone, _reaction(kind, order) if kind else None)
    return web.json_response({"ok": True})


def _reaction(kind: Kind, order: dict[str, Any]) -> Reaction:
    ring = math.inf if kind == "no_answer" else float(order.get("ring_seconds", 0.5))
    return Reaction(
        kind,
        ring,
        stay_seconds=float(order.get("stay_seconds", 3600)),
        silence_seconds=float(order.get("silence_seconds", 5)),
        digits=str(order.get("digits", "")),
    )


@routes.get("/control/voice/{call}")
async def hear(request: web.Request) -> web.Response:
    """What the operator hears in the call of this id (the caller's own): 404 when nobody is on the line (any more).

    {"is_machine", "answers": {item: value}}: what the citizen says when they are asked."""
    exchange = request.app[EXCHANGE]
    leg = exchange.on_line(request.match_info["call"].lower())
    if leg is None or leg.reaction is None:
        raise web.HTTPNotFound(text="Nobody is on the line.")
    person = citizen(leg.to, exchange.options.seed)
    is_machine = leg.reaction.kind == "voicemail"
    return web.json_response({"is_machine": is_machine, "answers": {} if is_machine else dict(person.answers)})


@routes.post("/control/hang-up")
async def hang_up(request: web.Request) -> web.Response:
    """{"phone"}: whoever is behind it hangs up now."""
    order = await read_order(request)
    return web.json_response({"hung_up": request.app[EXCHANGE].hang_up(read_phone(order.get("phone")))})


@routes.post("/control/settings")
async def change_settings(request: web.Request) -> web.Response:
    """Any number of Options by name, say {"late_share": 0.2}; answers all of them."""
    try:
        request.app[EXCHANGE].options.change(await read_order(request))
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None
    return web.json_response(state(request.app[EXCHANGE])["settings"])
