"""Keys that may never be kept, by their shape. All of them are invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.lists.voter_keys import (
    has_check_digit,
    is_certain_key,
    is_column_of_keys,
    is_sensitive_value,
    without_keys,
)

VALUES = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
LETTERS = "ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
BODIES = st.from_regex(r"[A-ZÑ]{4}[0-9]{6}[HMX][A-ZÑ]{5}[A-Z0-9]", fullmatch=True)
CLAVE = "ABDAGA90010130H700"


def curp(body: str) -> str:
    """The body with its check digit, computed as the domain says it and not as the code does."""
    total = sum(VALUES.index(char) * (19 - place) for place, char in enumerate(body, start=1))
    return body + str((10 - total % 10) % 10)


@given(body=BODIES)
def test_of_the_ten_digits_one_is_right_and_all_ten_have_the_shape(body: str) -> None:
    right = [digit for digit in "0123456789" if has_check_digit(body + digit)]
    assert right == [curp(body)[-1]]
    assert all(is_sensitive_value(f" {body}{digit} ") for digit in "0123456789")


@given(body=BODIES)
def test_a_key_inside_a_text_is_cut_out_and_the_rest_stays(body: str) -> None:
    key = curp(body)
    assert without_keys(f"vecina, CURP {key.lower()} ({CLAVE})") == "vecina, CURP … (…)"
    assert without_keys(f"X{key}") == f"X{key}"  # no word of its own


@given(text=st.text(max_size=60))
def test_a_text_without_eighteen_fitting_characters_is_left_alone(text: str) -> None:
    if not any(char.isdigit() for char in text):
        assert without_keys(text) == text


def test_a_key_in_groups_is_certain_when_its_digit_is_right() -> None:
    key = curp("FCGA540215HVZCBB0")
    wrong = key[:-1] + str((int(key[-1]) + 1) % 10)
    assert is_certain_key(f"{key[:4]} {key[4:10]}-{key[10:]}")
    assert not is_certain_key(wrong)
    assert is_sensitive_value(wrong)


@pytest.mark.parametrize(
    ("keys", "others", "is_dropped"),
    [
        (2, 8, True),  # a fifth of the cells is certainly a key
        (1, 9, False),
        (0, 5, False),
    ],
)
def test_a_column_goes_when_a_fifth_of_it_is_certainly_keys(keys: int, others: int, is_dropped: bool) -> None:
    cells = [curp("FCGA540215HVZCBB0")] * keys + ["Las Granjas"] * others + [""] * 20
    assert is_column_of_keys(cells) is is_dropped


def test_mistyped_keys_drop_a_column_only_when_most_of_it_has_the_shape() -> None:
    key = curp("FCGA540215HVZCBB0")
    wrong = key[:-1] + str((int(key[-1]) + 1) % 10)
    assert is_column_of_keys([wrong] * 6 + ["nota"] * 4)
    assert not is_column_of_keys([wrong] * 4 + ["nota"] * 6)
    assert is_column_of_keys([f"dijo que su CURP es {wrong}"] * 6 + ["nota"] * 4)
