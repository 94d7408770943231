"""One call on an invented telephone: its sound, its keys, and what it hears."""

import asyncio
import secrets
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from scripts.simulated_telephones import sound
from scripts.simulated_telephones.behaviour import SPEECH, TONE, Behaviour
from scripts.simulated_telephones.sip import Dialog

SHORTEST_PAUSE = 3  # frames of silence after which sound counts as new


@dataclass
class Heard:
    """What a telephone has heard. Times are `time.monotonic()`; `tones`: Hz → first and latest time."""

    packets: int = 0
    first_packet: float | None = None
    tones: dict[int, tuple[float, float]] = field(default_factory=dict)
    keys: str = ""
    began: list[tuple[float, int | None]] = field(default_factory=list)  # sound after silence, or another tone
    _quiet: int = SHORTEST_PAUSE
    _tone: int | None = None
    _key_stamp: int | None = None

    def note(self, data: bytes, now: float) -> None:
        """Take one RTP packet."""
        found = sound.unpack(data)
        if found is None:
            return
        kind, _, stamp, payload = found
        self.packets += 1
        self.first_packet = self.first_packet or now
        if kind == sound.KEY_TYPE:
            if stamp != self._key_stamp and payload:
                self.keys += sound.KEYS[payload[0]] if payload[0] < len(sound.KEYS) else "?"
            self._key_stamp = stamp
        elif kind == 0:
            self._note_sound(payload, now)

    def _note_sound(self, payload: bytes, now: float) -> None:
        if not payload.strip(sound.NEARLY_SILENT):  # most of what comes: looked at no further
            self._quiet += 1
            return
        tones = sound.hear(payload)
        for tone in tones:
            self.tones[tone] = (self.tones.get(tone, (now, now))[0], now)
        strongest = max(tones, key=lambda tone: tones[tone]) if tones else None
        if strongest is None and sound.level(payload) < sound.LOUD / 2:
            self._quiet += 1
            return
        if self._quiet >= SHORTEST_PAUSE or (strongest is not None and strongest != self._tone):
            self.began.append((now, strongest))
        self._quiet, self._tone = 0, strongest or self._tone


class Call:
    """A call to (or from) an invented telephone. `state`: ringing | up | ended; `status`: what it answered with.

    Every attribute may be read from another thread; what does something goes through `Network`."""

    def __init__(self, number: str, caller: str, behaviour: Behaviour, host: str) -> None:
        self.number, self.caller, self.behaviour = number, caller, behaviour
        self.state, self.status = "ringing", 0
        self.rang_at = time.monotonic()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.hung_up_by: str | None = None  # us | them
        self.heard = Heard()
        self.tone = TONE
        self.dialog: Dialog | None = None
        self.media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.media.setblocking(False)
        self.media.bind((host, 0))
        self.port = int(self.media.getsockname()[1])
        self.to: tuple[str, int] | None = None
        self.keys_sent_at: deque[float] = deque(maxlen=64)  # when the end of a key was first said
        self._frames: deque[tuple[bytes, bool]] = deque()
        self._key_stamp = self._ended_key = 0
        self._echo: deque[bytes] = deque(maxlen=5)
        self._spoken = 0
        self._sequence, self._stamp, self._source = secrets.randbits(15), secrets.randbits(31), secrets.randbits(32)

    def press(self, keys: str) -> None:
        """Queue keys: 100 ms each, 60 ms apart."""
        for key in keys:
            self._frames.extend(sound.key_frames(key))
            self._frames.extend([(b"", False)] * 3)

    def listen(self) -> None:
        """Take what has arrived."""
        while True:
            try:
                data = self.media.recv(2048)
            except OSError:  # nothing more, or closed
                return
            self.heard.note(data, time.monotonic())
            if self.behaviour.says == "echo":
                found = sound.unpack(data)
                if found is not None and found[0] == 0:
                    self._echo.append(found[3])

    def speak(self) -> None:
        """Send the next 20 ms."""
        self._stamp += sound.FRAME
        payload, is_first = self._frames.popleft() if self._frames else (b"", False)
        if payload:
            self._speak_key(payload, is_first)
            return
        said = self._say()
        if said is not None:
            self._send(said, 0, self._stamp, mark=self._spoken == 1)

    def _speak_key(self, payload: bytes, is_first: bool) -> None:
        if is_first:
            self._key_stamp = self._stamp
        if payload[1] & 0x80 and self._key_stamp != self._ended_key:
            self._ended_key = self._key_stamp
            self.keys_sent_at.append(time.monotonic())
        self._send(payload, sound.KEY_TYPE, self._key_stamp, mark=is_first)

    def _say(self) -> bytes | None:
        self._spoken += 1
        says = self.behaviour.says
        if says == "nothing":
            return None
        if says == "echo":
            return self._echo.popleft() if self._echo else sound.SILENCE
        if says in SPEECH:
            pause, speech = SPEECH[says]
            at = self._spoken * sound.FRAME_SECONDS
            return sound.hum(300)[self._spoken % 5] if pause < at < pause + speech else sound.SILENCE
        return sound.hum(self.tone)[self._spoken % 5] if says == "tone" else sound.SILENCE

    def _send(self, payload: bytes, kind: int, stamp: int, *, mark: bool) -> None:
        self._sequence += 1
        data = sound.packet(payload, kind=kind, sequence=self._sequence, stamp=stamp, source=self._source, mark=mark)
        if self.to is not None:
            try:
                self.media.sendto(data, self.to)
            except OSError:  # the other side has closed its port, or our buffer is full: a lost packet
                return

    def end(self, by: str) -> None:
        """It is over; `by`: us | them."""
        if self.state == "ended":
            return
        self.state, self.ended_at, self.hung_up_by = "ended", time.monotonic(), by
        asyncio.get_running_loop().remove_reader(self.media)
        self.media.close()
