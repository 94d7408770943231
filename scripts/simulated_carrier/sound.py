"""The sound of recordings: a tone for each side of a call, as a WAV file of 8 kHz and 16 bits."""

import io
import math
import wave
from array import array
from functools import lru_cache

RATE = 8000
TONES = {1: (440,), 2: (440, 880)}  # Hz, by the number of channels: the person, everybody else
LONGEST = 3600  # seconds of a file, whatever its recording's length


@lru_cache(maxsize=4)
def _second(channels: int) -> bytes:
    frames = array("h")
    for at in range(RATE):
        for tone in TONES[channels]:
            frames.append(round(6000 * math.sin(2 * math.pi * tone * at / RATE)))
    return frames.tobytes()


def wav(seconds: float, channels: int) -> bytes:
    """`channels` 1 or 2."""
    whole, target = _second(channels), io.BytesIO()
    frames = round(min(seconds, LONGEST) * RATE)
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(whole * (frames // RATE) + whole[: frames % RATE * channels * 2])
    return target.getvalue()


def seconds_of(body: bytes, content_type: str) -> float | None:
    """How long a file plays; None when it is no sound. Of compressed files a guess by their size."""
    if "wav" in content_type:
        try:
            with wave.open(io.BytesIO(body)) as file:
                return float(file.getnframes() / file.getframerate())
        except (wave.Error, EOFError):
            return None
    return len(body) / 4000 if content_type.startswith("audio/") else None
