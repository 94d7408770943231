"""Writing voices down by a program on our own machine, where somebody has given it a model file. Nothing is fetched,
and no sound leaves the house: without a model people listen and write.

What a program wrote is marked as such until somebody has kept it.
"""

import logging
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.outbox import enqueue_later
from surveys.faces.sentences import tongue
from surveys.voice.voice_answers import MOST_TEXT, VoiceAnswer

log = logging.getLogger(__name__)
LONGEST_MS = 120_000  # a voice answer lasts a minute at most: what is longer is for people to look at
SECONDS = 600  # a small model takes about as long as the sound, a large one several times that
MOST_TRIES = 3
RATE = 16_000  # what whisper models hear
PROGRAM = "whisper-cli"


class Transcriber(Protocol):
    """Something that writes down what is said in a sound file."""

    def transcribe(self, sound: Path, language: str) -> str:
        """The words in a WAV file (16,000 samples a second, one channel), '' for none. `language`: es, en, or auto.

        Raises ProviderError."""


class Whisper:
    """whisper.cpp with a model file (ggml): https://github.com/ggml-org/whisper.cpp/tree/master/examples/cli"""

    def __init__(self, model: Path) -> None:
        self._model = model

    def transcribe(self, sound: Path, language: str) -> str:
        command = [PROGRAM, "-m", str(self._model), "-f", str(sound), "-l", language, "-nt", "-np"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603  # our own words and paths
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ProviderError(_("The program %(name)s does not answer.", name=PROGRAM)) from error
        if done.returncode:
            raise ProviderError(_("The program %(name)s could not write this sound down.", name=PROGRAM))
        return " ".join(done.stdout.decode("utf-8", "replace").split())


_model: Path | None = None


def configure(model: Path | None) -> None:
    """Say, once a process, which model file there is."""
    global _model  # noqa: PLW0603  # one process, one model
    _model = model


def transcriber() -> Transcriber | None:
    """Who writes voices down here; None where people do."""
    return Whisper(_model) if _model is not None and shutil.which(PROGRAM) else None


def tend(session: Session, limit: int = 20) -> int:
    """Give a worker the voices that nobody has written down; returns how many. Nothing where there is no program."""
    if transcriber() is None:
        return 0
    waiting = session.scalars(
        select(VoiceAnswer.id)
        .where(VoiceAnswer.state == "kept", VoiceAnswer.transcript.is_(None))
        .where(VoiceAnswer.transcript_tries < MOST_TRIES, VoiceAnswer.duration_ms <= LONGEST_MS)
        .order_by(VoiceAnswer.at).limit(limit)
    ).all()  # fmt: skip
    for voice_id in waiting:
        enqueue_later(session, "surveys.checks.quality_jobs.transcribe", str(voice_id), queue="bulk")
    return len(waiting)


def claim(session: Session, voice_id: UUID) -> VoiceAnswer | None:
    """Take a voice for writing down; None when that was done, or tried too often, or the voice is gone."""
    voice = session.get(VoiceAnswer, voice_id, with_for_update=True, populate_existing=True)
    if voice is None or voice.state != "kept" or voice.transcript is not None or voice.transcript_tries >= MOST_TRIES:
        return None
    voice.transcript_tries += 1
    return voice


def keep(session: Session, voice_id: UUID, words: str) -> None:
    """What a program heard; nothing when somebody wrote meanwhile, or the voice was deleted."""
    voice = session.get(VoiceAnswer, voice_id, with_for_update=True, populate_existing=True)
    if voice is not None and voice.state == "kept" and voice.transcript is None and words:
        voice.transcript, voice.is_machine = words[:MOST_TEXT], True
        voice.transcribed_by, voice.transcribed_at = None, real_now()


def written(pieces: Iterable[bytes], language: str) -> str:
    """What is said in a stored file. Raises ProviderError. It takes its time: no transaction may be open."""
    program = transcriber()
    if program is None:
        raise ProviderError(_("Nobody here writes voices down by a program."), code="no_model", permanent=True)
    with tempfile.TemporaryDirectory(prefix="convoca-voice-") as folder:
        kept, wanted = Path(folder) / "kept.flac", Path(folder) / "heard.wav"
        kept.write_bytes(b"".join(pieces))
        _resample(kept, wanted)
        return program.transcribe(wanted, tongue(language) or "auto")


def _resample(source: Path, target: Path) -> None:
    import numpy as np
    import soundfile  # a native library, needed only where files are read

    try:
        samples, rate = soundfile.read(source, always_2d=True)
    except soundfile.SoundFileError as error:
        raise ProviderError(_("This sound cannot be read."), code="unreadable", permanent=True) from error
    mono = samples.mean(axis=1)
    length = len(mono) * RATE // rate
    soundfile.write(target, np.interp(np.arange(length) * rate / RATE, np.arange(len(mono)), mono), RATE)
