"""The REST interface: conferences, and who is in them.

https://www.twilio.com/docs/voice/api/conference-resource and .../conference-participant-resource"""

from aiohttp import web

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.api import ACCOUNT, EXCHANGE, ROOT, created, in_days, one, read_form, required, truth
from scripts.simulated_carrier.api_calls import read_call
from scripts.simulated_carrier.conferences import Conference, Participant
from scripts.simulated_carrier.resources import page

routes = web.RouteTableDef()
Form = dict[str, list[str]]
# A parameter of a participant -> the attribute of <Conference> that says the same of the room.
OF_THE_ROOM = {
    "ConferenceStatusCallback": "statusCallback",
    "ConferenceStatusCallbackEvent": "statusCallbackEvent",
    "ConferenceRecord": "record",
    "ConferenceRecordingStatusCallback": "recordingStatusCallback",
    "ConferenceRecordingStatusCallbackEvent": "recordingStatusCallbackEvent",
    "MaxParticipants": "maxParticipants",
}


@routes.get(ROOT + "/Conferences.json")
async def list_conferences(request: web.Request) -> web.Response:
    query = dict(request.query)
    rooms = [
        room
        for room in reversed(request.app[EXCHANGE].voice.rooms.known.values())
        if room.account_sid == request[ACCOUNT].sid and _matches(room, query)
    ]
    return web.json_response(page(request.path, "conferences", rooms, query, Conference.show))


def _matches(room: Conference, query: dict[str, str]) -> bool:
    return (
        query.get("FriendlyName", room.name) == room.name
        and query.get("Status", room.status) == room.status
        and in_days(room.created_at.date(), query, "DateCreated")
        and in_days(room.updated_at.date(), query, "DateUpdated")
    )


def find_room(request: web.Request) -> Conference:
    """Raises ApiError."""
    room = request.app[EXCHANGE].voice.rooms.known.get(request.match_info["conference"])
    if room is None or room.account_sid != request[ACCOUNT].sid:
        raise errors.not_found(request.path)
    return room


@routes.get(ROOT + "/Conferences/{conference}.json")
async def fetch_conference(request: web.Request) -> web.Response:
    return web.json_response(find_room(request).show())


@routes.post(ROOT + "/Conferences/{conference}.json")
async def update_conference(request: web.Request) -> web.Response:
    room, form = find_room(request), await read_form(request)
    if one(form, "Status") == "completed":
        room.end("conference-ended-via-api")
    _announce(request, room, list(room.participants.values()), one(form, "AnnounceUrl"))
    return web.json_response(room.show())


@routes.get(ROOT + "/Conferences/{conference}/Participants.json")
async def list_participants(request: web.Request) -> web.Response:
    room, query = find_room(request), dict(request.query)
    people = [
        one
        for one in [*room.coming.values(), *room.participants.values()]
        if _is(query, "Muted", one.muted) and _is(query, "Hold", one.hold)
        and _is(query, "Coaching", one.coaches is not None)
    ]  # fmt: skip
    return web.json_response(page(request.path, "participants", people, query, room.show_participant))


def _is(query: dict[str, str], name: str, value: bool) -> bool:
    return name not in query or (query[name].lower() == "true") == value


@routes.post(ROOT + "/Conferences/{conference}/Participants.json")
async def create_participant(request: web.Request) -> web.Response:
    """Dial somebody into a conference; `conference` may be its name, as with Twilio."""
    exchange, form = request.app[EXCHANGE], await read_form(request)
    name, rooms = request.match_info["conference"], exchange.voice.rooms
    known = rooms.known.get(name)
    if known is None and name.startswith("CF") and len(name) == 34:
        raise errors.not_found(request.path)
    leg = read_call(request, form, required(form, "To"))
    attributes = {ours: " ".join(form[theirs]) for theirs, ours in OF_THE_ROOM.items() if one(form, theirs)}
    leg.room = rooms.room(leg.account_sid, known.name if known else name, attributes)
    participant = _participant(form, leg_of=leg.room, participant=Participant(leg))
    exchange.calls.place(leg)
    leg.room.coming[leg.sid] = participant
    await exchange.hold_answer()
    return created(leg.room.show_participant(participant))


def _participant(form: Form, *, leg_of: Conference, participant: Participant) -> Participant:
    """Its settings. Raises ApiError."""
    participant.label = one(form, "Label")
    participant.muted = truth(form, "Muted") or False
    participant.starts = truth(form, "StartConferenceOnEnter") is not False
    participant.ends = truth(form, "EndConferenceOnExit") or False
    participant.wait_url = form["WaitUrl"][-1] if "WaitUrl" in form else None
    _coach(leg_of, participant, form)
    return participant


def _coach(room: Conference, participant: Participant, form: Form) -> None:
    """https://www.twilio.com/docs/voice/api/conference-participant-resource: CallSidToCoach. Raises ApiError."""
    wants, whom = truth(form, "Coaching"), one(form, "CallSidToCoach")
    if wants is False:
        participant.coaches = None
    elif wants or whom is not None:
        whom = whom or participant.coaches
        if whom is None or room.who(whom) is None:
            raise errors.bad_value("CallSidToCoach", whom or "")
        participant.coaches = whom


def find_participant(request: web.Request) -> tuple[Conference, Participant]:
    """Raises ApiError."""
    room = find_room(request)
    participant = room.who(request.match_info["sid"])
    if participant is None:
        raise errors.not_found(request.path)
    return room, participant


@routes.get(ROOT + "/Conferences/{conference}/Participants/{sid}.json")
async def fetch_participant(request: web.Request) -> web.Response:
    room, participant = find_participant(request)
    return web.json_response(room.show_participant(participant))


@routes.post(ROOT + "/Conferences/{conference}/Participants/{sid}.json")
async def update_participant(request: web.Request) -> web.Response:
    (room, participant), form = find_participant(request), await read_form(request)
    _coach(room, participant, form)
    room.change(participant, muted=truth(form, "Muted"), hold=truth(form, "Hold"))
    ends = truth(form, "EndConferenceOnExit")
    if ends is not None:
        participant.ends = ends
    _announce(request, room, [participant], one(form, "AnnounceUrl"))
    if participant.hold and one(form, "HoldUrl"):
        _announce(request, room, [participant], one(form, "HoldUrl"))
    return web.json_response(room.show_participant(participant))


def _announce(request: web.Request, room: Conference, listeners: list[Participant], url: str | None) -> None:
    if url is not None:
        voice = request.app[EXCHANGE].voice
        voice.beside(voice.rooms.announce(room, listeners, url))


@routes.delete(ROOT + "/Conferences/{conference}/Participants/{sid}.json")
async def delete_participant(request: web.Request) -> web.Response:
    room, participant = find_participant(request)
    if participant.leg.sid in room.coming:
        participant.leg.hang_up("caller")
    room.leave(participant.leg.sid, "participant_kicked")
    return web.Response(status=204)
