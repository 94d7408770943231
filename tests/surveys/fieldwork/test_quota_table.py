"""Tables of cells as people write them: read with their faults by line, and written so that they are read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys.fieldwork import quota_table
from surveys.fieldwork.quota_cells import Cell, Dimension
from surveys.forms.items import Items


def faults(text: str, items: Items | None = None) -> str:
    with pytest.raises(InvalidInput) as refused:
        quota_table.read(text, items)
    return refused.value.faults["cells"]


@pytest.mark.parametrize(
    "text",
    [
        "sexo;edad;meta\nM;18-29;120\nH;60+;95\n",
        "Sexo,Edad,Meta\nMujeres,18 a 29,120\nHombre,60 y más,95",
        "sex\tage\ttarget\nwoman\t18–29\t120\nman\t60+\t95\n\n",
        "meta|sexo|edad\n120|m|de 18 a 29 años\n95|h|60 o más",
        "\ufeffsexo;edad;meta\r\nM;18-29;120\r\n;;\r\nH;60+;95\r\n",
    ],
)
def test_the_same_cells_are_read_however_they_are_written(text: str) -> None:
    dimensions, cells = quota_table.read(text, None)
    assert dimensions == (Dimension("sex", "", "code"), Dimension("age", "", "number"))
    assert cells == (Cell(("M", "18-29"), 120), Cell(("H", "60+"), 95))


def test_a_cell_without_a_target_takes_as_many_as_come() -> None:
    assert quota_table.read("sexo;meta\nM;\nH;0", None)[1] == (Cell(("M",), None), Cell(("H",), 0))


def test_a_stratum_that_the_questionnaire_asks_for_is_joined_to_its_question(sample_items: Items) -> None:
    dimensions, _cells = quota_table.read("sexo;age;likely;meta\nM;18-29;8-10;5", sample_items)
    assert dimensions == (
        Dimension("sex", "sex", "code"), Dimension("age", "age", "number"), Dimension("", "likely", "number"),
    )  # fmt: skip


def test_an_answer_may_be_written_by_its_words(sample_items: Items) -> None:
    words = next(item for item in sample_items["items"] if item["name"] == "registered")["choices"][1]["label"]["es"]
    dimensions, cells = quota_table.read(f"registered;meta\nyes;5\n{words};3", sample_items)
    assert dimensions == (Dimension("", "registered", "code"),)
    assert cells == (Cell(("yes",), 5), Cell(("no",), 3))


def test_a_question_with_other_codes_than_the_record_is_not_joined(sample_items: Items) -> None:
    items = {**sample_items, "items": [dict(item) for item in sample_items["items"]]}
    asked = next(item for item in items["items"] if item["name"] == "sex")
    asked["choices"] = [{**choice, "name": f"c{place}"} for place, choice in enumerate(asked["choices"])]
    assert quota_table.read("sexo;meta\nM;5", items)[0] == (Dimension("sex", "", "code"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Write a line with the strata"),
        ("sexo;meta\nZ;3", "Line 2: «Z» is no value of «sex»; it has H, M, X."),
        ("edad;meta\njoven;3", "Line 2: «joven» is no value of «age»; write 18-29, 60+ or one number."),
        ("sexo;meta\nM;muchas", "Line 2: «muchas» is no target"),
        ("sexo;meta\nM;-5", "Line 2: «-5» is no target"),
        ("sexo;meta\nM;3;4", "Line 2: it has 3 cells and the head 2"),
        ("sexo;meta\nM;3\nH;3\nM;4", "Line 4: this cell stands already in line 2"),
        ("municipio;meta\nMinatitlán;3\nMINATITLAN;4", "Line 3: this cell stands already in line 2"),
        ("edad;meta\n18-30;3\n25+;3", "Line 3: «18-30» and «25+» overlap"),
        ("color;meta\nrojo;3", "Line 1: «color» is no stratum. What a record knows: sexo, edad"),
        ("sexo;edad\nM;18-29", "Line 1: there is no column of targets; call it «meta»."),
        ("meta\n3", "Line 1: there is no stratum"),
        ("sexo;sex;meta\nM;M;3", "Line 1: «sex» stands twice"),
        ("meta;target;sexo\n3;3;M", "Line 1: there are two columns of targets"),
        ('sexo;meta\n"M;3', ""),
        ("x" * 300_000, "The table is too long"),
    ],
)
def test_each_fault_is_told_with_its_line(text: str, told: str) -> None:
    assert told in faults(text)


def test_a_question_that_is_no_stratum_is_told_with_those_that_are(sample_items: Items) -> None:
    told = faults("why;meta\nx;1", sample_items)
    assert "«why» is no stratum" in told
    assert "registered" in told


def test_only_the_first_faults_of_many_are_told() -> None:
    told = faults("sexo;meta\n" + "Z;1\n" * 20)
    assert told.count("is no value") == 8
    assert "And 12 more lines." in told


@pytest.mark.parametrize(
    ("content", "text"),
    [("sexo;meta\nM;3".encode("utf-8-sig"), "sexo;meta\nM;3"), ("Sección;meta".encode("cp1252"), "Sección;meta")],
)
def test_a_file_is_read_as_utf8_else_as_windows_1252(content: bytes, text: str) -> None:
    assert quota_table.decoded(content) == text


def test_a_workbook_is_no_table_of_text() -> None:
    with pytest.raises(InvalidInput, match="Save it as CSV"):
        quota_table.decoded(b"PK\x03\x04\x00\x00")


values = {
    "sex": st.sampled_from(["H", "M", "X"]),
    "age": st.sampled_from(["18-29", "30-44", "45-59", "60+"]),
    "section_kind": st.sampled_from(["U", "M", "R"]),
    "municipality": st.sampled_from(
        ["Minatitlán", "Cosoleacaque", "=1+1", "Jáltipan de Morelos", "Tepic; Nay", 'La "U"']
    ),
}
KINDS = {"sex": "code", "age": "number", "section_kind": "code", "municipality": "text"}


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[Dimension, ...], tuple[Cell, ...]]:
    names = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.tuples(*(values[name] for name in names)), min_size=1, max_size=20, unique=True))
    targets = st.one_of(st.none(), st.integers(0, 9_999_999))
    cells = tuple(Cell(tuple(row), draw(targets)) for row in rows)
    return tuple(Dimension(name, "", KINDS[name]) for name in names), cells


@given(tables())
def test_a_table_that_was_written_is_read_as_the_same(
    table: tuple[tuple[Dimension, ...], tuple[Cell, ...]],
) -> None:
    assert quota_table.read(quota_table.write(*table), None) == table


@given(st.text(max_size=200))
def test_whatever_is_pasted_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        dimensions, cells = quota_table.read(text, None)
    except InvalidInput as refused:
        dimensions, cells = (), ()
        told = refused.faults["cells"]
    else:
        told = "read"
    assert told
    assert all(len(cell.values) == len(dimensions) for cell in cells)
