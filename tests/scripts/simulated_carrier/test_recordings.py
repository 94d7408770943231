"""Recordings of calls and rooms: begun, held, ended, fetched, deleted; and those that never arrive."""

import io
import wave
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from scripts.simulated_carrier.sound import seconds_of, wav
from tests.scripts.simulated_carrier.line import ALICE, OPERATOR, Line

WAIT = "<Response><Pause length='3000'/></Response>"


def talking(line: Line, **options: Any) -> Any:
    """Alice on the line."""
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = WAIT
    call = line.call(**options)
    line.until(lambda: line.status(call.sid) == "in-progress", "the call is answered")
    return line.client.calls(call.sid)


def record(line: Line, call: Any, **options: Any) -> Any:
    return call.recordings.create(
        recording_channels="dual", recording_status_callback=line.product.url + "/recorded",
        recording_status_callback_event=["in-progress", "completed", "absent"], **options,
    )  # fmt: skip


def fetch(line: Line, sid: str, **query: str) -> requests.Response:
    url = f"{line.url}/2010-04-01/Accounts/{line.client.username}/Recordings/{sid}.wav"
    return requests.get(url, params=query, auth=(line.client.username, line.client.password), timeout=5)


def told(line: Line, name: str = "RecordingStatus") -> list[str]:
    return line.product.of("/recorded", name)


def test_a_call_is_recorded_in_two_channels_fetched_and_deleted(line: Line) -> None:
    call = talking(line)
    recording = record(line, call)
    assert (recording.status, recording.channels, recording.source) == ("in-progress", 2, "StartCallRecordingAPI")
    line.until(lambda: line.exchange.recordings.known[recording.sid].seconds > 3, "something is said")
    assert fetch(line, recording.sid).status_code == 404
    call.update(status="completed")
    line.until(lambda: told(line) == ["in-progress", "completed"], "it is ready")
    assert int(told(line, "RecordingDuration")[-1]) >= 3
    answer = fetch(line, recording.sid, RequestedChannels="2")
    assert answer.headers["Content-Type"] == "audio/x-wav"
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
        assert round(sound.getnframes() / 8000) == int(told(line, "RecordingDuration")[-1])
    whole = line.client.recordings(recording.sid)
    assert (whole.fetch().status, whole.fetch().call_sid) == ("completed", recording.call_sid)
    assert whole.delete()
    assert fetch(line, recording.sid).status_code == 404
    assert line.client.recordings.list(call_sid=recording.call_sid) == []


def test_the_sound_is_given_to_nobody_without_credentials(line: Line) -> None:
    call = talking(line)
    sid = record(line, call).sid
    url = f"{line.url}/2010-04-01/Accounts/{line.client.username}/Recordings/{sid}.wav"
    assert requests.get(url, timeout=5).status_code == 401


def test_a_recording_is_paused_resumed_and_stopped_by_its_short_name(line: Line) -> None:
    call = talking(line)
    sid = record(line, call).sid
    current = call.recordings("Twilio.CURRENT")
    assert current.update(status="paused", pause_behavior="skip").status == "paused"
    counted = line.exchange.recordings.known[sid].seconds
    assert current.update(status="in-progress").status == "in-progress"
    line.until(lambda: line.exchange.recordings.known[sid].seconds > counted + 1, "it goes on")
    assert current.update(status="stopped").status == "stopped"
    line.until(lambda: call.recordings(sid).fetch().status == "completed", "it is ready")
    with pytest.raises(TwilioRestException) as refused:
        call.recordings(sid).update(status="paused")
    assert refused.value.code == 21220


def test_only_a_running_call_is_recorded_and_a_running_recording_is_not_deleted(line: Line) -> None:
    call = talking(line)
    sid = record(line, call).sid
    with pytest.raises(TwilioRestException) as running:
        line.client.recordings(sid).delete()
    assert running.value.status == 409
    call.update(status="completed")
    line.until(lambda: call.fetch().status == "completed", "the call ends")
    with pytest.raises(TwilioRestException) as over:
        record(line, call)
    assert over.value.code == 21220


def test_a_whole_call_is_recorded_when_it_was_asked_for_at_the_start(line: Line) -> None:
    call = talking(line, record=True, recording_channels="dual",
                   recording_status_callback=line.product.url + "/recorded")  # fmt: skip
    (recording,) = call.recordings.list()
    assert (recording.source, recording.channels) == ("OutboundAPI", 2)
    line.until(lambda: line.exchange.recordings.known[recording.sid].seconds > 1, "something is said")
    call.update(status="completed")
    line.until(lambda: told(line) == ["completed"], "it is ready")
    line.until(lambda: line.product.of("/status", "RecordingSid")[-1] == recording.sid, "the call names it")


@pytest.mark.parametrize(
    ("share", "event", "error"),
    [("recording_absent_share", "absent", "16101"), ("recording_failed_share", "failed", "16100")],
)
def test_a_recording_can_be_absent_or_fail_with_its_error(line: Line, share: str, event: str, error: str) -> None:
    line.settings(**{share: 1})
    call = talking(line)
    sid = record(line, call).sid
    line.until(lambda: line.exchange.recordings.known[sid].seconds > 1, "something is said")
    call.update(status="completed")
    line.until(lambda: told(line) == ["in-progress", event], "its end")
    assert told(line, "ErrorCode")[-1] == error
    assert line.client.recordings(sid).fetch().status == "absent"


def test_a_recording_that_never_arrives_stays_in_the_making(line: Line) -> None:
    line.settings(recording_lost_share=1, recording_seconds=0)
    call = talking(line)
    sid = record(line, call).sid
    line.until(lambda: line.exchange.recordings.known[sid].seconds > 1, "something is said")
    call.update(status="completed")
    line.until(lambda: line.client.recordings(sid).fetch().status == "processing", "it is over")
    assert told(line) == ["in-progress"]
    line.settings(recording_lost_share=0)
    assert line.client.recordings(sid).fetch().status == "processing"


def test_a_callback_can_be_lost_while_the_recording_is_there(line: Line) -> None:
    line.settings(lost_events="recording")
    call = talking(line)
    sid = record(line, call).sid
    line.until(lambda: line.exchange.recordings.known[sid].seconds > 1, "something is said")
    call.update(status="completed")
    line.until(lambda: fetch(line, sid).status_code == 200, "it can be fetched")
    assert told(line) == []


def test_a_room_is_recorded_from_its_beginning_to_its_end(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = (
        "<Response><Dial><Conference record='record-from-start' recordingStatusCallback='/recorded'>op-17"
        "</Conference></Dial></Response>"
    )
    line.call(OPERATOR)
    line.until(line.client.conferences.list, "the room opens")
    (room,) = line.client.conferences.list()
    recordings = line.client.conferences(room.sid).recordings
    line.until(recordings.list, "it is recorded")
    sid = recordings.list()[0].sid
    line.until(lambda: line.exchange.recordings.known[sid].seconds > 1, "something is said")
    line.client.conferences(room.sid).update(status="completed")
    line.until(lambda: told(line) == ["completed"], "it is ready")
    assert told(line, "ConferenceSid") == [room.sid]
    assert line.client.conferences(room.sid).recordings(sid).fetch().source == "Conference"


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seconds", [0, 0.5, 2.25])
def test_the_sound_has_the_length_it_should(seconds: float, channels: int) -> None:
    assert seconds_of(wav(seconds, channels), "audio/x-wav") == seconds


def test_what_is_no_sound_has_no_length() -> None:
    assert seconds_of(b"<html>", "audio/wav") is None
    assert seconds_of(b"<html>", "text/html") is None
