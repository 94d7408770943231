"""No count below five is shown, and none can be got by subtraction from what is shown."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from callcenter.tables.small_counts import FEWEST, hide


def test_one_small_count_takes_the_next_smallest_with_it() -> None:
    shown = hide({"a": 3, "b": 40, "c": 12})
    assert shown.values == {"a": None, "b": 40, "c": None}
    assert shown.total == 55


def test_two_ones_together_still_tell_too_much() -> None:
    assert hide({"a": 1, "b": 1, "c": 9, "d": 50}).values == {"a": None, "b": None, "c": None, "d": 50}


def test_a_zero_tells_of_nobody() -> None:
    assert hide({"a": 0, "b": 9}).values == {"a": 0, "b": 9}


def test_where_nothing_else_can_hide_the_total_is_hidden() -> None:
    assert hide({"a": 3, "b": 0}).total is None


def test_a_part_is_hidden_when_the_rest_is_small() -> None:
    assert hide({"a": 48, "b": 20, "c": 60}, of={"a": 50, "b": 40, "c": 90}).values["a"] is None


counts = st.dictionaries(st.integers(0, 8), st.integers(0, 12), min_size=1)


@given(counts, st.lists(st.integers(0, 2), min_size=9, max_size=9))
def test_every_group_hides_nothing_or_what_cannot_be_reckoned(values: dict[int, int], groups: list[int]) -> None:
    grouping = dict(enumerate(groups))
    shown = hide(values, [grouping])
    for key, count in shown.values.items():
        assert count is None or (count == values[key] and not 0 < count < FEWEST)
    for group, members in [(None, list(values)), *((g, [k for k in values if grouping[k] == g]) for g in set(groups))]:
        hidden = [values[key] for key in members if shown.values[key] is None]
        if group is None and shown.total is None:
            continue
        left = [key for key in members if shown.values[key]]
        assert not hidden or (len(hidden) > 1 and sum(hidden) >= FEWEST) or not left


@given(st.dictionaries(st.integers(0, 3), st.integers(0, 7), min_size=2, max_size=4))
def test_whoever_knows_the_total_and_the_shown_counts_is_certain_of_no_small_one(values: dict[int, int]) -> None:
    shown = hide(values)
    hidden = [key for key, count in shown.values.items() if count is None]
    if not hidden or shown.total is None:
        return
    left = shown.total - sum(count for count in shown.values.values() if count is not None)
    possible = [guess for guess in product(range(left + 1), repeat=len(hidden)) if sum(guess) == left]
    for at in range(len(hidden)):
        assert len({guess[at] for guess in possible}) > 1
