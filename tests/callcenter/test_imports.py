"""From a campaign's list to people: the sample's exact outcome, and what a second look at it changes."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone
from callcenter.imports import RefusedRow

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "contactos_minatitlan.csv"
EXPECTED = json.loads((DATA / "contactos_minatitlan.csv.expected.json").read_text())


def run(session: Session, path: Path, *, source: str = "lista", **options: Any) -> dict[str, Any]:
    """Import a file as the command does."""
    batch = imports.create(session, path, source=source, file_name=path.name)
    for name, value in options.items():
        setattr(batch, name, value)
    for _done in imports.stage(session, batch.id):
        session.commit()
    counts = imports.merge(session, batch.id)
    session.commit()
    return counts


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "lista.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_the_sample_has_exactly_the_expected_outcome(session: Session) -> None:
    counts = run(session, SAMPLE)
    assert {key: counts[key] for key in EXPECTED} == EXPECTED
    assert session.scalar(select(func.count()).select_from(Contact)) == EXPECTED["created"]
    assert session.scalar(select(func.count()).select_from(RefusedRow)) == sum(EXPECTED["rejected"].values())


def test_the_same_file_again_creates_nothing(session: Session) -> None:
    run(session, SAMPLE)
    before = session.scalar(select(func.count()).select_from(Consent))
    counts = run(session, SAMPLE)
    assert (counts["created"], counts["updated"], counts["household_members"]) == (0, 0, 0)
    assert (counts["unchanged"], counts["duplicates"]) == (EXPECTED["created"], EXPECTED["duplicates"])
    assert session.scalar(select(func.count()).select_from(Contact)) == EXPECTED["created"]
    assert session.scalar(select(func.count()).select_from(Consent)) == before
