"""A supervisor of small parts, for tests/scripts/test_processes.py: `python supervised.py FOLDER PART…`."""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from scripts import log
from scripts.processes import Part, Supervisor


def sleeps() -> None:
    print("one line", flush=True)
    time.sleep(60)


def ignores_every_wish() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(60)


def crashes() -> None:
    raise RuntimeError("invented fault")


def has_a_child() -> None:
    if os.fork() == 0:
        ignores_every_wish()
    time.sleep(60)


def talks_without_end() -> None:
    while True:
        print("x" * 200, flush=True)
        time.sleep(0.0005)


PARTS = {
    "sleeps": Part("sleeps", sleeps),
    "stubborn": Part("stubborn", ignores_every_wish),
    "crashes": Part("crashes", crashes),
    "parent": Part("parent", has_a_child),
    "talks": Part("talks", talks_without_end),
    "program": Part("program", ["sleep", "60"]),
    "service": Part("service", ignores_every_wish, quit_by=signal.SIGQUIT, is_service=True),
}


def main() -> None:
    folder = Path(sys.argv[1])

    def note(pids: Mapping[str, int]) -> None:
        draft = folder / "pids.new"
        draft.write_text(json.dumps(dict(pids)))
        draft.rename(folder / "pids")

    supervisor = Supervisor(log.to_stdout(), note)
    for name in sys.argv[2:]:
        supervisor.start(PARTS[name])
    while not supervisor.stop_asked:
        supervisor.tick(60)
    supervisor.stop()


if __name__ == "__main__":
    main()
