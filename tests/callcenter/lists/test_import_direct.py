"""New people who are written straight to their tables become what they become through the staging table."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from callcenter import imports, suppressions
from callcenter.base.clock import real_now
from callcenter.contacts import Contact
from callcenter.imports import ImportBatch
from callcenter.lists import import_direct, import_keys
from callcenter.lists.import_direct import Writer
from callcenter.lists.import_frames import Frame
from callcenter.lists.import_merge import Merging
from callcenter.people.merges import ContactAlias
from callcenter.tables import table_blocks
from callcenter.territory import Section
from tests.callcenter.test_imports import EXPECTED, SAMPLE, run

HEAD = "NOMBRE|CELULAR|TEL_CASA|SECCION|ESTADO|ACEPTA_AVISO|PROMOTOR|ORGANIZACION|EDAD|MIEMBRO"
PHONES = ["2281234567", "2281234568", "(228) 123-4569", "2281234570 / 2281234571", "S/N"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["Ana", "ANA", "Eva Peña", "Luz", ""]), st.sampled_from(PHONES),
        st.sampled_from(["", *PHONES]), st.sampled_from(["", "7", "8", "9"]), st.sampled_from(["", "30", "21"]),
        st.sampled_from(["", "SI", "NO"]), st.sampled_from(["", "Promotor 1", "PROMOTOR 01", "Otro"]),
        st.sampled_from(["", "Café", "CAFE"]), st.sampled_from(["", "30", "x"]), st.sampled_from(["", "SI", "NO"]),
    ),
    max_size=14,
)  # fmt: skip
NOT_COMPARED = ("id", "change_id", "import_id", "created_at", "updated_at", "promoter_id", "organization_id")
PEOPLE = [column.name for column in Contact.__table__.columns if column.name not in NOT_COMPARED]
WHAT_IS_THERE = {
    "people": f"""SELECT {", ".join("c." + name for name in PEOPLE)}, p.name AS promoter_name, o.name AS organization
        FROM contacts c LEFT JOIN promoters p ON p.id = c.promoter_id
            LEFT JOIN organizations o ON o.id = c.organization_id
        ORDER BY c.phone, c.name_key""",
    "evidence": """SELECT c.phone, c.name_key, e.kind, e.channel, e.text_version, e.proof, e.at, e.source
        FROM consents e JOIN contacts c ON c.id = contact_id ORDER BY c.phone, c.name_key, e.id""",
    "phones": """SELECT c.phone AS first, c.name_key, p.position, p.phone, p.phone_raw, p.extension, p.line_kind
        FROM contact_phones p JOIN contacts c ON c.id = contact_id ORDER BY c.phone, c.name_key, p.phone""",
    "refused": "SELECT row_number, reason, cells FROM refused_rows ORDER BY row_number",
    "changes": """SELECT c.phone, c.name_key, i.before,
            ARRAY(SELECT jsonb_array_elements_text(i.phones) ORDER BY 1) AS added FROM import_changes i
        JOIN contacts c ON c.id = contact_id ORDER BY 1, 2""",
    "names": "SELECT name FROM promoters UNION ALL SELECT name FROM organizations ORDER BY 1",
}  # fmt: skip


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Short lists are written directly, too, in blocks of two lines or so; how many rows were, block by block."""
    rows: list[int] = []
    take = Writer.take

    def noted(writer: Writer, frame: Frame) -> tuple[Frame, dict[str, bytes]]:
        left, new = take(writer, frame)
        rows.append(frame.people.height - left.people.height)
        return left, new

    monkeypatch.setattr(Writer, "take", noted)
    monkeypatch.setattr(import_direct, "LONG", 0)
    monkeypatch.setattr(import_direct, "KNOWN_AT_MOST", 10**9)
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 120)
    # So few places that people are taken for known who are not.
    monkeypatch.setattr(import_direct, "Seen", lambda: import_keys.Seen(64))
    return rows


