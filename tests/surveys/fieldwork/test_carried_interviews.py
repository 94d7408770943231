"""A recorded survey over Twilio's webhooks: what is kept, and that a document fetched twice does no harm."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter import suppressions
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.settings import Settings
from callcenter.calls import Call, Event, record_event
from callcenter.contacts import Contact
from callcenter.queues import CallQueue
from surveys import interviews, questionnaire, quotas, views
from surveys.faces.spoken import challenge
from surveys.faces.turns import Setting
from surveys.fieldwork import carried_talks, recorded_calls
from surveys.fieldwork.carried_addresses import Addresses
from surveys.fieldwork.carried_talks import CarriedTalk
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from surveys.fieldwork.recorded_calls import Keystrokes, RecordedCall
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from surveys.voice import prompt_trials, prompts
from surveys.voice.sounds import joined
from surveys.voice.voice_answers import VoiceAnswer
from tests.callcenter.conftest import carrier  # noqa: F401 - fixture
from tests.surveys.fieldwork.test_survey_links import begun as open_by_link
from tests.surveys.link_cast import code_of
from tests.surveys.survey_forms import workbook
from tests.surveys.test_interviews import answer_all

NewCall = Callable[..., UUID]
VOICE = "RE" + "0123456789abcdef" * 2
CARRIER = "CA" + "1" * 32


class Line:
    """Twilio's side of one call: it posts what the citizen does to the address that the last document names."""

    def __init__(self, client: FlaskClient, session: Session, settings: Settings, call_id: UUID) -> None:
        self._client, self._session, self._settings = client, session, settings
        self._validator = RequestValidator(settings.twilio.auth_token)
        self.call_id, self.document, self.status = call_id, "", 0

    def pick_up(self) -> "Line":
        return self.post(f"/hooks/voice/survey/{self.call_id}")

    def post(self, path: str, **form: str) -> "Line":
        form = {"CallSid": CARRIER, "CallStatus": "in-progress"} | form
        public = self._settings.public_url
        path = path.removeprefix(public).partition("#")[0]
        signature = self._validator.compute_signature(public + path, form)
        answer = self._client.post(path, data=form, headers={"X-Twilio-Signature": signature})
        self.document, self.status = answer.text, answer.status_code
        return self

    def press(self, *pressed: str) -> "Line":
        for keys in pressed:
            self.post(self.action, Digits=keys, FinishedOnKey="")
        return self

    def silent(self, times: int = 1) -> "Line":
        return self.press(*[""] * times)

    def begin_questions(self) -> "Line":
        """Past who calls, the challenge, and the note at the beginning."""
        return self.pick_up().silent().press(self.key).silent()

    def vote(self) -> "Line":
        """To the question whether a voice may be recorded."""
        self.begin_questions().press("1", "34", "2", "1", "8").choose("Beto Luna").choose("Ana Robles")
        return self.press("12", "2")

    def choose(self, words: str) -> "Line":
        """Press the key that is read out for this choice."""
        said = next(one for one in self.said if one.startswith(words))
        return self.press(said.rstrip(".").rpartition(" ")[2])

    @property
    def key(self) -> str:
        """What the challenge asks for; nobody has missed it yet."""
        talk = self._session.get_one(CarriedTalk, self.call_id)
        return challenge(Setting({"items": []}, "es", interviews.seed_of(talk.number), {}, "", ""), 0)

    @property
    def root(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.document)

    @property
    def said(self) -> list[str]:
        return [one.text or "" for one in self.root.iter("Say")]

    @property
    def action(self) -> str:
        found = next((one.get("action") for one in self.root if one.get("action")), None)
        address = found or self.root.findtext("Redirect")
        assert address is not None, self.document
        return address

    @property
    def is_hung_up(self) -> bool:
        return [one.tag for one in self.root] == ["Hangup"]

    @property
    def interview(self) -> Interview:
        found = interviews.of_call(self._session, self.call_id)
        assert found is not None
        return found

    @property
    def answers(self) -> dict[str, str]:
        trail = interviews.trail(self._session, self.interview.id)
        return {one.item: one.value for one in trail if one.superseded_at is None}

    @property
    def call(self) -> Call:
        return self._session.get_one(Call, self.call_id, populate_existing=True)

    def hang_up(self) -> "Line":
        return self.post(f"/hooks/voice/status/{self.call_id}", CallStatus="completed")

    def later(self) -> "Line":
        """The sweep, some while after the hang-up."""
        past = real_now() - timedelta(minutes=1)
        self._session.execute(update(Call).where(Call.id == self.call_id).values(hung_up_at=past))
        recorded_calls.sweep(self._session)
        return self


