"""Keys: which one is whose, and what those that were pressed mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.engine import Choice, Question
from surveys.faces.keypad import Meant, pad_of, read


def question(kind: str, *choices: Choice, required: bool = True) -> Question:
    return Question("q", kind, "?", "", required, choices, None, 1, 1)


def plain(number: int) -> list[Choice]:
    return [Choice(f"c{n}", f"C {n}") for n in range(1, number + 1)]


DK, REFUSED = Choice("ns", "No sabe", "dk"), Choice("nc", "No contesta", "refused")


def test_keys_are_the_consoles_nine_does_not_know_and_nought_does_not_answer() -> None:
    assert pad_of(question("select_one", *plain(2), DK, REFUSED)).choices == {
        "9": "ns",
        "0": "nc",
        "1": "c1",
        "2": "c2",
    }


def test_ten_choices_have_one_key_each_and_eleven_two_figures() -> None:
    assert list(pad_of(question("select_one", *plain(10))).choices) == list("1234567890")
    long = pad_of(question("select_one", *plain(10), DK))
    assert (long.choices["99"], long.choices["01"], long.choices["10"], long.most) == ("ns", "c1", "c10", 2)


def test_two_answers_of_one_role_keep_a_key_each() -> None:
    pad = pad_of(question("select_one", DK, Choice("ns2", "No está seguro", "dk")))
    assert sorted(pad.choices.values()) == ["ns", "ns2"]


@pytest.mark.parametrize(
    ("asked", "pressed", "meant"),
    [
        (question("select_one", *plain(3)), "2", Meant("answer", "c2")),
        (question("select_one", *plain(3)), "4", Meant("wrong")),
        (question("select_one", *plain(3)), "", Meant("back")),
        (question("select_one", *plain(3)), "*", Meant("star")),
        (question("select_one", *plain(3), required=False), "0", Meant("skip")),
        (question("select_one", *plain(3)), "0", Meant("wrong")),
        (question("select_one", *plain(11)), "11", Meant("answer", "c11")),
        (question("select_one", *plain(11)), "1", Meant("wrong")),
        (question("select_multiple", *plain(3)), "1321", Meant("answer", "c1 c3 c2")),
        (question("select_multiple", *plain(3)), "14", Meant("wrong")),
        (question("select_multiple", *plain(3)), "1*", Meant("repeat")),
        (question("integer"), "042", Meant("answer", "042")),
        (question("integer"), "4*9", Meant("opt_out")),
        (question("integer", required=False), "*0", Meant("skip")),
        (question("integer"), "*0", Meant("repeat")),
        (question("integer"), "*", Meant("repeat")),
    ],
)
def test_what_keys_mean(asked: Question, pressed: str, meant: Meant) -> None:
    assert read(pad_of(asked), pressed) == meant


@given(st.integers(1, 98), st.booleans(), st.booleans())
def test_no_two_choices_share_a_key(number: int, dk: bool, refused: bool) -> None:
    choices = plain(number) + [DK] * dk + [REFUSED] * refused
    pad = pad_of(question("select_one", *choices))
    assert sorted(pad.choices.values()) == sorted(choice.code for choice in choices)
    assert len({len(key) for key in pad.choices}) == 1
