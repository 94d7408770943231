"""Files of the register in any shape: loaded whole or not at all, again after a crash, replaced or added to."""

from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.gate import do_not_call, do_not_call_jobs
from callcenter.gate.do_not_call import DoNotCallList, DoNotCallPhone, Upload

PHONES = ["2281234567", "5512345678", "2299876543"]


def upload(session: Session, folder: Path, content: bytes, *, replaces: bool = False) -> DoNotCallList:
    path = folder / f"file-{real_now().timestamp()}"
    path.write_bytes(content)
    made = Upload(path, "REPEP", real_now().date(), replaces, "lista.csv")
    return do_not_call.create(session, made, None)


def load(session: Session, row: DoNotCallList) -> DoNotCallList:
    assert list(do_not_call.load(session, row.id))
    return row


def has(session: Session, phone: str) -> bool:
    return session.get(DoNotCallPhone, suppressions.phone_hash(f"+52{phone}")) is not None


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(PHONES).encode(),
        ("\ufeffNUMERO;FECHA\n" + "\n".join(f"{phone};2026-01-01" for phone in PHONES)).encode(),
        ("REGISTRO PÚBLICO\n\nlada|número|alta\n" +
         "\n".join(f"{phone[:3]}|{phone[3:]}|3" for phone in PHONES)).encode("cp1252"),
        ("folio,nombre,tel\n" + "\n".join(f"{n},x,(01) {p[:3]} {p[3:6]} {p[6:]}" for n, p in enumerate(PHONES))
         ).encode(),
    ],
    ids=["bare", "bom-and-header", "area-code-apart", "old-prefix"],
)  # fmt: skip
def test_a_register_is_read_in_any_shape(session: Session, tmp_path: Path, content: bytes) -> None:
    row = load(session, upload(session, tmp_path, content))
    assert (row.state, row.phones) == ("done", 3)
    assert all(has(session, phone) for phone in PHONES)


def test_a_workbook_will_do(session: Session, tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for phone in PHONES:
        book.active.append(["x", int(phone)])
    book.save(tmp_path / "x.xlsx")
    row = load(session, upload(session, tmp_path, (tmp_path / "x.xlsx").read_bytes()))
    assert (row.phones, do_not_call.size(session)) == (3, 3)


def test_rows_without_a_phone_are_counted_and_the_same_phone_is_one(session: Session, tmp_path: Path) -> None:
    rows = [*PHONES, PHONES[0], "sin número", "8001234567", "", "1111111111"]
    row = load(session, upload(session, tmp_path, "\n".join(rows).encode()))
    assert (row.phones, row.refused, row.rows_done) == (3, 3, len(rows))


def test_an_addition_adds_and_a_whole_register_replaces(session: Session, tmp_path: Path) -> None:
    first = load(session, upload(session, tmp_path, PHONES[0].encode()))
    load(session, upload(session, tmp_path, PHONES[1].encode()))
    assert do_not_call.size(session) == 2
    load(session, upload(session, tmp_path, PHONES[2].encode(), replaces=True))
    session.refresh(first)
    assert (do_not_call.size(session), has(session, PHONES[0]), first.state) == (1, False, "replaced")


def test_a_file_without_phones_is_refused_and_the_register_stays(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(session, upload(session, tmp_path, PHONES[0].encode()))
    wrong = upload(session, tmp_path, b"nombre,edad\nAna,41\nLuz,52\n", replaces=True)
    with pytest.raises(InvalidInput, match="ten digits") as fault, session.begin_nested():
        list(do_not_call.load(session, wrong.id))
    do_not_call.fail(session, wrong.id, fault.value)
    assert (wrong.state, do_not_call.size(session)) == ("failed", 1)


def test_the_job_loads_once_and_removes_the_file(session: Session, tmp_path: Path) -> None:
    row = upload(session, tmp_path, "\n".join(PHONES).encode())
    path = Path(row.path or "")
    session.commit()
    do_not_call_jobs.load(row.id)
    do_not_call_jobs.load(row.id)
    session.refresh(row)
    assert (row.state, row.phones, row.path, path.exists()) == ("done", 3, None, False)


def test_the_job_says_what_is_wrong_with_a_file(session: Session, tmp_path: Path) -> None:
    row = upload(session, tmp_path, b"%PDF-1.4 not a table")
    session.commit()
    do_not_call_jobs.load(row.id)
    session.refresh(row)
    assert row.state == "failed"
    assert row.error


def test_a_file_whose_worker_is_gone_is_enqueued_again(session: Session, tmp_path: Path) -> None:
    row = upload(session, tmp_path, b"x")
    assert do_not_call.sweep(session) == 0
    row.touched_at = real_now() - timedelta(minutes=3)
    session.flush()
    assert (do_not_call.sweep(session), do_not_call.sweep(session)) == (1, 0)


def test_an_upload_says_where_it_comes_from(session: Session, tmp_path: Path) -> None:
    late = Upload(tmp_path / "x", " ", real_now().date() + timedelta(days=9), False, "x")
    with pytest.raises(InvalidInput) as fault:
        do_not_call.create(session, late, None)
    assert set(fault.value.faults) == {"source", "made_on"}
