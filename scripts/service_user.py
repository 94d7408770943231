"""As root, every process of ours runs as one unprivileged user; otherwise as whoever started it."""

import os
import pwd
import stat
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

NAME = "convoca"
READ_ALL = "dac_read_search"
READ_ALL_BIT = 2  # CAP_DAC_READ_SEARCH, capabilities(7)


class CannotDrop(Exception):
    """Root's rights cannot be given up here; the message says why and what to do."""


@lru_cache(maxsize=1)
def service_user() -> pwd.struct_passwd | None:
    """The user to run as; made when it is missing. None when we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        made = subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise CannotDrop(
                f"The user {NAME} could not be made ({made.stderr.strip()}): make it with useradd."
            ) from None
        return pwd.getpwnam(NAME)


def drop(command: list[str], *reads: Path, keep_reading: bool = False, dies_by: str = "keep") -> list[str]:
    """`command` as the service user; unchanged when we are not root.

    When that user cannot enter the folders of `reads` (a checkout under /root, say) the command keeps the one right to
    read through them, and no other right of root. `keep_reading` keeps it when it can be had: a `flask` command reads
    the file that root names. `dies_by` is the signal that ends the command when its parent dies."""
    user = service_user()
    if user is None:
        return command
    closed = next((path for path in reads if not _may_enter(path, user)), None)
    if closed is not None and not _has_read_all():
        raise CannotDrop(
            f"The service user {NAME} cannot enter {closed}, and this container withholds the right to read through it"
            f" (CAP_{READ_ALL.upper()}). Put the checkout, its data folder and Python where every user may enter"
            " (/srv/convoca, PYTHON=/usr/bin/python3)."
        )
    keep = [f"+{READ_ALL}"] if _has_read_all() and (closed is not None or keep_reading) else []
    rights = ",".join(["-all", *keep])
    # access(2), which PostgreSQL asks before it starts its programs, forgets the kept right without this bit.
    bits = ["--securebits=+no_setuid_fixup"] if keep else []
    return [
        "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs",
        f"--inh-caps={rights}", f"--ambient-caps={rights}", f"--bounding-set={rights}", f"--pdeathsig={dies_by}",
        *bits, "--", *command,
    ]  # fmt: skip


def become(command: list[str], var: Path, *, keep_reading: bool = False) -> None:
    """Replace this process by `command` as the service user; returns at once when we are not root."""
    if service_user() is None:
        return
    # Python, the libraries and the code of this process: all that the new one will read.
    reads = {Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), Path(__file__), var}
    argv = drop(command, *reads, keep_reading=keep_reading)
    os.environ["HOME"] = str(var)  # root's home is closed to the service user
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606  # no shell is wanted


def own(path: Path) -> None:
    """Give a file or folder of ours to the service user (nothing when we are not root)."""
    user = service_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _has_read_all() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> READ_ALL_BIT & 1)


def _may_enter(path: Path, user: pwd.struct_passwd) -> bool:
    """May the service user reach `path` and read it?"""
    real = path.resolve()
    if not _allows(real, user, stat.S_IROTH):
        return False
    return all(_allows(folder, user, stat.S_IXOTH) for folder in real.parents)


def _allows(path: Path, user: pwd.struct_passwd, bit: int) -> bool:
    """`bit` as it stands for others (S_IROTH, S_IXOTH); the owner's and group's bits lie three and six higher."""
    found = path.stat()
    if found.st_uid == user.pw_uid:
        return bool(found.st_mode & bit << 6)
    if found.st_gid == user.pw_gid:
        return bool(found.st_mode & bit << 3)
    return bool(found.st_mode & bit)
