"""What a column is: by its name, by its cells, and where the names stand."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from callcenter.lists import import_columns, import_content
from callcenter.lists.import_columns import Header, check_mapping, find_header, guess, header_of
from callcenter.lists.import_inspection import inspect

KNOWN = (
    "FOLIO", "Nombre(s)", "AP_PATERNO", "Segundo apellido", "Sexo", "EDAD", "Colonia", "Municipio", "Sección",
    "CELULAR", "Teléfono de casa", "Correo", "PROMOTOR", "Acepta aviso", "CLAVE_ELECTOR",
)  # fmt: skip
WORDS = st.sampled_from(
    ("COMITÉ MUNICIPAL", "Padrón de promovidos", "Zona 3", "2027", "", "", "Actualizado al 3 de mayo", "hoja 1 de 4")
)
TITLES = st.lists(WORDS, max_size=6)
NOTES = st.sampled_from(
    (
        ["* CELULAR es obligatorio"],
        ["* NOMBRE", "CELULAR", "SECCION"],
        ["*Nota:", "no escriba la clave de elector"],
        [""],
    )
)
DATA = st.tuples(
    st.integers(1, 999).map(str), st.sampled_from(("Ana", "Begoña", "José")), st.sampled_from(("2281234567", "s/n", ""))
).map(list)


@given(
    above=st.lists(st.one_of(TITLES, NOTES), max_size=20),
    names=st.lists(st.sampled_from(KNOWN), min_size=3, unique=True),
    data=st.lists(DATA, max_size=20),
)
def test_the_names_are_found_below_any_titles_notes_and_blanks(
    above: list[list[str]], names: list[str], data: list[list[str]]
) -> None:
    rows = list(enumerate([*above, names, *data], start=1))
    found = find_header(rows)
    assert found is not None
    assert (found.row, found.names) == (len(above) + 1, tuple(names))


@given(data=st.lists(DATA, max_size=50))
def test_a_row_of_data_is_never_taken_for_the_names(data: list[list[str]]) -> None:
    assert find_header(list(enumerate(data, start=1))) is None


def test_a_row_whose_every_name_has_a_star_is_the_names() -> None:
    found = find_header([(1, ["* obligatorio"]), (2, ["*NOMBRE", "*CELULAR"])])
    assert found == Header(2, ("*NOMBRE", "*CELULAR"), ("*NOMBRE", "*CELULAR"))


def test_a_name_that_comes_twice_is_two_columns_and_both_can_be_chosen() -> None:
    header = header_of(1, ["NOMBRE", "CELULAR", "CELULAR", "CELULAR (2)", ""])
    assert header.names == ("NOMBRE", "CELULAR", "CELULAR (2)", "CELULAR (2) (2)", "")
    assert guess(header) == {0: "name", 1: "mobile", 2: "mobile", 3: "mobile"}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Teléfono móvil 2", "mobile"), ("Núm. Cel. (WhatsApp)", "mobile"), ("TEL. OFICINA 1", None),
        ("TEL_PROMOTOR", None), ("Celular del líder", None), ("Sección INE", "section"), ("es_miembro", "is_member"),
        ("cargo_estructura", "holds_post"), ("Sector", "organization"), ("folio_compromiso", "folio_compromiso"),
        ("Fecha de firma", "fecha_compromiso"), ("CALLE", None), ("observaciones", None),
    ],
)  # fmt: skip
def test_a_name_says_what_its_column_is(name: str, field: str | None) -> None:
    assert import_columns.field_named(name) == field


@pytest.mark.parametrize(
    "name",
    [
        "CLAVE_ELECTOR", "Clave de elector", "cve elector", "CURP", "RFC", "OCR", "CIC", "militancia", "Partido",
        "¿Por quién votó? voto", "intencion_de_voto", "RELIGIÓN", "beneficiario", "Programa social", "Apoyos",
        "latitud", "Longitud", "coordenadas", "CURP (2)", "discapacidad", "Etnia", "credencial_ine",
    ],
)  # fmt: skip
def test_what_the_law_forbids_is_known_by_its_name(name: str) -> None:
    assert import_columns.is_sensitive_name(name)


@pytest.mark.parametrize("name", ["SECCION_INE", "CELULAR", "latino", "partida", "Colonia", "es_miembro", "promotor"])
def test_what_only_sounds_so_is_kept(name: str) -> None:
    assert not import_columns.is_sensitive_name(name)


PHONES = ["228 123 4567", "2281234568", "", "5512345678"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (PHONES, "phone"), (["2281234567.0", "no tiene", "2281234568"], "phone"),
        (["ana@ejemplo.mx", "eva@ejemplo.com.mx", "luis@ejemplo.org"], "email"),
        (["1990-05-31", "31/05/1988", "01/02/1975"], "birth_date"),
        (["2026-05-31", "31/05/2026", "01/02/2026"], "date"),
        (["H", "M", "Hombre", "m"], "sex"), (["34", "51", "19", "28", "60"], "age"), (["1", "2", "3", "4"], None),
        (["2301", "2345", "2301", "0045"], "section"), (["1001", "1002", "1003", "1004"], None),
        (["Ana Peña", "Begoña Núñez Cruz", "José de la Cruz"], "name"), (["Centro", "Centro", "Centro"], None),
        (["", "2281234567"], None),
    ],
)  # fmt: skip
def test_cells_say_what_their_column_is(cells: list[str], kind: str | None) -> None:
    assert import_content.kind_of(cells) == kind


def test_a_column_nobody_named_is_suggested_by_its_cells_and_never_against_a_name() -> None:
    header = header_of(1, ["Columna1", "Columna2", "SECCION", "Columna3", "TEL_PROMOTOR"])
    sample = [
        [f"Ana Peña {word}", f"22812345{n}", "2301", "2302", "2281234500"]
        for n, word in enumerate(("Cruz", "Lara", "Soto", "Ruiz"), start=60)
    ]
    named = guess(header)
    assert named == {2: "section"}
    assert import_content.suggest(header, named, sample) == {0: "name", 1: "phone"}


def test_a_list_whose_names_nobody_knows_is_read_by_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    rows = "".join(f"Ana Peña {word},22812345{n},x\n" for n, word in enumerate(("Cruz", "Lara", "Soto"), start=60))
    path.write_text(f"LISTA DE LA ZONA\nColumna1,Columna2,Columna3\n{rows}")
    found = inspect(path)
    assert (found.header.row, found.mapping, found.suggested) == (2, {0: "name", 1: "phone"}, frozenset((0, 1)))


def test_columns_without_a_name_are_called_by_their_letter(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("NOMBRE,,CELULAR,\nAna,x,2281234567,,y\nEva,,2281234568\n")
    assert inspect(path).header.names == ("NOMBRE", "(B)", "CELULAR", "", "(E)")


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ({0: "name"}, "No column holds phones"), ({0: "mobile", 1: "age", 2: "age"}, "Two columns were chosen"),
        ({0: "mobile", 1: "attr:x", 2: "attr:x"}, "Two columns"), ({0: "mobile", 1: "attr:y"}, "no field attr:y"),
        ({0: "mobile", 9: "name"}, "never kept"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_so_is_said(mapping: dict[int, str], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        check_mapping(mapping, [9], ["x"])
