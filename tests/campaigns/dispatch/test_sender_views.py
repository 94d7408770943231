"""The page of the senders: an administrator's."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaigns.dispatch.sender_tables import PoolMember, Sender, SenderPool

PAGE = "/campaigns/messages/senders"
WANTED = {"channel": "sms", "address": "26262", "parts_per_second": "100", "name": "Code", "daily_people": ""}


@pytest.fixture
def administrator(app: Flask, client_as: Callable[[str], FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return client_as("administrator")


def test_a_sender_is_entered_changed_and_paused(session: Session, administrator: FlaskClient) -> None:
    assert administrator.get(PAGE).status_code == 200
    assert administrator.post(PAGE, data=WANTED).status_code == 302
    made = session.scalars(select(Sender)).one()
    assert (made.address, made.parts_per_second, made.carrier, made.state) == ("26262", 100.0, "simulated", "active")
    assert "26262" in administrator.get(PAGE).text
    administrator.post(f"{PAGE}/{made.id}", data=WANTED | {"parts_per_second": "12,5", "daily_people": "1000"})
    administrator.post(f"{PAGE}/{made.id}/state", data={"on": "0"})
    session.expire_all()
    assert (made.parts_per_second, made.daily_people, made.state) == (12.5, 1000, "paused")
    administrator.post(f"{PAGE}/{made.id}/state", data={"on": "1"})
    session.expire_all()
    assert made.state == "active"


def test_a_fault_keeps_what_was_written_and_says_what_to_do(session: Session, administrator: FlaskClient) -> None:
    page = administrator.post(PAGE, data=WANTED | {"parts_per_second": "fast"})
    assert page.status_code == 422
    assert 'value="26262"' in page.text
    assert "invalid-feedback" in page.text
    assert session.scalars(select(Sender)).all() == []
    assert administrator.post(PAGE, data=WANTED | {"channel": "pigeon"}).status_code == 422


def test_senders_are_pooled(session: Session, administrator: FlaskClient) -> None:
    administrator.post(PAGE, data=WANTED)
    administrator.post(PAGE, data=WANTED | {"address": "26263"})
    ids = [str(number) for number in session.scalars(select(Sender.id))]
    assert administrator.post(f"{PAGE}/pools", data={"name": "Codes", "senders": ids}).status_code == 302
    pool = session.scalars(select(SenderPool)).one()
    assert len(session.scalars(select(PoolMember)).all()) == 2
    administrator.post(f"{PAGE}/pools/{pool.id}", data={"name": "Code", "senders": ids[:1]})
    session.expire_all()
    assert pool.name == "Code"
    assert len(session.scalars(select(PoolMember)).all()) == 1
    page = administrator.post(f"{PAGE}/pools", data={"name": "", "senders": ids})
    assert page.status_code == 422
    assert "Codes" not in page.text


def test_others_do_not_see_it(client_as: Callable[[str], FlaskClient]) -> None:
    assert client_as("strategist").get(PAGE).status_code == 403
