"""As root, every process of ours runs as one unprivileged user; otherwise as whoever started it."""

import os
import pwd
import subprocess
from functools import lru_cache
from pathlib import Path

NAME = "convoca"
READ_ALL = "dac_read_search"


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
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise CannotDrop(f"The user {NAME} could not be made ({made.stderr.strip()}): make it with useradd.") from None
        return pwd.getpwnam(NAME)


def drop(command: list[str], *reads: Path) -> list[str]:
    """`command` as the service user. When that user cannot enter the folders of `reads` (a checkout under /root, say)
    the command keeps the one right to read through them, and no other right of root."""
    user = service_user()
    if user is None:
        return command
    keep = [] if all(_may_enter(path, user) for path in reads) else [f"+{READ_ALL}"]
    rights = ",".join(["-all", *keep])
    return [
        "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs",
        f"--inh-caps={rights}", f"--ambient-caps={rights}", f"--bounding-set={rights}", "--", *command,
    ]  # fmt: skip


def own(path: Path) -> None:
    """Give a folder of ours to the service user (nothing when we are not root)."""
    user = service_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def _may_enter(path: Path, user: pwd.struct_passwd) -> bool:
    for folder in (path, *path.parents):
        mode, owner = folder.stat().st_mode, folder.stat().st_uid
        if not (mode & 0o001 or (owner == user.pw_uid and mode & 0o100)):
            return False
    return True
