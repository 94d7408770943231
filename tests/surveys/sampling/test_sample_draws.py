"""A draw is the same on any machine, takes nobody twice, and gives each stratum its share."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.sampling.numbering_reading import Range
from surveys.sampling.sample_draws import EQUAL, PROPORTIONAL, allocate, base_weights, digest, pick, replicate

BLOCK = [Range(9225500000, 9225500999, "mobile"), Range(9225502000, 9225502499, "mobile")]


GOLDEN = [9225500759, 9225500821, 9225500318, 9225502467, 9225500943]


def anything(_number: int) -> None:
    return None


def test_the_same_seed_draws_the_same_numbers() -> None:
    first, _passed = pick(BLOCK, 5, seed="2027", label="922", refuse=anything)
    again, _passed = pick(BLOCK, 5, seed="2027", label="922", refuse=anything)
    other, _passed = pick(BLOCK, 5, seed="2028", label="922", refuse=anything)
    assert first == again != other
    # Worked out once; a release that draws others would break every published seed.
    assert first == GOLDEN


@given(st.integers(0, 1600), st.text(max_size=5))
def test_nobody_is_drawn_twice_and_nobody_from_outside(wanted: int, seed: str) -> None:
    found, _passed = pick(BLOCK, wanted, seed=seed, label="x", refuse=anything)
    assert len(set(found)) == len(found) == min(wanted, 1500)
    assert all(any(one.first <= number <= one.last for one in BLOCK) for number in found)


def test_what_is_refused_is_counted_and_another_one_drawn() -> None:
    found, passed = pick(BLOCK, 700, seed="1", label="x", refuse=lambda number: "odd" if number % 2 else None)
    assert len(found) == 700
    assert not any(number % 2 for number in found)
    assert passed["odd"] > 500


def test_every_number_has_the_same_chance() -> None:
    ten = [Range(9225500000, 9225500009, "mobile")]
    drawn: Counter[int] = Counter()
    for seed in range(2000):
        drawn.update(pick(ten, 3, seed=str(seed), label="x", refuse=anything)[0])
    # 600 expected of each; the chi-square of 10 cells exceeds 27.9 once in a thousand, and the seeds are fixed.
    assert sum((number - 600) ** 2 / 600 for number in drawn.values()) < 27.9


def test_proportional_shares_follow_the_sizes_and_miss_no_stratum() -> None:
    assert allocate({"a": 600, "b": 300, "c": 100}, 10) == {"a": 6, "b": 3, "c": 1}
    assert allocate({"a": 100_000, "b": 1}, 10) == {"a": 9, "b": 1}


def test_equal_shares_take_what_a_small_stratum_lacks_from_the_others() -> None:
    assert allocate({"a": 100, "b": 3, "c": 100}, 30, EQUAL) == {"a": 14, "b": 3, "c": 13}


def test_another_way_to_share_out_is_named() -> None:
    with pytest.raises(ValueError, match="proportional, equal"):
        allocate({"a": 1}, 1, "by feeling")


_SIZES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10_000), max_size=8)


@given(_SIZES, st.integers(0, 20_000), st.sampled_from([PROPORTIONAL, EQUAL]))
def test_shares_add_up_and_exceed_no_stratum(sizes: dict[str, int], wanted: int, how: str) -> None:
    given_out = allocate(sizes, wanted, how)
    assert sum(given_out.values()) == min(wanted, sum(sizes.values()))
    assert all(0 <= given_out[name] <= size for name, size in sizes.items())


@given(st.integers(1, 500), st.integers(1, 50))
def test_replicates_are_of_one_size(cases: int, replicates: int) -> None:
    sizes = Counter(replicate(place, replicates) for place in range(cases))
    assert set(sizes) <= set(range(1, replicates + 1))
    assert max(sizes.values()) - min(sizes.values()) <= 1 or len(sizes) < replicates


@given(_SIZES, st.integers(1, 500), st.sampled_from([PROPORTIONAL, EQUAL]))
def test_base_weights_are_one_on_average_and_give_the_frame_back(sizes: dict[str, int], wanted: int, how: str) -> None:
    drawn = allocate(sizes, wanted, how)
    weights = base_weights(sizes, drawn)
    cases = sum(drawn[name] for name in weights)
    if cases:
        assert sum(weights[name] * drawn[name] for name in weights) == pytest.approx(cases)
        frame = sum(sizes[name] for name in weights)
        for name, weight in weights.items():
            assert weight * drawn[name] / cases == pytest.approx(sizes[name] / frame)


def test_the_fingerprint_tells_every_case_and_its_place() -> None:
    lines = [(1, 1, "a", "x"), (2, 2, "a", "y")]
    assert digest(lines) == digest(iter(lines))
    assert digest(lines) != digest(reversed(lines))
