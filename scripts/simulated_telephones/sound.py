"""Sound on the wire: µ-law, tones and how to hear them, keys (RFC 4733), RTP packets (RFC 3550). Pure.

A frame is 20 ms: 160 samples at 8 kHz, 160 bytes of µ-law."""

import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE, FRAME, FRAME_SECONDS = 8000, 160, 0.02
SILENCE = b"\xff" * FRAME
NEARLY_SILENT = bytes((*range(0x78, 0x80), *range(0xF8, 0x100)))  # the bytes of the smallest samples
KEYS = "0123456789*#ABCD"
KEY_TYPE = 101  # our RTP payload type for keys
LOUD = 400.0  # amplitude (of 32767) from which a tone counts as heard
# What somebody may say: a telephone, a browser's microphone, a supervisor's, prompts of tests.
TONES = (300, 360, 440, 520, 620, 700, 850, 1000, 1200, 1400, 1650, 2000)


def _decode_table() -> NDArray[np.float64]:
    """G.711 µ-law: sample of each byte."""
    code = ~np.arange(256) & 0xFF
    magnitude = ((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(float)


_DECODED = _decode_table()
_ORDER = np.argsort(_DECODED, kind="stable")
_EDGES = (_DECODED[_ORDER][1:] + _DECODED[_ORDER][:-1]) / 2


def decode(payload: bytes) -> NDArray[np.float64]:
    """Samples, -32124 to 32124."""
    return _DECODED[np.frombuffer(payload, dtype=np.uint8)]


def encode(samples: NDArray[np.float64]) -> bytes:
    """Each sample as the byte that is nearest to it."""
    return _ORDER[np.searchsorted(_EDGES, samples)].astype(np.uint8).tobytes()


@lru_cache(maxsize=32)
def hum(frequency: int, amplitude: int = 8000) -> tuple[bytes, ...]:
    """Five frames of a tone (a multiple of 10 Hz) that can be repeated without a click."""
    at = np.arange(5 * FRAME) / RATE
    whole = encode(amplitude * np.sin(2 * np.pi * frequency * at))
    return tuple(whole[n * FRAME : (n + 1) * FRAME] for n in range(5))


@lru_cache(maxsize=4)
def _listener(length: int) -> NDArray[np.complex128]:
    at = np.arange(length) / RATE
    window = np.hanning(length)
    waves: NDArray[np.complex128] = np.exp(-2j * np.pi * np.outer(TONES, at)) * window * (2 / window.sum())
    return waves


def hear(payload: bytes) -> dict[int, float]:
    """Frequency → amplitude of the tones of TONES in a frame that are loud enough to count: the strongest, and those
    with half of its strength or more."""
    if len(payload) < FRAME // 2:
        return {}
    found = np.abs(_listener(len(payload)) @ decode(payload))
    limit = max(LOUD, float(found.max()) / 2)
    return {tone: float(level) for tone, level in zip(TONES, found, strict=True) if level >= limit}


def level(payload: bytes) -> float:
    """Root mean square of a frame."""
    return float(np.sqrt(np.mean(decode(payload) ** 2))) if payload else 0.0


def packet(payload: bytes, *, kind: int, sequence: int, stamp: int, source: int, mark: bool = False) -> bytes:
    """An RTP packet."""
    return struct.pack("!BBHII", 0x80, kind | (0x80 if mark else 0), sequence & 0xFFFF, stamp & 0xFFFFFFFF,
                       source) + payload  # fmt: skip


def unpack(data: bytes) -> tuple[int, bool, int, bytes] | None:
    """Payload type, mark, time stamp and payload of an RTP packet; None for what is none."""
    if len(data) < 12 or data[0] >> 6 != 2:
        return None
    start = 12 + 4 * (data[0] & 0x0F)
    return data[1] & 0x7F, bool(data[1] & 0x80), int.from_bytes(data[4:8], "big"), data[start:]


def key_frames(key: str, seconds: float = 0.1) -> list[tuple[bytes, bool]]:
    """One pressed key, a packet for each 20 ms: payload, and whether it is the first. The end is said three times."""
    steps = max(1, round(seconds / FRAME_SECONDS))
    code = KEYS.index(key)
    frames = [(struct.pack("!BBH", code, 10, FRAME * (n + 1)), n == 0) for n in range(steps)]
    return [*frames, *[(struct.pack("!BBH", code, 0x80 | 10, FRAME * steps), False)] * 3]
