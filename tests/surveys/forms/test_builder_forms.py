"""The builder's form of one question, there and back."""

from typing import Any

import pytest

from surveys.forms import builder_forms, sheet_edits, starter_form
from surveys.forms.builder_forms import Shown
from surveys.forms.form_outline import Outline, outline
from surveys.forms.sheets import Source
from surveys.forms.xlsform import read_workbook
from tests.surveys.survey_forms import SAMPLE

VOTE, LIKELY, SECOND = 8, 7, 9


@pytest.fixture
def source() -> Source:
    return read_workbook(SAMPLE.read_bytes()).source


def posted(form: Shown) -> dict[str, Any]:
    """What a browser sends of the form as it was shown."""
    sent: dict[str, Any] = {"was": form.name, "name": form.name, "kind": form.kind}
    sent |= {f"{column}:{code}": text for column, texts in form.texts.items() for code, text in texts.items()}
    sent |= {key: form.cells[key] for key in ("required", "relevant", "constraint", "choice_filter")}
    if form.choices:
        sent |= {f"choice_{key}": [choice[key] for choice in form.choices] for key in ("was", "name", "role")}
        sent["choice_order"] = [str(number) for number in range(1, len(form.choices) + 1)]
        for code in form.texts["label"]:
            sent[f"choice_label:{code}"] = [choice["texts"][code] for choice in form.choices]
    return sent | ({"randomize": "yes"} if form.randomize else {})


def test_a_form_saved_as_it_was_shown_changes_nothing(source: Source) -> None:
    before = outline(source).items
    for place in range(len(source["survey"]["lines"])):
        builder_forms.write(source, place, posted(builder_forms.shown(source, place)))
    assert outline(source).items == before


def test_choices_are_ordered_added_and_removed(source: Source) -> None:
    form = posted(builder_forms.shown(source, VOTE))
    form["choice_order"][1] = "0.5"
    form["choice_label:es"][10] = "Otra Coalición"
    for key in ("choice_name", "choice_label:es", "choice_label:en"):
        form[key][2] = ""
    builder_forms.write(source, VOTE, form)
    rows = sheet_edits.choices(source, "vote")
    assert [row["name"] for row in rows][:3] == ["rojo", "azul", "indep"]
    assert rows[-1]["name"] == "otra_coalicion"
    assert len(rows) == 10


def test_two_answers_with_the_same_words_get_codes_of_their_own(source: Source) -> None:
    form = posted(builder_forms.shown(source, VOTE))
    form["choice_label:es"][10:12] = ["Nueva", "Nueva"]
    builder_forms.write(source, VOTE, form)
    assert [row["name"] for row in sheet_edits.choices(source, "vote")][-2:] == ["nueva", "nueva_2"]


@pytest.mark.parametrize(
    ("picked", "condition"),
    [
        ({"add_answer": "sex|M"}, "${registered} = 'yes' and selected(${sex}, 'M')"),
        ({"add_item": "age", "add_test": ">=", "add_number": "30"}, "${registered} = 'yes' and ${age} >= 30"),
        ({"add_item": "age", "add_test": "; drop", "add_number": "30"}, "${registered} = 'yes'"),
        ({"add_item": "age", "add_test": ">=", "add_number": "mucho"}, "${registered} = 'yes'"),
        ({"relevant": "", "add_answer": "sex|M"}, "selected(${sex}, 'M')"),
        ({"relevant": "${age} > 1 or ${age} < 9", "add_answer": "sex|M"},
         "(${age} > 1 or ${age} < 9) and selected(${sex}, 'M')"),
    ],
)  # fmt: skip
def test_a_picked_condition_is_added_to_the_one_there_is(
    source: Source, picked: dict[str, str], condition: str
) -> None:
    builder_forms.write(source, LIKELY, posted(builder_forms.shown(source, LIKELY)) | picked)
    assert sheet_edits.value(source, LIKELY, "relevant") == condition


def test_a_new_name_is_followed_by_those_who_refer_to_it(source: Source) -> None:
    builder_forms.write(source, VOTE, posted(builder_forms.shown(source, VOTE)) | {"name": "voto"})
    assert "${voto}" in sheet_edits.value(source, SECOND, "relevant")
    seen = outline(source)
    assert seen.items is not None
    assert seen.items["vote_question"] == "voto"


def test_a_question_becomes_one_with_answers_and_back(source: Source) -> None:
    builder_forms.write(source, LIKELY, posted(builder_forms.shown(source, LIKELY)) | {"kind": "select_one"})
    form = builder_forms.shown(source, LIKELY)
    assert (form.kind, form.list_name, len(form.choices)) == ("select_one", "likely", builder_forms.BLANK_CHOICES)
    builder_forms.write(source, LIKELY, posted(form) | {"kind": "integer"})
    assert sheet_edits.kind_of(source, LIKELY) == "integer"


def test_a_list_too_long_for_a_page_is_left_alone(source: Source) -> None:
    rows = [{"name": str(number), "label::Español (es)": "x"} for number in range(200)]
    sheet_edits.set_choices(source, "vote", rows)
    form = builder_forms.shown(source, VOTE)
    assert form.is_long
    builder_forms.write(source, VOTE, posted(form) | {"label:es": "¿Por quién?"})
    assert len(sheet_edits.choices(source, "vote")) == 200
    assert sheet_edits.value(source, VOTE, "parameters") == "randomize=true"


def lines(seen: Outline) -> dict[str, Any]:
    return {line.name: line for line in seen.lines}


def test_the_outline_says_each_question_its_condition_and_its_faults(source: Source) -> None:
    seen = outline(source, "en")
    vote = lines(seen)["vote"]
    assert vote.when == "the answer to “Do you hold a valid voter card from this municipality?” is “Yes”"
    assert (len(vote.choices), vote.more) == (8, 2)
    sheet_edits.put(source, VOTE, {"relevant": "${nobody} = 1"})
    broken = outline(source, "en")
    assert broken.items is None
    assert "nobody" in lines(broken)["vote"].faults[0]
    assert lines(broken)["age"].faults == ()
    assert lines(broken)["second"].when


def test_groups_are_indented() -> None:
    source = starter_form.source("Prueba")
    sheet_edits.add(source, 4, {"type": "begin_group", "name": "g"})
    sheet_edits.add(source, 6, {"type": "end_group"})
    assert [line.depth for line in outline(source).lines] == [0, 0, 0, 0, 0, 1, 0, 0]


def test_the_first_questionnaire_can_be_used_as_it_is() -> None:
    seen = outline(starter_form.source("Prueba"))
    assert seen.faults == {}
    assert seen.items is not None
    assert [seen.items[key] for key in ("title", "vote_question", "consent_question")] == ["Prueba", "vote", "consent"]
