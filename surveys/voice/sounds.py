"""Sounds of the telephone: one channel, 8,000 samples a second, 16 bits. Reading files, cutting, joining. Pure."""

import hashlib
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput

RATE = 8000
LONGEST = 120.0  # seconds of one prompt: nobody listens to more
LARGEST = 30 * 1024 * 1024  # bytes of an uploaded file: two minutes of anything fit
_QUIET = 0.01  # of full scale: less than this at either end is silence
Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Sound:
    samples: Samples

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def wav(self) -> bytes:
        """As a WAV file, which Asterisk and a browser both play."""
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self.samples.astype("<i2").tobytes())
        return content.getvalue()


def read_upload(content: bytes) -> Sound:
    """A sound file of a person: WAV, OGG, FLAC, MP3. Raises InvalidInput({"file": what to do})."""
    if not content:
        raise InvalidInput({"file": _("The file is empty. Choose it again.")})
    if len(content) > LARGEST:
        raise too_large()
    seconds = _length(content)
    if seconds > LONGEST:
        length = f"{int(seconds // 60)}:{int(seconds % 60):02}"
        sentence = _("This recording lasts %(length)s minutes; a prompt may last two at most. Cut it.", length=length)
        raise InvalidInput({"file": sentence})
    sound = trimmed(_decoded(content))
    if sound.seconds < 0.2:
        raise InvalidInput(
            {"file": _("Nothing is heard in this recording. Record it again, nearer to the microphone.")}
        )
    return sound


def _length(content: bytes) -> float:
    import soundfile  # a native library, needed only where files are read

    try:
        info = soundfile.info(io.BytesIO(content))
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise _unreadable() from error
    if info.samplerate < 4000 or info.samplerate > 384_000 or info.channels > 16:
        raise _unreadable()
    return float(info.frames / info.samplerate)


def _decoded(content: bytes) -> Sound:
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(content), frames=int(LONGEST * 384_000), always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise _unreadable() from error
    return Sound(_to_telephone(samples.mean(axis=1), int(rate)))


def too_large() -> InvalidInput:
    return InvalidInput({"file": _("The file is larger than 30 MB. A prompt takes at most two minutes.")})


def _unreadable() -> InvalidInput:
    return InvalidInput({"file": _("This sound file cannot be read. Save it as WAV, OGG or MP3 and upload it again.")})


def read_wav(content: bytes) -> Sound:
    """A WAV file of one of our own programs, 16 bits, any rate."""
    with wave.open(io.BytesIO(content)) as file:
        frames, rate, channels = file.readframes(file.getnframes()), file.getframerate(), file.getnchannels()
    samples = np.frombuffer(frames[: len(frames) // (2 * channels) * 2 * channels], dtype="<i2").reshape(-1, channels)
    if rate == RATE and channels == 1:
        return Sound(samples[:, 0].astype(np.int16))
    return Sound(_to_telephone(samples.mean(axis=1) / 32768, rate))


def trimmed(sound: Sound, margin: float = 0.02) -> Sound:
    """Without the silence at its ends: a prompt begins when it is asked for. `margin`: seconds that are left."""
    loud = np.flatnonzero(np.abs(sound.samples.astype(np.int32)) > 32768 * _QUIET)
    if not len(loud):
        return Sound(sound.samples[:0])
    room = int(margin * RATE)
    return Sound(sound.samples[max(0, int(loud[0]) - room) : int(loud[-1]) + room])


def joined(sounds: Sequence[Sound], pause: float = 0.25) -> Sound:
    """One after another, with `pause` seconds between."""
    gap = np.zeros(int(pause * RATE), dtype=np.int16)
    parts = [part for sound in sounds for part in (sound.samples, gap)][:-1]
    return Sound(np.concatenate(parts) if parts else gap[:0])


def name_of(wav: bytes) -> str:
    """The name of a file with this content."""
    return hashlib.sha256(wav).hexdigest()


def _to_telephone(samples: npt.NDArray[np.float64], rate: int) -> Samples:
    """-1 … 1 at any rate → ours, through the spectrum: what a telephone does not carry is cut off."""
    seconds = -(-len(samples) // rate) + 1  # whole seconds make lengths that a Fourier transform likes
    spectrum = np.fft.rfft(samples, seconds * rate)[: seconds * 3900]
    made = np.fft.irfft(spectrum, seconds * RATE) * (RATE / rate)
    return np.round(np.clip(made[: len(samples) * RATE // rate], -1, 1) * 32767).astype(np.int16)
