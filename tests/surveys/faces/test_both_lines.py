"""One contract for both lines: the same keys, by Asterisk's commands and by Twilio's documents, are one interview."""

from hypothesis import given
from hypothesis import strategies as st

from surveys.faces import agi, twiml, wire
from surveys.faces.spoken import challenge
from surveys.faces.turns import Heard, Setting, Step, Turn
from surveys.forms.items import Items
from tests.surveys.faces.people import setting

VOICE = "RE" + "0123456789abcdef" * 2
# What somebody does at one step: keys as they press them, "" for nothing.
ACTS = st.one_of(st.just(""), st.sampled_from("0123456789*#"), st.sampled_from(["34", "101", "12", "3*9", "*0", "7#"]))


def keys_of(step: Step, pressed: str) -> str:
    """What of this the line reads at this step: one key where one is enough, and none that does not count there."""
    if step.act == "ask" and (step.is_open or step.most > 1):
        return pressed[: step.most]
    return pressed[:1] if step.act != "listen" or pressed[:1] in tuple(step.keys) else ""


def over_asterisk(step: Step, pressed: str) -> Heard:
    """https://docs.asterisk.org/…/AGI_Commands: GET DATA, WAIT FOR DIGIT, STREAM FILE, RECORD FILE."""
    keys = keys_of(step, pressed)
    if step.act == "record":
        return wire.heard(step, wire.read(f"200 result=0 (timeout) endpos={40_000 if pressed else 0}"), VOICE)
    if step.act == "ask":
        told = keys.partition("#")[0] if keys else " (timeout)"
        return wire.heard(step, wire.read(f"200 result={told}"))
    return wire.heard(step, wire.read(f"200 result={ord(keys) if keys else 0} endpos=9000"))


def over_twilio(step: Step, pressed: str) -> Heard:
    """https://www.twilio.com/docs/voice/twiml/gather and record."""
    keys = keys_of(step, pressed)
    if step.act == "record":
        return twiml.heard(step, {"RecordingSid": VOICE, "RecordingDuration": "5"} if pressed else {})
    if step.is_open:
        return twiml.heard(step, {"Digits": keys.partition("#")[0], "FinishedOnKey": "#" if "#" in keys else ""})
    return twiml.heard(step, {"Digits": keys.partition("#")[0] if len(keys) > 1 else keys, "FinishedOnKey": ""})


def talk(chosen: Setting, acts: list[str], *, twilio: bool) -> list[Turn]:
    turns = [agi.begin(chosen)]
    for pressed in ["", challenge(chosen, 0), *acts]:
        if turns[-1].step.act == "end":
            break
        heard = (over_twilio if twilio else over_asterisk)(turns[-1].step, pressed)
        turns.append(agi.hear(chosen, turns[-1].state, heard))
    return turns


@given(acts=st.lists(ACTS, max_size=30))
def test_both_lines_hold_the_same_interview(sample_items: Items, acts: list[str]) -> None:
    chosen = setting(sample_items)
    asterisk, twilio = talk(chosen, acts, twilio=False), talk(chosen, acts, twilio=True)
    assert [turn.deeds for turn in twilio] == [turn.deeds for turn in asterisk]
    assert [turn.step for turn in twilio] == [turn.step for turn in asterisk]
