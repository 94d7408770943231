"""The cast of the recording tests: a switchboard that does as it is told, invented sound, a small bucket."""

import io
import os
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from callcenter import calls, recordings, switches
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.calls import Call
from callcenter.carriers import RemoteSound
from callcenter.operators import Operator
from callcenter.sound import recording_ledger
from callcenter.sound.recording_ledger import Recording
from tests.callcenter import cast

RATE = 8000


@dataclass
class FakeSwitchboard(cast.FakeCarrier):
    """Takes every act of a recording, unless `fails` says otherwise; `before` runs as one is told."""

    told: list[tuple[str, str, str]] = field(default_factory=list)
    before: list[object] = field(default_factory=list)

    def record(self, ref: str, name: str, act: str) -> None:
        self.told.append((ref, name, act))
        while self.before:
            step = self.before.pop(0)
            assert callable(step)
            step()
        if self.fails:
            raise self.fails

    @property
    def acts(self) -> list[str]:
        return [act for _ref, _name, act in self.told]


@dataclass
class FakeRecorder(FakeSwitchboard):
    """A carrier that holds the sound itself: `sounds` of whatever leg; what was fetched and what was removed."""

    sounds: list[RemoteSound] = field(default_factory=list)
    wav: bytes = b""
    no_sound: Exception | None = None
    fetched: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def sounds_of(self, ref: str, source: str) -> list[RemoteSound]:
        if self.no_sound:
            raise self.no_sound
        return [sound for sound in self.sounds if sound.source == source and sound.sid not in self.removed]

    def fetch_sound(self, sid: str, target: Path) -> None:
        if self.no_sound:
            raise self.no_sound
        self.fetched.append(sid)
        target.write_bytes(self.wav)

    def remove_sound(self, sid: str) -> None:
        if self.no_sound:
            raise self.no_sound
        self.removed.append(sid)


AWAY = ProviderError("away", code="unreachable")
UNKNOWN = ProviderError("no answer", code="no_answer", unknown=True)
REFUSED = ProviderError("no", code="ami_refused", permanent=True)
GONE = ProviderError("gone", code="gone", permanent=True)


@dataclass
class Talk:
    """One call that is going on."""

    call: Call
    seat: Operator

    @property
    def id(self) -> UUID:
        return self.call.id


def switch(session: Session, folder: Path | None, name: str = "local") -> None:
    """A switch whose spool folder we see, unless `folder` is None."""
    if folder is not None:
        (folder / "recordings").mkdir(parents=True, exist_ok=True)
    switches.register(
        session, name, host="127.0.0.1", ami_port=5038, ws_url="ws://127.0.0.1/ws", secrets={"worker": "x"},
        folder=str(folder) if folder else None,
    )  # fmt: skip


def talk(session: Session, mode: str = "notice", *, name: str = "Ana Pérez", carrier: str = "asterisk") -> Talk:
    """A citizen and an operator talk; the queue records like `mode`."""
    notice = recording_ledger.notice_version(session, "Esta llamada será grabada.")
    wanted = {"carrier": carrier, "recording": mode, "recording_notice_id": notice if mode != "off" else None}
    seat = cast.operator(session, free=False)
    call = cast.call(session, cast.rung(session, cast.queue(session, cast.person(session, name), **wanted)))
    calls.record_event(session, call.id, calls.Event("answered", "answered"))
    call.operator_id, call.connected_at = seat.id, real_now()
    seat.call_id, seat.state = call.id, "in_call"
    calls.record_event(session, call.id, calls.Event("connected", "connected"))
    call.carrier_ref = f"local/{call.id}" if carrier == "asterisk" else f"CA{call.id.hex}"
    session.commit()
    return Talk(call, seat)


def begun(session: Session, of: Talk) -> Recording:
    """The recording of the talk, written down."""
    recordings.begin(session, of.id)
    session.commit()
    return row(session, of)


def row(session: Session, of: Talk) -> Recording:
    found = recording_ledger.of_call(session, of.id)
    assert found is not None
    return found


def hang_up(session: Session, of: Talk) -> None:
    """The citizen goes, and the switch says so."""
    calls.record_event(session, of.id, calls.Event("hung_up", "hung_up"))
    recordings.ended(session, of.id)
    session.commit()


def tones(seconds: float = 2.0, left: float = 440.0, right: float = 620.0) -> bytes:
    """What MixMonitor would write: the citizen hums on the left, the operator on the right."""
    at = np.arange(int(seconds * RATE)) / RATE
    both = np.stack([np.sin(2 * np.pi * left * at), np.sin(2 * np.pi * right * at)], axis=1)
    return (both * 12000).astype("<i2").tobytes()


def wav(seconds: float = 2.0) -> bytes:
    """The same as a carrier hands it out."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(tones(seconds))
    return made.getvalue()


def spoken(folder: Path, recording: Recording, sound: bytes | None = None, *, age: float = 10.0) -> Path:
    """Leave the recording's raw file in the switch's folder, last written to `age` seconds ago."""
    path = folder / "recordings" / f"{recording.id}.raw"
    path.write_bytes(tones() if sound is None else sound)
    os.utime(path, (time.time() - age, time.time() - age))
    return path