@pytest.fixture
def line(app: Flask, session: Session, settings: Settings, new_call: NewCall) -> Line:
    """A call that rings, of a queue that a recording answers."""
    views.compose()
    call_id = new_call()
    session.execute(update(CallQueue).values(answered_by="recording"))
    call = session.get_one(Call, call_id, populate_existing=True)
    call.operator_id, call.carrier_ref, call.state = None, CARRIER, "ringing"
    session.commit()
    return Line(app.test_client(), session, settings, call_id)


def test_who_answers_hears_who_calls_and_the_call_is_connected(line: Line) -> None:
    line.pick_up()
    assert line.status == 200
    assert "sistema automático" in line.said[0]
    assert "Instituto Inventado" in line.said[0]
    assert (line.call.state, line.call.operator_id) == ("connected", None)


def test_keys_become_answers_as_over_asterisk(line: Line, session: Session) -> None:
    line.begin_questions().press("1", "34", "2")
    assert line.answers == {"intro": "", "consent": "yes", "age": "34", "sex": "M"}
    assert (line.interview.face, line.interview.hidden["operator_name"]) == ("twiml", "un sistema automático")
    strokes = session.scalars(select(Keystrokes).order_by(Keystrokes.id)).all()
    assert [(one.item, one.keys, one.is_answer) for one in strokes] == [
        ("consent", "1", True), ("age", "34", True), ("sex", "2", True),
    ]  # fmt: skip
    assert strokes[0].offered == {"1": "yes", "2": "no"}
    assert strokes[0].prompt_ms is None
    assert strokes[0].after_ms >= 0


def test_a_whole_interview_ends_with_thanks_and_then_the_call_is_closed(line: Line) -> None:
    line.vote().press("2").silent()
    assert line.said == ["Gracias por su tiempo. Hasta luego."]
    assert line.call.state == "connected"  # the goodbye is not cut off
    assert line.post(line.action).is_hung_up
    assert (line.call.state, line.call.disposition) == ("ended", "completed")
    assert line.interview.state == "complete"
    assert line.call.attempt.closed_at is not None


def test_the_same_document_for_whoever_fetches_it_twice(line: Line) -> None:
    first = line.pick_up().document
    assert line.pick_up().document == first
    line.silent().press(line.key).silent()
    address, asked = line.action, line.document
    second = line.post(address, Digits="1").document
    assert second != asked
    assert line.post(address, Digits="1").document == second  # told twice
    assert line.post(address, Digits="2").document == second  # even when it says another thing
    assert line.pick_up().document == second
    assert line.answers == {"intro": "", "consent": "yes"}
    assert len(interviews.trail(line._session, line.interview.id)) == 2


def test_a_key_is_heard_and_kept_by_few_statements(line: Line, session: Session) -> None:
    line.begin_questions().press("1")  # the first answer freezes the version
    address, said = line.action, list[str]()
    connection = session.connection()

    def hear(*call: Any) -> None:
        said.append(call[2])

    event.listen(connection, "before_cursor_execute", hear)
    line.press("34")
    work = [each for each in said if not each.startswith(("SAVEPOINT", "RELEASE"))]
    said.clear()
    line.post(address, Digits="34")  # told twice
    again = [each for each in said if not each.startswith(("SAVEPOINT", "RELEASE"))]
    event.remove(connection, "before_cursor_execute", hear)
    assert line.answers["age"] == "34"
    # the talk with its call, the interview, its answers, prompts; the new answer, the keys, what is said next
    assert 1 < len(work) <= 7, work
    assert len(again) == 1, again


def test_an_answer_to_a_question_of_long_ago_changes_nothing(line: Line) -> None:
    line.begin_questions()
    consent = line.action
    line.press("1", "34")
    present = line.document
    assert line.post(consent, Digits="2").document == present
    assert line.answers["consent"] == "yes"


def test_keys_that_are_none_are_told_so_and_end_politely_after_three(line: Line) -> None:
    line.begin_questions().press("1")
    assert line.press("ABCD").said[0] == "Solo personas de 18 años o más."
    assert line.press("#").said[0].startswith("¿Acepta")  # pound alone goes back
    line.press("1", "34")
    assert line.press("7").said[0] == "Esa tecla no es una de las opciones."
    line.press("A", "8")
    assert "Terminamos aquí" in " ".join(line.said)
    assert line.post(line.action).is_hung_up
    assert line.call.disposition == "partial"


def test_star_and_nine_is_never_again_with_proof(line: Line, session: Session) -> None:
    line.begin_questions().press("*")
    assert line.root.find("Gather") is not None
    assert line.said == []
    line.press("9")
    phone = session.scalars(select(Attempt.phone).where(Attempt.id == line.call_id)).one()
    assert suppressions.find(session, phone) is not None  # before the goodbye has ended
    assert line.post(line.action).is_hung_up
    assert line.call.disposition == "do_not_call"


