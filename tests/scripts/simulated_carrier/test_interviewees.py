"""What invented citizens press at the menus of a recorded survey."""

import pytest

from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_carrier.interviewees import keys

PEOPLE = [citizen(f"+5255123456{number:02}", 1) for number in range(60)]
WILLING = next(person for person in PEOPLE if person.takes_part and person.vote == "azul" and person.sex == "M")
UNWILLING = [person for person in PEOPLE if not person.takes_part]
WHO_CALLS = "Le llama un sistema automático. Si no quiere que le llamemos más, oprima 9 ahora."
VOTE = ["¿Por quién votaría?", "Beto Luna, Partido Rojo: oprima 1.", "Ana Robles, Partido Azul: oprima 2."]


@pytest.mark.parametrize(
    ("said", "pressed"),
    [
        ([WHO_CALLS], ""),
        (["Para comenzar, oprima 7."], "7"),
        (["¿Acepta participar?", "Sí: oprima 1.", "No: oprima 2."], "1"),
        (["¿Cuántos años cumplidos tiene?", "Marque el número y termine con la tecla de gato."], str(WILLING.age)),
        (["Sexo", "Hombre: oprima 1.", "Mujer: oprima 2."], "2"),
        (VOTE, "2"),
        (["¿Municipio?", "Acayucan: oprima 0 1.", "Partido Azul: oprima 1 2."], "12"),
        (["Para hablar con una persona, oprima 1. Si no quiere que le llamemos más, oprima 9."], None),
    ],
)
def test_who_takes_part_answers_what_they_think(said: list[str], pressed: str | None) -> None:
    assert keys(WILLING, said) == pressed


def test_who_does_not_take_part_begins_nothing_and_some_ask_never_to_be_called_again() -> None:
    assert {keys(person, ["Para comenzar, oprima 7."]) for person in UNWILLING} == {""}
    pressed = [keys(person, [WHO_CALLS]) for person in UNWILLING]
    assert 0 < pressed.count("9") < len(pressed)


def test_the_same_person_answers_the_same_twice() -> None:
    menu = ["¿Qué opina?", "Bien: oprima 1.", "Mal: oprima 2.", "Regular: oprima 3."]
    assert [keys(person, menu) for person in PEOPLE] == [keys(person, menu) for person in PEOPLE]
    assert len({keys(person, menu) for person in PEOPLE}) == 3


def test_another_vote_is_another_key() -> None:
    rojo = next(person for person in PEOPLE if person.takes_part and person.vote == "rojo")
    assert keys(rojo, VOTE) == "1"
