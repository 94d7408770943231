"""One-time codes with which operators call us: good once, for ten minutes, and not to be guessed."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import Refused
from callcenter.operators import Operator
from callcenter.seats import dial_in, one_time_codes, operator_lines
from callcenter.seats.one_time_codes import CodeTry
from callcenter.seats.operator_lines import OperatorLine
from tests.callcenter import cast

HOME = "+529221110001"


@pytest.fixture
def olga(session: Session, app: Flask) -> Operator:
    return cast.operator(session, free=False)


def code_of(session: Session, operator: Operator) -> str:
    return dial_in.make(session, operator.id, operator.user_id).digits


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_code_opens_the_line_of_who_asked_for_it_and_only_once(session: Session, olga: Operator) -> None:
    code = code_of(session, olga)
    assert len(code) == 6
    assert dial_in.take(session, HOME, code) == dial_in.Taken(olga.id)
    assert operator_lines.way(session, olga.id) == "dial_in"
    assert dial_in.take(session, HOME, code) == dial_in.Taken(None)


def test_a_new_code_ends_the_older_one_and_two_operators_have_two(session: Session, olga: Operator) -> None:
    omar = cast.operator(session, "omar", free=False)
    first, second, third = code_of(session, olga), code_of(session, olga), code_of(session, omar)
    assert len({second, third}) == 2
    assert first == second or dial_in.take(session, HOME, first).operator_id is None
    assert dial_in.take(session, HOME, third).operator_id == omar.id
    assert dial_in.take(session, HOME, second).operator_id == olga.id


def test_a_code_is_no_good_after_ten_minutes(session: Session, olga: Operator) -> None:
    code = code_of(session, olga)
    session.execute(update(OperatorLine).values(dial_until=real_now() - timedelta(seconds=1)))
    assert dial_in.take(session, HOME, code).operator_id is None


def test_after_five_wrong_codes_a_number_is_refused_even_with_the_right_one(session: Session, olga: Operator) -> None:
    code = code_of(session, olga)
    tries = [dial_in.take(session, HOME, other_than(code)) for _ in range(dial_in.WRONG)]
    assert [each.is_shut for each in tries] == [False] * (dial_in.WRONG - 1) + [True]
    assert dial_in.take(session, HOME, code) == dial_in.Taken(None, is_shut=True)
    assert dial_in.take(session, "+529221110002", code).operator_id == olga.id


def test_all_who_withhold_their_number_are_one(session: Session, olga: Operator) -> None:
    code = code_of(session, olga)
    for caller in ("anonymous", "", "+266696687", "Restricted", "anonymous"):
        dial_in.take(session, caller, other_than(code))
    assert dial_in.take(session, "anonymous", code).is_shut


def test_who_changes_numbers_guesses_no_better(session: Session, olga: Operator) -> None:
    code = code_of(session, olga)
    session.add_all([CodeTry(who=dial_in.EVERYBODY) for _ in range(dial_in.WRONG_IN_ALL)])
    session.flush()
    assert dial_in.take(session, "+529221110009", code).is_shut


def test_a_door_that_was_shut_opens_again_after_a_quarter_of_an_hour(session: Session, olga: Operator) -> None:
    code = code_of(session, olga)
    for _ in range(dial_in.WRONG):
        dial_in.take(session, HOME, other_than(code))
    session.execute(update(CodeTry).values(at=real_now() - one_time_codes.WINDOW))
    assert dial_in.take(session, HOME, code).operator_id == olga.id


def test_an_operator_may_not_ask_for_codes_without_end(session: Session, olga: Operator) -> None:
    for _ in range(dial_in.ASKED):
        code_of(session, olga)
    with pytest.raises(Refused, match="quarter of an hour"):
        code_of(session, olga)
    assert code_of(session, cast.operator(session, "omar", free=False))


def test_neither_code_nor_telephone_is_kept_as_it_is(session: Session, olga: Operator) -> None:
    code = code_of(session, olga)
    dial_in.take(session, HOME, other_than(code))
    line = operator_lines.of(session, olga.id)
    assert line.dial_hash is not None
    assert code.encode() not in line.dial_hash
    assert not any(HOME[-10:] in who for who in session.scalars(select(CodeTry.who)))
    told = [str(each) for each in session.scalars(select(AuditEntry.detail))]
    assert not any(code in each for each in told)


def test_the_checked_telephone_of_who_asked_for_a_code_is_expected(session: Session, olga: Operator) -> None:
    operator_lines.set_phone(session, olga.id, HOME, olga.user_id)
    code_of(session, olga)
    assert not dial_in.expects(session, HOME)  # anybody could have written it
    operator_lines.of(session, olga.id).verified_at = real_now()
    session.flush()
    assert dial_in.expects(session, HOME)
    assert not dial_in.expects(session, "+529221110002")
    assert not dial_in.expects(session, "anonymous")
