"""Keeping processes running: started, logged, restarted with back-off, and all of them ended within five seconds."""

import contextlib
import gc
import os
import random
import select
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scripts.log import Log
from scripts.parents import die_with_parent, name_process

FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0  # seconds before a crashed part starts again
STEADY = 20.0  # a part that lived so long has not crashed at its start
PARTS_STOP_IN, SERVICES_STOP_IN, LAST_MOMENT = 2.0, 4.0, 4.6  # seconds after the wish to stop


@dataclass(frozen=True)
class Part:
    """One process. `run` is a program's arguments, or a function that runs in a fork of this process.

    `stop_by` ends it kindly, `quit_by` unkindly; `is_service`: the others need it, so it stops after them."""

    name: str
    run: list[str] | Callable[[], None]
    stop_by: signal.Signals = signal.SIGTERM
    quit_by: signal.Signals = signal.SIGKILL
    dies_by: signal.Signals = signal.SIGKILL
    is_service: bool = False


@dataclass
class _Running:
    part: Part
    pid: int | None = None
    started_at: float = 0.0
    crashes: int = 0
    start_at: float | None = None  # when to start it again
    pipes: dict[int, bytes] = field(default_factory=dict)  # descriptor -> the unfinished line read from it


class Supervisor:
    """Runs parts until it is told to stop. One thread: every wait is in `tick`."""

    def __init__(self, log: Log, changed: Callable[[Mapping[str, int]], None]) -> None:
        self.log, self._changed = log, changed
        self.stop_asked = 0
        self._parts: dict[str, _Running] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, wake = os.pipe()
        for end in (self._wake, wake):
            os.set_blocking(end, False)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes `tick`

    def _ask_to_stop(self, *_: object) -> None:
        self.stop_asked += 1

    def start(self, part: Part) -> None:
        running = self._parts[part.name] = _Running(part)
        self._spawn(running)

    def run_once(self, part: Part) -> bool:
        """Run a part to its end; True when it ended well. False, too, when we were told to stop meanwhile."""
        self.start(part)
        running = self._parts[part.name]
        while running.pid is not None and not self.stop_asked:
            self.tick(1.0, restart=False)
        if running.pid is not None:
            return False
        del self._parts[part.name]
        return running.crashes == 0

    def pids(self) -> dict[str, int]:
        return {name: running.pid for name, running in self._parts.items() if running.pid is not None}

    def tick(self, seconds: float, *, restart: bool = True) -> None:
        """Log what the parts say, notice the dead, start again what is due; at most `seconds` of waiting."""
        due = [running.start_at for running in self._parts.values() if running.start_at is not None]
        if restart and due:
            seconds = max(0.0, min(seconds, min(due) - time.monotonic()))
        for key, _ in self._selector.select(seconds):
            self._read(key.fd, key.data)
        self._reap(restart)
        if restart:
            for running in self._parts.values():
                if running.start_at is not None and running.start_at <= time.monotonic():
                    self._spawn(running)

    def stop(self) -> None:
        """End every part, services last: kindly, then by force. Takes less than five seconds, whatever they do."""
        begun = time.monotonic()
        parts = [r for r in self._parts.values() if not r.part.is_service]
        services = [r for r in self._parts.values() if r.part.is_service]
        for group, until in ((parts, PARTS_STOP_IN), (services, SERVICES_STOP_IN)):
            self._signal(group, lambda part: part.stop_by)
            self._await_end(group, begun + until)
            self._signal(group, lambda part: part.quit_by)
            self._await_end(group, begun + until + 0.3)
        self._signal(services, lambda _: signal.SIGKILL)
        self._await_end(services, begun + LAST_MOMENT)

    def _await_end(self, group: list[_Running], until: float) -> None:
        while any(r.pid is not None for r in group) and time.monotonic() < until:
            self.tick(min(0.1, max(0.0, until - time.monotonic())), restart=False)

    def _signal(self, group: list[_Running], choose: Callable[[Part], signal.Signals]) -> None:
        for running in group:
            running.start_at = None
            if running.pid is None:
                continue
            number = choose(running.part)
            with contextlib.suppress(ProcessLookupError):
                # Each part leads a group of its own: by force, its own children go with it.
                (os.killpg if number == signal.SIGKILL else os.kill)(running.pid, number)

    def _spawn(self, running: _Running) -> None:
        running.start_at, running.started_at = None, time.monotonic()
        reader, writer = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(running.part, writer, parent)
        os.close(writer)
        os.set_blocking(reader, False)
        running.pid = pid
        running.pipes[reader] = b""
        self._selector.register(reader, selectors.EVENT_READ, running)
        self._changed(self.pids())

    def _become(self, part: Part, writer: int, parent: int) -> None:
        """In the child: never returns."""
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            die_with_parent(part.dies_by, parent)
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            for key in list(self._selector.get_map().values()):
                os.close(key.fd)
            if isinstance(part.run, list):
                os.execvp(part.run[0], part.run)  # noqa: S606  # no shell is wanted
            name_process(f"convoca {part.name}")
            sys.stdout, sys.stderr = (os.fdopen(end, "w", buffering=1) for end in (1, 2))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            random.seed()
            gc.enable()
            part.run()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:  # noqa: BLE001  # the edge of the process: whatever it was is shown, and ends it
            traceback.print_exc()
            code = 1
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)

    def _read(self, descriptor: int, running: _Running | None) -> None:
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        if running is None:
            return
        *lines, rest = (running.pipes[descriptor] + data).split(b"\n")
        if not data or len(rest) > 65536:
            lines, rest = [*lines, rest], b""
        for line in lines:
            if line.strip():
                self.log.write(running.part.name, line.decode(errors="replace"))
        running.pipes[descriptor] = rest
        if not data:
            self._selector.unregister(descriptor)
            os.close(descriptor)
            del running.pipes[descriptor]

    def _reap(self, restart: bool) -> None:
        for running in list(self._parts.values()):
            if running.pid is None:
                continue
            pid, status = os.waitpid(running.pid, os.WNOHANG)
            if pid == 0:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # what a killed part left behind in its group
            running.pid = None
            self._drain(running)
            self._note_end(running, os.waitstatus_to_exitcode(status), restart)
            self._changed(self.pids())

    def _drain(self, running: _Running) -> None:
        for descriptor in list(running.pipes):
            while descriptor in running.pipes and select.select([descriptor], [], [], 0)[0]:
                self._read(descriptor, running)

    def _note_end(self, running: _Running, code: int, restart: bool) -> None:
        if not restart:
            running.crashes = int(code != 0)
            return
        lived = time.monotonic() - running.started_at
        running.crashes = 1 if lived > STEADY else running.crashes + 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (running.crashes - 1))
        running.start_at = time.monotonic() + delay
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self.log.write("run", f"{running.part.name} {how} after {lived:.1f} s; it starts again in {delay:.1f} s")
