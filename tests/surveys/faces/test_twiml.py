"""The interview as TwiML: what Twilio is told, and what its requests mean."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.faces import agi, twiml
from surveys.faces.spoken import challenge
from surveys.faces.turns import Heard, Say, Setting, Step
from surveys.faces.twiml import Way
from surveys.forms.items import Items
from tests.surveys.faces.people import setting

GOLDEN = Path(__file__).parents[1] / "golden" / "twiml"
VOICE = "RE" + "0123456789abcdef" * 2
WAY = Way("https://convoca.test/t/1", "es")
Form = dict[str, str]


class Telephone:
    """A citizen on Twilio's line. `trace`: what Twilio posted, and the document it got."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.turn = setting, agi.begin(setting)
        self.trace: list[dict[str, Any]] = []
        self._note({})

    def post(self, **form: str) -> "Telephone":
        heard = twiml.heard(self.turn.step, form)
        self.turn = agi.hear(self.setting, self.turn.state, heard)
        self._note(form)
        return self

    def press(self, *pressed: str) -> "Telephone":
        """As Twilio tells of it: a `#` that ends several figures is no digit, one alone is."""
        for keys in pressed:
            is_open = self.turn.step.is_open
            self.post(Digits=keys, FinishedOnKey="#" if is_open else "", msg="Gather End")
        return self

    def silent(self, times: int = 1) -> "Telephone":
        for _ in range(times):
            self.post(Digits="", FinishedOnKey="", msg="Gather End")
        return self

    def begin_questions(self) -> "Telephone":
        self.silent().press(challenge(self.setting, 0))
        while self.turn.state.stage == "note":
            self.silent()
        return self

    def choose(self, code: str) -> "Telephone":
        said = next(say for say in self.turn.step.say if say.prompt.endswith(f"/{code}"))
        assert said.then is not None
        return self.press(said.then.prompt.rpartition("/")[2])

    def _note(self, form: Form) -> None:
        way = Way(f"https://convoca.test/hooks/voice/survey/signed/{len(self.trace)}", self.setting.language)
        document = twiml.document(self.turn.step, way)
        self.trace.append({"posted": form, "answered": document.partition("?>")[2]})


def agrees_with_voice(line: Telephone) -> None:
    line.begin_questions().press("1", "34", "2", "1", "8").choose("rojo").choose("azul").press("12", "2").press("1")
    line.silent().post(RecordingSid=VOICE, RecordingDuration="7", Digits="#", CallStatus="in-progress").silent()


def refuses(line: Telephone) -> None:
    line.begin_questions().press("2").silent()


def opts_out_in_the_middle(line: Telephone) -> None:
    line.begin_questions().press("1", "34").press("*", "9")


def is_silent(line: Telephone) -> None:
    line.silent(3)


def goes_back_and_errs(line: Telephone) -> None:
    line.begin_questions().press("1", "7", "34", "#").press("35", "*#ABCD", "#ABCD", "2").press("*").silent()


