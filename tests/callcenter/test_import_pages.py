"""The mapping page of an import: what is shown, chosen, tried, remembered, and what comes back corrected."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook, load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base.audit import AuditEntry
from callcenter.contacts import Contact
from callcenter.imports import ImportBatch
from callcenter.lists import import_jobs, import_preview
from callcenter.people import attributes
from callcenter.people.merges import ContactAlias
from tests.callcenter.lists.test_import_views import post, upload
from tests.conftest import ClientAs

HEAD = "NOMBRE,CELULAR,EDAD,Nivel\n"


def uploaded(session: Session, clerk: FlaskClient, content: str | bytes, name: str = "lista.csv", **more: Any) -> int:
    """The number of the newest batch, looked at by the worker."""
    answer = upload(clerk, content.encode() if isinstance(content, str) else content, name, **more)
    assert answer.status_code == 302
    import_id = int(answer.location.rsplit("/", 1)[1])
    import_jobs.inspect_import(import_id)
    return import_id


def preview(session: Session, import_id: int) -> dict[str, Any]:
    session.expire_all()
    found = imports.get(session, import_id).preview
    assert found is not None
    return found


def outcomes(session: Session, import_id: int) -> list[str]:
    return [row["outcome"] for row in preview(session, import_id)["rows"]]


def form_of(session: Session, import_id: int) -> dict[str, str]:
    """What the browser sends when nobody has changed anything."""
    session.expire_all()
    return {f"column-{at}": field for at, field in imports.get(session, import_id).mapping.items()}


def run(session: Session, clerk: FlaskClient, import_id: int, **changes: str) -> ImportBatch:
    page = f"/imports/{import_id}"
    assert post(clerk, f"{page}/start", page, **form_of(session, import_id) | changes).status_code == 302
    import_jobs.run_import(import_id)
    session.expire_all()
    return imports.get(session, import_id)


@pytest.fixture
def clerk(client_as: ClientAs) -> FlaskClient:
    return client_as("data_clerk")


def test_the_page_says_what_becomes_of_each_row(session: Session, clerk: FlaskClient) -> None:
    run(session, clerk, uploaded(session, clerk, HEAD + "Ana,2281234567,30,\nEva,2281234568,40,\n"))
    rows = "Ana,2281234567,31,\nEVA,228 123 4568,,\nLuis,2281234567,,\nRosa,2281234569,,\nrosa,2281234569,,\nX,no,,\n"
    import_id = uploaded(session, clerk, HEAD + rows)
    assert outcomes(session, import_id) == ["updated", "unchanged", "household", "created", "duplicate", "refused"]
    found = preview(session, import_id)
    assert found["rows"][0]["changes"] == ["age"]
    assert found["totals"] == dict.fromkeys(outcomes(session, import_id), 1)
    assert found["readings"]["1"] == {"filled": 6, "read": 5}
    page = clerk.get(f"/imports/{import_id}", headers={"Accept-Language": "en"}).text
    assert "known, would change" in page
    assert "no phone, or words in its place" in page


def test_every_change_is_kept_and_looked_at_again(session: Session, clerk: FlaskClient) -> None:
    run(session, clerk, uploaded(session, clerk, HEAD + "Ana,2281234567,30,\n"))
    import_id = uploaded(session, clerk, HEAD + "Ana,2281234567,31,\n")
    page = f"/imports/{import_id}"
    changed = form_of(session, import_id) | {"policy-2": "keep"}
    assert 'aria-busy="true"' in post(clerk, f"{page}/preview", page, **changed).text
    import_jobs.inspect_import(import_id)
    assert outcomes(session, import_id) == ["unchanged"]
    assert 'aria-busy="false"' in clerk.get(f"{page}/preview").text
    batch = imports.get(session, import_id)
    assert batch.options["policies"] == {"age": "keep"}
    assert 'value="keep" selected' in clerk.get(page).text


def test_a_new_attribute_is_made_beside_its_column_and_filled_by_the_list(session: Session, clerk: FlaskClient) -> None:
    import_id = uploaded(session, clerk, HEAD + "Ana,2281234567,30,Primaria\nEva,2281234568,40,otro\n")
    page = f"/imports/{import_id}"
    described = {"at": "3", "column-3": "new", "new-label-3": "Nivel de estudios", "new-kind-3": "choice"}
    refused = post(clerk, f"{page}/attribute", page, **form_of(session, import_id) | described)
    assert refused.status_code == 422  # a list without choices
    assert "Nivel de estudios" in refused.text
    made = described | {"new-choices-3": "primaria\nsecundaria"}
    assert post(clerk, f"{page}/attribute", page, **form_of(session, import_id) | made).status_code == 302
    import_jobs.inspect_import(import_id)
    assert [one.key for one in attributes.all_attributes(session)] == ["nivel_de_estudios"]
    assert preview(session, import_id)["readings"]["3"] == {"filled": 2, "read": 1}
    counts = run(session, clerk, import_id).counts
    assert counts["created"] == 2
    kept: dict[str, Any] = dict(session.execute(select(Contact.name, Contact.attributes)).all())
    assert kept == {"Ana": {"nivel_de_estudios": "primaria"}, "Eva": {}}


def test_what_a_source_s_list_was_taken_for_is_proposed_the_next_time(session: Session, clerk: FlaskClient) -> None:
    first = uploaded(session, clerk, "Persona,Dato,NIVEL,CELULAR\nAna,30,x,2281234567\n")
    run(session, clerk, first, **{"column-0": "name", "column-1": "age", "policy-1": "fill"})
    again = uploaded(session, clerk, "NIVEL,Dato,celular,Persona\nx,31,2281234568,Eva\n", source="COMITE")
    batch = imports.get(session, again)
    assert (batch.mapping, batch.options["policies"]) == ({"1": "age", "2": "mobile", "3": "name"}, {"age": "fill"})
    assert preview(session, again)["remembered"]
    other = uploaded(session, clerk, "NIVEL,Dato,celular,Persona\nx,31,2281234568,Eva\n", source="Otra fuente")
    assert not preview(session, other)["remembered"]


def test_a_saved_mapping_can_be_changed_and_forgotten(session: Session, clerk: FlaskClient) -> None:
    run(session, clerk, uploaded(session, clerk, HEAD + "Ana,2281234567,30,x\n"))
    page = clerk.get("/imports/mappings/").text
    assert "Comité" in page
    address = page.split('href="/imports/mappings/')[1].split('"')[0]
    form = {"column-0": "name", "column-1": "mobile", "column-2": "", "column-3": ""}
    assert post(clerk, f"/imports/mappings/{address}", **form | {"column-1": ""}).status_code == 422
    assert post(clerk, f"/imports/mappings/{address}", **form).status_code == 302
    again = uploaded(session, clerk, HEAD + "Eva,2281234568,30,x\n")
    assert imports.get(session, again).mapping == {"0": "name", "1": "mobile"}
    assert post(clerk, f"/imports/mappings/{address}/forget").status_code == 302
    assert clerk.get(f"/imports/mappings/{address}").status_code == 404


def sheets(**found: list[list[Any]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in found.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name.startswith("Oculta"):
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_another_sheet_can_be_taken_and_hidden_ones_are_named(session: Session, clerk: FlaskClient) -> None:
    content = sheets(
        Lista=[["NOMBRE", "CELULAR"], ["Ana", "2281234567"]],
        Oculta=[["NOMBRE", "TELEFONO", "EDAD"], ["Eva", "2281234568", 40]],
        Oculta2=[["nada"]],
    )
    import_id = uploaded(session, clerk, content, "lista.xlsx")
    page = f"/imports/{import_id}"
    assert preview(session, import_id)["sheet"] == "Lista"
    assert "Oculta, Oculta2" in clerk.get(page).text
    assert post(clerk, f"{page}/sheet", page, sheet="Nada").status_code == 422
    assert post(clerk, f"{page}/sheet", page, sheet="Oculta2").status_code == 302
    assert f'data-live="import/{import_id}"' in clerk.get(page).text
    import_jobs.inspect_import(import_id)
    assert 'id="mapping"' not in clerk.get(page).text  # no names stand in it: only another sheet can be taken
    post(clerk, f"{page}/sheet", page, sheet="Oculta")
    import_jobs.inspect_import(import_id)
    assert [row["name"] for row in preview(session, import_id)["rows"]] == ["Eva"]
    assert run(session, clerk, import_id).counts["created"] == 1
    assert session.scalars(select(Contact.name)).all() == ["Eva"]


def test_a_trial_keeps_nothing_and_says_everything(session: Session, clerk: FlaskClient) -> None:
    import_id = uploaded(session, clerk, HEAD + "Ana,2281234567,30,x\nEva,no,40,x\n")
    batch = run(session, clerk, import_id, act="dry_run")
    assert (batch.state, batch.counts["created"], batch.counts["rejected"]) == ("mapping", 1, {"no_phone": 1})
    assert not session.scalars(select(Contact)).all()
    page = clerk.get(f"/imports/{import_id}").text
    assert f"/imports/{import_id}/refused" in page
    assert run(session, clerk, import_id, act="import").state == "done"
    assert session.scalars(select(Contact.name)).all() == ["Ana"]


REFUSED = "TÍTULO\nNOMBRE,CELULAR,EDAD,CURP\nAna,2281234567,30,x\nBegoña,no tiene,41,x\n=Luis,1234567,50,x\n"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_refused_rows_come_back_corrected_and_become_people(
    session: Session, clerk: FlaskClient, kind: str, language: str
) -> None:
    first = uploaded(session, clerk, REFUSED, source="Comité Norte")
    assert run(session, clerk, first, **{"policy-2": "fill"}).counts["rejected"] == {"no_area_code": 1, "no_phone": 1}
    file = clerk.get(f"/imports/{first}/refused.{kind}", headers={"Accept-Language": language})
    assert file.headers["Cache-Control"] == "no-store"
    rows = table(kind, file.data)
    assert rows[0][0] in (f"Renglón de la importación {first}", f"Row of import {first}")
    assert [row[0] for row in rows[1:]] == ["4", "5"]
    assert all(row[1] for row in rows)
    assert rows[0][2:] == ["NOMBRE", "CELULAR", "EDAD"]
    assert rows[2][2] == "'=Luis"
    rows[1][3], rows[2][3] = "2281234568", "(228) 123 4569"
    again = uploaded(session, clerk, packed(kind, rows), f"corregidas.{kind}", source="lo que sea")
    batch = imports.get(session, again)
    assert (batch.source, batch.options["corrects"], batch.options["policies"]) == (
        "Comité Norte", first, {"age": "fill"},
    )  # fmt: skip
    assert batch.mapping == {"2": "name", "3": "mobile", "4": "age"}
    assert outcomes(session, again) == ["created", "created"]
    assert run(session, clerk, again).counts["created"] == 2
    assert set(session.scalars(select(Contact.source))) == {"Comité Norte"}
    assert run(session, clerk, uploaded(session, clerk, packed(kind, rows), f"x.{kind}")).counts["created"] == 0


def table(kind: str, content: bytes) -> list[list[Any]]:
    if kind == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]


def packed(kind: str, rows: list[list[Any]]) -> bytes:
    if kind == "xlsx":
        return sheets(Hoja=rows)
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)  # as a spreadsheet of our country saves it
    return out.getvalue().encode("cp1252")


def test_keys_never_reach_the_page_the_people_or_the_refused_rows(session: Session, clerk: FlaskClient) -> None:
    key = "ABDAGA90010130H700"
    rows = "".join(f"Ana {n},22812345{n},{key},vecina {key}\n" for n in range(10, 14)) + f"Eva {key},no,{key},x\n"
    import_id = uploaded(session, clerk, f"NOMBRE,CELULAR,DATO,COLONIA,NOTA\n{rows}".replace("COLONIA,NOTA", "COLONIA"))
    found = preview(session, import_id)
    assert found["dropped"] == {"2": "shape", "3": "shape"}
    assert key not in str(found)
    page = f"/imports/{import_id}"
    assert key not in clerk.get(page).text
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "imports.drop_columns")).one()
    assert entry.detail == {"columns": ["DATO", "COLONIA"]}
    forced = form_of(session, import_id) | {"column-2": "neighborhood"}
    assert post(clerk, f"{page}/start", page, **forced).status_code == 422
    import_jobs.inspect_import(import_id)
    run(session, clerk, import_id, **{"column-2": ""})
    kept = session.scalars(select(imports.RefusedRow)).one()
    assert kept.cells == {"NOMBRE": "Eva …", "CELULAR": "no"}


def test_the_same_file_uploaded_twice_says_so_and_makes_nobody_twice(session: Session, clerk: FlaskClient) -> None:
    content = HEAD + "Ana,2281234567,30,x\n"
    one, two = uploaded(session, clerk, content), uploaded(session, clerk, content)
    assert f'href="/imports/{one}"' in clerk.get(f"/imports/{two}").text
    assert (run(session, clerk, one).counts["created"], run(session, clerk, two).counts["created"]) == (1, 0)


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b" \n", "lista.csv", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "lista.csv", "binary file"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "lista.csv", "old Excel file (.xls)"),
        (b"PK\x03\x04" + b"x" * 600, "lista.xlsx", "The workbook is damaged or has a password."),
        (b"uno,dos\n1,2\n", "lista.csv", "No row with column names"),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(
    session: Session, clerk: FlaskClient, content: bytes, name: str, sentence: str
) -> None:
    import_id = uploaded(session, clerk, content, name)
    page = clerk.get(f"/imports/{import_id}", headers={"Accept-Language": "en"}).text
    assert sentence in page
    assert imports.get(session, import_id).state == "failed"


def test_attributes_are_defined_named_anew_and_given_choices(session: Session, clerk: FlaskClient) -> None:
    form = {"label": "Nivel de estudios", "kind": "choice", "choices": "primaria\nsecundaria"}
    assert post(clerk, "/attributes/", "/attributes/", **form).status_code == 302
    assert post(clerk, "/attributes/", "/attributes/", **form).status_code == 422
    assert post(clerk, "/attributes/", "/attributes/", label="¿?", kind="text").status_code == 422
    assert post(clerk, "/attributes/", "/attributes/", label="Religión", kind="text").status_code == 422
    page = "/attributes/nivel_de_estudios"
    assert post(clerk, page, page, label="Partido", choices="primaria\nsecundaria").status_code == 422
    fewer = post(clerk, page, page, label="Estudios", choices="primaria")
    assert fewer.status_code == 422
    assert "Estudios" in fewer.text
    assert post(clerk, page, page, label="Estudios", choices="primaria\nsecundaria\nposgrado").status_code == 302
    assert "posgrado" in clerk.get("/attributes/").text
    assert clerk.get("/attributes/nada").status_code == 404


def test_another_dialect_gives_its_figures(session: Session, clerk: FlaskClient) -> None:
    content = (Path(__file__).parents[1] / "data" / "registro_poza_rica.csv").read_bytes()
    counts = run(session, clerk, uploaded(session, clerk, content)).counts
    assert (counts["rows"], counts["created"], counts["duplicates"], counts["household_members"]) == (40, 31, 1, 1)
    assert (counts["opted_in"], counts["opted_out"], counts["extra_phones"]) == (16, 7, 8)
    assert counts["rejected"] == {
        "fake": 1, "foreign": 1, "invalid": 1, "no_area_code": 1, "no_phone": 2, "spreadsheet_notation": 1,
        "toll_free": 1,
    }  # fmt: skip
    assert counts["dropped_columns"] == ["CURP"]


def test_a_column_that_comes_twice_is_two_and_both_are_read(session: Session, clerk: FlaskClient) -> None:
    import_id = uploaded(session, clerk, "NOMBRE,CELULAR,CELULAR\nAna,2281234567,5512345678\nEva,no,2281234568\n")
    page = clerk.get(f"/imports/{import_id}").text
    assert "CELULAR (2)" in page
    batch = run(session, clerk, import_id)
    assert (batch.counts["created"], batch.counts["extra_phones"]) == (2, 1)


def test_formulas_without_a_value_are_named_with_their_first_row(session: Session, clerk: FlaskClient) -> None:
    book = sheets(Lista=[["NOMBRE", "CELULAR", "EDAD"], ["Ana", "2281234567", "30"], ["Eva", "2281234568", "=B2*1"]])
    import_id = uploaded(session, clerk, book, "lista.xlsx")
    assert preview(session, import_id)["empty_formulas"] == {"EDAD": 3}
    page = clerk.get(f"/imports/{import_id}", headers={"Accept-Language": "en"}).text
    assert "The column EDAD has formulas without a value, the first in row 3" in page


def test_a_list_in_two_letterings_says_so(session: Session, clerk: FlaskClient) -> None:
    utf8 = "".join(f"Begoña {n},22812345{n}\n" for n in range(10, 14)).encode()
    content = b"NOMBRE,CELULAR\n" + utf8 + "Núñez,2281234599\n".encode("cp1252")
    import_id = uploaded(session, clerk, content)
    page = clerk.get(f"/imports/{import_id}", headers={"Accept-Language": "en"}).text
    assert "1 line of this file is in the letters of Windows" in page
    assert run(session, clerk, import_id).counts["created"] == 5
    assert "Núñez" in session.scalars(select(Contact.name)).all()


def test_a_list_alone_in_a_zip_is_imported(session: Session, clerk: FlaskClient) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("lista.csv", "NOMBRE;CELULAR\nAna;2281234567\n")
    import_id = uploaded(session, clerk, out.getvalue(), "lista.zip")
    assert "lista.csv" in clerk.get(f"/imports/{import_id}").text
    assert run(session, clerk, import_id).counts["created"] == 1


def test_columns_known_by_their_cells_are_marked_as_such(session: Session, clerk: FlaskClient) -> None:
    rows = "".join(f"{name},22812345{n},{n}@ejemplo.mx\n" for n, name in enumerate(("Ana", "Eva", "Luis"), start=60))
    import_id = uploaded(session, clerk, "NOMBRE,Columna1,Columna2,SECCION\n" + rows)
    found = preview(session, import_id)
    assert (found["suggested"], found["looks"]["2"]) == ([1], "email")
    page = clerk.get(f"/imports/{import_id}", headers={"Accept-Language": "en"}).text
    assert "by its content" in page
    assert "looks like e-mail addresses" in page


def test_m_beside_f_is_asked_on_the_page_and_the_answer_remembered(session: Session, clerk: FlaskClient) -> None:
    import_id = uploaded(session, clerk, "NOMBRE,CELULAR,SEXO\nAna,2281234567,F\nLuis,2281234568,M\n")
    page = f"/imports/{import_id}"
    assert 'form="mapping"' in clerk.get(page).text
    assert post(clerk, f"{page}/start", page, **form_of(session, import_id)).status_code == 422
    run(session, clerk, import_id, sex_letters="MF")
    assert dict(session.execute(select(Contact.name, Contact.sex)).all()) == {"Ana": "M", "Luis": "H"}
    again = uploaded(session, clerk, "NOMBRE,CELULAR,SEXO\nEva,2281234569,F\nJuan,2281234560,M\n")
    assert imports.get(session, again).sex_letters == "MF"


def test_a_person_merged_into_another_is_known_by_the_old_spelling(session: Session, clerk: FlaskClient) -> None:
    run(session, clerk, uploaded(session, clerk, HEAD + "Ana Peña,2281234567,30,\n"))
    person = session.scalars(select(Contact)).one()
    session.add(ContactAlias(phone="+522281234568", name_key="ana pena", contact_id=person.id))
    session.commit()
    import_id = uploaded(session, clerk, HEAD + "ANA PEÑA,2281234568,30,\n")
    assert outcomes(session, import_id) == ["unchanged"]


def test_an_import_is_undone_after_its_page_has_said_what_that_does(session: Session, clerk: FlaskClient) -> None:
    run(session, clerk, uploaded(session, clerk, HEAD + "Ana,2281234567,30,\n"))
    import_id = uploaded(session, clerk, HEAD + "Ana,2281234567,31,\nEva,2281234568,40,\n")
    page = f"/imports/{import_id}"
    assert clerk.get(f"{page}/undo").status_code == 302  # it is not done
    run(session, clerk, import_id)
    asked = clerk.get(f"{page}/undo", headers={"Accept-Language": "en"}).text
    assert "1 person whom this import brought is removed" in asked
    assert "1 person whom it changed gets back what they had before." in asked
    assert post(clerk, f"{page}/undo", page).status_code == 302
    assert "data-live" in clerk.get(page).text
    import_jobs.undo_import(import_id)
    session.expire_all()
    assert dict(session.execute(select(Contact.name, Contact.age)).all()) == {"Ana": 30}
    assert "1 people were removed, 1 got back" in clerk.get(page, headers={"Accept-Language": "en"}).text


def test_the_enter_key_keeps_what_is_written_and_starts_nothing(session: Session, clerk: FlaskClient) -> None:
    import_id = uploaded(session, clerk, HEAD + "Ana,2281234567,30,x\n")
    page = f"/imports/{import_id}"
    chosen = form_of(session, import_id) | {"act": "keep", "column-2": ""}
    assert post(clerk, f"{page}/start", page, **chosen).status_code == 302
    described = {"column-3": "new", "new-label-3": "Nivel", "new-kind-3": "text", "new-label-2": "EDAD"}
    assert post(clerk, f"{page}/start", page, **chosen | described).status_code == 302
    session.expire_all()
    batch = imports.get(session, import_id)
    assert (batch.state, batch.mapping) == ("mapping", {"0": "name", "1": "mobile", "3": "attr:nivel"})
    assert [one.label for one in attributes.all_attributes(session)] == ["Nivel"]


def test_a_look_that_comes_too_late_is_forgotten(
    session: Session, clerk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person starts the import while a worker still looks at the file: nothing of the list stays behind."""
    import_id = uploaded(session, clerk, HEAD + "Ana,2281234567,30,x\n")
    page, form, describe = f"/imports/{import_id}", form_of(session, import_id), import_preview.describe

    def slow(*arguments: Any) -> dict[str, Any]:
        found = describe(*arguments)
        post(clerk, f"{page}/start", page, **form)
        import_jobs.run_import(import_id)
        return found

    monkeypatch.setattr(import_preview, "describe", slow)
    import_jobs.inspect_import(import_id)
    session.expire_all()
    batch = imports.get(session, import_id)
    assert (batch.state, batch.preview, batch.counts["created"]) == ("done", None, 1)


def test_a_list_of_the_command_has_the_same_page(session: Session, clerk: FlaskClient, tmp_path: Path) -> None:
    file = tmp_path / "lista.csv"
    file.write_text("NOMBRE,CELULAR,EDAD\nAna,2281234567,30\nEva,no,41\n")
    batch = imports.create(session, file, source="Comité", file_name=file.name)
    batch.state = "running"
    session.commit()
    import_jobs.run_import(batch.id)
    page = clerk.get(f"/imports/{batch.id}")
    assert page.status_code == 200
    assert "Eva" in clerk.get(f"/imports/{batch.id}/refused").text
    assert clerk.get(f"/imports/{batch.id}/undo").status_code == 200
