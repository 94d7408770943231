import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import data_folder, service_user
from tests.scripts.folders import open_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    yield from open_folder()


def test_a_new_folder_is_private_and_the_service_user_s(folder: Path) -> None:
    data_folder.prepare(folder / "var")
    found = (folder / "var").stat()
    user = service_user.service_user()
    assert found.st_mode & 0o777 == 0o700
    assert found.st_uid == (user.pw_uid if user else os.getuid())


def test_a_folder_with_other_things_is_left_alone(folder: Path) -> None:
    (folder / "letters.txt").write_text("Dear Rosa")
    before = folder.stat()
    with pytest.raises(data_folder.CannotUse, match="holds other things"):
        data_folder.prepare(folder)
    assert (folder.stat().st_mode, folder.stat().st_uid) == (before.st_mode, before.st_uid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_a_folder_of_another_user_is_refused_by_name(folder: Path) -> None:
    var = folder / "var"
    var.mkdir()
    os.chown(var, 65534, -1)
    with pytest.raises(data_folder.CannotUse, match="belongs to nobody"):
        data_folder.prepare(var)


def test_a_second_claim_names_the_first(folder: Path) -> None:
    claim = data_folder.claim(folder, "make run")
    with pytest.raises(data_folder.InUse, match=rf"make run \(process {os.getpid()}\) already runs"):
        data_folder.claim(folder, "A flask command")
    os.close(claim)
    os.close(data_folder.claim(folder, "A flask command"))


def test_a_claim_waits_for_the_children_of_a_dead_holder(folder: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from scripts import data_folder\n"
        "data_folder.claim(Path(sys.argv[1]), 'make run')\n"
        "os.fork() or (time.sleep(0.5), os._exit(0))\n"
    )
    # The parent ends at once; its child holds the inherited claim half a second longer.
    subprocess.run([sys.executable, "-c", script, str(folder)], cwd=data_folder.__file__.rsplit("/", 2)[0], check=True)
    os.close(data_folder.claim(folder, "make run"))
