"""What another's telephones (SIPp) do arrives as it should: a second opinion beside our own network."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from scripts import asterisk
from scripts.simulated_telephones import sound
from tests.telephone.manager import Manager, entered, open_trunk, until
from tests.telephone.sipp import telephone
from tests.telephone.test_calls import call

Dial = Callable[..., str]
Samples = NDArray[np.float64]
NUMBERS = count(500)


@pytest.fixture
def worker(switch: asterisk.Instance) -> Iterator[Manager]:
    with entered(switch, "worker") as manager:
        yield manager


@pytest.fixture
def dial(worker: Manager, tmp_path: Path) -> Iterator[Dial]:
    """`dial("busy", exten=…, key=…)`: a telephone with this scenario is called; returns the call's id."""
    with ExitStack() as telephones:

        def start(scenario: str, *options: str, exten: str = "wait", seconds: int = 10, **keys: str) -> str:
            port = telephones.enter_context(telephone(scenario, tmp_path, *options, **keys))
            trunk = f"trunk-{next(NUMBERS)}"
            open_trunk(worker, trunk, port)
            return call(worker, trunk, "+525512345678", exten=exten, seconds=seconds)

        yield start


@pytest.fixture
def tone(tmp_path: Path) -> str:
    """A file with a second of 440 Hz as SIPp plays it: bare µ-law."""
    path = tmp_path / "tone.ulaw"
    path.write_bytes(b"".join(sound.hum(440)) * 10)
    return str(path)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("486 Busy Here", "17"),
        ("404 Not Found", "1"),
        ("480 Temporarily Unavailable", "19"),
        ("603 Decline", "21"),
    ],
)
def test_a_refusal(status: str, cause: str, dial: Dial, listener: Manager) -> None:
    ended = listener.event("Hangup", Uniqueid=dial("refuse", status=status))
    assert (ended["Cause"], ended["TechCause"]) == (cause, status[:3])


def test_no_answer(dial: Dial, listener: Manager) -> None:
    name = dial("no_answer", seconds=1)
    assert listener.event("OriginateResponse", ActionID=name)["Reason"] == "3"
    listener.event("Hangup", Uniqueid=name)


def test_an_answer_that_is_hung_up(dial: Dial, listener: Manager) -> None:
    name = dial("hang_up")
    listener.news("answered", Call=name)
    listener.event("Hangup", Uniqueid=name)


def _record(switch: asterisk.Instance, worker: Manager, name: str) -> Callable[[], Samples]:
    """Record what this leg says; returns what asks for the last half second of it."""
    path = switch.spool / "recordings" / f"{name}.sln"  # bare samples: readable at any moment
    mix = worker.ask("MixMonitor", Channel=name, File=str(path.with_suffix(".mix.sln")), Options=f"r({path})")
    assert mix["Response"] == "Success"
    return lambda: np.frombuffer(path.read_bytes(), dtype="<i2")[-4000:].astype(float) if path.exists() else np.zeros(0)


def _share_of_440_hz(samples: Samples) -> float:
    if len(samples) < 4000 or not samples.any():
        return 0.0
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[218:223].sum() / power.sum())


def test_sound_before_the_answer_is_no_answer(dial: Dial, listener: Manager, tone: str) -> None:
    name = dial("early_media", tone=tone)
    listener.news("answered", Call=name)
    about = [packet for packet in listener.packets if packet.get("Uniqueid", packet.get("DestUniqueid")) == name]
    news = [packet.get("What") or packet.get("DialStatus") or packet["Event"] for packet in about]
    assert news.index("PROGRESS") < news.index("ANSWER") < news.index("answered")


def test_a_tone_is_heard(dial: Dial, listener: Manager, worker: Manager, switch: asterisk.Instance, tone: str) -> None:
    name = dial("tone", tone=tone)
    listener.news("answered", Call=name)
    said = _record(switch, worker, name)
    until(lambda: _share_of_440_hz(said()) > 0.8)
    worker.ask("Hangup", Channel=name)


def test_what_we_say_comes_back(dial: Dial, listener: Manager, worker: Manager, switch: asterisk.Instance) -> None:
    name = dial("answer", "-rtp_echo", exten="hold")
    listener.event("MusicOnHoldStart", Uniqueid=name)
    said = _record(switch, worker, name)
    until(lambda: np.abs(said()).max(initial=0) > 1000)
    worker.ask("Hangup", Channel=name)


def test_keys_arrive(dial: Dial, listener: Manager, switch: asterisk.Instance) -> None:
    with entered(switch, "ivr") as ivr:
        name = dial("keys", exten="recording", pcap="/usr/share/sip-tester")
        ivr.event("AsyncAGIStart", Uniqueid=name)
        ivr.ask("AGI", Channel=name, Command="GET DATA beep 4000 2", CommandID="1")
        done = ivr.event("AsyncAGIExec", CommandId="1")
        assert "result%3D24" in done["Result"]
        ivr.ask("AGI", Channel=name, Command="HANGUP", CommandID="2")
        listener.event("Hangup", Uniqueid=name)
