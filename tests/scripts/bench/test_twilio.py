from types import SimpleNamespace
from typing import Any

import pytest

from scripts.bench.twilio import Watch, lost_states

CALL = {"kind": "call", "id": "c1", "sid": "CA1", "to": "+529220100001"}
KNOWN = {"id": "c1", "ref": "CA1", "state": "ended", "outcome": "busy"}


def lost(status: str | None, **known: Any) -> dict[str, int]:
    ends = [{"kind": "end", "sid": "CA1", "status": status}] if status else []
    return dict(lost_states([CALL, *ends], [SimpleNamespace(**KNOWN | known)]))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("busy", "busy"), ("no-answer", "no_answer"), ("no-answer", "given_up"), ("failed", "invalid_number"),
     ("canceled", "canceled"), ("completed", "abandoned"), ("completed", "completed"), ("completed", "machine")],
)  # fmt: skip
def test_a_call_that_ledger_and_carrier_tell_alike_is_not_lost(status: str, outcome: str) -> None:
    assert lost(status, outcome=outcome) == {}


def test_a_call_that_still_rings_for_the_ledger_only_is_lost() -> None:
    assert lost("no-answer", state="ringing", outcome=None) == {"still ringing (the carrier says no-answer)": 1}
    assert lost(None, state="ringing", outcome=None) == {}
    assert lost("completed", state="wrap_up", outcome=None) == {}


def test_another_end_than_the_carriers_is_lost_and_so_is_one_too_early() -> None:
    assert lost("busy", outcome="no_answer") == {"no_answer (the carrier says busy)": 1}
    assert lost("completed", outcome="busy") == {"busy (the carrier says completed)": 1}
    assert lost(None, outcome="busy") == {"busy while it lasts (the carrier says nothing)": 1}
    assert lost("busy", outcome="lost") == {"lost (the carrier says busy)": 1}


def test_a_call_that_only_one_of_them_knows_is_lost() -> None:
    assert lost_states([], [SimpleNamespace(**KNOWN)]).total() == 1
    assert lost_states([CALL, {"kind": "end", "sid": "CA1", "status": "busy"}], []) == {"unknown to the ledger": 1}


def test_callbacks_are_counted_between_two_looks() -> None:
    watch = Watch("http://127.0.0.1:9", told=[(10.0, 100), (12.0, 300), (20.0, 1100)])
    assert watch.rate() == 100
