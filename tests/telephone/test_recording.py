"""A recorded call through a real Asterisk: both sides apart, silence where it was paused, nothing after a refusal."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile

from callcenter import recordings
from callcenter.base.settings import Settings
from callcenter.sound import recording_files, recording_jobs, recording_ledger
from callcenter.sound.recording_ledger import Recording
from scripts.asterisk import Instance
from tests.telephone.house import House
from tests.telephone.manager import until

RATE = 8000
SECOND = RATE * 4  # bytes of the switch's file


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """Where recordings are kept."""
    recording_files.configure(replace(settings, var=tmp_path))
    yield tmp_path
    recording_files.configure(settings)


class Talk:
    """A citizen who hums 440 Hz talks with an operator who hums 620."""

    def __init__(self, house: House, switch: Instance, mode: str) -> None:
        self.house, self.operator = house, house.operator()
        for leg in house.network.calls:
            leg.tone = 620
        with house.sessions() as session:
            notice = recording_ledger.notice_version(session, "Esta llamada será grabada.")
            session.commit()
        self.call = house.call("99", recording=mode, recording_notice_id=notice)
        until(lambda: self.row is not None)
        assert self.row
        self.raw = switch.spool / "recordings" / f"{self.row.id}.raw"

    @property
    def row(self) -> Recording | None:
        with self.house.sessions() as session:
            return recording_ledger.of_call(session, self.call)

    @property
    def state(self) -> str:
        return self.row.state if self.row else ""

    @property
    def recording_id(self) -> UUID:
        assert self.row
        return self.row.id

    def follow(self) -> str:
        """What the worker does."""
        recording_jobs.follow(str(self.recording_id))
        return self.state

    def act(self, what: str) -> str:
        with self.house.sessions() as session:
            recordings.act(session, self.call, self.operator, what)
            session.commit()
        return self.follow()

    def record(self, seconds: float) -> None:
        """Until as much more has been written."""
        size = self.size
        until(lambda: self.size >= size + seconds * SECOND)

    @property
    def size(self) -> int:
        return self.raw.stat().st_size if self.raw.exists() else 0

    def hang_up(self) -> None:
        citizen = self.house.network.last_call("99")
        assert citizen
        self.house.network.hang_up(citizen)
        until(lambda: self.state not in recording_ledger.LIVE)

    def tend(self) -> str:
        recording_jobs.tend(str(self.recording_id))
        return self.state


def loudness(sound: "np.ndarray", hertz: float) -> float:
    at = np.arange(len(sound)) / RATE
    return float(abs(np.exp(-2j * np.pi * hertz * at) @ sound) * 2 / len(sound))


def test_a_call_is_recorded_with_both_sides_apart_and_silence_where_it_was_paused(
    house: House, switch: Instance, storage: Path
) -> None:  # fmt: skip
    talk = Talk(house, switch, "notice")
    assert talk.follow() == "recording"
    talk.record(2)
    assert talk.act("pause") == "paused"
    talk.record(2)
    assert talk.act("resume") == "recording"
    talk.record(2)
    talk.hang_up()
    until(lambda: talk.tend() == "stored")
    assert not talk.raw.exists()
    found = talk.row
    assert found
    assert found.duration_ms is not None
    assert found.duration_ms >= 6000
    both, rate = soundfile.read(storage / "recordings" / str(found.id)[:2] / f"{found.id}.flac")
    assert rate == RATE
    talking = both[RATE // 2 : 2 * RATE - RATE // 2]
    for side, own, other in ((0, 440, 620), (1, 620, 440)):
        assert loudness(talking[:, side], own) > 0.05
        assert loudness(talking[:, side], other) < loudness(talking[:, side], own) / 100
    quiet = longest_silence(both)
    assert 1.5 <= quiet <= found.duration_ms / 1000 - 3.5, "about as long as the pause, and not the whole"


def longest_silence(both: "np.ndarray") -> float:
    """Seconds in which neither side is heard."""
    blocks = np.abs(both[: len(both) // 400 * 400]).max(axis=1).reshape(-1, 400).max(axis=1) < 0.01
    longest = current = 0
    for is_silent in blocks:
        current = current + 1 if is_silent else 0
        longest = max(longest, current)
    return longest * 400 / RATE


def test_nothing_is_recorded_before_the_citizen_says_yes(
    house: House, switch: Instance, storage: Path
) -> None:  # fmt: skip
    talk = Talk(house, switch, "ask")
    assert talk.follow() == "asked"
    assert not talk.raw.exists()
    assert talk.act("yes") == "recording"
    talk.record(1)
    talk.hang_up()
    assert talk.state == "ended"


def test_what_was_recorded_goes_when_the_citizen_refuses_and_the_call_goes_on(
    house: House, switch: Instance, storage: Path
) -> None:  # fmt: skip
    talk = Talk(house, switch, "notice")
    talk.follow()
    talk.record(1)
    assert talk.act("no") == "refused"
    talk.tend()
    assert not talk.raw.exists()
    assert house.ledger(talk.call).state == "connected"
    talk.hang_up()
    assert talk.state == "refused"
    assert not talk.raw.exists()
    assert list(storage.rglob("*.flac")) == []
