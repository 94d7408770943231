import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.pacing import KINDS, MODES, RUNG_ENOUGH, Decision, FloorView, Pacer, UnknownModeError

ages = st.lists(st.floats(0, 120), max_size=30).map(lambda each: tuple(sorted(each, reverse=True)))
floors = st.builds(
    FloorView, now=st.floats(0, 1e6), idle=st.integers(0, 30), wrapping=ages, talking=ages, ringing=ages,
    waiting=st.integers(0, 9), lines_free=st.integers(-5, 200),
)  # fmt: skip
rows = st.lists(st.tuples(st.sampled_from(KINDS), st.floats(0, 200), st.floats(0, 60)), max_size=150).map(
    lambda each: [(kind, seconds, float(number)) for number, (kind, seconds, _) in enumerate(each)]
)
modes = st.sampled_from(MODES)


def view(idle: int, ringing: int = 0, waiting: int = 0, lines: int = 100, talking: int = 0) -> FloorView:
    return FloorView(0.0, idle, (), (5.0,) * talking, (1.0,) * ringing, waiting, lines)


def experienced(mode: str = "predictive", rate: float = 0.15, attempts: int = 800, **known: Any) -> Pacer:
    """A pacer that has seen so many attempts and their talks, and nobody abandoned."""
    dice, pacer = random.Random(4), Pacer(mode, **known)
    for number in range(attempts):
        if dice.random() < rate:
            pacer.observe("answered", dice.gammavariate(4, 3), number * 4.0)
            pacer.observe("talk", dice.lognormvariate(4.5, 0.77), number * 4.0)
            pacer.observe("wrap", dice.expovariate(1 / 15), number * 4.0)
        else:
            pacer.observe("not_answered", 25.0, number * 4.0)
    return pacer


@pytest.mark.parametrize(
    ("seen", "decision"),
    [
        (view(3), Decision(3, 0, None)),
        (view(3, ringing=2), Decision(1, 0, None)),
        (view(3, ringing=1, waiting=1), Decision(1, 0, None)),
        (view(3, ringing=5), Decision(0, 0, "enough_ringing")),
        (view(0), Decision(0, 0, "no_operators")),
        (view(0, talking=2), Decision(0, 0, "operators_busy")),
        (view(3, lines=1), Decision(1, 0, None)),
        (view(3, lines=0), Decision(0, 0, "no_lines")),
    ],
)
def test_progressive_rings_one_phone_for_each_operator_who_waits(seen: FloorView, decision: Decision) -> None:
    assert Pacer("progressive").decide(seen) == decision


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 9), st.integers(-5, 50))
def test_progressive_never_has_more_phones_than_operators_and_always_says_why_not(
    idle: int, ringing: int, waiting: int, lines: int
) -> None:
    decision = Pacer("progressive").decide(view(idle, ringing, waiting, lines))
    assert 0 <= decision.place <= max(idle - ringing - waiting, 0)
    assert decision.place <= max(lines, 0)
    assert (decision.reason is None) == (decision.place > 0)


@settings(deadline=None)
@given(modes, floors, rows, st.booleans())
def test_whatever_was_seen_nothing_impossible_is_decided(
    mode: str, seen: FloorView, history: list[tuple[str, float, float]], gives_up: bool
) -> None:
    decision = Pacer.from_history(history, mode, 0.03, 1.5, gives_up=gives_up).decide(seen)
    assert 0 <= decision.place <= max(seen.lines_free, 0)
    old = sum(seconds >= RUNG_ENOUGH for seconds in seen.ringing)
    assert 0 <= decision.hang_up <= old
    if seen.idle > 0 or not gives_up:
        assert decision.hang_up == 0
    assert (decision.reason is None) == (decision.place > 0)
    if mode in ("manual", "preview"):
        assert decision == Decision(0, 0, mode)


