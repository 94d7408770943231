"""Calls, as the real Twilio client sees them."""

from pathlib import Path

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_carrier.journal import read
from scripts.simulated_carrier.options import Options
from tests.scripts.simulated_carrier.line import ALICE, OPERATOR, VOICE, Line, running

ROOM = (
    '<Response><Dial><Conference statusCallback="{url}/room" statusCallbackEvent="start end join leave">op-17'
    "</Conference></Dial></Response>"
)
HANG_UP = "<Response><Say>Hasta luego.</Say><Hangup/></Response>"


def test_an_answered_call_reports_each_state_once_and_in_order(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = HANG_UP
    call = line.call()
    assert (call.status, call.to, call.direction) == ("queued", ALICE, "outbound-api")
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    line.until(lambda: len(line.product.of("/status")) == 4, "four callbacks")
    reports = sorted(
        (form for form in line.product.heard if form["path"] == "/status"), key=lambda f: f["SequenceNumber"]
    )
    assert [form["CallStatus"] for form in reports] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in reports] == ["0", "1", "2", "3"]
    assert reports[3]["SipResponseCode"] == "200"
    assert {form["CallSid"] for form in line.product.heard} == {call.sid}
    assert line.product.badly_signed == 0


@pytest.mark.parametrize(
    ("does", "status", "sip"),
    [("busy", "busy", "486"), ("no_answer", "no-answer", "487"), ("invalid", "failed", "404")],
)
def test_a_call_that_nobody_takes_says_why(line: Line, does: str, status: str, sip: str) -> None:
    line.order(ALICE, does=does)
    call = line.call(timeout=5, status_callback_event=["completed"])
    line.until(lambda: line.product.of("/status"), "the last callback")
    assert line.product.of("/status") == [status]
    assert line.product.of("/status", "SipResponseCode") == [sip]
    assert line.status(call.sid) == status
    assert "/answer" not in {form["path"] for form in line.product.heard}


