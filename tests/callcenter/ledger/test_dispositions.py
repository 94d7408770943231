import pytest

from callcenter.base.errors import InvalidInput
from callcenter.ledger.call_states import MOVES
from callcenter.ledger.dispositions import DISPOSITIONS, OUTCOMES, disposition, label, listed


def test_each_of_the_keys_one_to_nine_stands_for_one_outcome() -> None:
    assert sorted(d.key for d in DISPOSITIONS.values() if d.key) == list("123456789")


def test_each_outcome_has_an_effect_an_aapor_code_and_a_label() -> None:
    for each in DISPOSITIONS.values():
        assert each.effect in ("final", "retry", "callback", "suppress")
        assert each.aapor
        assert label(each.code) == str(each.label)


def test_each_end_that_needs_no_operator_has_a_sentence() -> None:
    ends = {event for moves in MOVES.values() for event, state in moves.items() if state == "ended"}
    assert ends - {"disposed", "hung_up"} <= set(OUTCOMES)


def test_an_unknown_code_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"maybe.*completed"):
        disposition("maybe")


def test_the_console_gets_plain_text() -> None:
    assert listed()[0] == {"code": "completed", "label": "Completed", "key": "1", "effect": "final"}
    assert (label(None), label("busy"), label("never_heard_of")) == ("", "Busy", "never_heard_of")
