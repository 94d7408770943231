from types import SimpleNamespace
from typing import Any

import pytest

from scripts.bench.chaos import doubles, is_stuck
from scripts.bench.floor import p95

ALICE, BOB = "+529220100001", "+529220100002"


def call(**known: Any) -> Any:
    return SimpleNamespace(**{"was_connected": False, "age": 5.0, "overdue": -10.0, "gone": None} | known)


def test_two_dials_of_one_phone_within_a_minute_are_a_pair_and_of_two_phones_are_not() -> None:
    assert doubles([(ALICE, 0), (BOB, 1), (ALICE, 59)]) == 1
    assert doubles([(ALICE, 70), (ALICE, 0), (BOB, 30)]) == 0
    assert doubles([(ALICE, 0), (ALICE, 10), (ALICE, 20)]) == 2


@pytest.mark.parametrize(
    ("known", "ended_at", "stuck"),
    [
        ({}, None, False),
        ({"age": 90.0}, None, True),  # nobody answered, and it rings no more
        ({"age": 900.0, "was_connected": True}, None, False),  # a long talk
        ({"age": 900.0, "was_connected": True}, 930.0, True),  # the citizen left 70 seconds ago
        ({"age": 900.0, "was_connected": True}, 950.0, False),
        ({"was_connected": True, "gone": 61.0}, None, True),  # wrapped up for more than a minute
        ({"was_connected": True, "overdue": 61.0}, None, True),
    ],
)
def test_a_call_is_stuck_a_minute_after_it_had_to_be_over(
    known: dict[str, Any], ended_at: float | None, stuck: bool
) -> None:
    assert is_stuck(call(**known), ended_at, now=1000.0) is stuck


def test_the_95th_percentile_is_a_value_that_was_seen() -> None:
    assert p95([float(value) for value in range(1, 101)]) == 95
    assert p95([3.0]) == 3