def test_a_citizen_and_an_operator_meet_in_a_room_and_the_operator_ends_the_call(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = line.product.pages["/operator"] = ROOM.format(url=line.product.url)
    operator = line.call(OPERATOR, url=line.product.url + "/operator", status_callback=None, status_callback_event=None)
    line.until(lambda: line.client.conferences.list(friendly_name="op-17", status="in-progress"), "the room opens")
    citizen = line.call()
    (room,) = line.client.conferences.list(friendly_name="op-17")
    line.until(lambda: len(room.participants.list()) == 2, "they meet")
    assert {person.call_sid for person in room.participants.list()} == {operator.sid, citizen.sid}
    line.client.calls(citizen.sid).update(status="completed")
    line.until(lambda: line.status(citizen.sid) == "completed", "the citizen is gone")
    assert line.status(operator.sid) == "in-progress"
    line.client.conferences(room.sid).update(status="completed")
    line.until(lambda: line.status(operator.sid) == "completed", "the operator's leg ends with the room")
    line.until(lambda: "conference-end" in line.product.of("/room", "StatusCallbackEvent"), "the room says it ended")
    told = line.product.of("/room", "StatusCallbackEvent")
    assert told.count("participant-join") == told.count("participant-leave") == 2


def test_a_citizen_who_hears_nobody_hangs_up(line: Line) -> None:
    line.order(ALICE, does="answer", silence_seconds=4)
    line.product.pages["/answer"] = ROOM.format(url=line.product.url)
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the citizen leaves the silence")
    assert line.exchange.legs[call.sid].hung_up_by == "citizen"


def test_a_citizen_loses_patience_and_a_control_order_ends_a_call_at_once(line: Line) -> None:
    line.order(ALICE, does="answer", stay_seconds=3)
    line.product.pages["/answer"] = "<Response><Pause length='3000'/></Response>"
    impatient = line.call()
    line.until(lambda: line.status(impatient.sid) == "completed", "patience ends")
    line.order(ALICE, does="answer")
    ordered = line.call()
    line.until(lambda: line.status(ordered.sid) == "in-progress", "the second call is answered")
    assert line.post("/control/hang-up", {"phone": ALICE}) == {"hung_up": 1}
    line.until(lambda: line.status(ordered.sid) == "completed", "the second call ends")


def test_a_ringing_call_can_be_cancelled_and_a_running_one_sent_to_other_twiml(line: Line) -> None:
    line.order(ALICE, does="no_answer")
    ringing = line.call()
    line.client.calls(ringing.sid).update(status="canceled")
    line.until(lambda: line.status(ringing.sid) == "canceled", "the ringing stops")
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Pause length='3000'/></Response>"
    running_call = line.call()
    line.until(lambda: line.status(running_call.sid) == "in-progress", "the call is answered")
    line.client.calls(running_call.sid).update(twiml=HANG_UP)
    line.until(lambda: line.status(running_call.sid) == "completed", "the other TwiML is followed")


def test_somebody_who_waits_hears_silence_and_asks_again_at_an_address_relative_to_the_last(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = '<Response><Pause length="1" /><Redirect method="POST">again</Redirect></Response>'
    line.product.pages["/again"] = HANG_UP
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the second document is followed")
    assert "/again" in {form["path"] for form in line.product.heard}


def test_digits_pressed_at_a_gather_are_posted_to_its_action(line: Line) -> None:
    line.order(ALICE, does="answer", digits="2")
    line.product.pages["/answer"] = (
        "<Response><Gather action='/pressed' numDigits='1'><Say>1 o 2</Say></Gather></Response>"
    )
    line.product.pages["/pressed"] = HANG_UP
    line.call()
    line.until(lambda: line.product.of("/pressed", "Digits") == ["2"], "the digit arrives")


def test_an_answer_page_that_fails_ends_the_call(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "this is not XML"
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")


def test_calls_are_listed_newest_first_by_number_and_status(line: Line) -> None:
    line.order(ALICE, does="busy")
    calls = [line.call() for _ in range(3)]
    line.call("+529220100002")
    line.until(lambda: len(line.client.calls.list(to=ALICE, status="busy")) == 3, "all were busy")
    assert [call.sid for call in line.client.calls.list(to=ALICE, page_size=2)] == [
        call.sid for call in reversed(calls)
    ]


@pytest.mark.parametrize(
    ("to", "sender", "status", "code"),
    [("911", VOICE, 400, 21211), ("+5219220100001", VOICE, 400, 21211), (ALICE, "+525500000000", 400, 21210)],
)
def test_a_call_that_cannot_be_made_is_refused_in_twilios_words(
    line: Line, to: str, sender: str, status: int, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        line.client.calls.create(to=to, from_=sender, url="http://127.0.0.1:9/")
    assert (refusal.value.status, refusal.value.code) == (status, code)


def test_a_wrong_token_and_an_unknown_call_are_refused(line: Line) -> None:
    with pytest.raises(TwilioRestException) as missing:
        line.client.calls("CA" + "0" * 32).fetch()
    assert missing.value.code == 20404
    line.client.auth = (line.client.username, "wrong")
    with pytest.raises(TwilioRestException) as refused:
        line.call()
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_a_refused_request_leaves_no_call_and_an_unknown_one_does(line: Line, journal_path: Path) -> None:
    line.post("/control/settings", {"refused_share": 1})
    with pytest.raises(TwilioRestException) as refused:
        line.call()
    assert (refused.value.status, refused.value.code) == (429, 20429)
    line.post("/control/settings", {"refused_share": 0, "unknown_share": 1})
    with pytest.raises(TwilioRestException) as unknown:
        line.call()
    assert unknown.value.status == 500
    assert [entry["to"] for entry in read(journal_path) if entry["kind"] == "call"] == [ALICE]


def test_doubled_and_lost_callbacks_come_twice_and_never(line: Line) -> None:
    line.order(ALICE, does="busy")
    line.post("/control/settings", {"double_share": 1})
    line.call(status_callback_event=["completed"])
    line.until(lambda: line.product.of("/status") == ["busy", "busy"], "the callback comes twice")
    line.post("/control/settings", {"double_share": 0, "lost_share": 1})
    lost = line.call(status_callback_event=["completed"])
    line.until(lambda: line.status(lost.sid) == "busy", "the call ends")
    assert line.product.of("/status") == ["busy", "busy"]


def test_a_restarted_carrier_reports_the_calls_it_lost_and_keeps_its_journal(journal_path: Path) -> None:
    ours = "0b9ffb1e-5d1f-4d55-8f0e-0f6f2f0f6b11"
    with running(journal_path) as first:
        first.order(ALICE, does="answer")
        first.product.pages[f"/answer/{ours}"] = "<Response><Pause length='9000'/></Response>"
        call = first.call(url=f"{first.product.url}/answer/{ours}", status_callback="http://127.0.0.1:9/gone")
        first.until(lambda: first.status(call.sid) == "in-progress", "the call is answered")
    with running(journal_path) as second:
        assert second.status(call.sid) == "completed"
        assert second.exchange.calls.dials[ALICE] == 1
    entries = read(journal_path)
    assert [entry["kind"] for entry in entries] == ["call", "answer", "end"]
    assert entries[0]["id"] == entries[1]["id"] == ours


def test_the_control_page_shows_the_last_calls_and_refuses_unknown_orders(line: Line) -> None:
    line.order(ALICE, does="busy")
    line.call()
    page = requests.get(line.url + "/", timeout=5).text
    assert ALICE in page
    assert "Nobody is called" in page
    for path, order in (
        (f"/control/numbers/{ALICE}", {"does": "sing"}),
        ("/control/settings", {"loudness": 3}),
        ("/control/hang-up", {}),
    ):
        assert requests.post(line.url + path, json=order, timeout=5).status_code == 422
    assert requests.post(line.url + "/control/hang-up", data={"phone": ALICE}, timeout=5).status_code == 415


def test_an_operator_hears_who_is_on_the_line_while_they_are(line: Line) -> None:
    ours = "3f0c6c0e-9a63-4c0e-8c3b-3d6bb1b7c001"
    line.order(ALICE, does="answer")
    line.product.pages[f"/answer/{ours}"] = "<Response><Pause length='9000'/></Response>"
    assert requests.get(f"{line.url}/control/voice/{ours}", timeout=5).status_code == 404
    call = line.call(url=f"{line.product.url}/answer/{ours}")
    line.until(lambda: line.status(call.sid) == "in-progress", "the call is answered")
    heard = requests.get(f"{line.url}/control/voice/{ours}", timeout=5).json()
    assert heard == {"is_machine": False, "answers": dict(citizen(ALICE, 1).answers)}
    line.post("/control/hang-up", {"phone": ALICE})
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    assert requests.get(f"{line.url}/control/voice/{ours}", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("sip", "status"), [(486, "busy"), (603, "busy"), (480, "no-answer"), (408, "no-answer"), (503, "failed")]
)
def test_an_answer_of_the_other_network_is_told_with_its_number(line: Line, sip: int, status: str) -> None:
    line.order(ALICE, does="invalid", sip=sip)
    line.call(status_callback_event=["completed"])
    line.until(lambda: line.product.of("/status") == [status], "the last callback")
    assert line.product.of("/status", "SipResponseCode") == [str(sip)]


def test_a_call_that_is_stuck_rings_for_ever_until_it_is_taken_down(line: Line) -> None:
    line.order(ALICE, does="stuck")
    call = line.call(timeout=5)
    line.until(lambda: line.product.of("/status") == ["initiated", "ringing"], "it rings")
    line.until(lambda: line.exchange.legs[call.sid].status == "ringing", "still")
    line.client.calls(call.sid).update(status="completed")
    line.until(lambda: line.status(call.sid) == "canceled", "it is taken down")


@pytest.mark.parametrize("event", ["initiated", "ringing", "answered", "completed"])
def test_each_callback_can_be_lost_and_the_resource_still_knows(line: Line, event: str) -> None:
    line.settings(lost_events=event)
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = HANG_UP
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    line.until(lambda: len(line.product.of("/status")) == 3, "the other callbacks")
    names = {"answered": "in-progress"}
    expected = {"initiated", "ringing", "in-progress", "completed"} - {names.get(event, event)}
    assert set(line.product.of("/status")) == expected


def test_twilio_lets_it_ring_some_seconds_longer_than_it_was_told(line: Line) -> None:
    line.order(ALICE, does="answer", ring_seconds=8)
    line.product.pages["/answer"] = HANG_UP
    late = line.call(timeout=5)
    line.until(lambda: line.status(late.sid) == "completed", "it is answered after all")
    line.order(ALICE, does="answer", ring_seconds=20)
    too_late = line.call(timeout=5)
    line.until(lambda: line.status(too_late.sid) == "no-answer", "nobody waits so long")


def test_a_call_ends_at_its_longest_length_and_plays_its_keys_first(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Pause length='3000'/></Response>"
    call = line.call(time_limit=12, send_digits="wwww12#")
    line.until(lambda: line.status(call.sid) == "completed", "it is cut")
    shown = line.get(f"/control/calls/{call.sid}")
    assert (shown["hung_up_by"], shown["heard"][0]["verb"], shown["heard"][0]["text"]) == ("limit", "keys", "wwww12#")
    assert 11 <= shown["seconds"] <= 20


def test_a_page_can_be_asked_by_get_and_another_when_it_fails(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.files["/got"] = (HANG_UP.encode(), "text/xml")
    got = line.call(url=line.product.url + "/got?a=1", method="GET")
    line.until(lambda: line.status(got.sid) == "completed", "the call ends")
    assert [heard["text"] for heard in line.get(f"/control/calls/{got.sid}")["heard"]] == ["Hasta luego."]
    line.product.pages["/fallback"] = HANG_UP
    failed = line.call(url="http://127.0.0.1:9/", fallback_url=line.product.url + "/fallback")
    line.until(lambda: line.status(failed.sid) == "completed", "the fallback is followed")
    assert line.product.of("/fallback", "ErrorCode") == ["11200"]
    assert line.product.of("/fallback", "ErrorUrl") == ["http://127.0.0.1:9/"]


def test_an_address_that_is_none_is_refused_before_anybody_is_called(line: Line) -> None:
    for wrong in ({"url": "convoca"}, {"status_callback": "convoca"}, {"send_digits": "x"}):
        with pytest.raises(TwilioRestException) as refused:
            line.call(**wrong)
        assert refused.value.status == 400
    assert line.client.calls.list() == []


def test_a_finished_call_is_deleted_and_a_running_one_is_not(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Pause length='3000'/></Response>"
    call = line.call()
    line.until(lambda: line.status(call.sid) == "in-progress", "the call is answered")
    with pytest.raises(TwilioRestException) as running_call:
        line.client.calls(call.sid).delete()
    assert running_call.value.status == 409
    line.client.calls(call.sid).update(status="completed")
    line.until(lambda: line.status(call.sid) == "completed", "it ends")
    assert line.client.calls(call.sid).delete()
    assert line.client.calls.list() == []


def test_two_carriers_of_a_seed_have_the_same_people_behind_the_same_phones() -> None:
    def outcomes() -> dict[str, str]:
        with running(None, Options(speed=200, calls_per_second=0, seed=5)) as line:
            line.product.pages["/answer"] = HANG_UP
            for number in range(20):
                line.call(f"+52922010{number:04}", timeout=30)
            line.until(lambda: not line.get("/control/state")["open_calls"], "all is over", 20)
            return {call.to: call.status for call in line.client.calls.list()}

    first = outcomes()
    assert len(set(first.values())) > 1
    assert outcomes() == first


def test_twiml_can_be_asked_for_twice_and_is_followed_once(line: Line) -> None:
    line.settings(refetched_share=1)
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = HANG_UP
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    assert line.product.of("/answer") == ["in-progress"] * 2
    assert len(line.exchange.legs[call.sid].heard) == 1


def test_a_page_that_fails_is_asked_again_as_often_as_its_address_says(line: Line) -> None:
    line.order(ALICE, does="answer")
    call = line.call(url="http://127.0.0.1:9/#rc=2")
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    asked = [one for one in line.get("/control/callbacks") if one["url"] == "http://127.0.0.1:9/"]
    assert len(asked) == 3