def test_a_key_does_not_cut_short_who_calls_but_nine_does(line: Line) -> None:
    line.pick_up().press("5")
    assert [one.tag for one in line.root] == ["Say", "Gather"]
    assert "sistema automático" in line.said[0]
    assert line.press("5").said[0].startswith("Para comenzar")  # they have heard it now
    other = line.press("9")
    assert "No volveremos" in other.said[0]


def test_a_silent_line_and_a_voicemail_leave_no_interview(line: Line, session: Session) -> None:
    line.pick_up().silent(3)
    assert line.post(line.action).is_hung_up
    assert line.call.disposition == "no_reply"
    assert session.scalars(select(Interview)).all() == []


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [(0, "no_reply"), (1, "refused"), (3, "refused"), (5, "partial")],
)
def test_a_hang_up_closes_the_call_with_what_it_deserves(line: Line, keys: int, outcome: str) -> None:
    line.pick_up()
    for pressed in ("", line.key, "", "1", "34")[:keys]:
        line.press(pressed)
    line.hang_up().later()
    assert (line.call.state, line.call.disposition) == ("ended", outcome)


def test_what_comes_after_the_end_is_a_hang_up(line: Line) -> None:
    line.begin_questions()
    address = line.action
    line.hang_up().later()
    assert line.post(address, Digits="1").is_hung_up
    assert line.pick_up().is_hung_up


def test_a_voice_is_kept_with_the_carriers_name_for_it(line: Line, session: Session) -> None:
    line.vote().press("1").silent()
    assert [one.tag for one in line.root] == ["Record", "Redirect"]
    address = line.action
    for _ in range(2):
        line.post(address, RecordingSid=VOICE, RecordingDuration="7", Digits="#")
    voice = session.scalars(select(VoiceAnswer)).one()
    assert (voice.carrier_ref, voice.switch, voice.item, voice.state) == (VOICE, "twilio", "why_voice", "left")
    assert line.answers["why_voice"] == str(voice.id)
    assert session.get_one(RecordedCall, line.call_id).agreed_to_voice is True


def test_a_voice_whose_speaker_hung_up_is_kept_as_well(line: Line, session: Session) -> None:
    line.vote().press("1").silent()
    address = line.action
    line.hang_up().post(address, RecordingSid=VOICE, RecordingDuration="3", Digits="hangup", CallStatus="completed")
    assert session.scalars(select(VoiceAnswer.carrier_ref)).all() == [VOICE]
    assert line.later().call.disposition == "completed"


def test_a_recording_of_ours_is_played_from_an_address_that_only_we_can_make(line: Line, session: Session) -> None:
    survey = session.scalars(select(Survey)).one()
    sound = joined([])
    name = prompts.keep_sound(session, (survey.id, "es", "system/identify"), sound, source="file", file_name="",
                              user_id=None)  # fmt: skip
    session.commit()
    address = line.pick_up().root.findtext(".//Play")
    assert address is not None
    path = address.removeprefix("http://convoca.test")
    answer = line._client.get(path)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "audio/wav", prompts.sound(session, name))
    assert line._client.get(path.replace("/prompt/", "/prompt/x")).status_code == 404


def test_an_unsigned_request_and_a_forged_address_are_refused(line: Line, settings: Settings) -> None:
    line.pick_up()
    assert line._client.post(line.action.removeprefix("http://convoca.test"), data={"Digits": "9"}).status_code == 403
    forged = Addresses(settings).turn(uuid4(), 0).replace("/0", "x/0")
    assert line.post(forged, Digits="9").status == 404
    unknown = Addresses(settings).turn(uuid4(), 0)
    assert line.post(unknown, Digits="9").is_hung_up


def test_a_survey_that_was_closed_before_is_not_asked(line: Line, session: Session) -> None:
    session.execute(update(Survey).values(state="closed"))
    session.commit()
    assert line.pick_up().is_hung_up
    assert line.call.disposition == "no_reply"


def test_a_survey_that_closes_during_the_challenge_says_sorry(line: Line, session: Session) -> None:
    line.pick_up().silent()
    session.execute(update(Survey).values(state="closed"))
    session.commit()
    line.press(line.key)
    assert "problema técnico" in line.said[0]
    assert line.post(line.action).is_hung_up


def test_a_survey_that_closes_during_the_questions_is_asked_to_its_end(line: Line, session: Session) -> None:
    line.begin_questions()
    session.execute(update(Survey).values(state="closed"))
    session.commit()
    line.press("1", "34")
    assert line.answers["age"] == "34"
    assert line.root.find("Gather") is not None


