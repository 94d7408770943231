"""Orders to people with telephones: answer, be busy, press, speak, hang up, ring us; and what each of them heard."""

import math
from typing import Any, get_args

from aiohttp import web

from scripts.simulated_carrier import calls, keys
from scripts.simulated_carrier.api import EXCHANGE
from scripts.simulated_carrier.citizens import Kind, Reaction, citizen
from scripts.simulated_carrier.control import read_order, read_phone
from scripts.simulated_carrier.legs import Leg
from scripts.simulated_carrier.machine_detection import VALUES

routes = web.RouteTableDef()
ASLEEP = 3600.0  # seconds that a person stays who was told nothing else
SECONDS = {"ring_seconds": 0.5, "stay_seconds": ASLEEP, "silence_seconds": 5, "says": 3, "greeting_seconds": 6}
ORDERS = {*SECONDS, "does", "digits", "presses", "words", "beep", "answered_by", "sip"}


def _bad(sentence: str) -> web.HTTPUnprocessableEntity:
    return web.HTTPUnprocessableEntity(text=sentence)


@routes.post("/control/numbers/{phone}")
async def order_number(request: web.Request) -> web.Response:
    """{"does": answer | busy | no_answer | invalid | voicemail | fax | stuck | null, …}: see docs/simulation.md."""
    phone, order = request.match_info["phone"], await read_order(request)
    if not phone.startswith("client:"):
        read_phone(phone)
    kind = order.get("does")
    if kind is not None and kind not in get_args(Kind):
        raise _bad(f"does must be one of {', '.join(get_args(Kind))}, or null.")
    request.app[EXCHANGE].calls.order(phone, read_reaction(kind, order) if kind else None)
    return web.json_response({"ok": True})


def read_reaction(kind: Kind, order: dict[str, Any]) -> Reaction:
    """Raises HTTPUnprocessableEntity that names what cannot be ordered."""
    if unknown := order.keys() - ORDERS:
        raise _bad(f"unknown {sorted(unknown)}; a number is told {', '.join(sorted(ORDERS))}")
    presses, digits = order.get("presses", []), str(order.get("digits", ""))
    if not isinstance(presses, list) or not all(keys.KEYS.fullmatch(str(item)) for item in [*presses, digits]):
        raise _bad("digits are keys (0-9 * # A-D), presses a list of such, one a menu")
    if order.get("answered_by") not in (None, *VALUES):
        raise _bad(f"answered_by is one of {', '.join(VALUES)}, or null")
    try:
        seconds = {name: float(order.get(name, usual)) for name, usual in SECONDS.items()}
        sip = int(order["sip"]) if order.get("sip") is not None else None
    except (TypeError, ValueError):
        raise _bad(f"{', '.join(SECONDS)} are numbers of seconds, sip is a number") from None
    seconds["ring_seconds"] = math.inf if kind == "no_answer" else seconds["ring_seconds"]
    return Reaction(
        kind, **seconds, digits=digits, presses=tuple(str(item) for item in presses),
        words=str(order.get("words", "sí")), beep=bool(order.get("beep", True)),
        answered_by=order.get("answered_by"), sip=sip,
    )  # fmt: skip


@routes.get("/control/voice/{call}")
async def hear(request: web.Request) -> web.Response:
    """What the operator hears in the call of this id (the caller's own): 404 when nobody is on the line (any more).

    {"is_machine", "answers": {item: value}}: what the citizen says when they are asked."""
    exchange = request.app[EXCHANGE]
    leg = exchange.calls.on_line(request.match_info["call"].lower())
    if leg is None or leg.reaction is None:
        raise web.HTTPNotFound(text="Nobody is on the line.")
    person = citizen(leg.phone, exchange.options.seed)
    is_machine = leg.reaction.kind == "voicemail"
    return web.json_response({"is_machine": is_machine, "answers": {} if is_machine else dict(person.answers)})


@routes.post("/control/hang-up")
async def hang_up(request: web.Request) -> web.Response:
    """{"phone"} or {"sid"}: whoever is behind it hangs up now."""
    order = await read_order(request)
    if "sid" in order:
        legs = _on_line(request, order)
        for leg in legs:
            leg.hang_up("citizen")
        return web.json_response({"hung_up": len(legs)})
    return web.json_response({"hung_up": request.app[EXCHANGE].calls.hang_up(_phone(order))})


