"""The one log of a run: a name, and a colour, for each process."""

import os
import select
import sys
from datetime import datetime
from typing import TextIO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # ANSI foregrounds that can be read on light and dark
WIDTH = 9
AT_ONCE = 4096  # PIPE_BUF: what a pipe that is ready surely takes


class Log:
    """Writes lines without ever blocking: a reader that stops reading must not stop the supervisor."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colours: dict[str, int] = {}
        self._left_out = 0
        self._is_open = True
        self._is_coloured = "NO_COLOR" not in os.environ and (stream.isatty() or "FORCE_COLOR" in os.environ)

    def write(self, name: str, line: str) -> None:
        """One line of the process `name`."""
        at = datetime.now().astimezone().strftime("%H:%M:%S")
        label = f"{at} {name:<{WIDTH}}│"
        if self._is_coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self.say(f"{label} {line}")

    def say(self, line: str) -> None:
        """A line as it is, for the person who started us."""
        if not self._is_open:
            return
        try:
            if not select.select([], [self._stream], [], 0)[1]:
                self._left_out += 1
                return
            if self._left_out:
                line, self._left_out = f"({self._left_out} lines left out: nobody read them)\n{line}", 0
            os.write(self._stream.fileno(), f"{line}\n".encode()[-AT_ONCE:])
        except OSError:  # the reader has gone; the processes have not
            self._is_open = False


def to_stdout() -> Log:
    return Log(sys.stdout)
