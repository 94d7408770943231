"""SIPp, Debian's SIP tester, as a telephone that follows one scenario of sipp/."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.telephone.manager import until

SCENARIOS = Path(__file__).parent / "sipp"


def free_ports() -> tuple[int, int]:
    """A port for SIP, and an even one for sound, that nobody uses now."""
    with contextlib.ExitStack() as probes:
        found: list[int] = []
        while len(found) < 2:
            probe = probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            if not found or port % 2 == 0:
                found.append(port)
        return found[0], found[1]


@contextlib.contextmanager
def telephone(scenario: str, folder: Path, *options: str, **keys: str) -> Iterator[int]:
    """A telephone on the SIP port that is returned. `keys` replace [key] in the scenario."""
    port, sound = free_ports()
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    for key, value in keys.items():
        text = text.replace(f"[{key}]", value)
    file = folder / f"{scenario}-{port}.xml"
    file.write_text(text)
    program = shutil.which("sipp")
    assert program is not None, "sipp is missing: run “sudo sh scripts/setup.sh telephone”"
    command = [program, "-sf", str(file), "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1", "-mp", str(sound),
               "-nostdin", *options]  # fmt: skip
    with (folder / "sipp.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "sipp.log").read_text()[-2000:]
        yield port
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines)
