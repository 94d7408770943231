"""From a campaign's list to people: the sample's exact outcome, and what a second look at it changes."""

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone
from callcenter.imports import RefusedRow
from callcenter.lists import import_jobs
from callcenter.tables import table_blocks

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "contactos_minatitlan.csv"
EXPECTED = json.loads((DATA / "contactos_minatitlan.csv.expected.json").read_text())


def run(session: Session, path: Path, *, source: str = "lista", **options: Any) -> dict[str, Any]:
    """Import a file as the command does."""
    batch = imports.create(session, path, source=source, file_name=path.name)
    for name, value in options.items():
        setattr(batch, name, value)
    opened = imports.open_list(session, batch.id)
    session.commit()
    counts = imports.bring_in(session, opened)
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


def test_a_workbook_has_the_same_outcome_as_the_text(session: Session, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in SAMPLE.read_text(encoding="cp1252").splitlines():
        sheet.append(line.split("|"))
    book.save(tmp_path / "lista.xlsx")
    counts = run(session, tmp_path / "lista.xlsx")
    assert {key: counts[key] for key in EXPECTED} == EXPECTED


def test_a_list_in_small_blocks_has_the_same_outcome(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 900)
    counts = run(session, SAMPLE)
    assert {key: counts[key] for key in EXPECTED} == EXPECTED


def test_what_a_newer_list_says_replaces_and_what_it_leaves_blank_stays(session: Session, write: Any) -> None:
    run(session, write("NOMBRE,CELULAR,EDAD,COLONIA\nAna Peña,2281234567,30,Centro\n"))
    counts = run(session, write("NOMBRE,CELULAR,EDAD,COLONIA\nANA  PENA,228 123 4567,31,\n", "otra.csv"))
    person = session.scalars(select(Contact)).one()
    assert (counts["created"], counts["updated"], counts["unchanged"]) == (0, 1, 0)
    assert (person.age, person.neighborhood, person.name) == (31, "Centro", "Ana Peña")


def test_of_two_answers_the_refusing_one_holds_in_one_list_and_over_lists(session: Session, write: Any) -> None:
    head = "NOMBRE,CELULAR,ACEPTA_AVISO\n"
    counts = run(session, write(head + "Ana,2281234567,SI\nAna,2281234567,NO\nEva,2281234568,SI\n"))
    assert (counts["opted_in"], counts["opted_out"]) == (1, 1)
    run(session, write(head + "Ana,2281234567,SI\nEva,2281234568,NO\n", "otra.csv"), source="otra")
    held = dict(session.execute(select(Contact.name, Contact.consent)).all())
    assert held == {"Ana": "opted_out", "Eva": "opted_out"}
    newest = session.scalars(select(Consent).order_by(Consent.contact_id, Consent.id)).all()
    assert [(row.kind, row.proof.split()[-1]) for row in newest] == [
        ("opted_in", "2"), ("opted_out", "3"), ("opted_in", "4"), ("opted_out", "3"),
    ]  # fmt: skip


def test_second_phones_are_kept_in_the_order_to_try_them(session: Session, write: Any) -> None:
    run(session, write("NOMBRE,TEL_CASA,CELULAR\nAna,2281234567,5512345678 / 5512345679\n"))
    person = session.scalars(select(Contact)).one()
    extra = session.scalars(select(ContactPhone).order_by(ContactPhone.position)).all()
    assert (person.phone, person.line_kind, person.line_kind_source) == ("+525512345678", "mobile", "column")
    assert [(one.phone, one.line_kind) for one in extra] == [
        ("+525512345679", "mobile"), ("+522281234567", "landline"),
    ]  # fmt: skip


def test_sensitive_columns_are_dropped_by_name_and_by_shape_noted_and_never_stored(
    session: Session, write: Any
) -> None:
    curp = "PEAA900531MVZRNN09"
    others = "".join(f"Luis {n},55123456{n},{curp}," + "\n" for n in range(10, 20))
    head = f"NOMBRE,CELULAR,DATO,CURP\nAna,2281234567,{curp},{curp}\nEva,no,{curp},{curp}\n"
    path = write(f"{head}{curp},2281234568,,\n{others}")
    counts = run(session, path)
    assert counts["dropped_columns"] == ["DATO", "CURP"]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "imports.drop_columns")).one()
    assert entry.detail == {"columns": ["DATO", "CURP"]}
    assert session.scalars(select(RefusedRow)).one().cells == {"NOMBRE": "Eva", "CELULAR": "no"}
    assert not session.scalars(select(Contact).where(Contact.name.contains(curp))).all()


def test_m_beside_f_is_asked_and_never_guessed(session: Session, write: Any) -> None:
    path = write("NOMBRE,CELULAR,SEXO\nAna,2281234567,F\nLuis,2281234568,M\n")
    with pytest.raises(InvalidInput, match="M means"):
        run(session, path)
    assert session.scalar(select(func.count()).select_from(Contact)) == 0
    run(session, path, sex_letters="MF")
    assert dict(session.execute(select(Contact.name, Contact.sex)).all()) == {"Ana": "M", "Luis": "H"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("NOMBRE,SECCION\nAna,2301\n", "No column holds phones"),
        ("uno,dos\n1,2\n", "column names"),
    ],
)
def test_a_list_without_what_it_needs_is_refused_whole(session: Session, write: Any, text: str, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        run(session, write(text))
    assert session.scalar(select(func.count()).select_from(Contact)) == 0


def test_a_file_that_breaks_in_the_middle_leaves_nobody(session: Session, write: Any) -> None:
    lines = "".join(f"Persona {n},22812{n:05}\n" for n in range(6000))
    path = write("NOMBRE,CELULAR\n" + lines + "x," * 400 + "\n")
    with pytest.raises(InvalidInput, match="columns"):
        run(session, path)
    assert session.scalar(select(func.count()).select_from(Contact)) == 0


def test_a_batch_whose_worker_is_gone_is_enqueued_again(session: Session) -> None:
    batch = imports.create(session, SAMPLE, source="lista", file_name="lista.csv")
    batch.state, batch.created_at, batch.lease_until = (
        "running",
        real_now() - imports.LEASE * 3,
        real_now() - imports.LEASE,
    )
    session.flush()
    assert imports.sweep(session) == 1
    assert imports.sweep(session) == 0


def test_a_job_runs_an_import_and_running_it_again_changes_nothing(session: Session, tmp_path: Path) -> None:
    path = tmp_path / imports.UPLOADS / ("0" * 32)
    path.parent.mkdir()
    path.write_bytes(SAMPLE.read_bytes())
    batch = imports.create(session, path, source="lista", file_name="lista.csv")
    session.commit()
    import_jobs.inspect_import(batch.id)
    batch = imports.get(session, batch.id)
    assert batch.preview is not None
    assert (batch.state, len(batch.preview["rows"]), batch.preview["dropped"]) == ("mapping", 50, {"10": "name"})
    imports.start(session, batch.id, batch.mapping, None, None)
    session.commit()
    for _ in range(2):
        import_jobs.run_import(batch.id)
    batch = imports.get(session, batch.id)
    assert (batch.state, batch.counts["created"]) == ("done", EXPECTED["created"])
    assert not path.exists()


def test_a_cancelled_import_leaves_nothing(session: Session) -> None:
    batch = imports.create(session, SAMPLE, source="lista", file_name="lista.csv")
    imports.cancel(session, batch.id, None)
    session.commit()
    import_jobs.run_import(batch.id)
    assert session.scalar(select(func.count()).select_from(Contact)) == 0
