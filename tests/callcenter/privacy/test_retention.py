"""The purge: nothing before it is confirmed, exactly what is due after, in steps, counted."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base import leases, outbox
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.contacts import Contact
from callcenter.imports import ImportBatch, RefusedRow
from callcenter.privacy import arco, privacy_jobs, retention, retention_policy
from callcenter.privacy.arco import Asked
from callcenter.privacy.retention import RetentionCount
from callcenter.suppressions import Suppression
from tests.callcenter.cast import connected, operator, person, queue
from tests.conftest import ClientAs


def due(session: Session) -> dict[str, int]:
    return {one.kind: one.count for one in retention.preview(session) if one.count}


def today(session: Session) -> date:
    return campaign_now(session).astimezone(ZONE).date()


@pytest.fixture
def old(app: Flask, session: Session) -> dict[str, Any]:
    """Something old and something new of each kind."""
    long_ago = real_now() - timedelta(days=400)
    kept, gone = person(session, "Nueva Persona"), person(session, "Vieja Persona")
    gone.created_at = long_ago
    for at, state in ((long_ago, "done"), (real_now(), "done"), (long_ago, "mapping")):
        batch = ImportBatch(source="x", file_name="x", file="/nowhere/x", file_sha256="x", state=state, created_at=at,
                            finished_at=at if state == "done" else None, preview={"rows": []})  # fmt: skip
        session.add(batch)
        session.flush()
        session.add(RefusedRow(import_id=batch.id, row_number=1, reason="x", cells={}))
    case = arco.open_case(session, Asked("access", "Eva Prueba", "x"), None)
    arco.reject(session, case.id, "No", None)
    case.closed_at = long_ago
    suppressions.add(session, "+522281234567", reason="call", source="test", at=long_ago)
    session.add(AuditEntry(action="x.y", subject="z", at=real_now() - timedelta(days=2000)))
    session.commit()
    return {"kept": kept.id, "gone": gone.id, "case": case.id}


def confirmed(session: Session, user: User, **days: int) -> None:
    terms = {kind: days.get(kind, term.days) for kind, term in retention_policy.TERMS.items()}
    retention_policy.change(session, terms, today(session) - timedelta(days=61), user.id)
    retention_policy.confirm(session, user.id)
    session.commit()


def test_nothing_goes_before_an_administrator_confirmed(old: dict[str, Any], session: Session) -> None:
    assert due(session) == {"refused_rows": 2, "import_previews": 1, "arco_requests": 1, "audit": 1}
    assert not retention.sweep(session)
    privacy_jobs.purge()
    assert due(session) == {"refused_rows": 2, "import_previews": 1, "arco_requests": 1, "audit": 1}
    assert session.scalar(select(func.count()).select_from(RetentionCount)) == 0


def test_what_is_due_goes_and_the_rest_stays(old: dict[str, Any], session: Session, people: dict[str, User]) -> None:
    confirmed(session, people["administrator"])
    assert due(session)["contacts"] == 1
    assert retention.sweep(session)
    session.commit()
    assert outbox.redis().llen("rq:queue:bulk") == 1
    privacy_jobs.purge()
    session.expire_all()
    assert due(session) == {}
    assert session.get(Contact, old["gone"]) is None
    assert session.get(Contact, old["kept"]) is not None
    assert session.scalar(select(func.count()).select_from(RefusedRow)) == 1
    assert session.get_one(arco.ArcoRequest, old["case"]).asker is None
    assert session.scalar(select(func.count()).select_from(Suppression)) == 1
    assert session.scalars(select(ImportBatch.state).order_by(ImportBatch.id)).all() == ["done", "done", "cancelled"]


def test_each_step_is_counted_and_audited(old: dict[str, Any], session: Session, people: dict[str, User]) -> None:
    confirmed(session, people["administrator"])
    counts: list[int] = []
    while counts[-1:] != [0]:
        counts.append(retention.purge_some(session, "refused_rows", limit=1))
    assert counts == [1, 1, 0]
    (row,) = session.scalars(select(RetentionCount)).all()
    assert (row.kind, row.count) == ("refused_rows", 2)
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "retention.purge")).all()
    assert [(entry.subject, entry.detail) for entry in entries] == [("retention/refused_rows", {"count": 1})] * 2


def test_people_stay_until_the_results_are_final(
    old: dict[str, Any], session: Session, people: dict[str, User]
) -> None:
    terms = {kind: term.days for kind, term in retention_policy.TERMS.items()}
    for final in (None, today(session), today(session) - timedelta(days=59)):
        retention_policy.change(session, terms, final, people["administrator"].id)
        assert "contacts" not in due(session)
    retention_policy.change(session, terms, today(session) - timedelta(days=60), people["administrator"].id)
    assert due(session)["contacts"] == 1


def test_nobody_is_purged_in_mid_call(app: Flask, session: Session, people: dict[str, User]) -> None:
    who = person(session)
    who.created_at = real_now() - timedelta(days=400)
    operator(session)
    connected(session, queue(session, who))
    confirmed(session, people["administrator"])
    assert "contacts" not in due(session)


def test_a_change_needs_a_new_confirmation(session: Session, app: Flask, people: dict[str, User]) -> None:
    admin = people["administrator"]
    confirmed(session, admin)
    with pytest.raises(Refused):
        retention_policy.confirm(session, admin.id)
    terms = {kind: term.days for kind, term in retention_policy.TERMS.items()} | {"audit": 1000}
    retention_policy.change(session, terms, None, admin.id)
    assert retention_policy.read(session).confirmed_at is None
    retention_policy.confirm(session, admin.id)
    retention_policy.stop(session, admin.id)
    assert retention_policy.read(session).confirmed_at is None


def test_days_outside_the_terms_are_refused_by_kind(session: Session, app: Flask) -> None:
    terms: dict[str, int | None] = {kind: term.days for kind, term in retention_policy.TERMS.items()}
    with pytest.raises(InvalidInput) as fault:
        retention_policy.change(session, terms | {"audit": 3, "contacts": None}, None, None)
    assert set(fault.value.faults) == {"audit", "contacts"}


def test_one_worker_purges_at_a_time(old: dict[str, Any], session: Session, people: dict[str, User]) -> None:
    confirmed(session, people["administrator"])
    assert leases.take(session, "retention", "another worker", 60) is not None
    session.commit()
    privacy_jobs.purge()
    assert due(session)["refused_rows"] == 2


def test_only_the_terms_that_were_seen_are_confirmed(
    session: Session, client_as: ClientAs, people: dict[str, User]
) -> None:
    admin = client_as("administrator")
    page = admin.get("/privacy/retention").text
    token, seen = (re.search(rf'name="{name}" (?:content|value)="([^"]+)"', page) for name in ("csrf-token", "terms"))
    assert token
    assert seen
    terms = {kind: term.days for kind, term in retention_policy.TERMS.items()} | {"refused_rows": 1}
    retention_policy.change(session, terms, None, people["administrator"].id)
    session.commit()
    for shown, status in ((seen[1], 409), ("", 409), (retention_policy.read(session).version, 302)):
        answer = admin.post("/privacy/retention/confirm", data={"csrf_token": token[1], "terms": shown})
        assert answer.status_code == status
        assert (retention_policy.read(session).confirmed_at is None) is (status == 409)


@pytest.mark.parametrize(("state", "count"), [("running", 0), ("undoing", 0), ("done", 1)])
def test_an_import_at_work_keeps_what_it_refused_however_long_it_waited(
    session: Session, app: Flask, state: str, count: int
) -> None:
    batch = ImportBatch(source="x", file_name="x", file="x", file_sha256="", state=state,
                        created_at=real_now() - timedelta(days=40))  # fmt: skip
    session.add(batch)
    session.flush()
    session.add(RefusedRow(import_id=batch.id, row_number=1, reason="x", cells={}))
    session.flush()
    assert due(session).get("refused_rows", 0) == count
