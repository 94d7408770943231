"""A simulated carrier for one rehearsal: on this machine, told none of our addresses, gone when the sample is done."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from campaigns.rehearsal.rehearsal_wire import Door
from scripts.parents import die_with_parent

# The account and a number that a simulated carrier knows from its start.
ACCOUNT, NUMBER = "AC" + "5" * 32, "+525512340000"
ROOT = Path(__file__).parents[1]
PATIENCE = 20.0  # seconds until it must listen
SPEED = "20"  # times as fast as people: a sample of hundreds has its fates in seconds


@contextlib.contextmanager
def running() -> Iterator[Door]:
    """Start it, and end it. Raises TimeoutError when it does not listen."""
    token, port = secrets.token_urlsafe(16), _free_port()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CONVOCA_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.simulated_carrier", "--port", str(port), "--journal", os.devnull,
         "--parts-per-second", "0", "--speed", SPEED],
        env=ours | {"CONVOCA_SIMULATED_TOKEN": token}, cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, preexec_fn=partial(die_with_parent, signal.SIGTERM, os.getpid()),  # noqa: PLW1509  # one system call
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process)
        yield Door(url, ACCOUNT, token, NUMBER)
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/control/state", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError("the carrier of the rehearsal does not listen")


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
