"""Messages left by who rings us: fetched from either carrier, heard, seen to, and gone when they should be."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import soundfile
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, carriers
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.ledger import inbound
from callcenter.privacy.person_register import Gone
from callcenter.queues import CallQueue
from callcenter.sound import recording_files, voice_message_jobs, voice_message_keeping, voice_messages
from tests.base.conftest import post
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.conftest import ClientAs

PHONE, SID = "+525555000199", "RE" + "b" * 32


def sound_file(path: Path, seconds: float = 2.0) -> None:
    at = np.arange(int(seconds * 8000)) / 8000
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, (np.sin(2 * np.pi * 440 * at) * 12000).astype("int16"), 8000)


@dataclass(frozen=True)
class Remote:
    sid: str
    status: str = "completed"
    source: str = "RecordVerb"


@dataclass
class FakeRecorder(FakeCarrier):
    """A carrier that keeps what people say, by name."""

    sounds: dict[str, float] = field(default_factory=dict)  # sid -> seconds
    fault: ProviderError | None = None

    def fetch_sound(self, sid: str, target: Path) -> None:
        if self.fault is not None:
            raise self.fault
        sound_file(target, self.sounds[sid])

    def remove_sound(self, sid: str) -> None:
        self.sounds.pop(sid, None)

    def sounds_of(self, _ref: str, source: str) -> list[Any]:
        return [Remote(sid) for sid in self.sounds]


@pytest.fixture
def recorder(session: Session, settings: Settings, tmp_path: Path) -> Iterator[FakeRecorder]:
    fake = FakeRecorder()
    carriers.use({"simulated": fake})
    recording_files.configure(replace(settings, var=tmp_path / "var"))
    yield fake
    carriers.use({})
    recording_files.configure(settings)


@pytest.fixture
def ana(session: Session) -> Contact:
    return cast.person(session, "Ana Pérez", PHONE)


@pytest.fixture
def queue(session: Session, ana: Contact) -> CallQueue:
    made = cast.queue(session, ana)
    calls.record_event(session, cast.rung(session, made), Event("no_answer", "no_answer"))
    return made


def asked(session: Session, ref: str = "CA-in", phone: str = PHONE) -> UUID:
    """The message of somebody who is about to speak."""
    call_id = inbound.arrived(session, ref, phone, "+525512340000")
    assert call_id is not None
    inbound.choose(session, call_id, "message")
    session.commit()
    return voice_messages.of_call(session, call_id).id


def left(session: Session, recorder: FakeRecorder, seconds: float = 2.0) -> UUID:
    message_id = asked(session)
    recorder.sounds[SID] = seconds
    voice_messages.left(session, message_id, SID)
    session.commit()
    return message_id


def state(session: Session, message_id: UUID) -> str:
    session.expire_all()
    return voice_messages.get(session, message_id).state


def age(session: Session, message_id: UUID, by: timedelta) -> None:
    voice_messages.get(session, message_id).at = real_now() - by
    session.commit()


def test_a_message_at_twilio_becomes_a_file_of_ours_and_goes_there(
    session: Session, recorder: FakeRecorder, queue: CallQueue
) -> None:
    message_id = left(session, recorder)
    for _twice in range(2):
        voice_message_jobs.tend(str(message_id))
    assert state(session, message_id) == "kept"
    message = voice_messages.get(session, message_id)
    assert (message.duration_ms, message.is_with_carrier, recorder.sounds) == (2000, False, {})
    kept = b"".join(recording_files.storage("folder").read(message_id, 0, message.size or 0))
    assert kept.startswith(b"fLaC")


def test_a_message_at_an_asterisk_is_taken_from_its_folder(session: Session, spool: Path, ana: Contact) -> None:
    made = cast.queue(session, ana, carrier="asterisk")
    calls.record_event(session, cast.rung(session, made), Event("no_answer", "no_answer"))
    message_id = asked(session, "local/in-1.1")
    path = spool / "voices" / f"{message_id}.wav"
    sound_file(path, 3)
    voice_messages.left(session, message_id)
    session.commit()
    voice_message_jobs.tend(str(message_id))
    assert (state(session, message_id), path.exists()) == ("kept", False)
    assert voice_messages.get(session, message_id).duration_ms == 3000


def test_what_is_not_there_yet_is_asked_for_again_and_lost_at_last(
    session: Session, recorder: FakeRecorder, queue: CallQueue
) -> None:
    message_id = left(session, recorder)
    recorder.fault = ProviderError("not yet", code="not_there")
    voice_message_jobs.tend(str(message_id))
    assert state(session, message_id) == "left"
    assert voice_messages.sweep(session) == 0
    age(session, message_id, timedelta(minutes=2))
    assert voice_messages.sweep(session) == 1
    age(session, message_id, timedelta(hours=2))
    voice_message_jobs.tend(str(message_id))
    assert (state(session, message_id), recorder.sounds) == ("lost", {})


def test_a_recording_that_twilio_has_no_more_is_lost_at_once(
    session: Session, recorder: FakeRecorder, queue: CallQueue
) -> None:
    message_id = left(session, recorder)
    recorder.fault = ProviderError("absent", code="gone", permanent=True)
    voice_message_jobs.tend(str(message_id))
    assert state(session, message_id) == "lost"


def test_a_message_of_which_nobody_told_us_is_found_and_silence_is_lost(
    session: Session, recorder: FakeRecorder, queue: CallQueue
) -> None:
    found, silent = asked(session, "CA-1"), asked(session, "CA-2", "+525555000198")
    voice_message_jobs.tend(str(silent))
    age(session, silent, timedelta(minutes=11))
    voice_message_jobs.tend(str(silent))
    recorder.sounds[SID] = 1.0
    voice_message_jobs.tend(str(found))
    voice_message_jobs.tend(str(found))
    assert (state(session, found), state(session, silent)) == ("kept", "lost")


def test_a_deleted_message_leaves_no_file_anywhere(session: Session, recorder: FakeRecorder, queue: CallQueue) -> None:
    message_id = left(session, recorder)
    voice_message_jobs.tend(str(message_id))
    assert voice_messages.remove(session, [message_id], None) == 1
    assert voice_messages.remove(session, [message_id], None) == 0
    session.commit()
    voice_message_jobs.tend(str(message_id))
    assert state(session, message_id) == "deleted"
    with pytest.raises(ProviderError):
        b"".join(recording_files.storage("folder").read(message_id, 0, 10))


def test_one_that_was_deleted_before_it_came_is_removed_at_the_carrier(
    session: Session, recorder: FakeRecorder, queue: CallQueue
) -> None:
    message_id = asked(session)
    voice_messages.remove(session, [message_id], None)
    session.commit()
    voice_message_jobs.tend(str(message_id))
    assert state(session, message_id) == "deleted"
    recorder.sounds[SID] = 1.0
    voice_messages.left(session, message_id, SID)
    session.commit()
    voice_message_jobs.tend(str(message_id))
    assert (state(session, message_id), recorder.sounds) == ("deleted", {})


def test_who_is_erased_leaves_no_message_not_even_one_of_before_we_knew_them(
    session: Session, recorder: FakeRecorder, queue: CallQueue, ana: Contact
) -> None:
    known = left(session, recorder)
    stranger = asked(session, "CA-2", "+525555000777")
    assert len(voice_message_keeping.export(session, ana.id)[0].rows) == 1
    gone = Gone([ana.id], {"+525555000777"}, {})
    assert voice_message_keeping.erase(session, gone) == {"voice_messages": 2}
    assert {state(session, known), state(session, stranger)} == {"going"}


def test_what_is_older_than_its_term_goes(session: Session, recorder: FakeRecorder, queue: CallQueue) -> None:
    message_id = left(session, recorder)
    assert session.scalars(voice_messages.older_than(real_now() - timedelta(days=1))).all() == []
    assert session.scalars(voice_messages.older_than(real_now() + timedelta(days=1))).all() == [message_id]


# ── The page


@pytest.fixture
def kept(session: Session, app: Any, recorder: FakeRecorder, queue: CallQueue) -> UUID:
    message_id = left(session, recorder)
    voice_message_jobs.tend(str(message_id))
    return message_id


def heard_by(session: Session) -> list[str]:
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [entry.action for entry in entries if entry.action.startswith("voice_messages.")]


@pytest.fixture(autouse=True)
def _carrier_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application under test does not bring a carrier of its own."""
    monkeypatch.setattr(carriers, "configure", lambda _settings: None)


