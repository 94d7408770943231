"""What Asterisk plays besides the prompts of surveys: music while somebody waits, and two sentences.

The music is computed here and belongs to nobody. The sentences (sounds/*.wav) were spoken by espeak-ng, whose voices'
output is free of its licence."""

import shutil
import wave
from pathlib import Path

RATE = 8000  # samples a second, as on the telephone
BEAT = 1.5  # seconds a chord
# Four chords of three tones (Hz), low and slow: one can talk over it, and hears that the line lives.
CHORDS = ((261.6, 329.6, 392.0), (220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7))
OURS = Path(__file__).parent / "sounds"


def write(folder: Path) -> None:
    """`folder`/moh and `folder`/said, whole."""
    for name in ("moh", "said"):
        (folder / name).mkdir(exist_ok=True)
    for path in OURS.glob("*.wav"):
        shutil.copyfile(path, folder / "said" / path.name)
    music = folder / "moh" / "chords.wav"
    if not music.exists():
        _write_music(music)


def _write_music(path: Path) -> None:
    import numpy as np

    at = np.arange(int(RATE * BEAT)) / RATE
    swell = np.sin(np.pi * at / BEAT) ** 2  # each chord comes and goes: no click where they meet
    chords = [swell * sum(np.sin(2 * np.pi * tone * at) for tone in chord) for chord in CHORDS]
    samples = np.concatenate(chords) / 3 * 5000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
