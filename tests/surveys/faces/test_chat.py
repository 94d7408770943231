"""A survey in a chat: questions as messages, and answers as people write them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys import engine
from surveys.engine import Choice, Question
from surveys.faces import chat
from surveys.faces.chat import Meant
from surveys.forms.items import Items

GOLDEN = Path(__file__).parents[1] / "golden" / "chat"
PARTIES = (Choice("azul", "Partido Azul", "candidate"), Choice("rojo", "Partido Rojo", "candidate"),
           Choice("dk", "No sabe", "dk"), Choice("refused", "No contesta", "refused"))  # fmt: skip
STORIES = {
    "agrees_es": ("es", ["Sí", "tengo 34 años", "2", "la 1", "8", "Rojo", "azul", "1 y 3", "Saltar", "Porque sí."]),
    "agrees_en": ("en", ["Yes", "34", "1", "1", "ten", "3", "SKIP", "1,2", "1", "skip"]),
    "refuses_es": ("es", ["no"]),
    "stumbles_es": ("es", ["quizás", "1", "muchos", "17", "71", "hombre", "no", "9", "agua", "SALTAR"]),
}  # fmt: skip


def question(kind: str = "select_one", choices: tuple[Choice, ...] = PARTIES, *, required: bool = True) -> Question:
    return Question("vote", kind, "¿Por quién votaría?", "", required, choices, None, 1, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1", "azul"), ("2", "rojo"), (" 2. ", "rojo"), ("la 2", "rojo"), ("opción 2", "rojo"), ("2)", "rojo"),
        ("2️⃣", "rojo"), ("②", "rojo"), ("dos", "rojo"), ("Partido Rojo", "rojo"), ("partido rojo!", "rojo"),
        ("PARTIDO ROJO", "rojo"), ("rojo", "rojo"), ("9", "dk"), ("0", "refused"), ("no sabe", "dk"),
        ("No contesta", "refused"), ("nueve", "dk"),
    ],
)  # fmt: skip
def test_what_fits_one_choice_is_that_choice(text: str, code: str) -> None:
    assert chat.read(question(), text) == Meant("answer", code)


@pytest.mark.parametrize("text", ["", "5", "partido", "1 y 2", "12", "quizás", "👍", "ninguno de esos"])
def test_what_fits_none_or_several_is_asked_again(text: str) -> None:
    assert chat.read(question(), text) == Meant("wrong")


def test_refusing_and_not_knowing_stay_apart_from_the_choices_and_from_each_other() -> None:
    said = chat.say(question(), "es").splitlines()
    assert said == ["¿Por quién votaría?", "1) Partido Azul", "2) Partido Rojo", "9) No sabe", "0) No contesta"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [("1,2", "azul rojo"), ("1 y 2", "azul rojo"), ("1 2", "azul rojo"), ("2", "rojo"), ("2\n1", "rojo azul"),
     ("Partido Azul, Partido Rojo", "azul rojo"), ("la 1 y la 2", "azul rojo"), ("1+1", "azul")],
)  # fmt: skip
def test_several_choices_may_be_written_in_one_message(text: str, codes: str) -> None:
    assert chat.read(question("select_multiple"), text) == Meant("answer", codes)


@pytest.mark.parametrize("text", ["1 y 7", "todas", "", "1 quizás"])
def test_of_several_choices_each_must_be_one(text: str) -> None:
    assert chat.read(question("select_multiple"), text) == Meant("wrong")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("34", Meant("answer", "34")), ("tengo 34 años", Meant("answer", "34")), ("diez", Meant("answer", "10")),
     ("3.5", Meant("answer", "3.5")), ("entre 30 y 40", Meant("wrong")), ("muchos", Meant("wrong")),
     ("-5", Meant("answer", "-5"))],
)  # fmt: skip
def test_the_one_number_of_a_message_is_the_answer(text: str, meant: Meant) -> None:
    assert chat.read(question("integer", ()), text) == meant


@pytest.mark.parametrize("text", ["6/5/1990", "06-05-1990", "6.5.1990", "6 5 1990", "1990-05-06"])
def test_dates_are_written_day_first(text: str) -> None:
    assert chat.read(question("date", ()), text) == Meant("answer", "1990-05-06")


def test_on_a_scale_a_number_is_itself() -> None:
    scale = tuple(Choice(f"s{number}", str(number)) for number in range(11))
    asked = question(choices=(*scale, Choice("dk", "No sabe", "dk")))
    assert chat.read(asked, "10") == Meant("answer", "s10")
    assert chat.read(asked, "0") == Meant("answer", "s0")
    assert chat.read(asked, "11") == Meant("wrong")
    assert chat.read(asked, "NS") == Meant("answer", "dk")
    assert "10" in chat.say(asked, "es").splitlines()


def test_more_than_ten_choices_have_two_figures_and_one_will_do() -> None:
    many = tuple(Choice(f"c{number}", f"Colonia {chr(64 + number)}") for number in range(1, 13))
    assert "01) Colonia A" in chat.say(question(choices=many), "es")
    assert chat.read(question(choices=many), "3") == Meant("answer", "c3")
    assert chat.read(question(choices=many), "12") == Meant("answer", "c12")


def test_what_is_not_needed_may_be_left_out_and_one_may_go_back() -> None:
    assert chat.read(question(required=False), "Saltar") == Meant("answer", "")
    assert chat.read(question(required=True), "Saltar") == Meant("wrong")
    assert chat.read(question(), "Atrás") == Meant("back")
    assert "SALTAR" in chat.say(question(required=False), "es")
    assert "SKIP" in chat.say(question(required=False), "en")


@pytest.mark.parametrize("text", ["Sí", "si", "SI!", "ok", "1", "Claro que sí", "acepto", "yes"])
def test_a_plain_yes_begins(text: str) -> None:
    assert chat.is_yes(text)


@pytest.mark.parametrize("text", ["no", "¿quién es?", "si me pagan", "más tarde", "", "si pero mañana"])
def test_anything_else_does_not(text: str) -> None:
    assert not chat.is_yes(text)


@given(st.text(max_size=60), st.sampled_from(["select_one", "select_multiple", "integer", "decimal", "date", "text"]))
def test_no_message_breaks_the_reading_and_what_is_chosen_exists(text: str, kind: str) -> None:
    meant = chat.read(question(kind, PARTIES if kind.startswith("select") else ()), text)
    if kind.startswith("select") and meant.kind == "answer":
        assert set(meant.value.split()) <= {choice.code for choice in PARTIES}


@pytest.mark.parametrize("story", STORIES)
def test_whole_conversations_go_as_they_are_written_down(
    story: str, sample_items: Items, request: pytest.FixtureRequest
) -> None:
    language, said = STORIES[story]
    told = list(conversation(sample_items, language, said))
    file = GOLDEN / f"{story}.json"
    if request.config.getoption("--write-golden", default=False):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    assert told == json.loads(file.read_text())


def conversation(items: Items, language: str, said: list[str]) -> Iterator[dict[str, str]]:
    """What is asked and what each message comes to, until nothing is left of either."""
    answers = {"operator_name": "", "sponsor": "Instituto Inventado", "today": "2027-05-10"}
    for text in said:
        asked = engine.next_question(items, answers, 7, language, "whatsapp")
        if asked is None:
            return
        meant = chat.read(asked, text)
        told = {"asked": chat.say(asked, language), "said": text, "item": asked.name, "means": meant.kind}
        if meant.kind == "answer":
            try:
                value = engine.read_answer(items, answers, asked.name, meant.value, seed=7, language=language)
            except InvalidInput as fault:
                told["fault"] = " ".join(fault.faults.values())
            else:
                answers[asked.name] = told["value"] = value
        yield told
