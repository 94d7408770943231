from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import carriers, suppressions
from callcenter.base.settings import Settings
from callcenter.operators import Operator
from callcenter.sound import recording_files
from tests.callcenter import recording_cast, switchboard_cast
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.switchboard_cast import FakeSwitchboard


@pytest.fixture(autouse=True)
def _suppression_key() -> None:
    suppressions.configure(b"suppression-of-the-tests")


@pytest.fixture
def carrier() -> Iterator[FakeCarrier]:
    """The process's carrier `simulated`, which does as it is told."""
    fake = FakeCarrier()
    carriers.use({"simulated": fake})
    yield fake
    carriers.use({})


@pytest.fixture
def board() -> Iterator[FakeSwitchboard]:
    """The process's carrier `asterisk`, which writes down what it is asked for."""
    with switchboard_cast.switchboard() as fake:
        yield fake


@pytest.fixture
def olga(session: Session, board: FakeSwitchboard) -> Operator:
    """An operator in her room, free."""
    return switchboard_cast.operator(session, "olga")


@pytest.fixture
def spool(app: Flask, session: Session, tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A switch's folder of recordings; our own storage stands beside it."""
    folder = tmp_path / "spool"
    carriers.use({"asterisk": FakeSwitchboard()})
    recording_files.configure(replace(settings, var=tmp_path / "var"))
    recording_cast.switch(session, folder)
    session.commit()
    yield folder
    carriers.use({})
    recording_files.configure(settings)
