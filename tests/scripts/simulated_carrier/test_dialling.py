"""<Dial> to telephones and browsers: who rings, who is put through, and what is told of it."""

from typing import Any

import pytest

from tests.scripts.simulated_carrier.line import ALICE, SMS, VOICE, Line

BOB, CAROL = "+529220100002", "+529220100003"


def dial(line: Line, inner: str, **attributes: str) -> Any:
    """Alice is on the line, and is put through to `inner`."""
    line.order(ALICE, does="answer")
    said = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    line.product.pages["/answer"] = f"<Response><Dial action='/after' {said}>{inner}</Dial></Response>"
    line.product.pages["/after"] = "<Response><Say>Adiós.</Say></Response>"
    return line.call()


def after(line: Line, name: str) -> list[str]:
    return line.product.of("/after", name)


def test_two_people_talk_until_one_hangs_up_and_the_action_hears_how_long(line: Line) -> None:
    line.order(BOB, does="answer", stay_seconds=9)
    call = dial(line, BOB, callerId=SMS)
    line.until(lambda: after(line, "DialCallStatus") == ["completed"], "it is over")
    (child,) = line.client.calls.list(parent_call_sid=call.sid)
    assert (child.direction, child.to, child._from) == ("outbound-dial", BOB, SMS)
    assert (after(line, "DialCallSid"), after(line, "DialBridged")) == ([child.sid], ["true"])
    assert 8 <= int(after(line, "DialCallDuration")[0]) <= 14
    line.until(lambda: line.status(call.sid) == "completed", "the caller hears the rest")


@pytest.mark.parametrize(("does", "status"), [("busy", "busy"), ("no_answer", "no-answer"), ("invalid", "failed")])
def test_who_is_not_reached_is_told_to_the_action(line: Line, does: str, status: str) -> None:
    line.order(BOB, does=does)
    dial(line, f"<Number statusCallback='/child' statusCallbackEvent='ringing completed'>{BOB}</Number>", callerId=SMS)
    line.until(lambda: after(line, "DialCallStatus") == [status], "the action hears it")
    line.until(lambda: line.product.of("/child")[-1:] == [status], "the callback of the other leg")


def test_of_several_the_first_to_answer_is_put_through_and_the_others_stop_ringing(line: Line) -> None:
    line.order(BOB, does="answer", ring_seconds=30)
    line.order(CAROL, does="answer", ring_seconds=1, stay_seconds=10)
    call = dial(line, f"<Number>{BOB}</Number><Number>{CAROL}</Number>", callerId=SMS)
    line.until(lambda: after(line, "DialCallStatus") == ["completed"], "it is over")
    children = {child.to: child.status for child in line.client.calls.list(parent_call_sid=call.sid)}
    assert children == {BOB: "canceled", CAROL: "completed"}


def test_a_browser_answers_at_once_and_hears_a_whisper_first(line: Line) -> None:
    line.product.pages["/whisper"] = "<Response><Say>Llamada de Alicia.</Say></Response>"
    call = dial(line, "<Client url='/whisper'><Identity>op-7</Identity></Client>", callerId=VOICE)
    line.until(lambda: line.client.calls.list(parent_call_sid=call.sid), "the browser rings")
    (child,) = line.client.calls.list(parent_call_sid=call.sid)
    assert child.to == "client:op-7"
    line.until(lambda: line.exchange.legs[child.sid].heard, "it hears the whisper")
    line.client.calls(call.sid).update(status="completed")
    line.until(lambda: line.status(child.sid) == "completed", "both ends are over")


def test_a_recorded_talk_belongs_to_the_call_that_dialled(line: Line) -> None:
    line.order(BOB, does="answer", stay_seconds=20)
    call = dial(line, BOB, callerId=SMS, record="record-from-answer-dual", recordingStatusCallback="/recorded")
    line.until(lambda: line.product.of("/recorded", "RecordingStatus") == ["completed"], "it is ready")
    assert line.product.of("/recorded", "RecordingSource") == ["DialVerb"]
    assert line.product.of("/recorded") == [""]
    (recording,) = line.client.calls(call.sid).recordings.list()
    assert recording.channels == 2


@pytest.mark.parametrize(
    ("number", "attributes", "code"),
    [(BOB, {"callerId": "+525500000000"}, "13214"), ("12345", {"callerId": SMS}, "13223")],
)
def test_what_cannot_be_dialled_is_written_into_the_debugger(
    line: Line, number: str, attributes: dict[str, str], code: str
) -> None:
    call = dial(line, number, **attributes)
    line.until(lambda: after(line, "DialCallStatus") == ["failed"], "the action hears it")
    assert [one.error_code for one in line.client.calls(call.sid).notifications.list()] == [code]


def test_a_talk_is_left_when_the_caller_is_sent_elsewhere(line: Line) -> None:
    line.order(BOB, does="answer", stay_seconds=9000)
    call = dial(line, BOB, callerId=SMS)
    line.until(lambda: line.client.calls.list(parent_call_sid=call.sid, status="in-progress"), "they talk")
    line.client.calls(call.sid).update(twiml="<Response><Say>Otra cosa.</Say><Pause length='600'/></Response>")
    line.until(lambda: line.client.calls.list(parent_call_sid=call.sid, status="completed"), "the other leg ends")
    line.until(lambda: line.exchange.legs[call.sid].heard, "the other document is followed")
    assert line.status(call.sid) == "in-progress"