def what_is_there(session: Session, import_id: int) -> dict[str, list[Any]]:
    found = {name: [tuple(row) for row in session.execute(text(query))] for name, query in WHAT_IS_THERE.items()}
    found["evidence"] = [
        tuple(re.sub(rf"^import/{import_id} ", "import/this ", str(cell)) for cell in row if not hasattr(cell, "year"))
        for row in found["evidence"]
    ]
    return found


@pytest.fixture
def known(session: Session, tmp_path: Path) -> Session:
    """People, an alias, sections, and a phone that nobody may call."""
    session.add_all(
        Section(state=state, number=number, municipality_code=1) for state, number in ((30, 7), (30, 8), (21, 8))
    )
    suppressions.add(session, "+522281234568", reason="call", source="call", at=real_now())
    path = tmp_path / "known.csv"
    path.write_text(HEAD + "\nAna|2281234567||7||SI|Promotor 1||||\nEva Peña|2281234570||||NO|||||\n")
    run(session, path, source="antes")
    ana = session.scalars(select(Contact).where(Contact.name_key == "ana")).one()
    session.add(ContactAlias(phone=ana.phone, name_key="luz", contact_id=ana.id))
    session.commit()
    return session


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_both_ways_give_the_same(known: Session, written: list[int], tmp_path: Path, rows: list[Any]) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("\n".join([HEAD, *("|".join(row) for row in rows)]) + "\n")
    outcomes = []
    for directly in (True, False):
        known.commit()
        connection = known.get_bind()
        assert isinstance(connection, Connection)
        connection.exec_driver_sql("SAVEPOINT one_way")  # below those that the session makes and releases
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(import_direct, "LONG", 0 if directly else 10**9)
            written.clear()
            counts = run(known, path)
            assert bool(written) is directly
        import_id = known.scalar(text("SELECT max(id) FROM import_batches"))
        outcomes.append((counts | {"seconds": 0}, what_is_there(known, import_id)))
        known.commit()
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one_way")
        known.expire_all()
    assert outcomes[0] == outcomes[1]


def test_the_sample_is_written_directly_known_the_second_time_and_taken_back(
    session: Session, written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 8_000)
    counts = run(session, SAMPLE)
    assert {key: counts[key] for key in EXPECTED} == EXPECTED
    assert sum(written) > 0
    written.clear()
    again = run(session, SAMPLE)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, EXPECTED["created"])
    assert sum(written) == 0
    first = session.scalar(select(func.min(ImportBatch.id)))
    assert first is not None
    assert imports.undo_preview(session, first)["people"] == EXPECTED["created"]


@pytest.mark.parametrize(
    ("rows", "fields", "is_worth_it"),
    [
        (20_000, {"name", "mobile"}, True),
        (19_999, {"name", "mobile"}, False),
        (1_000_000, {"name", "mobile", "do_not_contact"}, False),
        (1_000_000, {"name", "mobile", "folio_compromiso"}, False),
    ],
)
def test_long_lists_are_written_directly_but_for_those_that_do_more_than_name_people(
    session: Session, rows: int, fields: set[str], is_worth_it: bool
) -> None:
    merging = Merging(1, "lista", None, real_now(), real_now(), frozenset(fields), {})
    assert import_direct.is_worth_it(session, merging, rows) is is_worth_it


def test_a_short_list_among_very_many_people_is_merged(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    merging = Merging(1, "lista", None, real_now(), real_now(), frozenset(("name", "mobile")), {})
    monkeypatch.setattr(import_direct, "KNOWN_AT_MOST", -1)
    assert not import_direct.is_worth_it(session, merging, 20_000)


def test_a_trial_writes_nobody(session: Session, written: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 8_000)
    counts = run(session, SAMPLE, options={"dry_run": True})
    assert (counts["created"], written) == (EXPECTED["created"], [])
    assert session.scalar(select(func.count()).select_from(Contact)) == 0
