"""Every word of the ledger has one AAPOR code."""

import pytest

from callcenter.ledger.call_states import MOVES
from callcenter.ledger.dispositions import DISPOSITIONS, OUTCOMES
from surveys.sampling.outcome_codes import BY_DISPOSITION, BY_OUTCOME, BY_REASON, CODES, NO_ATTEMPT, Told, code_of
from surveys.sampling.outcome_rates import GROUPS


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Told("completed", "completed", "complete"), "1.1"),
        (Told("partial", "partial", "partial", has_vote=True), "1.2"),
        (Told("partial", "partial", "partial"), "2.12"),
        (Told("over_quota", "over_quota", "screened"), "4.80"),
        (Told("completed", "completed"), "2.12"),  # nobody is complete by an operator's word alone
        (Told("completed", "completed", "void"), "2.12"),
        (Told("refused", "refused", "void"), "2.11"),
        (Told("do_not_call", "do_not_call"), "2.11"),
        (Told("not_coded", None, "complete"), "1.1"),  # the operator's page went away, the answers did not
        (Told("no_reply", "no_reply", "void"), "3.21"),  # picked up, no key pressed: no interview
        (Told("voicemail", "voicemail", "void"), "2.22"),
        (Told("machine"), "3.14"),
        (Told("busy"), "3.12"),
        (Told("no_answer"), "3.13"),
        (Told("no_answer", q850=21), "3.15"),
        (Told("no_answer", sip=603), "3.15"),
        (Told("no_answer", q850=21, sip=480), "3.13"),  # the SIP code tells more than the cause made of it
        (Told("invalid_number"), "4.31"),
        (Told("invalid_number", q850=22), "4.41"),
        (Told("abandoned"), "3.21"),
        (Told("refused_by_gate"), None),
        (Told("not_placed"), None),
        (Told(None), None),
        (Told("something new"), "3.16"),
        (Told("something new", "something new"), "3.21"),
    ],
)
def test_each_end_of_a_try_has_its_code(told: Told, code: str | None) -> None:
    assert code_of(told) == code


def test_every_outcome_and_disposition_is_in_the_table() -> None:
    assert set(BY_DISPOSITION) == set(DISPOSITIONS)
    assert set(OUTCOMES) == set(BY_OUTCOME) | set(NO_ATTEMPT)
    ends = {event for moves in MOVES.values() for event, state in moves.items() if state == "ended"}
    assert ends - {"hung_up", "disposed"} <= set(OUTCOMES)


def test_every_code_is_known_and_in_a_group() -> None:
    used = {*BY_DISPOSITION.values(), *BY_OUTCOME.values(), *BY_REASON.values()}
    assert used <= set(CODES)
    assert {code.group for code in CODES.values()} == set(GROUPS)


def test_a_code_begins_with_the_number_of_its_group() -> None:
    begin = {"i": "1.1", "p": "1.2", "r": "2.1", "nc": "2.2", "o": "2.3", "uh": "3.1", "uo": "3.2", "ne": "4."}
    assert all(code.aapor.startswith(begin[code.group]) for code in CODES.values())


def test_an_interview_outweighs_a_refusal_and_a_refusal_outweighs_silence() -> None:
    order = ["1.1", "1.2", "2.12", "2.11", "4.70", "2.31", "2.20", "4.31", "3.21", "3.13", "3.11"]
    weights = [CODES[code].weight for code in order]
    assert weights == sorted(weights, reverse=True)
