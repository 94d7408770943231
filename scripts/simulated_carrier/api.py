"""The REST interface: those paths and parameters of https://www.twilio.com/docs/usage/api that the product uses."""

import base64
import hmac
from collections.abc import Awaitable, Callable
from datetime import date
from functools import lru_cache
from typing import TypeVar
from urllib.parse import unquote_plus

from aiohttp import web

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.conferences import Conference, Participant
from scripts.simulated_carrier.errors import ApiError
from scripts.simulated_carrier.exchange import Cut, Exchange
from scripts.simulated_carrier.legs import FINAL, Leg, Source
from scripts.simulated_carrier.resources import Json, page

T = TypeVar("T")
EXCHANGE = web.AppKey("exchange", Exchange)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
routes = web.RouteTableDef()
ROOT = "/2010-04-01/Accounts/{account}"
BOOLEANS = {"true": True, "false": False}


REST = ("/2010-04-01/", "/v1/", "/v2/")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Basic authentication and Twilio's JSON for every error, for paths of the REST interface only."""
    if not request.path.startswith(REST):
        return await handler(request)
    try:
        _authenticate(request)
        request.app[EXCHANGE].gate()
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body(), status=error.status)
    except Cut:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)  # nobody hears it
    except web.HTTPException as error:
        refusal = ApiError(error.status, 20404 if error.status == 404 else 20004, error.reason)
        return web.json_response(refusal.body(), status=error.status)
    except ValueError:
        refusal = errors.bad_value("Page, PageSize or a date", request.query_string)
        return web.json_response(refusal.body(), status=refusal.status)


def _authenticate(request: web.Request) -> None:
    options = request.app[EXCHANGE].options
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, _authorization(options.account_sid, options.auth_token)):
        raise errors.authenticate()
    parts = request.path.split("/", 4)
    if parts[1] == "2010-04-01" and parts[3].removesuffix(".json") != options.account_sid:
        raise errors.authenticate()


