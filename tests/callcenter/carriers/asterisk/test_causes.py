"""The one table: what the line says, what we make of it, when the person is tried again, whose fault it is."""

import pytest

from callcenter.carriers.asterisk import causes
from callcenter.ledger.call_states import COUNTED, MOVES
from callcenter.ledger.dispositions import OUTCOMES

# Q.850 cause, SIP code, our outcome, minutes until the next try (None: never again in this queue), our own fault
SAID = [
    (1, None, "invalid_number", None, False), (1, 404, "invalid_number", None, False),
    (1, 485, "invalid_number", None, False), (1, 604, "invalid_number", None, False),
    (28, 484, "invalid_number", None, False), (22, 410, "invalid_number", None, False),
    (17, 486, "busy", 15, False), (17, 600, "busy", 15, False), (17, None, "busy", 15, False),
    (18, 408, "no_answer", 120, False), (19, 480, "no_answer", 120, False), (19, None, "no_answer", 120, False),
    (20, None, "no_answer", 120, False), (21, 603, "no_answer", 120, False), (21, None, "no_answer", 120, False),
    (27, 502, "failed", 60, False), (127, None, "failed", 60, False), (111, None, "failed", 60, False),
    (21, 401, "not_placed", 2, True), (21, 403, "not_placed", 2, True), (21, 407, "not_placed", 2, True),
    (34, 503, "not_placed", 2, True), (38, 500, "not_placed", 2, True), (38, None, "not_placed", 2, True),
    (41, None, "not_placed", 2, True), (42, None, "not_placed", 2, True), (58, 488, "not_placed", 2, True),
]  # fmt: skip


@pytest.mark.parametrize(("q850", "sip", "outcome", "minutes", "ours"), SAID)
def test_each_end_of_a_call_has_one_meaning(
    q850: int, sip: int | None, outcome: str, minutes: int | None, ours: bool
) -> None:
    found = causes.meaning(q850, sip)
    assert found is not None
    assert (found.event, found.retry_minutes, found.is_ours) == (outcome, minutes, ours)
    assert causes.is_ours(q850, sip) is ours


@pytest.mark.parametrize(("reason", "outcome"), [(3, "no_answer"), (5, "busy"), (8, "not_placed")])
def test_where_the_cause_says_nothing_asterisks_reason_does(reason: int, outcome: str) -> None:
    for cause in (None, *causes.OPEN):
        found = causes.meaning(cause, None, reason)
        assert found is not None
        assert found.event == outcome


def test_a_cause_of_nothing_is_left_to_our_own_timer() -> None:
    assert causes.meaning(0, None) is causes.meaning(16, None, 0) is causes.meaning(0, None, 1) is None


def test_no_code_stands_in_two_rows() -> None:
    q850 = [code for _, codes, _ in causes.TABLE for code in codes]
    sip = [code for _, _, codes in causes.TABLE for code in codes]
    assert (len(q850), len(sip)) == (len(set(q850)), len(set(sip)))


def test_every_meaning_ends_a_call_that_rings_and_has_its_words() -> None:
    for meaning in {row[0] for row in causes.TABLE} | {causes.NEVER_RANG, causes.CANCELED}:
        assert {MOVES[state].get(meaning.event) for state in ("placing", "ringing", "unknown")} == {"ended"}
        assert meaning.event in OUTCOMES
        assert (meaning.event in COUNTED) is not (meaning.is_ours or meaning.event == "canceled")
