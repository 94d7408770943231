"""A real Asterisk, and a telephone network that is nobody's: SIP and RTP on loopback only."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.base.db import Sessions
from scripts import asterisk, simulated_telephones
from tests.telephone.house import House, our_side
from tests.telephone.manager import Manager, entered, open_trunk

TRUNK = "trunk-1"


def _missing() -> str | None:
    """What this machine lacks for these tests, in one sentence."""
    try:
        asterisk.find()
    except asterisk.NotInstalled as error:
        return str(error)
    return None if shutil.which("sipp") else "There is no sipp: run “sudo sh scripts/setup.sh telephone”."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Asterisk these tests are skipped in one sentence; where CI=true that is a failure."""
    here, missing = Path(__file__).parent, _missing()
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.telephone)
            item.add_marker(pytest.mark.enable_socket)
            if missing and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(missing))


@pytest.fixture(scope="session")
def telephone_folder() -> Iterator[Path]:
    """Where Asterisks of this test process live: the service user may enter it."""
    with tempfile.TemporaryDirectory(prefix="convoca-telephone-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def switch(telephone_folder: Path) -> Iterator[asterisk.Instance]:
    """An Asterisk for the whole session."""
    with asterisk.running(telephone_folder / "asterisk") as instance:
        yield instance


@pytest.fixture(scope="session")
def network() -> Iterator[simulated_telephones.Network]:
    """Invented telephones: what a number does is said by its last two digits (BEHAVIOURS)."""
    with simulated_telephones.running() as network:
        yield network


@pytest.fixture(scope="session")
def trunk(switch: asterisk.Instance, network: simulated_telephones.Network) -> str:
    """The name of a trunk from the Asterisk to the invented telephones."""
    with entered(switch, "worker") as worker:
        open_trunk(worker, TRUNK, network.port)
    return TRUNK


@pytest.fixture
def listener(switch: asterisk.Instance) -> Iterator[Manager]:
    """What the switch daemon hears."""
    with entered(switch, "switch") as manager:
        yield manager


@pytest.fixture
def worker(switch: asterisk.Instance, trunk: str) -> Iterator[Manager]:
    """What workers may do; the trunk is there."""
    with entered(switch, "worker") as manager:
        yield manager


@pytest.fixture
def house(
    committed: Sessions, switch: asterisk.Instance, network: simulated_telephones.Network, trunk: str
) -> Iterator[House]:
    """The product's side of the same telephones."""
    with our_side(committed, switch, network) as house:
        yield house