STORIES = [agrees_with_voice, refuses, opts_out_in_the_middle, is_silent, goes_back_and_errs]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_conversation_goes_the_way_it_went_before(
    story: Callable[[Telephone], None], language: str, sample_items: Items, request: pytest.FixtureRequest
) -> None:
    line = Telephone(setting(sample_items, language=language))
    story(line)
    file = GOLDEN / f"{story.__name__}_{language}.json"
    if request.config.getoption("--write-golden", default=False):
        file.write_text(json.dumps(line.trace, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert line.trace == json.loads(file.read_text(encoding="utf-8"))


def verb(document: str, name: str) -> ElementTree.Element:
    found = ElementTree.fromstring(document).find(f".//{name}")
    assert found is not None
    return found


def test_one_key_needs_no_ending_and_several_end_with_pound() -> None:
    one = verb(twiml.document(Step("ask", (Say("x", "¿?"),)), WAY), "Gather")
    assert (one.get("numDigits"), one.get("finishOnKey"), one.get("timeout")) == ("1", "", "6")
    several = verb(twiml.document(Step("ask", (Say("x", "¿?"),), most=10, is_open=True), WAY), "Gather")
    assert (several.get("numDigits"), several.get("finishOnKey"), several.get("timeout")) == ("10", "#", "5")
    assert one.get("actionOnEmptyResult") == several.get("actionOnEmptyResult") == "true"


def test_what_a_recording_of_ours_says_is_played_and_the_rest_is_said_by_the_languages_voice() -> None:
    keyed = Say("choice/vote/a", "Azul: oprima 1.", Say("system/press/1", "Oprima 1."))
    way = Way("https://convoca.test/t/1", "es", {"choice/vote/a": "https://convoca.test/p/a.wav"})
    gather = verb(twiml.document(Step("ask", (Say("item/vote", "¿Por quién?"), keyed)), way), "Gather")
    told = [(part.tag, part.text, part.get("language"), part.get("voice")) for part in gather]
    assert told == [
        ("Say", "¿Por quién?", "es-MX", "Polly.Mia"), ("Play", "https://convoca.test/p/a.wav", None, None),
        ("Say", "Oprima 1.", "es-MX", "Polly.Mia"),
    ]  # fmt: skip


def test_words_that_must_be_heard_stand_outside_of_what_a_key_cuts_short() -> None:
    document = twiml.document(Step("listen", (Say("system/identify", "Quién llama."),), keys="9*"), WAY, insist=True)
    root = ElementTree.fromstring(document)
    assert [part.tag for part in root] == ["Say", "Gather"]
    assert list(root[1]) == []


def test_a_voice_is_recorded_after_a_tone_and_silence_goes_on_to_us_as_well() -> None:
    root = ElementTree.fromstring(twiml.document(Step("record"), WAY))
    assert [part.tag for part in root] == ["Record", "Redirect"]
    assert (root[0].get("playBeep"), root[0].get("maxLength"), root[0].get("finishOnKey")) == ("true", "60", "#*")
    assert root[0].get("action") == root[1].text == WAY.action + twiml.AGAIN


@given(st.text())
def test_whatever_a_questionnaire_says_is_a_document(text: str) -> None:
    root = ElementTree.fromstring(twiml.document(Step("ask", (Say("item/x", text),)), WAY))
    assert root.tag == "Response"


@given(st.text(max_size=3000))
def test_no_sentence_is_longer_than_twilio_says_and_no_word_is_lost(text: str) -> None:
    said = "palabra " * 900 + text.replace("\n", " ")
    root = ElementTree.fromstring(twiml.document(Step("end", (Say("x", said),)), WAY))
    pieces = [part.text or "" for part in root.iter("Say")]
    assert max(len(piece) for piece in pieces) <= twiml.LONGEST_SAY
    assert sum(piece.count("palabra") for piece in pieces) >= 900


ASK, OPEN, LISTEN, RECORD = Step("ask"), Step("ask", most=10, is_open=True), Step("listen", keys="9*"), Step("record")


@pytest.mark.parametrize(
    ("step", "form", "heard"),
    [
        (ASK, {"Digits": "3"}, Heard("keys", "3")),
        (ASK, {"Digits": "#"}, Heard("keys", "")),
        (ASK, {"Digits": "*"}, Heard("keys", "*")),
        (ASK, {"Digits": ""}, Heard("silence")),
        (ASK, {}, Heard("silence")),
        (ASK, {"Digits": "hangup"}, Heard("silence")),
        (OPEN, {"Digits": "34", "FinishedOnKey": "#"}, Heard("keys", "34")),
        (OPEN, {"Digits": "", "FinishedOnKey": "#"}, Heard("keys", "")),
        (OPEN, {"Digits": "*#ABCD"}, Heard("keys", "*#ABCD")),
        (LISTEN, {"Digits": "9"}, Heard("keys", "9")),
        (RECORD, {"RecordingSid": VOICE, "RecordingDuration": "5"}, Heard("voice", value=VOICE)),
        (RECORD, {"RecordingSid": VOICE, "RecordingDuration": "5", "CallStatus": "completed"},
         Heard("voice", value=VOICE)),
        (RECORD, {"RecordingSid": VOICE, "RecordingDuration": "0"}, Heard("silence")),
        (RECORD, {"RecordingSid": "../../etc", "RecordingDuration": "5"}, Heard("silence")),
        (RECORD, {}, Heard("silence")),
        (ASK, {"CallStatus": "completed"}, Heard("gone")),
    ],
)  # fmt: skip
def test_what_a_request_means(step: Step, form: Form, heard: Heard) -> None:
    assert twiml.heard(step, form) == heard


@given(st.sampled_from([ASK, OPEN, LISTEN, RECORD, Step("wait")]), st.dictionaries(
    st.sampled_from(["Digits", "FinishedOnKey", "RecordingSid", "RecordingDuration", "CallStatus"]), st.text()
))  # fmt: skip
def test_no_request_is_beyond_understanding(step: Step, form: Form) -> None:
    assert twiml.heard(step, form).kind in ("keys", "silence", "voice", "gone")