def test_a_version_that_is_replaced_during_the_questions_is_asked_to_its_end(line: Line, session: Session) -> None:
    line.begin_questions().press("1")
    version = questionnaire.current(session, line.interview.survey_id)
    other = workbook([["type", "name", "label"], ["integer", "other", "Otra cosa"]])
    questionnaire.replace_form(session, version.survey_id, questionnaire.read_form("other.xlsx", other))
    session.commit()
    line.press("34", "2")
    assert (line.answers["sex"], line.interview.questionnaire_id) == ("M", version.id)


def test_what_was_begun_by_link_goes_on_after_the_challenge(line: Line, session: Session) -> None:
    survey = session.scalars(select(Survey)).one()
    contact = session.get_one(Contact, line.call.attempt.contact_id)
    begun = open_by_link(session, code_of(session, survey.id, contact))
    answer_all(session, begun.id, {"intro": "", "consent": "yes"})
    session.commit()
    line.pick_up().silent().press(line.key)
    assert "años" in " ".join(line.said)
    line.press("34")
    session.expire_all()
    assert (line.interview.id, line.interview.face, line.answers["age"]) == (begun.id, "twiml", "34")


def test_a_call_that_was_ended_elsewhere_is_hung_up(line: Line, session: Session) -> None:
    record_event(session, line.call_id, Event("machine", "machine"))
    session.commit()
    assert line.pick_up().is_hung_up
    assert session.scalars(select(RecordedCall)).all() == []


def machine_picked_up(line: Line, session: Session, text: str | None) -> Line:
    """Twilio judges while the introduction is said."""
    session.execute(update(CallQueue).values(machine_detection="on", voicemail_text=text))
    session.commit()
    line.pick_up().silent()
    address = line.action
    line.post(f"/hooks/voice/machine/{line.call_id}", AnsweredBy="machine_end_beep")
    return line.post(address)


def test_a_machine_that_talked_for_us_is_hung_up_and_leaves_no_interview(line: Line, session: Session) -> None:
    assert machine_picked_up(line, session, None).is_hung_up
    assert line.call.attempt.outcome == "machine"
    recorded_calls.sweep(session)
    assert session.scalars(select(Interview)).all() == []


@pytest.mark.usefixtures("carrier")
def test_a_machine_that_is_to_hear_a_message_is_led_there_and_not_hung_up(line: Line, session: Session) -> None:
    machine_picked_up(line, session, "Le llamamos de parte de Instituto Inventado.")
    assert line.root.findtext("Redirect") == f"http://convoca.test/hooks/voice/message/{line.call_id}"
    assert line.call.attempt.outcome == "voicemail"


def test_who_has_answered_is_a_person_whatever_the_carrier_hears(line: Line, session: Session) -> None:
    session.execute(update(CallQueue).values(machine_detection="on"))
    session.commit()
    line.begin_questions().press("1", "34")
    line.post(f"/hooks/voice/machine/{line.call_id}", AnsweredBy="machine_start")
    assert line.call.state == "connected"


def test_nobody_is_sent_away_because_their_group_filled_up_while_they_talked(line: Line, session: Session) -> None:
    queue_id = session.scalars(select(CallQueue.id)).one()
    plan = QuotaPlan((Dimension("", "sex", "code"),), (Cell(("M",), 1), Cell(("H",), 1)))
    quotas.set_plan(session, queue_id, plan, None)
    session.commit()
    line.begin_questions().press("1")
    talk = session.get_one(CarriedTalk, line.call_id, populate_existing=True)
    assert talk.full == []


def test_talks_are_forgotten_within_the_hour(line: Line, session: Session) -> None:
    line.pick_up()
    recorded_calls.sweep(session)
    assert carried_talks.find(session, line.call_id) is not None
    session.execute(update(CarriedTalk).values(at=real_now() - timedelta(minutes=61)))
    recorded_calls.sweep(session)
    assert carried_talks.find(session, line.call_id) is None


def test_a_try_of_ones_own_telephone_is_asked_everything_and_nothing_of_it_is_kept(
    line: Line, session: Session, rosa: User
) -> None:
    survey = session.scalars(select(Survey)).one()
    trial = prompt_trials.ask(session, survey.id, "es", "Instituto Inventado", rosa.id)
    session.commit()
    line.call_id = trial.id
    line.vote().press("1").silent()
    assert [one.tag for one in line.root] == ["Pause", "Redirect"]  # no voice is recorded
    line.post(line.action).silent()
    assert line.said == ["Gracias por su tiempo. Hasta luego."]
    assert line.post(line.action).is_hung_up
    assert line.pick_up().said != []  # it may be rung again
    for table in (Interview, Keystrokes, VoiceAnswer, RecordedCall):
        assert session.scalars(select(table)).all() == []
