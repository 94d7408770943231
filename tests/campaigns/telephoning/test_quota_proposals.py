"""Shares of a total in whole interviews."""

from hypothesis import given
from hypothesis import strategies as st

from campaigns.telephoning.quota_proposals import apportion


def test_the_largest_remainders_get_what_is_left() -> None:
    assert apportion({("a",): 50, ("b",): 30, ("c",): 20}, 7) == {("a",): 4, ("b",): 2, ("c",): 1}


@given(
    st.dictionaries(st.tuples(st.text(max_size=3)), st.integers(1, 10_000), min_size=1, max_size=30),
    st.integers(1, 100_000),
)
def test_the_shares_add_up_and_none_is_an_interview_off(people: dict[tuple[str, ...], int], total: int) -> None:
    shares = apportion(people, total)
    whole = sum(people.values())
    assert sum(shares.values()) == total
    assert all(abs(shares[cell] - total * n / whole) < 1 + 1e-6 for cell, n in people.items())
