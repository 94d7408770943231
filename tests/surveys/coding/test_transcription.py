"""Voices written down by a program: only with a model, only once, and marked until a person has checked."""

import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import soundfile
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import ProviderError
from callcenter.base.settings import BadSettings, read_settings
from callcenter.sound import recording_files
from surveys.checks import quality_jobs
from surveys.coding import transcription
from surveys.questionnaire import Survey
from surveys.voice import voice_answers
from surveys.voice.voice_answers import VoiceAnswer
from tests import queued
from tests.surveys import quality_cast

ClientAs = Callable[[str], FlaskClient]
# Says what it was asked and how many samples a second it hears.
PROGRAM = """#!{python}
import sys, wave
told = dict(zip(sys.argv[1:-2:2], sys.argv[2:-2:2]))
with wave.open(told["-f"]) as sound:
    print(" Por el  agua\\n", told["-l"], sound.getframerate(), sound.getnchannels(), open(told["-m"]).read())
"""
BROKEN = "#!/bin/sh\nexit 3\n"


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.fixture
def give_model(tmp_path: Path, app: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a program of these words on the PATH, and a model file beside it."""
    import sys

    def give(words: str) -> Path:
        programs, model = tmp_path / "programs", tmp_path / "modelo.bin"
        programs.mkdir()
        (programs / "whisper-cli").write_text(words.replace("{python}", sys.executable))
        (programs / "whisper-cli").chmod(0o755)
        model.write_text("pequeño")
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
        monkeypatch.setattr(transcription, "_model", model)
        return model

    return give


@pytest.fixture
def voice(session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User, tmp_path: Path) -> VoiceAnswer:
    """Two seconds of a tone, stored as every voice is."""
    one = quality_cast.ended(session, new_call(), rosa.id, {})
    file = tmp_path / "voice.flac"
    tone = np.sin(np.arange(16_000) / 4) * 0.3
    soundfile.write(file, np.column_stack([tone, tone]), 8000, format="FLAC")
    size = file.stat().st_size
    kept = VoiceAnswer(id=uuid4(), interview_id=one.id, item="voice", switch="s", state="kept", storage="folder",
                       duration_ms=2000, size=size)  # fmt: skip
    session.add(kept)
    session.commit()
    recording_files.storage("folder").keep(kept.id, file)
    return kept


def fresh(session: Session, voice: VoiceAnswer) -> VoiceAnswer:
    return session.get_one(VoiceAnswer, voice.id, populate_existing=True)


def test_without_a_model_people_write(session: Session, app: object, voice: VoiceAnswer) -> None:
    assert transcription.transcriber() is None
    assert transcription.tend(session) == 0
    quality_jobs.transcribe(str(voice.id))
    assert fresh(session, voice).transcript is None
    with pytest.raises(ProviderError):
        transcription.written([b""], "es")


def test_a_program_writes_down_what_it_hears_at_its_own_rate(
    session: Session, voice: VoiceAnswer, give_model: Callable[[str], Path]
) -> None:
    give_model(PROGRAM)
    assert transcription.tend(session) == 1
    session.commit()
    assert "surveys.checks.quality_jobs.transcribe" in queued.run_jobs()
    found = fresh(session, voice)
    assert (found.transcript, found.is_machine, found.transcribed_by) == ("Por el agua es 16000 1 pequeño", True, None)
    assert transcription.tend(session) == 0


def test_what_a_person_wrote_meanwhile_stays(
    session: Session, voice: VoiceAnswer, give_model: Callable[[str], Path], rosa: User
) -> None:
    give_model(PROGRAM)
    voice_answers.write_down(session, voice.id, "Por la luz", rosa.id)
    transcription.keep(session, voice.id, "Por el agua")
    assert (fresh(session, voice).transcript, fresh(session, voice).is_machine) == ("Por la luz", False)


def test_a_person_who_keeps_it_takes_the_mark_away(
    session: Session, voice: VoiceAnswer, client_as: ClientAs, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]
    transcription.keep(session, voice.id, "Por el agua")
    session.commit()
    client = client_as("pollster")
    survey_id = voice_answers.survey_of(session, voice)
    assert "#robot" in client.get(f"/surveys/{survey_id}/voices").get_data(as_text=True)
    client.post(f"/surveys/voices/{voice.id}/transcript", data={"transcript": "Por el agua"})
    assert not fresh(session, voice).is_machine


def test_a_program_that_fails_is_asked_three_times(
    session: Session, voice: VoiceAnswer, give_model: Callable[[str], Path]
) -> None:
    give_model(BROKEN)
    for _time in range(5):
        quality_jobs.transcribe(str(voice.id))
    found = fresh(session, voice)
    assert (found.transcript, found.transcript_tries) == (None, 3)
    assert transcription.tend(session) == 0


def test_ten_minutes_are_for_people_to_look_at(
    session: Session, voice: VoiceAnswer, give_model: Callable[[str], Path], client_as: ClientAs
) -> None:
    give_model(PROGRAM)
    voice.duration_ms = 600_000
    session.commit()
    assert transcription.tend(session) == 0
    page = client_as("pollster").get(f"/surveys/{voice_answers.survey_of(session, voice)}/voices")
    assert "#exclamation-triangle" in page.get_data(as_text=True)


def test_a_file_that_is_no_sound_is_refused(session: Session, give_model: Callable[[str], Path]) -> None:
    give_model(PROGRAM)
    with pytest.raises(ProviderError) as fault:
        transcription.written([io.BytesIO(b"nonsense").getvalue()], "es")
    assert fault.value.permanent


def test_a_model_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x", "CONVOCA_VAR": str(tmp_path),
           "CONVOCA_TRANSCRIPTION_MODEL": str(tmp_path / "none.bin")}  # fmt: skip
    with pytest.raises(BadSettings) as fault:
        read_settings(env)
    assert "CONVOCA_TRANSCRIPTION_MODEL" in str(fault.value)
