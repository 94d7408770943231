"""Synthesisers of speech behind one small interface: espeak-ng as Debian ships it, Piper for a voice file of one's own.

What was spoken once is kept as a file, by voice, language and text.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from flask_babel import gettext as _

from callcenter.base.errors import ProviderError
from surveys.faces.sentences import tongue
from surveys.voice import sounds
from surveys.voice.sounds import Sound

log = logging.getLogger(__name__)
SECONDS = 20  # a long sentence takes espeak-ng 30 ms, Piper a few seconds
MOST = 2000  # characters of one prompt
PACE = "150"  # words a minute: slow enough for a bad line


class Synthesiser(Protocol):
    """`voice` names program and voice: another voice never answers from the other's cache."""

    voice: str

    def speak(self, text: str) -> bytes:
        """A WAV file with these words. Raises ProviderError."""


class Espeak:
    """espeak-ng. Its voices: https://github.com/espeak-ng/espeak-ng/blob/master/docs/languages.md"""

    VOICES = {"es": "es-419", "en": "en-us"}  # noqa: RUF012 - never changed

    def __init__(self, language: str) -> None:
        self._name = self.VOICES[language]
        self.voice = f"espeak-ng/{self._name}/{PACE}"

    def speak(self, text: str) -> bytes:
        return _run(["espeak-ng", "-v", self._name, "-s", PACE, "-b", "1", "--stdout", "--stdin"], text)


class Piper:
    """Piper with a voice file (.onnx, its .onnx.json beside it): https://github.com/OHF-Voice/piper1-gpl"""

    def __init__(self, model: Path) -> None:
        self._model = model
        self.voice = f"piper/{model.name}/{int(model.stat().st_mtime)}"

    def speak(self, text: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="convoca-speech-") as folder:
            made = Path(folder) / "spoken.wav"
            _run(["piper", "--model", str(self._model), "--output_file", str(made)], text.replace("\n", " ") + "\n")
            return made.read_bytes()


def _run(command: list[str], text: str) -> bytes:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=SECONDS, check=False)  # noqa: S603  # our own words; the text goes through a pipe
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProviderError(_("The synthesiser %(name)s does not answer.", name=command[0])) from error
    if done.returncode:
        log.warning("%s ended with code %s", command[0], done.returncode)
        raise ProviderError(_("The synthesiser %(name)s could not speak this text.", name=command[0]))
    return done.stdout


_folder: Path | None = None
_models: dict[str, Path] = {}
_speakers: dict[str | None, Synthesiser | None] = {}


def configure(folder: Path, models: Mapping[str, Path] | None = None) -> None:
    """Say, once a process, where spoken files are kept, and which voice files there are by language (es, en)."""
    global _folder  # noqa: PLW0603  # one process, one folder
    _folder = folder
    _speakers.clear()
    _models.clear()
    _models.update(models or {})


def synthesiser(language: str) -> Synthesiser | None:
    """Who speaks this language here; None when nobody does: prompts must be recorded then."""
    known = tongue(language)
    if known not in _speakers:
        _speakers[known] = _find(known)
    return _speakers[known]


def _find(known: str | None) -> Synthesiser | None:
    if known in _models and shutil.which("piper"):
        return Piper(_models[known])
    if known in Espeak.VOICES and shutil.which("espeak-ng"):
        return Espeak(known)
    return None


def voice_of(language: str) -> str:
    """The voice of this language; '' where nobody speaks it."""
    speaker = synthesiser(language)
    return speaker.voice if speaker else ""


def spoken(text: str, language: str) -> Sound:
    """These words in this language, from the cache where they were spoken before. Raises ProviderError."""
    speaker = synthesiser(language)
    if speaker is None:
        raise ProviderError(
            _("Nobody here speaks “%(language)s”: record the prompts, or install espeak-ng.", language=language),
            code="no_voice", permanent=True,
        )  # fmt: skip
    text = " ".join(text.split())[:MOST]
    kept = _cached(speaker.voice, text)
    if kept.exists():
        return sounds.read_wav(kept.read_bytes())
    sound = sounds.trimmed(sounds.read_wav(_whole(speaker.speak(text)))) if text else sounds.joined([])
    write_whole(kept, sound.wav)
    return sound


def is_cached(text: str, language: str) -> bool:
    """Would `spoken` answer from the cache?"""
    speaker = synthesiser(language)
    return speaker is not None and _cached(speaker.voice, " ".join(text.split())[:MOST]).exists()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that nobody sees half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(draft).chmod(0o644)
    Path(draft).replace(path)


def _cached(voice: str, text: str) -> Path:
    if _folder is None:
        raise RuntimeError("speech.configure was not called in this process")
    digest = hashlib.sha256(f"{voice}\n{text}".encode()).hexdigest()
    return _folder / digest[:2] / f"{digest}.wav"


def _whole(wav: bytes) -> bytes:
    """espeak-ng writes to a pipe, so its header says 2 GB: put in the length there is."""
    if wav[:4] != b"RIFF" or wav[36:40] != b"data":
        return wav
    length = len(wav) - 44
    return wav[:4] + (36 + length).to_bytes(4, "little") + wav[8:40] + length.to_bytes(4, "little") + wav[44:]
