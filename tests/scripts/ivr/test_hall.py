"""The hall: what it says of itself, and when it leaves its citizens to another program."""

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from callcenter import switches
from callcenter.base import sealed
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.ledger import apologies
from scripts.ivr.hall import Hall
from scripts.ivr.line import Line
from surveys.fieldwork import recorded_calls
from surveys.voice import speech
from tests.callcenter import cast as made


class Client:
    """A connection that can be refused."""

    def __init__(self) -> None:
        self.fault: ProviderError | None = None
        self.closed = 0
        self.events = self

    def connect(self) -> None:
        if self.fault is not None:
            raise self.fault

    def get(self) -> Any:
        threading.Event().wait()  # nothing is ever heard here

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def hall(session: Session, settings: Settings, client: Client, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Hall:
    monkeypatch.setattr(recorded_calls, "CARRIED", ())
    sealed.configure(settings.secret_key)
    (tmp_path / "prompts").mkdir()
    switches.register(session, "local", host="127.0.0.1", ami_port=1, ws_url="ws://x", secrets={"ivr": "s"},
                      folder=str(tmp_path))  # fmt: skip
    session.commit()
    return Hall("local", make_client=lambda _door: cast(Any, client))


def test_the_apologies_of_running_campaigns_lie_ready_on_the_switch(
    session: Session, hall: Hall, tmp_path: Path
) -> None:
    speech.configure(tmp_path / "speech")
    made.queue(session, made.person(session), on_behalf_of="Casa Encuestadora")
    made.queue(session, made.person(session), on_behalf_of="Nadie", state="paused")
    session.commit()
    hall.turn(0)
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == [f"{apologies.name('Casa Encuestadora')}.wav"]


def test_a_hall_at_work_says_so_and_one_that_cannot_reach_its_switch_does_not(
    session: Session, hall: Hall, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.fault = ProviderError("The switch cannot be reached.", code="unreachable")
    hall.turn(0)
    hall.turn(0)
    assert recorded_calls.capacity(session) is None
    assert caplog.text.count("cannot be reached") == 1
    client.fault = None
    hall.turn(0)
    assert recorded_calls.capacity(session) == 60
    assert caplog.text.count("at work") == 1


def test_a_full_disk_keeps_the_dialer_from_calling(
    session: Session, hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("surveys.voice.spool.LEAST_SPACE", 1 << 62)
    hall.turn(0)
    assert recorded_calls.capacity(session) is None
    assert "no room for prompts" in caplog.text


def test_who_no_longer_leads_leaves_the_citizens_to_the_successor(hall: Hall, client: Client) -> None:
    hall.turn(0)
    line = hall._lines["leg"] = Line(cast(Any, client), "leg")
    hall.stand_back(60)
    assert client.closed == 0
    hall.stand_back(-1)
    assert client.closed == 1
    assert line._is_abandoned
