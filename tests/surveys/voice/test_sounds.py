"""Sounds: whatever a person uploads becomes the telephone's own kind, or is refused in words."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys.voice import sounds
from surveys.voice.sounds import Sound


def tone(seconds: float, rate: int, hertz: float = 440) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * hertz / rate) * 0.5


def file_of(format_: str, seconds: float = 1.0, rate: int = 44100, channels: int = 1) -> bytes:
    content = io.BytesIO()
    samples = np.repeat(tone(seconds, rate)[:, None], channels, axis=1)
    soundfile.write(content, samples, rate, format=format_)
    return content.getvalue()


def pitch(sound: Sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound.samples))
    return float(np.argmax(spectrum) * sounds.RATE / len(sound.samples))


@pytest.mark.parametrize(
    ("format_", "rate"), [("WAV", 44100), ("OGG", 48000), ("FLAC", 16000), ("MP3", 22050), ("WAV", 8000)]
)
def test_files_of_people_become_the_telephones_own_kind(format_: str, rate: int) -> None:
    sound = sounds.read_upload(file_of(format_, rate=rate, channels=2))
    assert 0.9 < sound.seconds < 1.15
    assert abs(pitch(sound) - 440) < 5
    again, told = soundfile.read(io.BytesIO(sound.wav))
    assert (told, again.ndim) == (8000, 1)


def test_what_a_telephone_does_not_carry_is_cut_off_instead_of_folded() -> None:
    high = Sound(sounds._to_telephone(tone(1, 48000, 6000), 48000))
    assert np.abs(high.samples[800:-800]).max() < 200


def test_a_prompt_of_half_an_hour_is_refused_with_its_length() -> None:
    with pytest.raises(InvalidInput, match="30:00"):
        sounds.read_upload(file_of("FLAC", seconds=1800, rate=8000))


@pytest.mark.parametrize("content", [b"not a sound at all", b"RIFF\x00\x00\x00\x00WAVE", b"\x00" * 5000])
def test_a_file_that_cannot_be_read_says_what_to_do(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="WAV, OGG or MP3"):
        sounds.read_upload(content)


def test_an_empty_a_silent_and_a_huge_file_are_told_apart() -> None:
    with pytest.raises(InvalidInput, match="empty"):
        sounds.read_upload(b"")
    with pytest.raises(InvalidInput, match="Nothing is heard"):
        sounds.read_upload(Sound(np.zeros(16000, dtype=np.int16)).wav)
    with pytest.raises(InvalidInput, match="30 MB"):
        sounds.read_upload(b"\x01" * (sounds.LARGEST + 1))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 60))
def test_a_damaged_file_never_breaks_the_reader(noise: bytes, at: int) -> None:
    whole = file_of("WAV", seconds=0.3, rate=8000)
    try:
        assert sounds.read_upload(whole[:at] + noise + whole[at + len(noise) :]).seconds <= sounds.LONGEST
    except InvalidInput:
        return


def test_silence_at_the_ends_goes_and_sentences_are_joined_with_a_pause() -> None:
    silence = np.zeros(8000, dtype=np.int16)
    spoken = Sound(np.concatenate([silence, (tone(1, 8000) * 32767).astype(np.int16), silence]))
    cut = sounds.trimmed(spoken)
    assert 1.0 <= cut.seconds < 1.1
    assert abs(sounds.joined([cut, cut], pause=0.5).seconds - (2 * cut.seconds + 0.5)) < 0.01
    assert sounds.joined([]).seconds == 0
