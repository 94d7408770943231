"""A whole product in a temporary folder, for benches and browser tests: started, asked, and ended without a trace."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The simulated carrier signs with it.
TOKEN = "token-of-the-bench"  # noqa: S105  # no secret: of a product that lives for one bench alone
SIGNED = {"CONVOCA_SIMULATED_TOKEN": TOKEN}
ROOT = Path(__file__).parents[2]
LINE = "Convoca: "


class DidNotStart(Exception):
    """The product ended, or did not become healthy in time; the message holds the end of its log."""


@dataclass(frozen=True)
class Product:
    """A running product. `started_in` is seconds from the command to the line with its address."""

    url: str
    var: Path
    log_file: Path
    process: "subprocess.Popen[bytes]"
    started_in: float

    def pids(self) -> dict[str, int]:
        """Process numbers by part (web, live, worker, bulk, dialer, clock, carrier, operators, postgres, redis)."""
        parts: dict[str, int] = json.loads((self.var / "processes.json").read_text())["parts"]
        return parts

    def lines(self) -> list[str]:
        """What it has said so far."""
        return self.log_file.read_text(errors="replace").splitlines()

    def flask(self, *arguments: str) -> str:
        """What a `flask` command beside it prints; raises CalledProcessError when it fails."""
        return self.python("flask", *arguments)

    def python(self, module: str, *arguments: str, given: str = "", **env: str) -> str:
        """What a module, run beside it, prints; `given` is its standard input. Raises CalledProcessError."""
        ran = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, env=environment(self.var, env), input=given, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return ran.stdout

    def stop(self, by: signal.Signals = signal.SIGINT) -> float:
        """End it; returns how many seconds that took."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(by)
            self.process.wait(timeout=30)
        return time.monotonic() - begun


@contextlib.contextmanager
def running(
    *,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = (sys.executable, "-m", "scripts.run"),
    checkout: Path = ROOT,
    seconds: float = 120,
) -> Iterator[Product]:
    """The product of `checkout` on a free port, with data of its own that vanish with it. Nothing of the caller's
    environment leads it to other data; `env` adds to it (CONVOCA_DEMO=no for an empty database)."""
    with temporary_folder() as folder, start(folder / "var", env, command, checkout, seconds=seconds) as product:
        yield product


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that the service user, too, may pass through."""
    with tempfile.TemporaryDirectory(prefix="convoca-bench-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@contextlib.contextmanager
def start(
    var: Path,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = (sys.executable, "-m", "scripts.run"),
    checkout: Path = ROOT,
    *,
    seconds: float = 120,
) -> Iterator[Product]:
    """As `running`, on the data folder `var`, which stays."""
    log_file = var.with_name(var.name + ".log")
    begun = time.monotonic()
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, *_port_arguments(command)],
            cwd=checkout, env=environment(var, env or {}), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        url = _await_line(process, log_file, begun + seconds)
        yield Product(url, var, log_file, process, time.monotonic() - begun)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _port_arguments(command: Sequence[str]) -> list[str]:
    return [f"PORT={free_port()}"] if command[0] == "make" else ["--port", str(free_port())]


def environment(var: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """What a process beside the product of `var` gets: nothing of the caller's own data."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CONVOCA_") and name not in ("DATABASE_URL", "REDIS_URL", "FLASK_APP")
    }
    if os.environ.get("CONVOCA_BENCH_DATABASE_URL"):
        kept["DATABASE_URL"] = os.environ["CONVOCA_BENCH_DATABASE_URL"]
    return {**kept, "CONVOCA_VAR": str(var), **extra}


def _await_line(process: "subprocess.Popen[bytes]", log_file: Path, until: float) -> str:
    while True:
        text = log_file.read_text(errors="replace")
        for line in text.splitlines(keepends=True):
            if line.startswith(LINE) and line.endswith("\n"):
                return line.removeprefix(LINE).strip()
        if process.poll() is not None or time.monotonic() > until:
            raise DidNotStart(text[-3000:])
        time.sleep(0.02)