@settings(deadline=None)
@given(rows, st.lists(floors, min_size=1, max_size=3))
def test_a_pacer_built_from_the_ledger_decides_as_the_one_that_lived_through_it(
    history: list[tuple[str, float, float]], seen: list[FloorView]
) -> None:
    lived = Pacer("predictive")
    for number, row in enumerate(history):
        if number % 5 == 0:
            lived.decide(seen[0])
        lived.observe(*row)
    rebuilt = Pacer.from_history(iter(history))
    assert [rebuilt.decide(each) for each in seen] == [lived.decide(each) for each in seen]
    assert (rebuilt.attempts, rebuilt.given_up, rebuilt.budget.credit) == (
        lived.attempts, lived.given_up, lived.budget.credit)  # fmt: skip


def test_predictive_rings_more_phones_than_operators_wait_once_it_knows_how_often_they_answer() -> None:
    assert Pacer("predictive").decide(view(10)) == Decision(10, 0, None)
    assert experienced().decide(view(10, talking=10)).place > 15


def test_the_fewer_answer_the_more_phones_ring() -> None:
    few, many = experienced(rate=0.1), experienced(rate=0.5)
    assert few.decide(view(10)).place > 2 * many.decide(view(10)).place


def test_predictive_places_nothing_for_operators_who_are_in_the_middle_of_young_talks() -> None:
    assert experienced().decide(view(0, talking=4)) == Decision(0, 0, "operators_busy")


def test_the_limit_that_is_used_up_leaves_one_phone_for_each_operator_and_says_so() -> None:
    pacer = experienced(abandon_limit=0.01)
    for _ in range(5):
        pacer.observe("abandoned", 2.0, 3200.0)
    full = FloorView(3200.0, 2, (), (5.0,) * 4, (1.0,) * 6, 0, 100)
    assert pacer.decide(full) == Decision(0, 0, "risk_budget")


def test_the_oldest_rings_are_given_up_while_nobody_is_free_and_only_few_of_all() -> None:
    pacer = experienced()
    crowd = FloorView(3200.0, 0, (), (5.0,) * 5, (22.0, 18.0, 9.0) + (3.0,) * 20, 2, 100)
    assert pacer.decide(crowd).hang_up == 2
    assert experienced(gives_up=False).decide(crowd).hang_up == 0
    for _ in range(200):
        pacer.observe("given_up", 18.0, 3200.0)
    assert pacer.decide(crowd).hang_up == 0


def test_power_rings_its_ratio_while_the_limit_allows_and_one_each_after() -> None:
    pacer = experienced("power", ratio=2.5, abandon_limit=0.03)
    assert pacer.decide(view(4)).place == 10
    for _ in range(9):
        pacer.observe("abandoned", 2.0, 3200.0)
    assert pacer.decide(view(4)).place == 4


@pytest.mark.parametrize("mode", ["power", "predictive"])
def test_two_operators_are_too_few_for_any_limit(mode: str) -> None:
    pacer = experienced(mode, ratio=3.0)
    assert pacer.decide(view(2)).place == 2
    assert pacer.decide(view(1, ringing=1, talking=1)) == Decision(0, 0, "small_team")


def test_a_limit_of_nothing_is_progressive() -> None:
    assert experienced(abandon_limit=0.0).decide(view(6, talking=9)).place == 6


def test_a_beginning_is_not_bold() -> None:
    pacer = experienced(attempts=60)
    assert pacer.decide(view(5, ringing=5)).place <= 10


def test_a_mode_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownModeError, match=r"'guess'.*progressive"):
        Pacer("guess")


@pytest.mark.parametrize("bad", [{"abandon_limit": 0.04}, {"abandon_limit": -0.1}, {"ratio": 0.5}])
def test_a_limit_beyond_the_rules_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Pacer("progressive", **bad)


def test_an_observation_that_is_not_known_is_refused() -> None:
    Pacer("progressive").observe("answered", 3.0, 10.0)
    with pytest.raises(ValueError, match=r"'sneezed'.*answered"):
        Pacer("progressive").observe("sneezed", 3.0, 10.0)
