"""Imports in the browser: upload, mapping, progress, result, refused rows."""

import csv
import io
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import imports
from callcenter.base.settings import Settings
from callcenter.imports import ImportBatch
from callcenter.lists import import_jobs, import_preview
from tests.conftest import ClientAs

SAMPLE = Path(__file__).parents[2] / "data" / "contactos_minatitlan.csv"


def post(client: FlaskClient, url: str, page: str = "/imports/", **data: object) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **data})


def upload(client: FlaskClient, content: bytes, name: str = "lista.csv", source: str = "Comité") -> TestResponse:
    return post(client, "/imports/", file=(io.BytesIO(content), name), source=source)


def test_a_list_goes_from_upload_to_people_and_refused_rows(session: Session, client_as: ClientAs) -> None:
    clerk = client_as("data_clerk")
    answer = upload(clerk, SAMPLE.read_bytes())
    assert answer.status_code == 302
    batch = session.scalars(select(ImportBatch)).one()
    page = f"/imports/{batch.id}"
    assert f'data-live="import/{batch.id}"' in clerk.get(page).text
    topic = f"import/{batch.id}"
    seen = clerk.get(f"/live/snapshot?topic={topic}").get_json()["topics"][topic]
    assert seen == {"state": "uploaded", "rows_done": 0, "rows_total": None}
    import_jobs.inspect_import(batch.id)
    assert clerk.get(f"{page}/progress?state=uploaded").headers["HX-Refresh"] == "true"
    mapping = clerk.get(page).text
    assert "CLAVE_ELECTOR" in mapping
    assert 'name="column-9"' in mapping
    chosen = {f"column-{at}": field for at, field in imports.get(session, batch.id).mapping.items()}
    assert post(clerk, f"{page}/start", page, **chosen).status_code == 302
    import_jobs.run_import(batch.id)
    result = clerk.get(page).text
    assert "1,806" in result or "1.806" in result
    refused = clerk.get(f"{page}/refused?reason=fake").text
    assert refused.count("<tr><td") == 21
    rows = list(csv.reader(io.StringIO(clerk.get(f"{page}/refused.csv").text.removeprefix("\ufeff"))))
    assert len(rows) == 134
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert clerk.get(f"/contacts/?import={batch.id}").status_code == 200


