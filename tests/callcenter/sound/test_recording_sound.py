"""From the switch's raw file to one that every browser plays, with both sides apart; and files that are none."""

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.sound import recording_sound
from callcenter.sound.recording_sound import Unusable, convert
from tests.callcenter.recording_cast import RATE, tones


def loudness(sound: "np.ndarray", hertz: float) -> float:
    """How loud one tone is in one channel, of 1 (Goertzel's question, asked by one bin of a Fourier sum)."""
    at = np.arange(len(sound)) / RATE
    return float(abs(np.exp(-2j * np.pi * hertz * at) @ sound) * 2 / len(sound))


def raw(folder: Path, sound: bytes, ending: str = "raw") -> Path:
    path = folder / f"x.{ending}"
    path.write_bytes(sound)
    return path


def test_the_citizen_stays_on_the_left_and_the_operator_on_the_right(tmp_path: Path) -> None:
    target = tmp_path / "x.flac"
    convert(raw(tmp_path, tones(2)), target)
    both, rate = soundfile.read(target)
    assert rate == RATE
    for side, own, other in ((0, 440, 620), (1, 620, 440)):
        assert loudness(both[:, side], own) > 0.3
        assert loudness(both[:, side], other) < loudness(both[:, side], own) / 1000


def test_every_sample_is_kept_and_the_file_is_ours_alone(tmp_path: Path) -> None:
    target = tmp_path / "x.flac"
    sound = tones(3)
    made = convert(raw(tmp_path, sound), target)
    kept, _rate = soundfile.read(target, dtype="int16")
    assert kept.tobytes() == sound
    assert made.duration_ms == 3000
    assert made.size == target.stat().st_size < len(sound)
    assert target.stat().st_mode & 0o777 == 0o600
    assert len(made.sha256) == 64


@given(seconds=st.floats(0.11, 40), loud=st.integers(0, 32767))
@settings(max_examples=15, deadline=None)
def test_the_picture_has_the_length_and_loudness_of_the_sound(
    tmp_path_factory: pytest.TempPathFactory, seconds: float, loud: int
) -> None:
    folder = tmp_path_factory.mktemp("sound")
    frames = int(seconds * RATE)
    both = np.zeros((frames, 2), "<i2")
    both[frames // 2 :, 0] = loud
    both[:, 1] = -32768
    peaks = convert(raw(folder, both.tobytes()), folder / "x.flac").peaks
    assert len(peaks["left"]) == len(peaks["right"]) <= recording_sound.PEAKS
    assert max(peaks["left"]) == loud * 100 // 32768
    assert peaks["left"][0] in (0, loud * 100 // 32768)
    assert set(peaks["right"]) == {100}


def test_a_pause_is_silence_in_the_picture(tmp_path: Path) -> None:
    sound = tones(1) + bytes(RATE * 4) + tones(1)
    peaks = convert(raw(tmp_path, sound), tmp_path / "x.flac").peaks["left"]
    third = len(peaks) // 3
    assert max(peaks[third + 1 : 2 * third - 1]) == 0
    assert min(max(peaks[:third]), max(peaks[2 * third :])) > 30


def test_a_wav_is_read_too_and_one_channel_becomes_both(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.full(RATE, 1000, "int16"), RATE)
    made = convert(path, tmp_path / "x.flac")
    assert made.duration_ms == 1000
    assert made.peaks["left"] == made.peaks["right"]


@pytest.mark.parametrize(
    ("sound", "ending", "code"),
    [
        (b"", "raw", "empty"),
        (b"\x00\x01\x02", "raw", "empty"),
        (bytes(RATE * 4 // 20), "raw", "empty"),
        (b"", "wav", "empty"),
        (b"this is no sound at all" * 100, "wav", "unreadable"),
        (b"RIFF\xff\xff\xff\x7fWAVEfmt ", "wav", "unreadable"),
    ],
)
def test_a_file_without_sound_is_told_by_its_kind(tmp_path: Path, sound: bytes, ending: str, code: str) -> None:
    with pytest.raises(Unusable) as fault:
        convert(raw(tmp_path, sound, ending), tmp_path / "x.flac")
    assert fault.value.code == code


@given(junk=st.binary(max_size=3000), ending=st.sampled_from(["raw", "wav"]))
@settings(max_examples=80, deadline=None)
def test_whatever_is_in_the_file_it_is_sound_or_unusable(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, ending: str
) -> None:
    folder = tmp_path_factory.mktemp("junk")
    try:
        made = convert(raw(folder, junk, ending), folder / "x.flac")
    except Unusable as fault:
        assert fault.code in ("empty", "unreadable")  # noqa: PT017  # both ways are right, nothing else is
    else:
        assert made.duration_ms >= 100


def test_a_disk_without_room_is_an_error_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    with pytest.raises(OSError) as fault:  # noqa: PT011  # its number is what counts
        convert(raw(tmp_path, tones(1)), tmp_path / "x.flac")
    assert fault.value.errno == errno.ENOSPC


def test_half_an_hour_is_converted_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.raw"
    minute = tones(60)
    with path.open("wb") as file:
        for _ in range(30):
            file.write(minute)
    made = convert(path, tmp_path / "x.flac")
    assert made.duration_ms == 30 * 60_000
    assert len(made.peaks["left"]) <= recording_sound.PEAKS
