"""A process that must not outlive its parent says so to the kernel."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # prctl(2)


def die_with_parent(by: signal.Signals, parent: int | None = None) -> None:
    """Ask the kernel to send `by` to this process when its parent dies, killed with -9 or not.

    `parent` is who the parent should be: when it died before we could ask, this process ends at once."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(by)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def name_process(name: str) -> None:
    """Show `name` (15 bytes of it) in `ps -o comm` and `top`."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)
