"""In how many parts a text is billed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulated_carrier.parts import parts


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ñ" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the € does not fit into the last septet of the first part
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),  # 33 pairs a part: the 67th unit cannot hold half of one
    ],
)
def test_a_text_is_counted_in_septets_or_in_units_and_no_letter_is_cut(body: str, count: int) -> None:
    assert parts(body) == count


@given(st.text(max_size=400), st.text(max_size=20))
def test_a_longer_text_never_has_fewer_parts(body: str, more: str) -> None:
    body, more = (text.encode("utf-16-le", "ignore").decode("utf-16-le") for text in (body, more))
    assert parts(body + more) >= parts(body) >= 1
