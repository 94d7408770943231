"""Agreement of two coders beyond chance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.coding.agreement import by_code, cohen
from surveys.weighting.intervals import Z95

CODES = ("a", "b", "c")
Counts = dict[tuple[str, str], int]
tables = st.dictionaries(
    st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)), st.integers(1, 40), min_size=2, max_size=9
)


def pairs(counts: Counts) -> list[tuple[str, str]]:
    return [pair for pair, number in counts.items() for _one in range(number)]


def kappa(shares: dict[tuple[str, str], float]) -> float:
    """κ as Cohen defines it, of any table of shares."""
    total = sum(shares.values())
    same = sum(share for (one, other), share in shares.items() if one == other) / total
    rows = {code: sum(share for (one, _x), share in shares.items() if one == code) / total for code in CODES}
    columns = {code: sum(share for (_x, one), share in shares.items() if one == code) / total for code in CODES}
    chance = sum(rows[code] * columns[code] for code in CODES)
    return (same - chance) / (1 - chance)


def test_half_of_what_chance_leaves_open_is_a_kappa_of_four_tenths() -> None:
    found = cohen(pairs({("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15}))
    assert found is not None
    assert found.n == 50
    assert (found.share, found.kappa) == pytest.approx((0.7, 0.4))


def test_the_interval_is_the_one_that_small_changes_of_the_table_give() -> None:
    """The error of formula 13 against the delta method, differentiated by numbers."""
    counts = {
        ("a", "a"): 31,
        ("a", "b"): 7,
        ("b", "a"): 4,
        ("b", "b"): 22,
        ("b", "c"): 6,
        ("c", "c"): 18,
        ("c", "a"): 2,
    }
    n = sum(counts.values())
    shares = {pair: number / n for pair, number in counts.items()}
    step = 1e-6
    slopes = {
        pair: (kappa({**shares, pair: shares[pair] + step}) - kappa({**shares, pair: shares[pair] - step})) / (2 * step)
        for pair in shares
    }
    mean = sum(shares[pair] * slope for pair, slope in slopes.items())
    error = math.sqrt((sum(shares[pair] * slope**2 for pair, slope in slopes.items()) - mean**2) / n)
    found = cohen(pairs(counts))
    assert found is not None
    assert found.kappa is not None
    assert found.low is not None
    assert found.kappa == pytest.approx(kappa(shares))
    assert found.kappa - found.low == pytest.approx(Z95 * error, rel=1e-5)


def test_two_who_use_one_code_only_agree_by_chance_alone() -> None:
    found = cohen([("a", "a")] * 12)
    assert found is not None
    assert (found.share, found.kappa, found.low) == (1.0, None, None)


def test_nobody_agrees_about_nothing() -> None:
    assert cohen([]) is None


@given(tables)
def test_kappa_does_not_mind_who_is_first_and_keeps_its_bounds(counts: Counts) -> None:
    one = cohen(pairs(counts))
    other = cohen([(second, first) for first, second in pairs(counts)])
    assert one is not None
    assert other is not None
    assert (one.kappa is None) == (other.kappa is None)
    if one.kappa is not None and other.kappa is not None and one.low is not None and one.high is not None:
        assert one.kappa == pytest.approx(other.kappa)
        assert -1 <= one.low <= one.kappa + 1e-9
        assert one.kappa - 1e-9 <= one.high <= 1


@given(st.lists(st.sampled_from(CODES), min_size=2, max_size=30))
def test_who_codes_everything_alike_agrees_perfectly(codes: list[str]) -> None:
    found = cohen([(code, code) for code in codes])
    assert found is not None
    assert found.share == pytest.approx(1)
    assert found.kappa is None if len(set(codes)) == 1 else found.kappa == pytest.approx(1)


def test_answers_with_several_codes_agree_code_by_code() -> None:
    given_codes = [
        (frozenset("ab"), frozenset("a")),
        (frozenset("b"), frozenset("b")),
        (frozenset("c"), frozenset("a")),
    ]
    found = by_code(given_codes, CODES)
    assert {code: round(one.share, 3) for code, one in found.items()} == {"a": 0.667, "b": 0.667, "c": 0.667}
    assert found["c"].kappa == pytest.approx(0)
