"""The menu of who rings us."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter import calendar
from callcenter.ledger.inbound import CHOICES, Menu
from surveys.faces import reception, sentences
from surveys.faces.turns import Heard, Step

MENU = Menu("Instituto Inventado", "https://convoca.test/aviso", "es", "survey", has_called=True, is_open=True,
            is_withheld=False)  # fmt: skip


def said(step: Step) -> str:
    return " ".join(one.text for one in step.say)


def test_who_rings_back_hears_who_had_called_why_and_every_key() -> None:
    words = said(reception.ask(MENU))
    for told in ("Le llamamos de parte de Instituto Inventado para una encuesta de opinión", "convoca punto test",
                 "oprima 1", "oprima 2", "oprima 3"):  # fmt: skip
        assert told in words


def test_who_was_not_called_hears_whose_number_it_is() -> None:
    words = said(reception.ask(replace(MENU, has_called=False)))
    assert "un número de Instituto Inventado" in words
    assert "Le llamamos" not in words


def test_outside_the_hours_no_operator_is_offered() -> None:
    closed = replace(MENU, is_open=False)
    assert "oprima 1" not in said(reception.ask(closed))
    assert "A esta hora" in said(reception.ask(closed))
    assert reception.choice(closed, Heard("keys", "1"), 1) is None
    assert reception.choice(closed, Heard("keys", "3"), 1) == "message"


def test_who_hides_their_number_is_told_how_to_be_called_no_more() -> None:
    hidden = replace(MENU, is_withheld=True)
    assert "sin ocultarlo" in said(reception.ask(hidden))
    assert reception.choice(hidden, Heard("keys", "2"), 1) is None


def test_a_campaign_that_names_nobody_and_no_notice_has_a_menu_all_the_same() -> None:
    words = said(reception.ask(replace(MENU, on_behalf_of="", privacy_notice_url="", language="náhuatl")))
    assert "de parte de un centro de llamadas" in words
    assert "aviso" not in words


@pytest.mark.parametrize("purpose", calendar.PURPOSES)
def test_every_purpose_has_its_words(purpose: str) -> None:
    for language in ("es", "en"):
        why = sentences.why_called(purpose, language)
        assert why.startswith(" ")
        assert why in said(reception.ask(replace(MENU, purpose=purpose, language=language)))


@pytest.mark.parametrize(
    ("heard", "tries", "chosen"),
    [
        (Heard("keys", "1"), 1, "operator"),
        (Heard("keys", "2"), 1, "opt_out"),
        (Heard("keys", "9"), 1, "opt_out"),
        (Heard("keys", "3"), 1, "message"),
        (Heard("keys", "5"), 1, None),
        (Heard("keys", "*#ABCD"), 1, None),
        (Heard("silence"), 1, None),
        (Heard("silence"), 2, "none"),
        (Heard("gone"), 1, "none"),
    ],
)
def test_what_keys_choose(heard: Heard, tries: int, chosen: str | None) -> None:
    assert reception.choice(MENU, heard, tries) == chosen


@given(st.text("0123456789*#ABCD", max_size=6), st.booleans(), st.booleans())
def test_whatever_is_pressed_is_a_choice_of_the_ledger_in_the_end(keys: str, is_open: bool, is_withheld: bool) -> None:
    menu = replace(MENU, is_open=is_open, is_withheld=is_withheld)
    heard = Heard("keys", keys)
    assert reception.choice(menu, heard, reception.TRIES) in CHOICES
    assert reception.meanwhile(menu, heard) in CHOICES
    assert reception.after_nobody(menu, heard) in ("message", "opt_out", "none")


def test_who_waits_is_reminded_now_and_then_and_may_change_their_mind() -> None:
    steps = [reception.wait(MENU, looks) for looks in range(21)]
    assert [looks for looks, step in enumerate(steps) if step.say] == [0, 10, 20]
    assert reception.meanwhile(MENU, Heard("silence")) == "operator"
    assert reception.meanwhile(MENU, Heard("keys", "3")) == "message"


@pytest.mark.parametrize(("says", "told"), [("callback", "Le llamaremos"), ("nobody", "nadie está libre")])
def test_who_found_nobody_is_offered_to_leave_a_message(says: str, told: str) -> None:
    words = said(reception.nobody(MENU, says))
    assert told in words
    assert "oprima 3" in words


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("opt_out", "No volveremos"),
        ("none", "Gracias"),
        ("message", "quedó guardado"),
        ("silent", "No oímos"),
        ("in_call", "otra llamada nuestra"),
        ("no_campaign", "no llama a nadie"),
    ],
)
def test_each_choice_has_its_last_words(chosen: str, told: str) -> None:
    assert told in said(reception.goodbye(MENU, chosen))


@pytest.mark.parametrize("code", sentences.RECEPTION)
def test_every_sentence_is_said_in_both_languages(code: str) -> None:
    assert set(sentences.RECEPTION[code]) == {"es", "en"}
