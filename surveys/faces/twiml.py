"""A step of a recorded survey as a TwiML document, and what Twilio then posts as something heard. Pure.

The interview itself is `faces.agi`: the same stages, keys and outcomes as over Asterisk, only the line is another.
https://www.twilio.com/docs/voice/twiml
"""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twilio.twiml.voice_response import Gather, VoiceResponse

from surveys.faces.sentences import tongue
from surveys.faces.turns import Heard, Say, Step

# https://www.twilio.com/docs/voice/twiml/gather: whole seconds, counted from the end of the prompt and from each key.
KEY_SECONDS, KEYS_SECONDS, LISTEN_SECONDS, STAR_SECONDS = 6, 5, 1, 2
LONGEST_VOICE, QUIET = 60, 4  # seconds: of a voice, and of the silence that ends it
LONGEST_SAY = 4000  # characters; https://www.twilio.com/docs/voice/twiml/say allows 4,096
# https://www.twilio.com/docs/voice/twiml/say/text-speech: language and voice by the tongue of the house.
VOICES = {"es": ("es-MX", "Polly.Mia"), "en": ("en-US", "Polly.Joanna")}
# Asked again when we do not answer: each of our documents is harmless when fetched twice.
# https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
AGAIN = "#rp=5xx,ct,rt&rc=2"
_SID = re.compile(r"RE[0-9a-f]{32}")
_KEYS = re.compile(r"[^0-9*#A-D]")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Way:
    """`action`: the absolute address that is told what was heard; `language`: a questionnaire's (es, en, …);
    `sounds`: a sentence's prompt → the address of the recording that stands in for it."""

    action: str
    language: str
    sounds: Mapping[str, str] = field(default_factory=dict)


def document(step: Step, way: Way, *, insist: bool = False) -> str:
    """The TwiML of a step. `insist`: no key cuts the words short; one is read after them."""
    response = VoiceResponse()
    if step.act == "end":
        _say(response, step.say, way)
        if step.say:  # whoever hears the goodbye to its end lets us close the call at once
            response.redirect(way.action + AGAIN, method="POST")
        response.hangup()
    elif step.act == "record":
        _record(response, way)
    else:
        gather = _gather(step, way)
        _say(response if insist else gather, step.say, way)
        response.append(gather)
    return str(response)


def hang_up() -> str:
    """The TwiML of a call that is over in our books."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def go_to(address: str) -> str:
    """The TwiML of a leg that is led on elsewhere."""
    response = VoiceResponse()
    response.redirect(address, method="POST")
    return str(response)


def pause(way: Way) -> str:
    """The TwiML of a try of one's own telephone where a voice would be recorded: room to speak, and nothing kept."""
    response = VoiceResponse()
    response.pause(length=QUIET)
    response.redirect(way.action + AGAIN, method="POST")
    return str(response)


def _gather(step: Step, way: Way) -> Gather:
    """Twilio's `finishOnKey` needs a figure before it; where one key is enough, `#` is a key like any other."""
    is_open = step.act == "ask" and step.is_open
    seconds = {"listen": LISTEN_SECONDS, "wait": STAR_SECONDS}.get(
        step.act, KEYS_SECONDS if step.most > 1 else KEY_SECONDS
    )
    return Gather(
        input="dtmf", action=way.action + AGAIN, method="POST", num_digits=step.most if step.act == "ask" else 1,
        finish_on_key="#" if is_open else "", timeout=seconds, action_on_empty_result=True,
    )  # fmt: skip


def _record(response: VoiceResponse, way: Way) -> None:
    """Silence alone it tells nobody and goes on to the next verb: https://www.twilio.com/docs/voice/twiml/record"""
    response.record(
        action=way.action + AGAIN, method="POST", max_length=LONGEST_VOICE, timeout=QUIET, finish_on_key="#*",
        play_beep=True, trim="do-not-trim",
    )  # fmt: skip
    response.redirect(way.action + AGAIN, method="POST")


def _say(verb: VoiceResponse | Gather, say: tuple[Say, ...], way: Way) -> None:
    language, voice = VOICES.get(tongue(way.language) or "", (None, None))
    for one in _parts(say, way):
        if isinstance(one, Say):
            for piece in textwrap.wrap(_NOT_XML.sub(" ", one.text), LONGEST_SAY):
                verb.say(piece, language=language, voice=voice)
        else:
            verb.play(one)


def _parts(say: tuple[Say, ...], way: Way) -> Iterator[Say | str]:
    """Each sentence, or the address of its recording and what then must follow."""
    for one in say:
        address = way.sounds.get(one.prompt)
        if address is None:
            yield one
        else:
            yield address
            yield from _parts((one.then,) if one.then else (), way)


def heard(step: Step, form: Mapping[str, str]) -> Heard:
    """What a request of Twilio's says of the step before it; whatever else stands in it is passed over."""
    if step.act == "record":
        sid = form.get("RecordingSid", "")
        is_voice = _SID.fullmatch(sid) is not None and form.get("RecordingDuration") != "0"
        return Heard("voice", value=sid) if is_voice else _quiet(form)
    digits = _KEYS.sub("", form.get("Digits", ""))
    if digits:
        return Heard("keys", digits.removesuffix("#"))
    return Heard("keys", "") if form.get("FinishedOnKey") == "#" else _quiet(form)


def _quiet(form: Mapping[str, str]) -> Heard:
    return Heard("gone" if form.get("CallStatus") in ("completed", "canceled", "failed") else "silence")
