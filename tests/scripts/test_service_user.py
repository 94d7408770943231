import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import service_user
from tests.scripts.folders import open_folder

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")


@pytest.fixture
def folder() -> Iterator[Path]:
    yield from open_folder()


def _capabilities(*reads: Path, keep_reading: bool = False) -> dict[str, int]:
    command = service_user.drop(["cat", "/proc/self/status"], *reads, keep_reading=keep_reading)
    status = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {line[:6]: int(line.split()[1], 16) for line in status.splitlines() if line.startswith("Cap")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root drops its rights")
def test_without_root_a_command_stays_as_it_is() -> None:
    assert service_user.drop(["true"], Path("/root")) == ["true"]


@only_root
def test_a_command_runs_as_the_service_user_without_any_right_of_root() -> None:
    command = service_user.drop(["sh", "-c", "id -un; id -Gn"], Path("/usr"))
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["convoca", "convoca"]
    assert set(_capabilities(Path("/usr")).values()) == {0}


@only_root
def test_behind_a_closed_folder_the_right_to_read_stays_and_no_other(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    secret = folder / "closed" / "code.py"
    secret.write_text("print('read')")
    rights = _capabilities(secret)
    assert rights["CapEff"] == rights["CapBnd"] == 1 << service_user.READ_ALL_BIT
    read = service_user.drop([sys.executable, str(secret)], secret)
    assert subprocess.run(read, capture_output=True, text=True, check=True).stdout == "read\n"
    write = service_user.drop(["touch", str(secret)], secret)
    assert subprocess.run(write, capture_output=True, check=False).returncode != 0


@only_root
def test_a_container_that_withholds_the_right_to_read_is_told_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir(mode=0o700)
    (folder / "closed" / "x").touch()
    monkeypatch.setattr(service_user, "_has_read_all", lambda: False)
    with pytest.raises(service_user.CannotDrop, match=r"cannot enter .*/closed/x.*/srv/convoca"):
        service_user.drop(["true"], folder / "closed" / "x")


@only_root
def test_a_folder_of_the_service_user_s_own_needs_no_right(folder: Path) -> None:
    mine = folder / "mine"
    mine.mkdir(mode=0o700)
    service_user.own(mine)
    assert set(_capabilities(mine).values()) == {0}
