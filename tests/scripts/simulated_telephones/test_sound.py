"""What the invented telephones say is what they hear."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulated_telephones import sound
from scripts.simulated_telephones.call import Heard


def packet(payload: bytes, kind: int = 0, stamp: int = 0) -> bytes:
    return sound.packet(payload, kind=kind, sequence=1, stamp=stamp, source=7)


@given(st.binary(min_size=1, max_size=400))
def test_every_byte_comes_back_from_its_sample(payload: bytes) -> None:
    again = sound.encode(sound.decode(payload))
    assert np.array_equal(sound.decode(again), sound.decode(payload))  # two bytes mean zero


@pytest.mark.parametrize("tone", sound.TONES)
def test_a_tone_is_heard_as_itself_alone(tone: int) -> None:
    assert set(sound.hear(sound.hum(tone)[2])) == {tone}


def test_two_tones_are_heard_at_once() -> None:
    both = sound.decode(sound.hum(440)[0]) + sound.decode(sound.hum(1000)[0])
    assert set(sound.hear(sound.encode(both))) == {440, 1000}


def test_silence_is_no_tone() -> None:
    assert sound.hear(sound.SILENCE) == {}
    assert sound.level(sound.SILENCE) == 0


@given(st.integers(0, 127), st.integers(0, 2**32 - 1), st.binary(max_size=200), st.booleans())
def test_a_packet_is_unpacked_as_it_was_packed(kind: int, stamp: int, payload: bytes, mark: bool) -> None:
    data = sound.packet(payload, kind=kind, sequence=70_000, stamp=stamp, source=9, mark=mark)
    assert sound.unpack(data) == (kind, mark, stamp, payload)


@given(st.binary(max_size=300))
def test_whatever_arrives_harms_nobody(data: bytes) -> None:
    Heard().note(data, 1.0)


def test_pressed_keys_are_heard_once_each() -> None:
    heard = Heard()
    for position, key in enumerate("42#*D"):
        for payload, _ in sound.key_frames(key):
            heard.note(packet(payload, sound.KEY_TYPE, 1000 * position), 1.0)
    assert heard.keys == "42#*D"


def test_sound_after_silence_is_noted_with_its_tone_and_time() -> None:
    heard = Heard()
    for moment in range(40):
        payload = sound.hum(440)[moment % 5] if 10 <= moment < 20 or moment >= 30 else sound.SILENCE
        heard.note(packet(payload), moment / 50)
    assert heard.began == [(0.2, 440), (0.6, 440)]
    assert heard.tones == {440: (0.2, 39 / 50)}
