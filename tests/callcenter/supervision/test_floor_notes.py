"""A supervisor's note reaches whom it is for, is seen once, and the floor knows by how many."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.operators import Operator
from callcenter.seats import operator_snapshot
from callcenter.supervision import floor_notes
from callcenter.supervision.floor_notes import FloorNote
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn, token
from tests.callcenter import cast

make_person, sign_in = base.make_person, base.sign_in


@pytest.fixture
def sergio(make_person: MakePerson, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_person("supervisor", username="sergio"))


def read_by(session: Session, operator: Operator) -> list[str]:
    session.flush()
    return [note["text"] for note in floor_notes.unseen_by(session, operator.id)]


def test_a_note_goes_to_everybody_to_a_campaign_or_to_one(session: Session) -> None:
    ana, berta, carla = (cast.operator(session, name) for name in ("ana", "berta", "carla"))
    own, other = cast.queue(session), cast.queue(session)
    session.execute(operators.operator_queues.insert().values(operator_id=ana.id, queue_id=own.id))
    session.execute(operators.operator_queues.insert().values(operator_id=berta.id, queue_id=other.id))
    by = carla.user_id
    floor_notes.send(session, "A todos", by)
    floor_notes.send(session, "Al sondeo", by, queue_id=own.id)
    floor_notes.send(session, "Solo a Berta", by, operator_id=berta.id)
    assert read_by(session, ana) == ["A todos", "Al sondeo"]
    assert read_by(session, berta) == ["A todos", "Solo a Berta"]
    assert read_by(session, carla) == ["A todos", "Al sondeo"]  # without campaigns of her own she serves every one


def test_a_note_is_shown_until_it_is_seen_withdrawn_or_the_shift_is_over(session: Session, app: Flask) -> None:
    olga = cast.operator(session)
    first, second, third = (floor_notes.send(session, f"Aviso {n}", olga.user_id) for n in range(3))
    floor_notes.seen(session, first.id, olga.id)
    floor_notes.seen(session, first.id, olga.id)
    floor_notes.withdraw(session, second.id, olga.user_id)
    assert read_by(session, olga) == ["Aviso 2"]
    with app.test_request_context():
        (shown,) = operator_snapshot.snapshot(session, olga.id)["notes"]
    assert (shown["id"], shown["by"]) == (third.id, "Olga")
    session.get_one(FloorNote, third.id).ends_at = real_now() - timedelta(seconds=1)
    assert read_by(session, olga) == []


def test_the_floor_counts_who_has_seen_a_note_and_who_at_work_has_not(session: Session) -> None:
    ana, _berta = cast.operator(session, "ana"), cast.operator(session, "berta")
    cast.operator(session, "ausente", free=False)
    note = floor_notes.send(session, "Junta a las 5", ana.user_id)
    floor_notes.seen(session, note.id, ana.id)
    (sent,) = floor_notes.of_shift(session)
    assert (sent.read, sent.waiting, sent.to) == (1, 1, "")


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 281])
def test_an_empty_or_endless_note_is_refused(session: Session, text: str) -> None:
    with pytest.raises(InvalidInput):
        floor_notes.send(session, text, cast.operator(session).user_id)


def test_a_note_for_somebody_else_cannot_be_seen(session: Session) -> None:
    ana, berta = cast.operator(session, "ana"), cast.operator(session, "berta")
    note = floor_notes.send(session, "Solo a Berta", ana.user_id, operator_id=berta.id)
    with pytest.raises(NotFound):
        floor_notes.seen(session, note.id, ana.id)


def test_a_supervisor_sends_from_the_floor_and_the_audit_holds_no_word_of_it(
    session: Session, sergio: FlaskClient
) -> None:
    olga = cast.operator(session)
    session.commit()
    headers = {"X-CSRFToken": token(sergio, "/floor/"), "HX-Request": "true"}
    answer = sergio.post("/floor/notes", data={"text": "Tome  agua", "to": f"operator/{olga.id}"}, headers=headers)
    assert answer.status_code == 200
    assert "Tome agua" in answer.text
    assert sergio.post("/floor/notes", data={"text": "x", "to": "street/1"}, headers=headers).status_code == 422
    (note,) = floor_notes.of_shift(session)
    answer = sergio.post(f"/floor/notes/{note.id}/withdraw", headers=headers)
    assert "Tome agua" not in answer.text
    kept = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"floor-note/{note.id}")).all()
    assert sorted(entry.action for entry in kept) == ["floor_notes.send", "floor_notes.withdraw"]
    assert all("agua" not in str(entry.detail) for entry in kept)


def test_an_operator_says_in_the_console_that_a_note_was_seen(
    session: Session, make_person: MakePerson, sign_in: SignIn
) -> None:
    olivia = make_person("operator", username="olivia")
    mine = operators.of_user(session, olivia.id)
    note = floor_notes.send(session, "Junta a las 5", olivia.id)
    session.commit()
    client = sign_in(olivia)
    headers = {"X-CSRFToken": token(client, "/console/"), "Idempotency-Key": str(uuid4())}
    answer = client.post(f"/console/notes/{note.id}/seen", json={}, headers=headers)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["notes"] == []
    assert floor_notes.unseen_by(session, mine.id) == []
