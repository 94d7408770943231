"""One Asterisk and its folder: made, started, asked whether it lives, stopped."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripts.asterisk import configuration, installation, sounds
from scripts.asterisk import ports as port_blocks
from scripts.asterisk.configuration import Wishes
from scripts.asterisk.ports import Ports
from scripts.embedded import SOCKET_PATH_LIMIT, CannotStart, short_folder
from scripts.parents import die_with_parent
from scripts.service_user import drop, own, service_user

# Below the spool: recordings of calls, prompts of surveys, voice answers.
SPOOLED = ("recordings", "prompts", "voices")
FOLDERS = ("etc", "run", "log", "lib", "lib/agi-bin", "lib/keys", "lib/modules", "spool", "spool/tmp", "spool/monitor",
           *(f"spool/{name}" for name in SPOOLED))  # fmt: skip


@dataclass(frozen=True)
class Instance:
    """An Asterisk whose folder is prepared. `secrets`: AMI user → secret."""

    folder: Path
    ports: Ports
    version: str
    secrets: dict[str, str] = field(repr=False)
    host: str = "127.0.0.1"

    @property
    def ws_url(self) -> str:
        """Where this machine's browsers, and our proxy, find its WebSocket."""
        return f"ws://{self.host}:{self.ports.http}/ws"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def log(self) -> Path:
        return self.folder / "log" / "messages"


@dataclass(frozen=True)
class Prepared:
    """An instance, the command that runs it in the foreground, and the claim on its ports."""

    instance: Instance
    command: list[str]
    claim: port_blocks.Claim


def prepare(folder: Path, wishes: Wishes | None = None) -> Prepared:
    """Write everything that an Asterisk in `folder` needs. Its secrets and, if they are free, its ports stay the same
    from start to start. Raises NotInstalled, NoPorts."""
    found = installation.find()
    _make_folders(folder)
    note = folder / "instance.json"
    known = json.loads(note.read_text()) if note.exists() else {}
    claim = port_blocks.claim(known.get("first_port"))
    keys = known.get("secrets") or configuration.make_secrets()
    _keep(note, {"first_port": claim.ports.first, "secrets": keys})
    run_folder = folder / "run"
    if len(bytes(run_folder)) > SOCKET_PATH_LIMIT:
        run_folder = short_folder(folder / "run.path")
    configuration.write(folder, run_folder, found, claim.ports, keys, wishes or Wishes())
    sounds.write(folder / "lib")
    for path in (folder / "lib").rglob("*"):
        own(path)
    command = [*found.command, "-f", "-C", str(folder / "etc" / "asterisk.conf")]
    command = drop(command, *found.reads, folder, dies_by="TERM")
    return Prepared(Instance(folder, claim.ports, found.version, keys), command, claim)


def _make_folders(folder: Path) -> None:
    for path in (folder, *(folder / name for name in FOLDERS)):
        if not path.exists():
            path.mkdir(mode=0o700, parents=True)
            own(path)


def _keep(note: Path, values: dict[str, object]) -> None:
    note.touch(mode=0o600)
    note.write_text(json.dumps(values))
    own(note)


@contextlib.contextmanager
def running(folder: Path, wishes: Wishes | None = None) -> Iterator[Instance]:
    """An Asterisk in `folder` for the length of a block. Raises NotInstalled, NoPorts, CannotStart."""
    prepared = prepare(folder, wishes)
    try:
        process = start(prepared)
        try:
            await_boot(prepared.instance, process)
            yield prepared.instance
        finally:
            stop(process)
    finally:
        prepared.claim.release()


def start(prepared: Prepared) -> "subprocess.Popen[bytes]":
    """Start it; it ends with this process. Its warnings are in `Instance.log`."""
    with (prepared.instance.folder / "log" / "console").open("ab") as console:
        return subprocess.Popen(
            prepared.command,
            stdout=console,
            stderr=console,
            stdin=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            # Changing the user forgets this wish: as root, `drop` makes it.
            preexec_fn=None if service_user() else lambda: die_with_parent(signal.SIGTERM),  # noqa: PLW1509  # no threads
        )


def await_boot(instance: Instance, process: "subprocess.Popen[bytes] | None" = None, *, seconds: float = 30) -> None:
    """Return once every module runs. Raises CannotStart."""
    until = time.monotonic() + seconds
    while not is_booted(instance):
        if (process is not None and process.poll() is not None) or time.monotonic() > until:
            raise CannotStart(f"Asterisk did not start. Its log: {instance.log}")
        time.sleep(0.02)


def is_booted(instance: Instance) -> bool:
    """Does it answer, with everything loaded? Waits two seconds at most."""
    login = f"Action: Login\r\nUsername: switch\r\nSecret: {instance.secrets['switch']}\r\n\r\n"
    try:
        with socket.create_connection((instance.host, instance.ports.ami), timeout=1) as connection:
            connection.settimeout(2)
            connection.sendall(login.encode())
            heard = b""
            while b"Event: FullyBooted" not in heard:
                piece = connection.recv(4096)
                if not piece:
                    return False
                heard = heard[-100:] + piece
            return True
    except OSError:
        return False


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End it, and every call on it, now."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
