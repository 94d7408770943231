import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Supervise = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Start a supervisor of the named parts of tests/scripts/supervised.py; it is ended after the test."""
    with ExitStack() as ends:

        def begin(*parts: str) -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-m", "tests.scripts.supervised", str(tmp_path), *parts]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
            ends.callback(_end, process)
            _eventually(lambda: set(_pids(tmp_path)) >= {*parts} - {"crashes"})
            return process

        yield begin


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    if process.poll() is None:
        process.kill()
        process.wait()
    process.stdout.close()


def _pids(folder: Path) -> dict[str, int]:
    try:
        return dict(json.loads((folder / "pids").read_text()))
    except FileNotFoundError:
        return {}


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _unread(process: "subprocess.Popen[bytes]") -> int:
    """Bytes that wait in the pipe of the process's output."""
    assert process.stdout is not None
    count = array("i", [0])
    fcntl.ioctl(process.stdout, termios.FIONREAD, count)
    return count[0]


def _eventually(is_so: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_group_ends_every_part_though_one_ignores_it(
    supervise: Supervise, tmp_path: Path, number: signal.Signals
) -> None:
    process = supervise("sleeps", "stubborn", "program", "service")
    pids = _pids(tmp_path)
    begun = time.monotonic()
    os.killpg(process.pid, number)
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - begun < 5
    assert not [name for name, pid in pids.items() if _lives(pid)]


def test_a_supervisor_killed_outright_leaves_no_orphan(supervise: Supervise, tmp_path: Path) -> None:
    process = supervise("sleeps", "stubborn", "program", "service")
    pids = _pids(tmp_path)
    process.kill()
    process.wait()
    _eventually(lambda: not [name for name, pid in pids.items() if _lives(pid)])


def test_a_killed_part_starts_again(supervise: Supervise, tmp_path: Path) -> None:
    supervise("sleeps", "program")
    first = _pids(tmp_path)
    os.kill(first["sleeps"], signal.SIGKILL)
    _eventually(lambda: _pids(tmp_path).get("sleeps", first["sleeps"]) != first["sleeps"])
    assert _pids(tmp_path)["program"] == first["program"]


def test_the_children_of_a_killed_part_go_with_it(supervise: Supervise, tmp_path: Path) -> None:
    supervise("parent")
    parent = _pids(tmp_path)["parent"]
    children = Path(f"/proc/{parent}/task/{parent}/children")
    _eventually(lambda: bool(children.read_text()))
    child = int(children.read_text())
    os.kill(parent, signal.SIGKILL)
    _eventually(lambda: not _lives(child))


def test_a_part_that_cannot_start_is_tried_less_and_less_often(supervise: Supervise) -> None:
    process = supervise("crashes")
    assert process.stdout is not None
    lines: list[str] = []
    while len(lines) < 3:
        line = process.stdout.readline().decode()
        if "starts again" in line:
            lines.append(line)
    assert [line.rsplit(" in ", 1)[1].strip() for line in lines] == ["0.1 s", "0.2 s", "0.4 s"]
    assert "crashes ended with code 1" in lines[0]


def test_each_line_names_its_process(supervise: Supervise) -> None:
    process = supervise("sleeps")
    assert process.stdout is not None
    assert process.stdout.readline().decode().split(" ", 1)[1] == "sleeps   │ one line\n"


def test_a_reader_that_stops_reading_stops_nobody(supervise: Supervise, tmp_path: Path) -> None:
    process = supervise("talks", "sleeps")  # our end of the pipe is never read
    first = _pids(tmp_path)["sleeps"]
    _eventually(lambda: _unread(process) > 60_000)  # a pipe holds 65,536 bytes
    os.kill(first, signal.SIGKILL)
    _eventually(lambda: _pids(tmp_path).get("sleeps", first) != first)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
