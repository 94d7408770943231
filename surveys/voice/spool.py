"""Sentences as files that a switch plays: each step of a conversation is one file, made of the sentences in it.

`<folder>/prompts/<sha256>.wav`, named by what is in them. They are made again when they are missing.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Lock

from surveys.faces.turns import Say
from surveys.voice import sounds, speech
from surveys.voice.sounds import RATE, Sound

HEADER = 44  # bytes before the samples of a WAV file of ours
OLD = 2 * 24 * 3600  # seconds: what nobody has used for so long goes
LEAST_SPACE = 50 * 1024 * 1024
Fetch = Callable[[str], bytes]


class Spool:
    """The prompts of one switch. `folder`: as we see it; `there`: the same as Asterisk sees it. Threads share it."""

    def __init__(self, folder: Path, there: str, fetch: Fetch) -> None:
        self._folder, self._there = folder / "prompts", f"{there.rstrip('/')}/prompts"
        self._fetch = fetch
        self._own: dict[str, Sound] = {}
        self._lock = Lock()

    def file(self, say: Iterable[Say], language: str, own: Mapping[str, str]) -> tuple[str, float]:
        """The file in which this is said, as Asterisk names it, and its seconds. `own`: a prompt's key → the name of
        the sound that stands in for it. Raises ProviderError (nobody speaks the language), OSError (the disk is full).
        """
        parts = [part for one in say for part in _parts(one, own)]
        name = hashlib.sha256("\n".join(_identity(part, language) for part in parts).encode()).hexdigest()
        path = self._folder / f"{name}.wav"
        try:
            os.utime(path)
            seconds = (path.stat().st_size - HEADER) / (2 * RATE)
        except FileNotFoundError:
            made = sounds.joined([self._sound(part, language) for part in parts])
            speech.write_whole(path, made.wav)
            seconds = made.seconds
        return f"{self._there}/{name}", seconds

    def keep(self, name: str, words: str, language: str) -> bool:
        """See that a sentence lies ready under this name; True when it had to be made. Raises as `file` does."""
        path = self._folder / f"{name}.wav"
        try:
            os.utime(path)
        except FileNotFoundError:
            speech.write_whole(path, speech.spoken(words, language).wav)
            return True
        return False

    def has_space(self) -> bool:
        """Is there room for more prompts and voices?"""
        return shutil.disk_usage(self._folder.parent).free > LEAST_SPACE

    def tidy(self) -> int:
        """Remove what nobody has used for two days; returns how many files."""
        old = [path for path in self._folder.glob("*.wav") if path.stat().st_mtime < time.time() - OLD]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _sound(self, part: Say | str, language: str) -> Sound:
        if isinstance(part, Say):
            return speech.spoken(part.text, language)
        with self._lock:
            known = self._own.get(part)
        if known is None:
            known = sounds.read_wav(self._fetch(part))
            with self._lock:
                self._own[part] = known
        return known


def _parts(say: Say, own: Mapping[str, str]) -> list[Say | str]:
    """A sentence, or the sound that stands in for it and what then must follow."""
    if say.prompt not in own:
        return [say]
    return [own[say.prompt], *(_parts(say.then, own) if say.then else [])]


def _identity(part: Say | str, language: str) -> str:
    return part if isinstance(part, str) else f"{speech.voice_of(language)}|{part.text}"
