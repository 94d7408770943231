"""The console's acts in a call, the listening panel and the list of outside numbers, through their pages."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import flags
from callcenter.base.auth import User
from callcenter.ledger import transfer_targets
from callcenter.operators import Operator
from callcenter.supervision import supervision
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.switchboard_cast import FakeSwitchboard
from tests.conftest import ClientAs
from tests.queued import run_jobs


@pytest.fixture(autouse=True)
def board(app: Flask) -> Iterator[FakeSwitchboard]:
    app.config["WTF_CSRF_ENABLED"] = False  # its law has tests of its own
    with switchboard_cast.switchboard() as fake:
        yield fake


@pytest.fixture
def client_as(client_as: ClientAs) -> ClientAs:
    """Everybody reads English here."""

    def enter(role: str) -> FlaskClient:
        client = client_as(role)
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return client

    return enter


@pytest.fixture
def olga(session: Session, people: dict[str, User]) -> Operator:
    """The cast's operator, in an open room."""
    return switchboard_cast.seated(session, people["operator"].id)


@pytest.fixture
def page(client_as: ClientAs, olga: Operator) -> FlaskClient:
    return client_as("operator")


@pytest.fixture
def call_id(session: Session, olga: Operator) -> UUID:
    return switchboard_cast.talking(session, cast.queue(session, cast.person(session), carrier="asterisk"))


def test_each_act_answers_with_the_snapshot(
    session: Session, page: FlaskClient, board: FakeSwitchboard, call_id: UUID
) -> None:
    answer = page.post(f"/console/calls/{call_id}/hold", json={"on": True})
    assert answer.get_json()["call"]["acts"]["held_at"]
    assert page.post(f"/console/calls/{call_id}/keys", json={"keys": "5"}).status_code == 200
    target = transfer_targets.TransferTarget(name="Oficina", phone="+525555550102")
    session.add(target)
    session.commit()
    assert page.get(f"/console/calls/{call_id}/targets").get_json()["outside"] == [{"id": target.id, "name": "Oficina"}]
    wanted = {"kind": "outside", "id": target.id}
    assert (
        page.post(f"/console/calls/{call_id}/consult", json=wanted).get_json()["call"]["acts"]["leg"]["state"]
        == "asked"
    )
    run_jobs()
    assert page.post(f"/console/calls/{call_id}/join-all", json={}).status_code == 409
    assert page.post(f"/console/calls/{call_id}/complete", json={}).status_code == 409
    page.post(f"/console/calls/{call_id}/drop-leg", json={})
    run_jobs()
    answer = page.post(f"/console/calls/{call_id}/transfer", json=wanted)
    assert answer.get_json()["operator"]["state"] == "wrap_up"


@pytest.mark.parametrize("given", [{}, {"kind": "moon", "id": 1}, {"kind": "outside", "id": "1"}])
def test_a_target_that_is_none_is_refused_in_words(page: FlaskClient, call_id: UUID, given: dict[str, object]) -> None:
    answer = page.post(f"/console/calls/{call_id}/transfer", json=given)
    assert answer.status_code == 422
    assert "operator, a queue or an outside number" in answer.get_json()["error"]


def test_a_supervisor_chooses_how_to_be_on_the_line(
    session: Session, client_as: ClientAs, olga: Operator, call_id: UUID, people: dict[str, User]
) -> None:
    boss = client_as("supervisor")
    assert f"/floor/listen/{olga.id}" in boss.get("/floor/board").text
    assert "You are not on the line." in boss.get(f"/floor/listen/{olga.id}").text
    assert "Your line is being opened" in boss.post(f"/floor/listen/{olga.id}", data={"mode": "listen"}).text
    run_jobs()
    listening = supervision.live_of(session, people["supervisor"].id)
    assert listening is not None
    assert listening.ref is not None
    supervision.heard(session, listening.ref, "up")
    session.commit()
    assert "Only the operator hears you." in boss.post(f"/floor/listen/{olga.id}", data={"mode": "coach"}).text
    assert client_as("operator").get("/console/state").get_json()["supervisor"]["mode"] == "coach"
    assert "You are not on the line." in boss.post(f"/floor/listen/{olga.id}/stop").text
    assert boss.post(f"/floor/listen/{olga.id}", data={"mode": "shout"}).status_code == 422


def test_a_supervisor_cannot_listen_to_somebody_without_a_line(session: Session, client_as: ClientAs) -> None:
    shut = cast.operator(session, "cerrada", free=False)
    session.commit()
    page = client_as("supervisor").get(f"/floor/listen/{shut.id}").text
    assert "This operator has no open line now." in page
    assert client_as("supervisor").get("/floor/listen/999999").status_code == 404


def test_an_administrator_keeps_the_list_of_outside_numbers(session: Session, client_as: ClientAs) -> None:
    page = client_as("administrator")
    assert "No outside number yet" in page.get("/telephony/transfers/").text
    bad = page.post("/telephony/transfers/", data={"name": "", "phone": "letras"})
    assert bad.status_code == 422
    assert "one telephone number of ten digits" in bad.text
    page.post("/telephony/transfers/", data={"name": "Oficina", "phone": "55 5555 0102"})
    target = session.scalars(select(transfer_targets.TransferTarget)).one()
    assert target.phone == "+525555550102"
    page.post(f"/telephony/transfers/{target.id}", data={"on": "0"})
    assert transfer_targets.listed(session) == []
    page.post("/floor/listen/policy", data={"on": "1"})
    assert flags.is_on(session, supervision.OPERATOR_SEES)
    assert client_as("supervisor").get("/telephony/transfers/").status_code == 403
