"""Which Asterisk there is: the machine's own, else Debian's in a folder, run by that folder's own libraries.

Nothing is chrooted: the folder's dynamic loader starts the program with the folder's libraries, so that no right of
root is needed and a path means the same to Asterisk and to us."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

OLDEST = 20  # the first long-term version with everything that the dialplan uses
FOLDER = Path("/var/lib/convoca/asterisk")  # where `sh scripts/setup.sh telephone` puts one


class NotInstalled(Exception):
    """There is no Asterisk here; the message says how to get one."""


@dataclass(frozen=True)
class Installation:
    """`command` starts the program; `modules` is the folder of its modules. `data`: its sounds and documents, None
    where the compiled-in folder is right. `reads`: what its user must be able to read."""

    command: tuple[str, ...]
    version: str
    modules: Path
    data: Path | None
    reads: tuple[Path, ...]


@lru_cache(maxsize=1)
def find() -> Installation:
    """The Asterisk of this machine. Raises NotInstalled."""
    for found in (_on_path(), _in_folder(Path(os.environ.get("CONVOCA_ASTERISK") or FOLDER))):
        if found is not None:
            return found
    raise NotInstalled(
        f"There is no Asterisk {OLDEST} or newer on this machine: run “sudo sh scripts/setup.sh telephone”."
    )


def _on_path() -> Installation | None:
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    version, modules = _version((program,)), _modules(Path(program))
    if not version or modules is None:
        return None
    return Installation((program,), version, modules, None, (Path(program), modules))


def _modules(program: Path) -> Path | None:
    """The modules of an installed program: beside it, wherever its makers put them."""
    prefix = program.resolve().parents[1]
    places = ("lib/asterisk/modules", "lib64/asterisk/modules", "lib/*/asterisk/modules")
    return next((found.parent for place in places for found in prefix.glob(f"{place}/chan_pjsip.so")), None)


def _in_folder(folder: Path) -> Installation | None:
    """A Debian that holds the package asterisk."""
    loader = next(folder.glob("usr/lib/*/ld-linux-*.so.*"), None)
    program = folder / "usr" / "sbin" / "asterisk"
    if loader is None or not program.exists():
        return None
    libraries = loader.parent
    command = (str(loader), "--library-path", str(libraries), "--argv0", "asterisk", str(program))
    version = _version(command)
    if not version:
        return None
    data, modules = folder / "usr" / "share" / "asterisk", libraries / "asterisk" / "modules"
    return Installation(command, version, modules, data, (program, modules, data))


def _version(command: tuple[str, ...]) -> str:
    """“22.10.1”; empty when it does not run or is too old."""
    try:
        said = subprocess.run([*command, "-V"], capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"Asterisk (?:certified[/-])?((\d+)\.[\d.]+)", said)
    return found[1] if found and int(found[2]) >= OLDEST else ""
