from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.simulated_carrier.line import Line, running


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def line(journal_path: Path) -> Iterator[Line]:
    with running(journal_path) as line:
        yield line