@lru_cache
def _authorization(account_sid: str, token: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{account_sid}:{token}".encode())


async def read_form(request: web.Request) -> dict[str, list[str]]:
    """Every value of every field."""
    values: dict[str, list[str]] = {}
    for field in (await request.text()).split("&"):
        name, _, value = field.partition("=")
        # Most values need no decoding, and this is asked thousands of times a second.
        values.setdefault(unquote_plus(name) if "%" in name else name, []).append(
            unquote_plus(value) if "%" in value or "+" in value else value
        )
    return values


def one(form: dict[str, list[str]], name: str) -> str | None:
    """The last value of a field; None when it is missing or empty."""
    return form.get(name, [""])[-1] or None


def required(form: dict[str, list[str]], name: str) -> str:
    """Raises ApiError."""
    value = one(form, name)
    if value is None:
        raise errors.missing(name)
    return value


def created(body: Json) -> web.Response:
    return web.json_response(body, status=201)


# Calls


@routes.post(ROOT + "/Calls.json")
async def create_call(request: web.Request) -> web.Response:
    exchange, form = request.app[EXCHANGE], await read_form(request)
    leg = _leg(exchange, form, required(form, "To"))
    if leg.source.url is None and leg.source.twiml is None:
        raise errors.missing("Url")
    exchange.place(leg)
    await exchange.hold_answer()
    return created(leg.show())


def _leg(exchange: Exchange, form: dict[str, list[str]], to: str) -> Leg:
    events = form.get("StatusCallbackEvent", ["completed"])
    timeout = one(form, "Timeout") or "60"
    if not timeout.isdigit():
        raise errors.bad_value("Timeout", timeout)
    return Leg(
        exchange.options.account_sid,
        to,
        required(form, "From"),
        _source(form),
        exchange.webhooks,
        exchange.options.speed,
        timeout=min(int(timeout), 600),
        status_callback=one(form, "StatusCallback"),
        events=frozenset(word for value in events for word in value.split()),
    )


def _source(form: dict[str, list[str]]) -> Source:
    return Source(one(form, "Url"), one(form, "Twiml"), one(form, "FallbackUrl"))


@routes.get(ROOT + "/Calls.json")
async def list_calls(request: web.Request) -> web.Response:
    query = dict(request.query)
    legs = [leg for leg in reversed(request.app[EXCHANGE].legs.values()) if _call_matches(leg, query)]
    return web.json_response(page(request.path, "calls", legs, query, Leg.show))


def _call_matches(leg: Leg, query: dict[str, str]) -> bool:
    return (
        query.get("To", leg.to) == leg.to
        and query.get("From", leg.sender) == leg.sender
        and query.get("Status", leg.status) == leg.status
        and in_days(leg.created_at.date(), query, "StartTime")
    )


def in_days(day: date, query: dict[str, str], name: str) -> bool:
    """`DateSent=2026-11-20`, `DateSent<=…` and `DateSent>=…` (the client writes the sign into the name)."""
    exact, before, after = (query.get(name + sign) for sign in ("", "<", ">"))
    return (
        (exact is None or day == date.fromisoformat(exact[:10]))
        and (before is None or day <= date.fromisoformat(before[:10]))
        and (after is None or day >= date.fromisoformat(after[:10]))
    )


def _find_leg(request: web.Request) -> Leg:
    leg = request.app[EXCHANGE].legs.get(request.match_info["sid"])
    if leg is None:
        raise errors.not_found(request.path)
    return leg


@routes.get(ROOT + "/Calls/{sid}.json")
async def fetch_call(request: web.Request) -> web.Response:
    return web.json_response(_find_leg(request).show())


@routes.post(ROOT + "/Calls/{sid}.json")
async def update_call(request: web.Request) -> web.Response:
    leg, form = _find_leg(request), await read_form(request)
    status, source = one(form, "Status"), _source(form)
    if status not in (None, "completed", "canceled"):
        raise errors.bad_value("Status", status)
    if leg.status in FINAL:
        if status is None:
            raise errors.not_in_progress()
        return web.json_response(leg.show())
    if status == "completed" or (status == "canceled" and leg.answered_at is None):
        leg.hang_up("caller")
    elif source.url or source.twiml:
        if leg.answered_at is None:
            raise errors.not_in_progress()
        leg.send_to(source)
    return web.json_response(leg.show())


# Conferences


@routes.get(ROOT + "/Conferences.json")
async def list_conferences(request: web.Request) -> web.Response:
    query = dict(request.query)
    rooms = [
        room
        for room in reversed(request.app[EXCHANGE].voice.conferences.values())
        if query.get("FriendlyName", room.name) == room.name and query.get("Status", room.status) == room.status
    ]
    return web.json_response(page(request.path, "conferences", rooms, query, Conference.show))


def _find_room(request: web.Request) -> Conference:
    room = request.app[EXCHANGE].voice.conferences.get(request.match_info["conference"])
    if room is None:
        raise errors.not_found(request.path)
    return room


@routes.get(ROOT + "/Conferences/{conference}.json")
async def fetch_conference(request: web.Request) -> web.Response:
    return web.json_response(_find_room(request).show())


@routes.post(ROOT + "/Conferences/{conference}.json")
async def update_conference(request: web.Request) -> web.Response:
    room, form = _find_room(request), await read_form(request)
    if one(form, "Status") == "completed":
        room.end("conference-ended-via-api")
    return web.json_response(room.show())


@routes.get(ROOT + "/Conferences/{conference}/Participants.json")
async def list_participants(request: web.Request) -> web.Response:
    room, query = _find_room(request), dict(request.query)
    people = list(room.participants.values())
    return web.json_response(page(request.path, "participants", people, query, room.show_participant))


@routes.post(ROOT + "/Conferences/{conference}/Participants.json")
async def create_participant(request: web.Request) -> web.Response:
    """Dial somebody into a conference; `conference` may be its name, as with Twilio."""
    exchange, form = request.app[EXCHANGE], await read_form(request)
    name = request.match_info["conference"]
    known = exchange.voice.conferences.get(name)
    room = exchange.voice.room(known.name if known else name, {})
    leg = _leg(exchange, form, required(form, "To"))
    leg.room = room
    exchange.place(leg)
    shown = room.show_participant(Participant(leg, label=one(form, "Label")))
    await exchange.hold_answer()
    return created(shown | {"status": "queued"})


def _find_participant(request: web.Request) -> tuple[Conference, Participant]:
    room = _find_room(request)
    participant = room.participants.get(request.match_info["sid"])
    if participant is None:
        raise errors.not_found(request.path)
    return room, participant


@routes.get(ROOT + "/Conferences/{conference}/Participants/{sid}.json")
async def fetch_participant(request: web.Request) -> web.Response:
    room, participant = _find_participant(request)
    return web.json_response(room.show_participant(participant))


@routes.post(ROOT + "/Conferences/{conference}/Participants/{sid}.json")
async def update_participant(request: web.Request) -> web.Response:
    (room, participant), form = _find_participant(request), await read_form(request)
    flags = {name: BOOLEANS.get((one(form, name) or "").lower()) for name in ("Muted", "Hold", "EndConferenceOnExit")}
    room.change(participant, muted=flags["Muted"], hold=flags["Hold"])
    if flags["EndConferenceOnExit"] is not None:
        participant.ends = flags["EndConferenceOnExit"]
    return web.json_response(room.show_participant(participant))


@routes.delete(ROOT + "/Conferences/{conference}/Participants/{sid}.json")
async def delete_participant(request: web.Request) -> web.Response:
    room, participant = _find_participant(request)
    room.leave(participant.leg.sid, "participant-with-end-conference-on-exit-kicked")
    return web.Response(status=204)
