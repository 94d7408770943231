"""Voices that a carrier has recorded: fetched, kept, deleted there; and what never arrives."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter import carriers
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.sound import recording_files
from surveys import interviews, jobs, views
from surveys.fieldwork import recorded_calls
from surveys.fieldwork.carried_talks import CARRIER
from surveys.voice import voice_answers
from surveys.voice.voice_answers import VoiceAnswer
from tests.callcenter.cast import FakeCarrier
from tests.surveys.recorded_cast import recorded_call
from tests.surveys.voice.test_prompts import hum

REF = "RE" + "0123456789abcdef" * 2


class Recorder(FakeCarrier):
    """A carrier that holds recordings. `fault`: what it says instead of a sound; `stays`: it does not delete."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: ProviderError | None = None
        self.stays: ProviderError | None = None
        self.removed: list[str] = []

    def fetch_sound(self, _sid: str, target: Path) -> None:
        if self.fault is not None:
            raise self.fault
        target.write_bytes(hum(2.0).wav)

    def remove_sound(self, sid: str) -> None:
        if self.stays is not None:
            raise self.stays
        self.removed.append(sid)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    carriers.use({"simulated": made})
    yield made
    carriers.use({})


@pytest.fixture
def voice(session: Session, new_call: Callable[..., UUID], settings: Settings, recorder: Recorder) -> VoiceAnswer:
    """A voice that the carrier has just recorded."""
    views.compose()
    recording_files.configure(settings)
    call_id, number = recorded_call(session, new_call), uuid4()
    recorded_calls.begin(session, call_id, CARRIER)
    recorded_calls.enter_interview(session, call_id, uuid4(), face="twiml")
    interview = interviews.of_call(session, call_id)
    assert interview is not None
    voice_answers.add(session, number, interview.id, "why_voice", CARRIER, REF)
    session.commit()
    return voice_answers.get(session, number)


def look(session: Session, voice: VoiceAnswer) -> tuple[str, str | None]:
    session.refresh(voice)
    return voice.state, voice.carrier_ref


def test_a_voice_is_fetched_kept_and_then_deleted_at_the_carrier(
    session: Session, voice: VoiceAnswer, recorder: Recorder
) -> None:
    jobs.keep_voice(str(voice.id))
    jobs.keep_voice(str(voice.id))
    assert look(session, voice) == ("kept", None)
    assert (voice.duration_ms, recorder.removed) == (2000, [REF])
    kept = b"".join(recording_files.storage(voice.storage or "").read(voice.id, 0, voice.size or 0))
    assert kept[:4] == b"fLaC"
    assert not recording_files.work_file(voice.id).with_suffix(".wav").exists()


def test_a_recording_that_is_still_being_made_is_asked_for_again(
    session: Session, voice: VoiceAnswer, recorder: Recorder
) -> None:
    recorder.fault = ProviderError("x", code="not_there")
    jobs.keep_voice(str(voice.id))
    assert look(session, voice) == ("left", REF)
    recorder.fault = None
    jobs.keep_voice(str(voice.id))
    assert look(session, voice) == ("kept", None)


@pytest.mark.parametrize(("code", "permanent", "age"), [("not_there", False, 61), ("gone", True, 0)])
def test_a_recording_that_never_arrives_is_lost_and_deleted_if_it_ever_does(
    session: Session, voice: VoiceAnswer, recorder: Recorder, code: str, permanent: bool, age: int
) -> None:
    session.execute(update(VoiceAnswer).values(at=real_now() - timedelta(minutes=age)))
    session.commit()
    recorder.fault = ProviderError("x", code=code, permanent=permanent)
    jobs.keep_voice(str(voice.id))
    assert look(session, voice) == ("lost", REF)
    jobs.keep_voice(str(voice.id))
    assert (look(session, voice), recorder.removed) == (("lost", None), [REF])


def test_what_the_carrier_does_not_delete_is_asked_for_until_it_does(
    session: Session, voice: VoiceAnswer, recorder: Recorder
) -> None:
    recorder.stays = ProviderError("x", code="no_connection")
    jobs.keep_voice(str(voice.id))
    assert look(session, voice) == ("kept", REF)
    session.execute(update(VoiceAnswer).values(at=real_now() - timedelta(minutes=1)))
    assert voice_answers.sweep(session) == 1
    recorder.stays = None
    jobs.keep_voice(str(voice.id))
    assert look(session, voice) == ("kept", None)
    assert voice_answers.sweep(session) == 0


def test_a_voice_that_was_deleted_before_we_had_it_goes_at_the_carrier(
    session: Session, voice: VoiceAnswer, recorder: Recorder
) -> None:
    voice_answers.remove(session, [voice.id], None)
    session.commit()
    jobs.keep_voice(str(voice.id))
    jobs.remove_voice(str(voice.id))
    assert look(session, voice) == ("deleted", None)
    assert recorder.removed == [REF]
