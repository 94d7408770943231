"""A recorded call walked through by what was pressed."""

from hypothesis import given
from hypothesis import strategies as st

from surveys.fieldwork import keypad_trial
from surveys.fieldwork.keypad_trial import SILENCE, Stand, walk
from surveys.forms.items import Items

FACTS = {"sponsor": "Instituto Inventado", "operator_name": "un sistema automático", "today": "2027-05-10"}
PRESSES = st.sampled_from([*"0123456789*#", SILENCE, keypad_trial.VOICE, "34#", "*9", "", "no", "99999999999"])


def go(items: Items, *pressed: str) -> Stand:
    return walk(items, "es", FACTS, pressed, seed=3)


def challenge(items: Items) -> str:
    """The key that the line asks for after its introduction."""
    return go(items, SILENCE).said[-1].removeprefix("Para comenzar, oprima ").rstrip(".")


def test_a_call_begins_with_who_calls(sample_items: Items) -> None:
    stand = go(sample_items)
    assert stand.act == "listen"
    assert "Instituto Inventado" in stand.said[0]


def test_keys_are_answers_and_the_call_goes_on(sample_items: Items) -> None:
    stand = go(sample_items, SILENCE, challenge(sample_items), SILENCE, "1", "34#")
    assert stand.answers == {"intro": "", "consent": "yes", "age": "34"}
    assert stand.said[0].startswith("Sexo")


def test_an_answer_out_of_range_is_complained_of_in_the_forms_words(sample_items: Items) -> None:
    stand = go(sample_items, SILENCE, challenge(sample_items), SILENCE, "1", "12#")
    assert stand.said[0] == "Solo personas de 18 años o más."


def test_nine_is_never_again_and_ends_the_call(sample_items: Items) -> None:
    stand = go(sample_items, "9", "1", "1")
    assert (stand.act, stand.code, stand.pressed) == ("end", "do_not_call", ("9",))


def test_what_is_no_key_changes_nothing(sample_items: Items) -> None:
    assert go(sample_items, SILENCE, "no").pressed == (SILENCE,)


@given(pressed=st.lists(PRESSES, max_size=25))
def test_any_presses_lead_somewhere(sample_items: Items, pressed: list[str]) -> None:
    stand = go(sample_items, *pressed)
    assert (stand.act == "end") == bool(stand.code)
    assert list(stand.pressed) == pressed[: len(stand.pressed)]
