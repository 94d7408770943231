"""The engine: from answers to the next question, and back."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys import engine
from surveys.forms import instance
from surveys.forms.items import Items, read_items
from surveys.forms.xlsform import read_workbook
from tests.surveys.survey_forms import workbook

GOLDEN = Path(__file__).parent / "golden"
HIDDEN = {"operator_name": "Rosa Lira", "sponsor": "Instituto Inventado", "today": "2027-05-10"}
TRACES: dict[str, dict[str, Any]] = {
    "agrees_and_votes": {
        "seed": 7,
        "language": "es",
        "face": "screen",
        "given": {
            "intro": "",
            "consent": "yes",
            "age": "34",
            "sex": "M",
            "registered": "yes",
            "likely": "8",
            "vote": "rojo",
            "second": "azul",
            "problems": ["water", "jobs"],
            "opinion_azul": "g",
            "why": "Porque sí.",
            "bye": "",
        },
    },
    "refuses": {"seed": 8, "language": "es", "face": "screen", "given": {"intro": "", "consent": "no", "bye": ""}},
    "not_registered_in_english": {
        "seed": 9,
        "language": "en",
        "face": "screen",
        "given": {
            "intro": "",
            "consent": "yes",
            "age": "71",
            "sex": "H",
            "registered": "no",
            "problems": "crime",
            "opinion_azul": "",
            "bye": "",
        },
    },
    "undecided": {
        "seed": 10,
        "language": "es",
        "face": "screen",
        "given": {
            "intro": "",
            "consent": "yes",
            "age": "22",
            "sex": "X",
            "registered": "yes",
            "likely": "5",
            "vote": "undecided",
            "problems": "light",
            "opinion_azul": "dk",
            "bye": "",
        },
    },
    "by_telephone_machine": {
        "seed": 11,
        "language": "es",
        "face": "agi",
        "given": {
            "intro": "",
            "consent": "yes",
            "age": "45",
            "sex": "H",
            "registered": "yes",
            "likely": "10",
            "vote": "verde",
            "second": "",
            "problems": "waste",
            "opinion_azul": "b",
            "why_voice": "rec-1.wav",
            "bye": "",
        },
    },
    "alone_by_link": {  # nobody calls: the note that names the caller is left out
        "seed": 12,
        "language": "es",
        "face": "web",
        "given": {
            "consent": "yes",
            "age": "52",
            "sex": "M",
            "registered": "yes",
            "likely": "7",
            "vote": "refused",
            "problems": ["crime", "light"],
            "opinion_azul": "dk",
            "bye": "",
        },
    },
}


def walk(items: Items, trace: dict[str, Any]) -> list[dict[str, Any]]:
    """Every question as it was asked, with the value stored for what was given."""
    answers, steps = dict(HIDDEN), []
    while asked := engine.next_question(items, answers, trace["seed"], trace["language"], trace["face"]):
        given = trace["given"][asked.name]
        value = engine.read_answer(items, answers, asked.name, given, seed=trace["seed"], language=trace["language"])
        answers[asked.name] = value
        steps.append(
            {
                "question": asked.name,
                "label": asked.label,
                "place": asked.place,
                "total": asked.total,
                "order": asked.order,
                "value": value,
            }
        )
    assert set(trace["given"]) == {step["question"] for step in steps}
    return steps


@pytest.mark.parametrize("name", TRACES)
def test_an_interview_goes_the_way_it_went_before(
    name: str, sample_items: Items, request: pytest.FixtureRequest
) -> None:
    steps = walk(sample_items, TRACES[name])
    file = GOLDEN / f"{name}.json"
    if request.config.getoption("--write-golden", default=False):
        file.write_text(json.dumps(steps, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert steps == json.loads(file.read_text(encoding="utf-8"))


def test_only_candidates_rotate_and_the_order_belongs_to_the_interview(sample_items: Items) -> None:
    agreed = HIDDEN | {"consent": "yes", "registered": "yes"}
    orders = set()
    for seed in range(60):
        asked = engine.question(sample_items, agreed, "vote", seed)
        again = engine.question(sample_items, agreed, "vote", seed)
        assert asked is not None
        assert again is not None
        assert asked.order == again.order
        assert sorted(asked.order[:4]) == ["azul", "indep", "rojo", "verde"]
        assert asked.order[4:] == ["none", "void", "wont_vote", "undecided", "dk", "refused"]
        orders.add(tuple(asked.order[:4]))
    assert len(orders) > 15


def test_every_candidate_comes_first_about_as_often() -> None:
    firsts = [engine.shuffled(["a", "b", "c", "d"], seed, "vote")[0] for seed in range(4000)]
    assert all(850 < firsts.count(code) < 1150 for code in "abcd")


def test_a_list_without_candidates_keeps_does_not_know_in_its_place(sample_items: Items) -> None:
    answers = HIDDEN | {"consent": "yes", "registered": "yes", "vote": "azul"}
    for seed in range(10):
        asked = engine.question(sample_items, answers, "second", seed)
        assert asked is not None
        assert asked.order[-1] == "dk"


def test_an_audio_question_is_asked_only_where_a_voice_can_be_recorded(sample_items: Items) -> None:
    answers = HIDDEN | {"consent": "yes", "registered": "yes", "vote": "azul"}
    assert "why_voice" not in engine.Look(sample_items, answers, face="screen").path
    assert "why_voice" in engine.Look(sample_items, answers, face="agi").path
    assert "why" not in engine.Look(sample_items, answers, face="agi").path


def test_going_back_keeps_the_later_answers(sample_items: Items) -> None:
    answers = HIDDEN | {"consent": "yes", "age": "30", "sex": "H", "registered": "yes", "likely": "9", "vote": "azul"}
    back = engine.question(sample_items, answers, "age")
    assert back is not None
    assert back.value == "30"
    changed = answers | {"age": engine.read_answer(sample_items, answers, "age", "31")}
    following = engine.next_question(sample_items, changed | {"intro": ""})
    assert following is not None
    assert following.name == "second"


def test_an_earlier_change_takes_later_answers_out_but_not_away(sample_items: Items) -> None:
    answers = HIDDEN | {"consent": "yes", "registered": "yes", "vote": "azul", "second": "rojo"}
    assert {"vote", "second"} <= engine.Look(sample_items, answers).applicable
    answers["registered"] = "no"
    assert not {"vote", "second"} & engine.Look(sample_items, answers).applicable
    answers["registered"] = "yes"
    assert {"vote", "second"} <= engine.Look(sample_items, answers).applicable


@pytest.mark.parametrize(
    ("item", "given", "language", "words"),
    [
        ("age", "17", "es", "Solo personas de 18 años o más."),
        ("age", "treinta", "es", "whole number"),
        ("age", "1e9", "es", "whole number"),
        ("age", "٣٤", "es", "whole number"),
        ("vote", "nadie", "es", "nadie"),
        ("vote", "azul rojo", "es", "azul rojo"),
        ("problems", ["water", "jobs", "crime"], "en", "Máximo dos."),
        ("problems", "", "es", "needed"),
        ("why", "x" * 4001, "es", "4000"),
        ("second", "azul", "es", "does not apply"),
        ("nothing", "x", "es", "no such question"),
        ("sponsor", "x", "es", "no such question"),
    ],
)
def test_what_cannot_be_accepted_is_told_in_a_sentence(
    item: str, given: Any, language: str, words: str, sample_items: Items
) -> None:
    answers = HIDDEN | {"consent": "yes", "registered": "yes"}
    answers |= {"vote": "azul"} if item == "why" else {}
    with pytest.raises(InvalidInput) as caught:
        engine.read_answer(sample_items, answers, item, given, language=language)
    assert words in caught.value.faults[item]


def test_a_value_is_stored_in_one_spelling(sample_items: Items) -> None:
    answers = HIDDEN | {"consent": "yes", "registered": "yes", "vote": "azul"}
    assert engine.read_answer(sample_items, answers, "age", " 034 ") == "34"
    assert engine.read_answer(sample_items, answers, "problems", ["jobs", "water", "jobs"]) == "water jobs"
    assert engine.read_answer(sample_items, answers, "why", "  a\x00b\nc ") == "ab\nc"


def test_calculations_groups_filters_and_piping_work_together() -> None:
    items = read_items(
        read_workbook(
            workbook(
                [
                    ["type", "name", "label", "relevant", "calculation", "choice_filter", "required", "constraint"],
                    ["hidden", "section"],
                    ["select_one region", "region", "¿Región?"],
                    ["begin_group", "town_group", "", "${region} != ''"],
                    ["select_one town", "town", "¿Cuál de ${region}?", "", "", "region = ${region}"],
                    ["end_group"],
                    ["integer", "children", "¿Hijos?"],
                    ["calculate", "double", "", "", "${children} * 2"],
                    ["decimal", "share", "¿Parte?", "${double} > 2", "", "", "${double} = 4"],
                    ["date", "born", "¿Nació?", "", "", "", "", ". <= today()"],
                    ["note", "bye", "Dijo ${double}; vive en ${town}; sección ${section}"],
                ],
                [
                    ["list_name", "name", "label", "region"],
                    ["region", "n", "Norte"],
                    ["region", "s", "Sur"],
                    ["town", "a", "Alto", "n"],
                    ["town", "b", "Bajo", "s"],
                ],
            )
        )
    )
    answers = {"section": "12", "today": "2027-05-10"}
    assert "town" not in engine.Look(items, answers).path
    answers["region"] = "s"
    town = engine.question(items, answers, "town")
    assert town is not None
    assert (town.order, town.label) == (["b"], "¿Cuál de Sur?")
    with pytest.raises(InvalidInput, match="“a”"):
        engine.read_answer(items, answers, "town", "a")
    answers |= {"town": "b", "children": "2"}
    assert engine.stand(items, answers).values["double"] == "4"
    share = engine.question(items, answers, "share")
    assert share is not None
    assert share.required
    assert engine.read_answer(items, answers, "share", "3,50") == "3.5"
    with pytest.raises(InvalidInput):
        engine.read_answer(items, answers, "born", "2027-05-11")
    with pytest.raises(InvalidInput):
        engine.read_answer(items, answers, "born", "2027-02-30")
    assert engine.read_answer(items, answers, "born", "2000-02-29") == "2000-02-29"
    bye = engine.question(items, answers, "bye")
    assert bye is not None
    assert bye.label == "Dijo 4; vive en Bajo; sección 12"


def test_an_interview_is_finished_when_only_notes_are_left(sample_items: Items) -> None:
    answers = HIDDEN | {"intro": "", "consent": "no"}
    assert engine.Look(sample_items, answers).is_finished
    assert engine.refused_consent(sample_items, answers)
    assert not engine.Look(sample_items, HIDDEN | {"consent": "yes"}).is_finished


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(0, 2**62))
def test_any_acceptable_answers_lead_to_the_end_and_every_question_is_asked_once(
    sample_items: Items, data: st.DataObject, seed: int
) -> None:
    answers, asked_names, shown = dict(HIDDEN), [], []
    while asked := engine.next_question(sample_items, answers, seed):
        asked_names.append(asked.name)
        shown.append((asked.name, asked.order))
        if asked.choices:
            given: str | list[str] = data.draw(st.sampled_from(asked.order))
        else:
            given = data.draw(st.integers(18, 110)).__str__() if asked.name == "age" else "5"
        answers[asked.name] = engine.read_answer(sample_items, answers, asked.name, given, seed=seed)
    assert len(asked_names) == len(set(asked_names)) <= len(sample_items["items"])
    assert engine.Look(sample_items, answers, seed).is_finished
    assert set(asked_names) <= engine.Look(sample_items, answers, seed).applicable
    assert engine.way(sample_items, answers, seed) == shown  # looked back on, the interview is what it was


@given(
    st.lists(st.sampled_from([f"c{i}" for i in range(12)]), unique=True), st.integers(0, 2**63 - 1), st.text(max_size=8)
)
def test_shuffling_loses_and_invents_nothing(codes: list[str], seed: int, name: str) -> None:
    order = engine.shuffled(codes, seed, name)
    assert sorted(order) == sorted(codes)
    assert order == engine.shuffled(codes, seed, name)


@settings(deadline=None)
@given(
    st.text(max_size=60) | st.lists(st.text(max_size=8), max_size=4),
    st.sampled_from(["age", "vote", "problems", "why"]),
)
def test_any_input_is_a_value_or_a_sentence(sample_items: Items, given: Any, item: str) -> None:
    answers = HIDDEN | {"consent": "yes", "registered": "yes", "vote": "azul"}
    try:
        value = engine.read_answer(sample_items, answers, item, given)
    except InvalidInput as fault:
        told = fault.faults[item]
        assert told
    else:
        assert "\x00" not in value
        assert engine.read_answer(sample_items, answers, item, value) == value


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "consent": st.sampled_from(["yes", "no"]),
            "age": st.integers(0, 120).map(str),
            "registered": st.sampled_from(["yes", "no", "dk"]),
            "vote": st.sampled_from(["azul", "verde", "none", "dk", "refused"]),
            "problems": st.sampled_from(["water", "water jobs", "crime waste"]),
        },
    )
)
def test_an_expression_sees_in_its_part_what_it_saw_in_the_whole(sample_items: Items, answers: dict[str, str]) -> None:
    found = engine.stand(sample_items, HIDDEN | answers, 5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(instance.Instance, "part", lambda world, _expression, name: (world.root, world.nodes[name]))
        assert engine.stand(sample_items, HIDDEN | answers, 5) == found
