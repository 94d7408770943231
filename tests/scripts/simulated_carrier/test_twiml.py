"""TwiML: what is read, what is warned of, and what ends the call."""

from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from scripts.simulated_carrier.sound import wav
from scripts.simulated_carrier.twiml import VERBS, BadTwiml, Document, parse
from tests.scripts.simulated_carrier.line import ALICE, Line


def of(body: str) -> Document:
    return parse(f"<Response>{body}</Response>")


def test_what_twilios_own_library_writes_is_read_without_a_warning() -> None:
    response = VoiceResponse()
    gather = Gather(num_digits=1, timeout=4, action="/next", action_on_empty_result=True, finish_on_key="#")
    gather.say("Hola, ¿cómo está?", language="es-MX", voice="Polly.Mia")
    response.append(gather)
    response.play(digits="12")
    response.play("https://convoca.example/prompt.wav", loop=2)
    response.record(
        max_length=60, timeout=3, play_beep=True, finish_on_key="#", action="/said", trim="trim-silence",
        recording_status_callback="/recorded", recording_status_callback_event="completed absent",
    )  # fmt: skip
    dial = Dial(timeout=20, caller_id="+525512340000", action="/after", record="record-from-answer-dual")
    dial.number("+529220100001", status_callback="/child", status_callback_event="initiated completed")
    dial.conference("op-1", beep="false", wait_url="", coach="CA1", start_conference_on_enter=True, max_participants=4)
    response.append(dial)
    response.redirect("/again", method="POST")
    response.reject(reason="busy")
    document = parse(str(response))
    assert document.warnings == ()
    assert [verb.name for verb in document.verbs] == [
        "Gather", "Play", "Play", "Record", "Dial", "Redirect", "Reject",
    ]  # fmt: skip
    assert document.verbs[0].inner[0].text == "Hola, ¿cómo está?"
    assert [noun.name for noun in document.verbs[4].inner] == ["Number", "Conference"]


def test_a_voice_says_the_words_inside_its_markup_too() -> None:
    (say,) = of("<Say>Son <say-as interpret-as='cardinal'>12</say-as>\n  pesos.</Say>").verbs
    assert say.text == "Son 12 pesos."


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        ("<Say loudness='3'>Hola</Say>", "Say has no attribute loudness"),
        ("<Gather numdigits='1'/>", "Gather has no attribute numdigits"),
        ("<Pause length='two'/>", "length of Pause is 'two'"),
        ("<Dial><Conference mute='true'>op-1</Conference></Dial>", "Conference has no attribute mute"),
        ("<Say> </Say>", "Say: Invalid text"),
    ],
)
def test_what_twilio_warns_of_and_goes_on(body: str, warning: str) -> None:
    ((_, text),) = of(body).warnings
    assert warning in text


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", 12100), ("Hola", 12100), ("<Response><Say>Hola</Response>", 12100), ("<html/>", 12200),
        ("<Response><Enqueue>q</Enqueue></Response>", 12200), ("<Response><say>Hola</say></Response>", 12200),
        ("<Response><Gather><Record/></Gather></Response>", 12200),
        ("<Response><Dial><Sip>sip:a@b.example</Sip></Dial></Response>", 12200),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_has_twilios_number(document: str, code: int) -> None:
    with pytest.raises(BadTwiml) as bad:
        parse(document)
    assert bad.value.code == code


@given(st.text(max_size=200))
def test_anything_is_read_or_refused_with_a_number(text: str) -> None:
    try:
        parse(text)
    except BadTwiml as bad:
        assert bad.code in (12100, 12200)  # noqa: PT017 - most texts are refused, some documents are not


COUNTS = st.sampled_from(["loop", "timeout", "length", "numDigits", "maxLength"])


@given(st.lists(st.sampled_from(sorted(VERBS))), st.dictionaries(COUNTS, st.integers() | st.text("a1", min_size=1)))
def test_every_verb_is_read_whatever_its_counts_say(names: list[str], attributes: dict[str, Any]) -> None:
    said = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    document = of("".join(f"<{name} {said}/>" for name in names))
    assert [verb.name for verb in document.verbs] == names
    for verb in document.verbs:
        assert verb.number("timeout", 5) is not None


def test_an_unknown_verb_is_written_into_the_debugger_and_ends_the_call_with_an_apology(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Enqueue>cola</Enqueue></Response>"
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    (found,) = line.client.calls(call.sid).notifications.list()
    assert (found.error_code, found.log, found.request_url) == ("12200", "0", line.product.url + "/answer")
    assert line.client.api.v2010.account.notifications(found.sid).fetch().call_sid == call.sid
    assert [heard["verb"] for heard in line.get(f"/control/calls/{call.sid}")["heard"]] == ["error"]


def test_a_warning_is_written_down_and_the_call_goes_on(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Say tone='glad'>Hola</Say></Response>"
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    assert [one.error_code for one in line.client.api.v2010.account.notifications.list(log=1)] == ["12200"]
    assert [one["call_sid"] for one in line.get("/control/notifications")] == [call.sid]
    assert "Say has no attribute tone" in requests.get(line.url + "/control/page", timeout=5).text
    assert [heard["text"] for heard in line.get(f"/control/calls/{call.sid}")["heard"]] == ["Hola"]


def test_a_file_of_ours_is_fetched_and_played_for_its_length_and_a_missing_one_is_left_out(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.files = {"/hola.wav": (wav(6, 1), "audio/wav"), "/page.wav": (b"<html>", "text/html")}
    line.product.pages["/answer"] = (
        "<Response><Play>/hola.wav</Play><Play>/gone.wav</Play><Play>/page.wav</Play>"
        "<Play>https://convoca.invalid/x.mp3</Play></Response>"
    )
    call = line.call()
    line.until(lambda: line.status(call.sid) == "completed", "the call ends")
    heard = line.get(f"/control/calls/{call.sid}")["heard"]
    assert [one["url"] for one in heard] == [line.product.url + "/hola.wav", "https://convoca.invalid/x.mp3"]
    assert heard[1]["second"] >= 6
    assert [one.error_code for one in line.client.calls(call.sid).notifications.list()] == ["12300", "11200"]
