"""The REST interface: calls and what went wrong in them.

https://www.twilio.com/docs/voice/api/call-resource"""

import re

from aiohttp import web

from scripts.simulated_carrier import call_resource, errors
from scripts.simulated_carrier.api import (
    ACCOUNT,
    EXCHANGE,
    ROOT,
    created,
    in_days,
    number,
    one,
    read_form,
    required,
    truth,
    words,
)
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.legs import FINAL, Leg, Source
from scripts.simulated_carrier.machine_detection import MODES, Detection
from scripts.simulated_carrier.message_desk import is_phone
from scripts.simulated_carrier.notifications import Notification
from scripts.simulated_carrier.options import TEST_SID
from scripts.simulated_carrier.recordings import Wanted
from scripts.simulated_carrier.resources import page

routes = web.RouteTableDef()
_URL = re.compile(r"https?://[^\s/]+")
_SEND_DIGITS = re.compile(r"[0-9*#wWA-Da-d]{0,32}")
# https://www.twilio.com/docs/iam/test-credentials#test-calls
MAGIC_FROM = "+15005550006"
MAGIC_TO = {"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}
Form = dict[str, list[str]]


@routes.post(ROOT + "/Calls.json")
async def create_call(request: web.Request) -> web.Response:
    exchange, form = request.app[EXCHANGE], await read_form(request)
    leg = read_call(request, form)
    if leg.source.url is None and leg.source.twiml is None:
        raise errors.missing("Url")
    if request[ACCOUNT].sid == TEST_SID:
        return created(call_resource.show(_rehearse(leg)))
    exchange.calls.place(leg)
    await exchange.hold_answer()
    return created(call_resource.show(leg))


def _rehearse(leg: Leg) -> Leg:
    """A call with the test credentials: checked, and never made. Raises ApiError."""
    if leg.sender != MAGIC_FROM:
        raise errors.not_ours(leg.sender) if is_phone(leg.sender) else errors.invalid_from(leg.sender)
    if leg.to in MAGIC_TO:
        raise errors.by_code(MAGIC_TO[leg.to], leg.to)
    return leg


def read_call(request: web.Request, form: Form, to: str | None = None) -> Leg:
    """A call as it is asked for, also into a conference. Raises ApiError."""
    exchange = request.app[EXCHANGE]
    digits = one(form, "SendDigits") or ""
    if not _SEND_DIGITS.fullmatch(digits):
        raise errors.bad_value("SendDigits", digits)
    callback = one(form, "StatusCallback")
    if callback is not None and not _URL.match(callback):
        raise errors.bad_url("StatusCallback", callback)
    return Leg(
        request[ACCOUNT].sid,
        to or required(form, "To"),
        required(form, "From"),
        read_source(form),
        exchange.calls.tell,
        exchange.calls.speed,
        timeout=min(number(form, "Timeout", 60), 600),
        time_limit=number(form, "TimeLimit", 14_400),
        status_callback=callback,
        callback_method=one(form, "StatusCallbackMethod") or "POST",
        events=words(form, "StatusCallbackEvent", "completed"),
        detection=_detection(form),
        send_digits=digits,
        recorded=read_wanted(form, "OutboundAPI") if truth(form, "Record") else None,
    )


def read_source(form: Form) -> Source:
    """Raises ApiError."""
    for name in ("Url", "FallbackUrl"):
        given = one(form, name)
        if given is not None and not _URL.match(given):
            raise errors.bad_url(name, given)
    return Source(
        one(form, "Url"), one(form, "Twiml"), one(form, "FallbackUrl"), method=one(form, "Method") or "POST",
        fallback_method=one(form, "FallbackMethod") or "POST",
    )  # fmt: skip


def read_wanted(form: Form, source: str) -> Wanted:
    channels = one(form, "RecordingChannels") or "mono"
    return Wanted(
        source,
        2 if channels in ("dual", "2") else 1,
        one(form, "RecordingTrack") or "both",
        one(form, "RecordingStatusCallback"),
        one(form, "RecordingStatusCallbackMethod") or "POST",
        words(form, "RecordingStatusCallbackEvent", "completed"),
    )


def _detection(form: Form) -> Detection | None:
    """`AsyncAmd` of calls; of participants detection is always beside the call (AmdStatusCallback)."""
    mode = one(form, "MachineDetection")
    if mode is None or mode.lower() == "none":
        return None
    if mode not in MODES:
        raise errors.bad_value("MachineDetection", mode)
    beside = one(form, "AmdStatusCallback")
    is_async = truth(form, "AsyncAmd") or beside is not None
    timeout = number(form, "MachineDetectionTimeout", 30)
    if not 3 <= timeout <= 59:
        raise errors.bad_value("MachineDetectionTimeout", str(timeout))
    return Detection(
        mode, timeout, is_async, beside or one(form, "AsyncAmdStatusCallback"),
        one(form, "AsyncAmdStatusCallbackMethod") or "POST",
    )  # fmt: skip


@routes.get(ROOT + "/Calls.json")
async def list_calls(request: web.Request) -> web.Response:
    query, account = dict(request.query), request[ACCOUNT].sid
    legs = [
        leg
        for leg in reversed(request.app[EXCHANGE].legs.values())
        if leg.account_sid == account and _call_matches(leg, query)
    ]
    return web.json_response(page(request.path, "calls", legs, query, call_resource.show))


def _call_matches(leg: Leg, query: dict[str, str]) -> bool:
    return (
        query.get("To", leg.to) == leg.to
        and query.get("From", leg.sender) == leg.sender
        and query.get("Status", leg.status) == leg.status
        and query.get("ParentCallSid", leg.parent_sid) == leg.parent_sid
        and in_days(leg.created_at.date(), query, "StartTime")
        and (
            not any(name.startswith("EndTime") for name in query)
            or (leg.ended_at is not None and in_days(leg.ended_at.date(), query, "EndTime"))
        )
    )


def find_leg(request: web.Request) -> Leg:
    """Raises ApiError."""
    leg = request.app[EXCHANGE].legs.get(request.match_info["sid"])
    if leg is None or leg.account_sid != request[ACCOUNT].sid:
        raise errors.not_found(request.path)
    return leg


@routes.get(ROOT + "/Calls/{sid}.json")
async def fetch_call(request: web.Request) -> web.Response:
    return web.json_response(call_resource.show(find_leg(request)))


@routes.post(ROOT + "/Calls/{sid}.json")
async def update_call(request: web.Request) -> web.Response:
    leg, form = find_leg(request), await read_form(request)
    status, source = one(form, "Status"), read_source(form)
    if status not in (None, "completed", "canceled"):
        raise errors.bad_value("Status", status)
    if leg.status in FINAL:
        if status is None:
            raise errors.not_in_progress()
        return web.json_response(call_resource.show(leg))
    if one(form, "StatusCallback"):
        leg.status_callback = one(form, "StatusCallback")
    if one(form, "TimeLimit"):
        leg.hang_up_in(number(form, "TimeLimit", 14_400) - leg.elapsed, "limit")
    if status == "completed" or (status == "canceled" and leg.answered_at is None):
        leg.hang_up("caller")
    elif source.url or source.twiml:
        if leg.answered_at is None:
            raise errors.not_in_progress()
        leg.send_to(source)
    return web.json_response(call_resource.show(leg))


@routes.delete(ROOT + "/Calls/{sid}.json")
async def delete_call(request: web.Request) -> web.Response:
    leg = find_leg(request)
    if leg.status not in FINAL:
        raise errors.still_in_progress()
    del request.app[EXCHANGE].legs[leg.sid]
    return web.Response(status=204)


# What went wrong


@routes.get(ROOT + "/Notifications.json")
async def list_notifications(request: web.Request) -> web.Response:
    return _notifications(request, None)


@routes.get(ROOT + "/Calls/{sid}/Notifications.json")
async def list_call_notifications(request: web.Request) -> web.Response:
    return _notifications(request, find_leg(request).sid)


def _notifications(request: web.Request, call_sid: str | None) -> web.Response:
    query = dict(request.query)
    found = request.app[EXCHANGE].notifications.of(call_sid, query.get("Log"))
    return web.json_response(page(request.path, "notifications", found, query, Notification.show))


@routes.get(ROOT + "/Notifications/{notification}.json")
@routes.get(ROOT + "/Calls/{sid}/Notifications/{notification}.json")
async def fetch_notification(request: web.Request) -> web.Response:
    exchange: Exchange = request.app[EXCHANGE]
    found = exchange.notifications.find(request.match_info["notification"])
    if found is None:
        raise errors.not_found(request.path)
    return web.json_response(found.show_whole())
