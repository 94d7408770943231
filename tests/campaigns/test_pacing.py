from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.pacing import Decision, FloorView, Pacer, UnknownModeError


def view(idle: int, ringing: int = 0, waiting: int = 0, lines: int = 100, talking: int = 0) -> FloorView:
    return FloorView(0.0, idle, (), (5.0,) * talking, (1.0,) * ringing, waiting, lines)


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