@routes.post("/control/press")
async def press(request: web.Request) -> web.Response:
    """{"phone" | "sid", "digits"}: they press now, whether or not somebody asked."""
    order = await read_order(request)
    legs = _on_line(request, order)
    try:
        for leg in legs:
            leg.keys.press(str(order.get("digits", "")))
    except ValueError as error:
        raise _bad(str(error)) from None
    return web.json_response({"pressed": len(legs)})


@routes.post("/control/speak")
async def speak(request: web.Request) -> web.Response:
    """{"phone" | "sid", "seconds", "words"?}: they speak now."""
    order = await read_order(request)
    seconds = order.get("seconds", 3)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        raise _bad("seconds is a number above 0")
    legs = _on_line(request, order)
    for leg in legs:
        leg.speak(float(seconds), str(order.get("words", "")))
    return web.json_response({"spoke": len(legs)})


def _on_line(request: web.Request, order: dict[str, Any]) -> list[Leg]:
    known = request.app[EXCHANGE].calls
    if "sid" in order:
        legs = [known.legs[order["sid"]]] if order["sid"] in known.legs else []
    else:
        legs = known.of(_phone(order))
    return [leg for leg in legs if not leg.is_final]


def _phone(order: dict[str, Any]) -> str:
    phone = order.get("phone")
    return phone if isinstance(phone, str) and phone.startswith("client:") else read_phone(phone)


@routes.post("/control/call-in")
async def call_in(request: web.Request) -> web.Response:
    """{"from": a phone | "anonymous", "to"?: one of our numbers, and what /control/numbers takes} → {"sid"}."""
    exchange, order = request.app[EXCHANGE], await read_order(request)
    given = order.pop("from", None)
    phone = calls.ANONYMOUS if given == "anonymous" else read_phone(given)
    to = order.pop("to", next(iter(exchange.numbers)))
    ours = exchange.numbers.get(to) if isinstance(to, str) else None
    if ours is None:
        raise _bad(f"to must be one of {', '.join(exchange.numbers)}.")
    if not ours.voice_url:
        raise _bad(f"{to} is pointed nowhere: set its VoiceUrl (IncomingPhoneNumbers).")
    # Who rings us waits longer in silence than who is rung.
    reaction = read_reaction("answer", {"silence_seconds": 30} | order)
    return web.json_response({"sid": exchange.calls.call_in(phone, ours, reaction).sid})


@routes.get("/control/calls")
async def list_calls(request: web.Request) -> web.Response:
    """?phone=: the last hundred calls, newest first."""
    known, phone = request.app[EXCHANGE].calls, request.query.get("phone")
    legs = known.of(phone) if phone else list(reversed(known.legs.values()))
    return web.json_response([_shown(leg) for leg in legs[:100]])


@routes.get("/control/calls/{sid}")
async def show_call(request: web.Request) -> web.Response:
    leg = request.app[EXCHANGE].calls.legs.get(request.match_info["sid"])
    if leg is None:
        raise web.HTTPNotFound(text="There is no such call.")
    return web.json_response(_shown(leg))


def _shown(leg: Leg) -> dict[str, Any]:
    """`hears`: the addresses that this person hears in their room now; `mailbox`: what a machine wrote down."""
    room, participant = leg.conference, leg.participant
    hears = room.heard_by(participant) if room is not None and participant is not None else []
    return {
        "sid": leg.sid, "to": leg.to, "from": leg.sender, "direction": leg.direction, "status": leg.status,
        "parent_sid": leg.parent_sid, "seconds": leg.seconds, "hung_up_by": leg.hung_up_by,
        "answered_by": leg.finding.answered_by if leg.finding is not None else None,
        "room": room.name if room is not None else None, "hears": [one.leg.to for one in hears],
        "pressed": leg.pressed, "spoken": leg.spoken, "recordings": [one.sid for one in leg.recordings],
        "heard": [heard.show() for heard in leg.heard],
        "mailbox": [heard.text for heard in leg.heard if heard.after_beep],
    }  # fmt: skip