def test_a_mapping_without_phones_says_so_and_keeps_the_page(session: Session, client_as: ClientAs) -> None:
    clerk = client_as("data_clerk")
    upload(clerk, b"NOMBRE,CELULAR\nAna,2281234567\n")
    batch = session.scalars(select(ImportBatch)).one()
    import_jobs.inspect_import(batch.id)
    answer = post(clerk, f"/imports/{batch.id}/start", **{"column-0": "name"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    session.expire_all()
    assert imports.get(session, batch.id).state == "mapping"


def test_a_file_that_is_no_table_fails_with_its_reason(session: Session, client_as: ClientAs) -> None:
    clerk = client_as("data_clerk")
    upload(clerk, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    batch = session.scalars(select(ImportBatch)).one()
    import_jobs.inspect_import(batch.id)
    assert imports.get(session, batch.id).state == "failed"
    page = clerk.get(f"/imports/{batch.id}", headers={"Accept-Language": "en"}).text
    assert "alert-danger" in page
    assert "binary" in page or "binario" in page


def test_an_upload_needs_a_file_of_the_right_kind_and_a_source(client_as: ClientAs) -> None:
    clerk = client_as("data_clerk")
    assert upload(clerk, b"x", "lista.exe").status_code == 422
    assert upload(clerk, b"x", source=" ").status_code == 422
    assert post(clerk, "/imports/", source="x").status_code == 422


def test_an_import_that_waits_can_be_cancelled_once(session: Session, client_as: ClientAs) -> None:
    clerk = client_as("data_clerk")
    upload(clerk, b"NOMBRE,CELULAR\nAna,2281234567\n")
    batch = session.scalars(select(ImportBatch)).one()
    assert post(clerk, f"/imports/{batch.id}/cancel").status_code == 302
    assert post(clerk, f"/imports/{batch.id}/cancel").status_code == 409
    assert clerk.get(f"/imports/{batch.id}").status_code == 200


def test_no_copy_of_a_list_stays_behind(session: Session, client_as: ClientAs) -> None:
    clerk = client_as("data_clerk")
    for content in (b"NOMBRE,CELULAR\nAna,2281234567\n", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40):
        upload(clerk, content)
    cancelled, failed = session.scalars(select(ImportBatch).order_by(ImportBatch.id)).all()
    copies = [Path(batch.file) for batch in (cancelled, failed)]
    assert all(copy.exists() for copy in copies)
    for batch in (cancelled, failed):
        import_jobs.inspect_import(batch.id)
    assert post(clerk, f"/imports/{cancelled.id}/cancel").status_code == 302
    session.expire_all()
    assert [batch.state for batch in (cancelled, failed)] == ["cancelled", "failed"]
    assert not any(copy.exists() for copy in copies)
    assert cancelled.preview is None


def test_the_file_of_a_command_is_its_owners(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "lista.csv"
    file.write_text("NOMBRE,CELULAR\nAna,2281234567\n")
    batch = imports.create(session, file, source="Comité", file_name=file.name)
    batch.state = "running"  # the command was killed, and the clock gave its import to a worker
    session.commit()
    import_jobs.run_import(batch.id)
    assert imports.get(session, batch.id).state == "done"
    assert file.exists()


def test_operators_do_not_import(client_as: ClientAs) -> None:
    assert client_as("operator").get("/imports/").status_code == 403


def test_a_control_character_in_a_cell_does_not_keep_refused_rows_from_excel(
    session: Session, client_as: ClientAs
) -> None:
    clerk = client_as("data_clerk")
    upload(clerk, b"NOMBRE,CELULAR\nAna\x0b Paz,123\n" + b"Luz Maria Paz,2281234567\n" * 60)
    batch = session.scalars(select(ImportBatch)).one()
    page = f"/imports/{batch.id}"
    import_jobs.inspect_import(batch.id)
    post(clerk, f"{page}/start", page, **{"column-0": "name", "column-1": "mobile"})
    import_jobs.run_import(batch.id)
    answer = clerk.get(f"{page}/refused.xlsx")
    assert answer.status_code == 200
    rows = load_workbook(io.BytesIO(answer.data)).worksheets[0].iter_rows(min_row=2, values_only=True)
    assert [row[2:] for row in rows] == [("Ana Paz", "123")]


@pytest.mark.parametrize("source", ["Comit\0é", " "])
def test_a_list_that_is_refused_leaves_no_copy_behind(client_as: ClientAs, settings: Settings, source: str) -> None:
    before = set(settings.var.rglob("*"))
    assert upload(client_as("data_clerk"), b"NOMBRE,CELULAR\nAna,2281234567\n", source=source).status_code in (400, 422)
    assert not [path for path in set(settings.var.rglob("*")) - before if path.is_file()]


def test_a_list_that_cannot_be_recorded_leaves_no_copy_behind(
    client_as: ClientAs, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    before = set(settings.var.rglob("*"))
    monkeypatch.setattr(imports, "create", fail)
    assert upload(client_as("data_clerk"), b"NOMBRE,CELULAR\nAna,2281234567\n").status_code == 500
    assert not [path for path in set(settings.var.rglob("*")) - before if path.is_file()]


def test_what_nobody_foresaw_in_a_file_ends_its_import_and_its_copy(
    session: Session, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TypeError("Zenaida")

    upload(client_as("data_clerk"), b"NOMBRE,CELULAR\nAna,2281234567\n")
    batch = session.scalars(select(ImportBatch)).one()
    monkeypatch.setattr(import_preview, "inspect", fail)
    import_jobs.inspect_import(batch.id)
    assert imports.get(session, batch.id).state == "failed"
    assert not Path(batch.file).exists()