def test_a_supervisor_hears_a_message_and_that_is_written_down(
    session: Session, client_as: ClientAs, kept: UUID
) -> None:
    client = client_as("supervisor")
    page = client.get("/voice-messages/").text
    assert f"/voice-messages/{kept}/sound" in page
    assert PHONE not in page  # the person's page says more
    answer = client.get(f"/voice-messages/{kept}/sound")
    assert (answer.status_code, answer.mimetype, answer.data[:4]) == (200, "audio/flac", b"fLaC")
    assert heard_by(session) == ["voice_messages.listen"]


def test_a_strangers_number_is_all_there_is_to_call_them_back(
    session: Session, client_as: ClientAs, kept: UUID
) -> None:
    for ref, phone in (("CA-7", "+528112345678"), ("CA-8", "anonymous")):
        voice_messages.left(session, asked(session, ref, phone), SID)
    session.commit()
    page = client_as("supervisor").get("/voice-messages/").text
    assert "+528112345678" in page
    assert "withheld" not in page


def test_who_is_to_be_called_back_is_called_next_and_the_message_is_seen_to(
    session: Session, client_as: ClientAs, kept: UUID
) -> None:
    client = client_as("supervisor")
    assert post(client, f"/voice-messages/{kept}/call-back", {}).status_code == 302
    message = voice_messages.get(session, kept)
    assert message.done_at is not None
    assert cast.entry(session, message.call_id).is_callback
    assert f"{kept}/sound" not in client.get("/voice-messages/").text
    assert f"{kept}/sound" in client.get("/voice-messages/?show=all").text


def test_the_floor_says_how_many_wait(session: Session, client_as: ClientAs, kept: UUID) -> None:
    client = client_as("supervisor")
    assert "1 mensaje de voz espera" in client.get("/floor/", headers={"Accept-Language": "es"}).text
    post(client, f"/voice-messages/{kept}/done", {})
    assert "mensaje de voz espera" not in client.get("/floor/", headers={"Accept-Language": "es"}).text


def test_a_message_is_seen_to_once_and_deleted_for_good(session: Session, client_as: ClientAs, kept: UUID) -> None:
    client = client_as("administrator")
    for _twice in range(2):
        post(client, f"/voice-messages/{kept}/done", {})
    post(client, f"/voice-messages/{kept}/delete", {})
    assert heard_by(session) == ["voice_messages.finish", "voice_messages.delete"]
    assert client.get(f"/voice-messages/{kept}/sound").status_code == 404
    assert f"{kept}/sound" not in client.get("/voice-messages/?show=all").text


def test_nobody_of_whom_no_list_knows_can_be_called_back_by_a_campaign(
    session: Session, client_as: ClientAs, recorder: FakeRecorder, queue: CallQueue
) -> None:
    stranger = asked(session, "CA-9", "+528112345678")
    client = client_as("supervisor")
    answer = post(client, f"/voice-messages/{stranger}/call-back", {})
    assert answer.status_code == 409
    assert voice_messages.get(session, stranger).done_at is None
