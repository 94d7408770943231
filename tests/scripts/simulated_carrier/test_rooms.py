"""Conferences through the real client: who comes, who hears whom, what they hear, and how a room ends."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.scripts.simulated_carrier.line import ALICE, OPERATOR, VOICE, Line

SUPERVISOR = "client:sup-3"


def conference(name: str = "op-17", **attributes: str) -> str:
    said = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f"<Response><Dial><Conference {said}>{name}</Conference></Dial></Response>"


def meeting(line: Line, **attributes: str) -> tuple[Any, str, str]:
    """The room with the operator and Alice in it: room, the SIDs of both calls."""
    line.order(ALICE, does="answer", silence_seconds=9000)
    line.product.pages["/answer"] = conference(
        statusCallback=line.product.url + "/room",
        statusCallbackEvent="start end join leave mute hold announcement", **attributes,
    )  # fmt: skip
    operator = line.call(OPERATOR)
    line.until(lambda: line.client.conferences.list(status="in-progress"), "the room opens")
    citizen = line.call(ALICE)
    (room,) = line.client.conferences.list(friendly_name="op-17", status="in-progress")
    context = line.client.conferences(room.sid)
    line.until(lambda: len(context.participants.list()) == 2, "they meet")
    return context, operator.sid, citizen.sid


def join(line: Line, to: str = SUPERVISOR, name: str = "op-17", **options: Any) -> Any:
    return line.client.conferences(name).participants.create(from_=VOICE, to=to, **options)


def hears(line: Line, sid: str) -> list[str]:
    return sorted(line.get(f"/control/calls/{sid}")["hears"])


def events(line: Line) -> list[str]:
    return line.product.of("/room", "StatusCallbackEvent")


def test_a_supervisor_listens_coaches_and_speaks_to_all(line: Line) -> None:
    room, operator, citizen = meeting(line)
    supervisor = join(line, muted=True, label="supervisor", start_conference_on_enter=False)
    assert supervisor.status in ("queued", "ringing", "connected")
    line.until(lambda: len(hears(line, supervisor.call_sid)) == 2, "the supervisor listens")
    assert (hears(line, operator), hears(line, citizen)) == ([ALICE], [OPERATOR])
    coached = room.participants("supervisor").update(muted=False, coaching=True, call_sid_to_coach=operator)
    assert (coached.coaching, coached.call_sid_to_coach) == (True, operator)
    assert (hears(line, operator), hears(line, citizen)) == ([ALICE, SUPERVISOR], [OPERATOR])
    room.participants(supervisor.call_sid).update(coaching=False)
    assert hears(line, citizen) == [OPERATOR, SUPERVISOR]
    room.participants("supervisor").delete()
    line.until(lambda: line.status(supervisor.call_sid) == "completed", "the supervisor is gone")
    assert line.status(citizen) == "in-progress"


def test_nobody_is_coached_who_is_not_there(line: Line) -> None:
    meeting(line)
    with pytest.raises(TwilioRestException) as refused:
        join(line, coaching=True, call_sid_to_coach="CA" + "0" * 32)
    assert refused.value.status == 400
    assert SUPERVISOR not in {call.to for call in line.client.calls.list()}


def test_who_is_on_hold_or_muted_is_not_heard_and_each_change_is_told(line: Line) -> None:
    room, operator, citizen = meeting(line)
    person = room.participants(citizen)
    person.update(hold=True)
    assert (hears(line, operator), hears(line, citizen)) == ([], [])
    person.update(hold=False, muted=True)
    assert (hears(line, operator), hears(line, citizen)) == ([], [OPERATOR])
    person.update(muted=False)
    changes = {f"participant-{change}" for change in ("hold", "unhold", "mute", "unmute")}
    line.until(lambda: changes <= set(events(line)), "all changes are told")
    assert [one.call_sid for one in room.participants.list(muted=True)] == []


def test_an_announcement_is_heard_by_whom_it_is_for(line: Line) -> None:
    room, operator, citizen = meeting(line)
    line.product.pages["/announce"] = "<Response><Say>Un momento, por favor.</Say></Response>"
    room.participants(citizen).update(announce_url=line.product.url + "/announce")
    line.until(lambda: line.exchange.legs[citizen].heard, "the citizen hears it")
    assert [heard.text for heard in line.exchange.legs[citizen].heard] == ["Un momento, por favor."]
    assert not line.exchange.legs[operator].heard
    line.until(lambda: "announcement-end" in events(line), "its end is told")


def test_the_room_ends_with_whom_it_was_told_to_end_with(line: Line) -> None:
    room, operator, citizen = meeting(line)
    assert room.participants(operator).update(end_conference_on_exit=True).end_conference_on_exit
    line.client.calls(operator).update(status="completed")
    line.until(lambda: line.status(citizen) == "completed", "the citizen's call ends")
    ended = room.fetch()
    assert ended.reason_conference_ended == "participant-with-end-conference-on-exit-left"
    assert ended.call_sid_ending_conference == operator


def test_who_is_sent_to_another_room_leaves_this_one_alone(line: Line) -> None:
    room, operator, citizen = meeting(line)
    line.client.calls(citizen).update(twiml=conference("hold-1", startConferenceOnEnter="false"))
    line.until(lambda: line.get(f"/control/calls/{citizen}")["room"] == "hold-1", "the citizen is moved")
    assert [one.call_sid for one in room.participants.list()] == [operator]
    (waiting,) = line.client.conferences.list(friendly_name="hold-1")
    assert waiting.status == "init"
    line.until(lambda: [h.verb for h in line.exchange.legs[citizen].heard] == ["music"], "they hear music")
    line.until(lambda: "participant_updated_via_api" in line.product.of("/room", "ReasonParticipantLeft"), "why")


def test_music_keeps_people_on_the_line_and_silence_does_not(line: Line) -> None:
    line.order(ALICE, does="answer", silence_seconds=6)
    line.product.pages["/answer"] = conference("music", startConferenceOnEnter="false")
    with_music = line.call()
    line.product.pages["/quiet"] = conference("silence", startConferenceOnEnter="false", waitUrl="")
    in_silence = line.call(url=line.product.url + "/quiet")
    line.until(lambda: line.status(in_silence.sid) == "completed", "nobody bears the silence")
    assert line.status(with_music.sid) == "in-progress"


def test_what_our_wait_url_says_is_heard_until_somebody_comes(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/wait"] = "<Response><Say>Espere.</Say><Pause length='1'/><Redirect>/wait</Redirect></Response>"
    line.product.pages["/answer"] = conference("queue", startConferenceOnEnter="false", waitUrl="/wait")
    call = line.call()
    line.until(lambda: len(line.exchange.legs[call.sid].heard) >= 2, "it is said again and again")
    join(line, OPERATOR, "queue")
    line.until(lambda: hears(line, call.sid) == [OPERATOR], "somebody comes")
    count = len(line.exchange.legs[call.sid].heard)
    line.until(lambda: line.exchange.legs[call.sid].elapsed > 20, "time passes")
    assert len(line.exchange.legs[call.sid].heard) == count


def test_a_participant_who_is_not_reached_leaves_with_the_status_of_their_call(line: Line) -> None:
    room, _, _ = meeting(line)
    other = "+529220100003"
    line.order(other, does="busy")
    coming = join(line, other, status_callback=line.product.url + "/third")
    assert coming.call_sid in {one.call_sid for one in room.participants.list()}
    line.until(lambda: line.product.of("/third") == ["busy"], "the call's own callback")
    line.until(lambda: "busy" in line.product.of("/room", "ParticipantCallStatus"), "the room's callback")
    assert coming.call_sid not in {one.call_sid for one in room.participants.list()}


def test_a_full_room_takes_nobody_more(line: Line) -> None:
    meeting(line, maxParticipants="2")
    line.product.pages["/third"] = conference()
    third = line.call(SUPERVISOR, url=line.product.url + "/third")
    line.until(lambda: line.status(third.sid) == "completed", "the third is turned away")
    assert [one.error_code for one in line.client.calls(third.sid).notifications.list()] == ["13282"]


def test_a_room_that_never_was_is_not_found(line: Line) -> None:
    for name in ("CF" + "0" * 32, "op-99"):
        with pytest.raises(TwilioRestException) as missing:
            line.client.conferences(name).fetch()
        assert missing.value.code == 20404
