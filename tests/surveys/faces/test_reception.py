"""The menu of who rings back."""

import pytest

from surveys.faces import reception
from surveys.faces.reception import Caller
from surveys.faces.turns import Heard

CALLER = Caller("Instituto Inventado", "https://convoca.test/aviso", "es")


def test_who_rings_back_hears_who_had_called_and_both_keys() -> None:
    step = reception.ask(CALLER)
    for told in ("Instituto Inventado", "convoca punto test", "oprima 1", "oprima 9"):
        assert told in step.say[0].text


@pytest.mark.parametrize(
    ("heard", "tries", "chosen"),
    [
        (Heard("keys", "1"), 1, "operator"),
        (Heard("keys", "9"), 1, "opt_out"),
        (Heard("keys", "5"), 1, None),
        (Heard("silence"), 1, None),
        (Heard("silence"), 2, "none"),
        (Heard("gone"), 1, "none"),
    ],
)
def test_what_keys_choose(heard: Heard, tries: int, chosen: str | None) -> None:
    assert reception.choice(heard, tries) == chosen


@pytest.mark.parametrize(
    ("chosen", "room", "told"),
    [
        ("operator", "callback", "Le llamaremos"),
        ("opt_out", "goodbye", "No volveremos"),
        ("none", "goodbye", "Gracias"),
    ],
)
def test_each_choice_has_its_last_words(chosen: str, room: str, told: str) -> None:
    assert told in reception.goodbye(CALLER, chosen, room).say[0].text
