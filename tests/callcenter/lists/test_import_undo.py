"""Taking an import back: what it made goes, what it changed is as before, and who was reached since stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from callcenter import consent, imports, suppressions
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import Refused
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone
from callcenter.imports import ImportBatch
from callcenter.lists import import_jobs
from callcenter.lists.import_undo import ImportChange
from tests.callcenter.test_imports import EXPECTED, SAMPLE

HEAD = "NOMBRE,CELULAR,EDAD,ACEPTA_AVISO\n"


def run(session: Session, path: Path, **options: Any) -> ImportBatch:
    batch = imports.create(session, path, source=path.name, file_name=path.name)
    for name, value in options.items():
        setattr(batch, name, value)
    imports.bring_in(session, imports.open_list(session, batch.id))
    _as_other_transactions(session, batch)
    return batch


def _as_other_transactions(session: Session, batch: ImportBatch) -> None:
    """A test is one transaction: what it does later is told from what the merge did by an earlier number."""
    for contacts in ("SET LOCAL session_replication_role = replica",
                     "UPDATE contacts SET change_id = :own WHERE change_id = ANY(:changes)",
                     "SET LOCAL session_replication_role = origin"):  # fmt: skip
        own = {"own": batch.id, "changes": batch.change_ids} if ":own" in contacts else {}
        session.execute(text(contacts), own)
    batch.change_ids = [batch.id]
    session.commit()


def undo(session: Session, batch: ImportBatch) -> dict[str, Any]:
    imports.undo(session, batch.id, None)
    session.commit()
    import_jobs.undo_import(batch.id)
    undone: dict[str, Any] = imports.get(session, batch.id).counts["undone"]
    return undone


def count(session: Session, model: Any) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "lista.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_an_import_taken_back_leaves_nobody_and_no_evidence(session: Session) -> None:
    batch = run(session, SAMPLE)
    said = imports.undo_preview(session, batch.id)
    figures = undo(session, batch)
    assert said == {"people": EXPECTED["created"], "restored": 0, "kept": 0, "kept_reasons": {}}
    assert {key: figures[key] for key in said} == said
    assert [count(session, model) for model in (Contact, ContactPhone, Consent, ImportChange)] == [0, 0, 0, 0]
    assert (batch.state, batch.undone_at is not None) == ("undone", True)
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions[-2:] == ["imports.undo", "imports.undone"]


def test_an_import_is_taken_back_once(session: Session) -> None:
    batch = run(session, SAMPLE)
    undo(session, batch)
    with pytest.raises(Refused, match="only once"):
        imports.undo(session, batch.id, None)
    import_jobs.undo_import(batch.id)
    assert imports.get(session, batch.id).state == "undone"


def test_people_it_changed_have_their_earlier_values_phones_and_consent(session: Session, write: Any) -> None:
    run(session, write(HEAD + "Ana,2281234567,30,\nEva,2281234569,50,SI\n"))
    batch = run(
        session, write(HEAD + "Ana,2281234567 / 5512345678,31,SI\nEva,2281234569,50,NO\nLuz,2281234568,,\n", "b")
    )
    figures = undo(session, batch)
    kept = session.execute(select(Contact.name, Contact.age, Contact.consent).order_by(Contact.name)).all()
    assert [tuple(row) for row in kept] == [("Ana", 30, "unknown"), ("Eva", 50, "opted_in")]
    assert (figures["people"], figures["restored"], figures["phones"], figures["consents"]) == (1, 2, 1, 2)
    assert count(session, ContactPhone) == 0
    assert session.scalars(select(Consent.source)).all() == ["lista.csv"]


def test_who_was_reached_or_changed_since_stays_and_is_counted(session: Session, write: Any) -> None:
    batch = run(
        session, write(HEAD + "Ana,2281234567,30,SI\nEva,2281234568,40,\nLuz,2281234569,50,\nIda,2281234560,,\n")
    )
    ids = {row.name: row.id for row in session.execute(select(Contact.name, Contact.id))}
    session.add(Consent(contact_id=ids["Ana"], kind="opted_in", proof="call/1", source="call", at=real_now()))
    session.execute(update(Contact).where(Contact.name == "Eva").values(age=41))
    session.commit()
    figures = undo(session, batch)
    assert figures["kept_reasons"] == {"touched": 1, "changed_later": 1}
    assert (figures["people"], figures["kept"]) == (2, 2)
    assert set(session.scalars(select(Contact.name))) == {"Ana", "Eva"}
    assert count(session, Consent) == 2


def test_a_known_person_who_was_changed_later_keeps_the_later_values(session: Session, write: Any) -> None:
    run(session, write(HEAD + "Ana,2281234567,30,\n"))
    batch = run(session, write(HEAD + "Ana,2281234567,31,\n", "b"))
    session.execute(update(Contact).values(age=32))
    session.commit()
    figures = undo(session, batch)
    assert (figures["restored"], figures["kept_reasons"]) == (0, {"changed_later": 1})
    assert session.scalars(select(Contact.age)).one() == 32


def test_phones_that_asked_not_to_be_contacted_stay_so(session: Session, write: Any) -> None:
    suppressions.add(session, "+522281234567", reason="call", source="call", at=real_now())
    batch = run(session, write(HEAD + "Ana,2281234567,30,\n"))
    assert session.scalars(select(Contact.suppressed)).one() is True
    undo(session, batch)
    assert suppressions.find(session, "+522281234567") is not None


def test_the_command_takes_an_import_back_and_says_what_it_did(app: Flask, session: Session) -> None:
    batch = run(session, SAMPLE)
    runner = app.test_cli_runner()
    dry = runner.invoke(args=["contacts", "undo", str(batch.id), "--dry-run"])
    assert json.loads(dry.output)["people"] == count(session, Contact) == EXPECTED["created"]
    done = runner.invoke(args=["contacts", "undo", str(batch.id)])
    assert (json.loads(done.output)["people"], count(session, Contact)) == (EXPECTED["created"], 0)
    assert runner.invoke(args=["contacts", "undo", str(batch.id)]).exit_code == 2


def test_phones_that_the_list_alone_put_off_come_back_and_those_of_who_said_so_stay(
    session: Session, write: Any
) -> None:
    run(session, write("NOMBRE,CELULAR\nOna,2281234567\n"))
    batch = run(
        session, write("NOMBRE,CELULAR,NO LLAMAR\nAna,2281234567,SI\nEva,2281234568,SI\nLuz,2281234569,SI\n", "b")
    )
    assert set(session.scalars(select(Contact.name).where(Contact.suppressed))) == {"Ana", "Eva", "Luz", "Ona"}
    session.execute(update(Contact).where(Contact.name == "Luz").values(age=41))  # so she stays
    consent.opt_out(session, "+522281234568", reason="sms_reply", proof="message/1", source="sms")
    session.commit()
    undo(session, batch)
    session.expire_all()
    assert {who.name: who.suppressed for who in session.scalars(select(Contact))} == {
        "Eva": True, "Luz": True, "Ona": False,
    }  # fmt: skip
    assert suppressions.find(session, "+522281234567") is None
    assert suppressions.counts(session) == {"import": 2}
