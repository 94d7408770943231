"""Synthesisers: spoken once, kept by voice and text; nobody to speak a language is said in words."""

import shutil
import subprocess
from pathlib import Path

import pytest

from callcenter.base.errors import ProviderError
from surveys.voice import speech
from surveys.voice.sounds import Sound

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    speech.configure(tmp_path)
    return tmp_path


def test_debians_synthesiser_speaks_both_languages_at_the_telephones_rate() -> None:
    assert shutil.which("espeak-ng"), "install espeak-ng: sudo sh scripts/setup.sh telephone"
    for language, text in (("es", "¿Por quién votaría?"), ("en", "Who would you vote for?")):
        sound = speech.spoken(text, language)
        assert 0.7 < sound.seconds < 5
        assert abs(int(sound.samples[:400].astype(int).max())) > 0  # it begins at once
        assert speech.is_cached(text, language)


def test_what_was_spoken_once_is_not_spoken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = speech.spoken("Hola, ¿cómo está?", "es")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_kw: pytest.fail("spoken again"))
    assert (speech.spoken("Hola,  ¿cómo\nestá?", "es").samples == first.samples).all()


def test_a_language_that_nobody_speaks_is_said_with_what_to_do() -> None:
    with pytest.raises(ProviderError, match="record the prompts"):
        speech.spoken("Tiahui", "nah")
    assert speech.voice_of("nah") == ""


def test_piper_speaks_where_a_voice_file_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "piper").write_text(
        "#!/bin/sh\n# --model MODEL --output_file FILE, the text on stdin\ncat > /dev/null\n"
        "espeak-ng -w \"$4\" prueba\n"
    )  # fmt: skip
    (programs / "piper").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    model = tmp_path / "voz.onnx"
    model.write_bytes(b"x")
    speech.configure(tmp_path, {"es": model})
    assert speech.voice_of("es").startswith("piper/voz.onnx/")
    assert speech.spoken("prueba", "es").seconds > 0.2
    assert speech.voice_of("en").startswith("espeak-ng/")


def test_a_synthesiser_that_fails_is_an_error_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "espeak-ng").write_text("#!/bin/sh\ncat > /dev/null\nexit 3\n")
    (tmp_path / "espeak-ng").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ProviderError, match="could not speak"):
        speech.spoken("Hola", "es")
    assert not speech.is_cached("Hola", "es")


def test_no_words_are_no_sound() -> None:
    assert isinstance(speech.spoken("  ", "es"), Sound)
    assert speech.spoken("  ", "es").seconds == 0
