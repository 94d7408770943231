"""The sound of a call: from what the switch wrote to a file that every browser plays, and the picture of its loudness.

Two channels stay apart: left the citizen, right everybody else. FLAC keeps every sample (it is evidence), takes about
half of the raw size, costs next to no processor time, and plays in Chromium, Firefox and Safari.
"""

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE = 8000  # of what MixMonitor writes as .raw: 16 bits, little-endian, two channels
FRAME = 4  # bytes of one moment of both channels
PEAKS = 1000  # pictures have at most so many columns
MARGIN = 2**20  # bytes
SHORTEST = 0.1  # seconds; less is no recording


class Unusable(Exception):
    """There is no sound in this file. `code`: empty | unreadable (callcenter.sound.recording_ledger.FAULTS)."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Sound:
    """`peaks`: {"left": [...], "right": [...]}, the loudest sample of each column as a share of the loudest possible,
    in hundredths. `size`: bytes of the file made."""

    duration_ms: int
    size: int
    sha256: str
    peaks: dict[str, Any]


def convert(source: Path, target: Path) -> Sound:
    """Write `source` (.raw as MixMonitor leaves it, or a .wav) as FLAC to `target`, which only we may read.

    Raises Unusable, and OSError when `source` may not be read or the disk is full."""
    import soundfile  # brings a library of its own; only workers need it

    with source.open("rb") as readable:  # libsndfile does not say why it could not open a file
        if not readable.read(1):
            raise Unusable("empty")
    raw = {"samplerate": RATE, "channels": 2, "subtype": "PCM_16", "format": "RAW", "endian": "LITTLE"}
    target.touch(mode=0o600)
    _need_room(target, source.stat().st_size)
    try:
        with soundfile.SoundFile(source, **(raw if source.suffix == ".raw" else {})) as sound:
            return _write(soundfile, sound, target)
    except (soundfile.SoundFileError, AssertionError) as error:
        _need_room(target, 0)  # the library says nothing of a disk that another program filled meanwhile
        raise Unusable("unreadable") from error


def _write(soundfile: Any, sound: Any, target: Path) -> Sound:
    import numpy as np

    if sound.channels not in (1, 2):
        raise Unusable("unreadable")
    column = max(1, -(-sound.frames // PEAKS))
    step = column * max(1, sound.samplerate * 5 // column)
    left: list[int] = []
    right: list[int] = []
    with soundfile.SoundFile(target, "w", sound.samplerate, 2, "PCM_16", format="FLAC") as made:
        while len(block := sound.read(step, dtype="int16", always_2d=True)):
            both = block if sound.channels == 2 else np.repeat(block, 2, axis=1)
            made.write(both)
            starts = np.arange(0, len(both), column)
            loudest = np.maximum.reduceat(np.abs(both.astype(np.int32)), starts, axis=0) * 100 // 32768
            left += loudest[:, 0].tolist()
            right += loudest[:, 1].tolist()
        frames = made.frames
    if frames < SHORTEST * sound.samplerate:
        raise Unusable("empty")
    # What is kept is what was heard: read back before the switch's own file goes.
    with soundfile.SoundFile(target) as kept:
        if kept.frames != frames:
            raise Unusable("unreadable")
    with target.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    duration = round(frames * 1000 / sound.samplerate)
    return Sound(duration, target.stat().st_size, checksum, {"left": left, "right": right})


def _need_room(target: Path, size: int) -> None:
    """Raises OSError when the disk has no room for so many bytes and a little more."""
    if shutil.disk_usage(target.parent).free < size + MARGIN:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
