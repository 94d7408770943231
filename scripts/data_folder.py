"""The data folder: whose it is, and which one process runs the services in it."""

import fcntl
import json
import os
import pwd
import time
from pathlib import Path

from scripts.service_user import own, service_user

LOCK = "run.lock"
MARKS = (LOCK, "keys", "services")  # one of these makes a folder ours


class CannotUse(Exception):
    """The folder cannot hold our data; the message says why and what to do."""


class InUse(Exception):
    """Another living process runs the services of this folder. `what` is how it was started, `pid` its number."""

    def __init__(self, what: str, pid: int, var: Path) -> None:
        self.what, self.pid = what, pid
        super().__init__(f"{what} (process {pid}) already runs on the data folder {var}.")


def prepare(var: Path) -> None:
    """Make `var` (0700) and see that it is ours; as root, the service user gets it. No other folder changes."""
    try:
        var.mkdir(parents=True, mode=0o700, exist_ok=True)
        entries = {path.name for path in var.iterdir()}
    except OSError as error:
        raise CannotUse(
            f"The data folder {var} cannot be used: {error.strerror}. Name another with CONVOCA_VAR."
        ) from None
    if entries and not entries.intersection(MARKS):
        raise CannotUse(f"{var} holds other things: name an empty or a new folder with CONVOCA_VAR.")
    user, owner = service_user(), var.stat().st_uid
    expected = {0, user.pw_uid} if user else {os.geteuid()}
    if owner not in expected:
        raise CannotUse(
            f"The data folder {var} belongs to {_name(owner)}: start Convoca as that user,"
            " or name another folder with CONVOCA_VAR."
        )
    own(var)


def claim(var: Path, what: str, *, seconds: float = 10) -> int:
    """Become the one process that runs the services of `var`; the claim ends with the last process that inherits the
    descriptor returned. Raises InUse at once when its holder lives, and waits for a dead holder's children to end."""
    descriptor = os.open(var / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            pid, holder = _read(descriptor)
            if _lives(pid) or time.monotonic() > until:
                os.close(descriptor)
                raise InUse(holder, pid, var) from None
            time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "what": what}).encode(), 0)
    os.set_inheritable(descriptor, True)
    return descriptor


def _read(descriptor: int) -> tuple[int, str]:
    try:
        note = json.loads(os.pread(descriptor, 1000, 0))
    except ValueError:
        return os.getpid(), "Convoca"  # its holder lives, and is about to write
    return int(note["pid"]), str(note["what"])


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
