"""The REST interface: recordings and their sound.

https://www.twilio.com/docs/voice/api/recording"""

from aiohttp import web

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.api import ACCOUNT, EXCHANGE, ROOT, created, in_days, one, read_form
from scripts.simulated_carrier.api_calls import find_leg, read_wanted
from scripts.simulated_carrier.api_conferences import find_room
from scripts.simulated_carrier.recordings import RUNNING, Recording
from scripts.simulated_carrier.resources import Json, page
from scripts.simulated_carrier.sound import wav

routes = web.RouteTableDef()
CURRENT = "Twilio.CURRENT"
OF_A_CALL, OF_A_ROOM = "/Calls/{sid}/Recordings", "/Conferences/{conference}/Recordings"


def _of_day(found: list[Recording], query: dict[str, str]) -> list[Recording]:
    return [one for one in found if in_days(one.created_at.date(), query, "DateCreated")]


@routes.post(ROOT + OF_A_CALL + ".json")
async def start_recording(request: web.Request) -> web.Response:
    leg, form = find_leg(request), await read_form(request)
    if leg.status != "in-progress":
        raise errors.not_recordable()
    wanted = read_wanted(form, "StartCallRecordingAPI")
    recording = request.app[EXCHANGE].recordings.start(leg.account_sid, wanted, leg.sid, None)
    leg.recordings.append(recording)
    return created(recording.show())


@routes.get(ROOT + OF_A_CALL + ".json")
async def list_of_call(request: web.Request) -> web.Response:
    leg, query = find_leg(request), dict(request.query)
    found = _of_day(request.app[EXCHANGE].recordings.of(call_sid=leg.sid), query)
    return web.json_response(page(request.path, "recordings", found, query, Recording.show))


@routes.get(ROOT + OF_A_ROOM + ".json")
async def list_of_room(request: web.Request) -> web.Response:
    room, query = find_room(request), dict(request.query)
    found = _of_day(request.app[EXCHANGE].recordings.of(conference_sid=room.sid), query)
    return web.json_response(page(request.path, "recordings", found, query, Recording.show_of_conference))


def _below(request: web.Request) -> Recording:
    """The one that the address names; `Twilio.CURRENT` is the one that runs. Raises ApiError."""
    recordings, name = request.app[EXCHANGE].recordings, request.match_info["recording"]
    if "sid" in request.match_info:
        found = recordings.of(call_sid=find_leg(request).sid)
    else:
        found = recordings.of(conference_sid=find_room(request).sid)
    for one_of_them in found:
        if name == one_of_them.sid or (name == CURRENT and one_of_them.status in RUNNING):
            return one_of_them
    raise errors.not_found(request.path)


def _shown(request: web.Request, recording: Recording) -> Json:
    return recording.show() if "sid" in request.match_info else recording.show_of_conference()


@routes.get(ROOT + OF_A_CALL + "/{recording}.json")
@routes.get(ROOT + OF_A_ROOM + "/{recording}.json")
async def fetch_below(request: web.Request) -> web.Response:
    return web.json_response(_shown(request, _below(request)))


@routes.post(ROOT + OF_A_CALL + "/{recording}.json")
@routes.post(ROOT + OF_A_ROOM + "/{recording}.json")
async def update_recording(request: web.Request) -> web.Response:
    recording, form = _below(request), await read_form(request)
    status = one(form, "Status")
    if status not in ("paused", "in-progress", "stopped"):
        raise errors.bad_value("Status", status or "")
    if recording.status not in RUNNING:
        raise errors.not_recordable()
    if status == "paused":
        recording.pause(keeps_time=one(form, "PauseBehavior") != "skip")
    elif status == "in-progress":
        recording.resume()
    else:
        request.app[EXCHANGE].recordings.stop(recording)
    shown = _shown(request, recording)
    return web.json_response(shown | ({"status": "stopped"} if status == "stopped" else {}))


@routes.delete(ROOT + OF_A_CALL + "/{recording}.json")
@routes.delete(ROOT + OF_A_ROOM + "/{recording}.json")
async def delete_below(request: web.Request) -> web.Response:
    return _delete(_below(request))


@routes.get(ROOT + "/Recordings.json")
async def list_recordings(request: web.Request) -> web.Response:
    exchange, query = request.app[EXCHANGE], dict(request.query)
    found = exchange.recordings.of(call_sid=query.get("CallSid"), conference_sid=query.get("ConferenceSid"))
    mine = [one for one in _of_day(found, query) if one.account_sid == request[ACCOUNT].sid]
    base = exchange.base_url
    return web.json_response(page(request.path, "recordings", mine, query, lambda one: one.show_whole(base)))


@routes.get(ROOT + "/Recordings/{recording}.json")
async def fetch_recording(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    found = exchange.recordings.find(request.match_info["recording"])
    return web.json_response(found.show_whole(exchange.base_url))


@routes.delete(ROOT + "/Recordings/{recording}.json")
async def delete_recording(request: web.Request) -> web.Response:
    return _delete(request.app[EXCHANGE].recordings.find(request.match_info["recording"]))


def _delete(recording: Recording) -> web.Response:
    if recording.status in RUNNING:
        raise errors.still_in_progress()
    recording.is_deleted = True
    return web.Response(status=204)


@routes.get(ROOT + "/Recordings/{recording:RE[0-9a-f]{32}}{kind:(\\.wav|\\.mp3|)}")
async def fetch_sound(request: web.Request) -> web.Response:
    """A WAV file, whatever was asked for. 404 until it is completed, and after it was deleted."""
    recording = request.app[EXCHANGE].recordings.find(request.match_info["recording"])
    if recording.status != "completed":
        raise errors.not_found(request.path)
    asked = request.query.get("RequestedChannels")
    channels = min(int(asked), recording.wanted.channels) if asked else recording.wanted.channels
    return web.Response(body=wav(recording.seconds, max(channels, 1)), content_type="audio/x-wav")
