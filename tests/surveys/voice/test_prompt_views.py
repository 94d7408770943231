"""The pages of a recorded survey: its sentences, and the voices it brought."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import soundfile
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import carriers, suppressions
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.calls import Call
from callcenter.carriers import Dial, Route
from callcenter.privacy import retention_policy
from callcenter.privacy.person_register import Gone
from callcenter.sound import recording_files
from surveys import interviews, jobs, person_keeping
from surveys.fieldwork import recorded_calls
from surveys.questionnaire import Survey
from surveys.voice import prompts, speech, voice_answers
from surveys.voice.prompt_trials import PromptTrial
from surveys.voice.voice_answers import VoiceAnswer
from tests.callcenter.cast import FakeCarrier
from tests.surveys.recorded_cast import recorded_call, switch
from tests.surveys.voice.test_prompts import hum

NewCall = Callable[..., UUID]


@pytest.fixture
def pollster(app: Flask, client_as: Callable[[str], FlaskClient], tmp_path: Path) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    speech.configure(tmp_path / "speech")
    client = client_as("pollster")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def upload(client: FlaskClient, survey: Survey, key: str, content: bytes, **fields: str) -> tuple[int, str]:
    data = {"key": key, "language": "es", "file": (io.BytesIO(content), "saludo.wav"), **fields}
    answer = client.post(f"/surveys/{survey.id}/prompts/sound", data=data)
    return answer.status_code, answer.text


def test_every_sentence_is_listed_and_can_be_heard(pollster: FlaskClient, survey: Survey) -> None:
    page = pollster.get(f"/surveys/{survey.id}/prompts?language=es").text
    for told in ("item/vote", "choice/vote/azul", "system/identify", "system/press/1"):
        assert f">{told}<" in page
    heard = pollster.get(f"/surveys/{survey.id}/prompts/es/item/vote.wav")
    assert (heard.mimetype, heard.data[:4]) == ("audio/wav", b"RIFF")
    assert pollster.get(f"/surveys/{survey.id}/prompts/es/item/nothing.wav").status_code == 404


def test_an_uploaded_sound_is_what_is_heard_from_then_on(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    assert upload(pollster, survey, "item/vote", hum().wav)[0] == 302
    assert "saludo.wav" in pollster.get(f"/surveys/{survey.id}/prompts?language=es").text
    assert prompts.kept(session, survey.id, "es").sounds.keys() == {"item/vote"}
    heard = pollster.get(f"/surveys/{survey.id}/prompts/es/item/vote.wav").data
    assert heard == prompts.sound(session, prompts.kept(session, survey.id, "es").sounds["item/vote"])
    pollster.post(f"/surveys/{survey.id}/prompts/remove", data={"key": "item/vote", "language": "es"})
    assert prompts.kept(session, survey.id, "es").sounds == {}
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("prompt."))).all()
    assert sorted(acts) == ["prompt.record", "prompt.remove"]


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "The file is empty"), (b"ID3 no sound at all", "Save it as WAV, OGG or MP3")]
)
def test_a_file_that_is_no_sound_is_refused_beside_its_sentence(
    pollster: FlaskClient, survey: Survey, content: bytes, told: str
) -> None:
    code, page = upload(pollster, survey, "item/vote", content)
    assert (code, told in page) == (422, True)


def test_a_prompt_of_half_an_hour_is_refused_with_its_length(pollster: FlaskClient, survey: Survey) -> None:
    half_an_hour = io.BytesIO()
    soundfile.write(half_an_hour, np.zeros(1800 * 8000), 8000, format="FLAC")
    code, page = upload(pollster, survey, "item/vote", half_an_hour.getvalue())
    assert code == 422
    assert "This recording lasts 30:00 minutes; a prompt may last two at most." in page


def test_words_that_lack_a_value_are_refused_and_nothing_is_lost(pollster: FlaskClient, survey: Survey) -> None:
    answer = pollster.post(
        f"/surveys/{survey.id}/prompts/wording",
        data={"key": "system/identify", "language": "es", "wording": "Hola, somos {sponsor}."},
    )
    assert answer.status_code == 422
    assert "The text must contain {notice}" in answer.text


def test_an_operator_sees_none_of_it(client_as: Callable[[str], FlaskClient], survey: Survey) -> None:
    for path in ("prompts", "voices", "prompts/es/item/vote.wav"):
        assert client_as("operator").get(f"/surveys/{survey.id}/{path}").status_code == 403


class Board(FakeCarrier):
    """A switchboard that notes whom it is to ring."""

    def __init__(self) -> None:
        super().__init__()
        self.rung: list[tuple[Dial, str]] = []
        self.error: ProviderError | None = None

    def route(self, session: Session, phone: str, caller_id: str, queue_id: int) -> Route:
        if self.error is not None:
            raise self.error
        return Route("+525512340000", simulated=False, switch="local", trunk=1)

    def invite(self, dial: Dial, room: str) -> str:
        self.rung.append((dial, room))
        return f"local/{dial.call_id}"


@pytest.fixture
def board() -> Board:
    made = Board()
    carriers.use({"asterisk": made})
    return made


def ring(client: FlaskClient, survey: Survey, phone: str) -> tuple[int, str]:
    answer = client.post(f"/surveys/{survey.id}/prompts/ring", data={"phone": phone, "language": "es"})
    return answer.status_code, answer.text


def test_my_telephone_is_rung_and_my_number_is_kept_nowhere(
    session: Session, pollster: FlaskClient, survey: Survey, board: Board
) -> None:
    assert ring(pollster, survey, "55 1234 5678")[0] == 302
    ((dial, room),) = board.rung
    trial = session.scalars(select(PromptTrial)).one()
    assert (dial.call_id, dial.phone, room) == (trial.id, "+525512345678", "recording")
    assert ring(pollster, survey, "55 1234 5678")[0] == 409  # not again within half a minute


def test_a_telephone_that_wants_no_calls_is_not_rung_for_a_trial_either(
    session: Session, pollster: FlaskClient, survey: Survey, board: Board
) -> None:
    suppressions.add(session, "+525512345678", reason="public_page", source="test", at=real_now())
    session.commit()
    code, page = ring(pollster, survey, "55 1234 5678")
    assert (code, "suppression list" in page, board.rung) == (422, True, [])


def test_a_number_with_letters_and_a_missing_trunk_are_said_in_words(
    pollster: FlaskClient, survey: Survey, board: Board
) -> None:
    code, page = ring(pollster, survey, "mi celular")
    assert (code, "ten digits" in page) == (422, True)
    board.error = ProviderError("x", code="no_trunk", permanent=True)
    code, page = ring(pollster, survey, "5512345678")
    assert (code, "No trunk takes calls now" in page) == (422, True)


@pytest.fixture
def voice(session: Session, new_call: NewCall, settings: Settings, tmp_path: Path) -> VoiceAnswer:
    """A voice that its switch has just recorded."""
    recording_files.configure(settings)
    (tmp_path / "voices").mkdir()
    switch(session, str(tmp_path))
    call_id, number = recorded_call(session, new_call), uuid4()
    recorded_calls.begin(session, call_id, "local")
    recorded_calls.enter_interview(session, call_id, uuid4())
    interview = interviews.of_call(session, call_id)
    assert interview is not None
    voice_answers.add(session, number, interview.id, "why_voice", "local")
    voice_answers.spool_file(str(tmp_path), number).write_bytes(hum(2.0).wav)
    session.commit()
    return voice_answers.get(session, number)


def test_a_voice_is_taken_over_from_its_switch_heard_written_down_and_deleted(
    session: Session, pollster: FlaskClient, survey: Survey, voice: VoiceAnswer, tmp_path: Path
) -> None:
    jobs.keep_voice(str(voice.id))
    jobs.keep_voice(str(voice.id))
    session.refresh(voice)
    assert (voice.state, voice.duration_ms) == ("kept", 2000)
    assert list((tmp_path / "voices").iterdir()) == []
    assert f"/surveys/voices/{voice.id}.flac" in pollster.get(f"/surveys/{survey.id}/voices").text
    assert pollster.get(f"/surveys/voices/{voice.id}.flac").data[:4] == b"fLaC"
    assert session.scalars(select(AuditEntry).where(AuditEntry.action == "voice_answer.hear")).one()
    pollster.post(f"/surveys/voices/{voice.id}/transcript", data={"transcript": "Porque sí."})
    pollster.post(f"/surveys/voices/{voice.id}/delete")
    session.refresh(voice)
    assert (voice.state, voice.transcript) == ("going", "Porque sí.")
    assert pollster.get(f"/surveys/voices/{voice.id}.flac").status_code == 404
    jobs.remove_voice(str(voice.id))
    session.refresh(voice)
    assert voice.state == "deleted"
    assert "Porque sí." in pollster.get(f"/surveys/{survey.id}/voices").text


def test_a_voice_without_sound_is_lost_and_one_that_is_late_is_waited_for(
    session: Session, voice: VoiceAnswer, tmp_path: Path
) -> None:
    file = voice_answers.spool_file(str(tmp_path), voice.id)
    file.unlink()
    jobs.keep_voice(str(voice.id))
    session.refresh(voice)
    assert voice.state == "left"
    file.write_bytes(b"")
    jobs.keep_voice(str(voice.id))
    session.refresh(voice)
    assert voice.state == "lost"


def test_the_sweep_gives_a_lost_job_a_successor(session: Session, voice: VoiceAnswer) -> None:
    assert voice_answers.sweep(session) == 0
    voice.at = real_now() - timedelta(minutes=1)
    session.flush()
    assert voice_answers.sweep(session) == 1


def test_who_is_erased_takes_their_voice_along(session: Session, voice: VoiceAnswer) -> None:
    voice_answers.write_down(session, voice.id, "Soy yo", None)
    contact = interviews.standing_of(session, voice.interview_id).interview.call_id
    assert contact is not None
    person = session.get_one(Call, contact).attempt.contact_id
    assert person is not None
    assert person_keeping.export(session, person)[1].rows[0][3] == "Soy yo"
    person_keeping.erase(session, Gone([person], (), {}))
    session.refresh(voice)
    assert (voice.state, voice.transcript) == ("going", None)


def test_voices_have_a_term_and_the_purge_knows_them(session: Session, voice: VoiceAnswer) -> None:
    assert retention_policy.TERMS["voice_answers"].days == 30
    assert session.scalars(voice_answers.older_than(real_now())).all() == [voice.id]
    assert person_keeping._purge_voices(session, [voice.id]) == 1
    assert session.scalars(voice_answers.older_than(real_now())).all() == []


def test_where_the_carrier_asks_for_each_step_it_rings_with_our_own_number(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    carrier = FakeCarrier()
    carriers.use({"simulated": carrier})
    assert ring(pollster, survey, "55 1234 5678")[0] == 302
    (dial,) = carrier.dialled
    trial = session.scalars(select(PromptTrial)).one()
    assert (dial.call_id, dial.answered_by, dial.caller_id) == (trial.id, "recording", "+525512340000")
    carriers.use({})
