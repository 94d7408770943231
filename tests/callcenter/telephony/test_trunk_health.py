"""How trunks rest after failures that are ours, come back, and who hears of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import carriers, queues, trunks
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.carriers.asterisk import causes
from callcenter.telephony import trunk_alarms, trunk_health, trunk_words
from callcenter.telephony.trunk_book import Trunk, TrunkResult
from tests.callcenter import cast
from tests.callcenter.trunk_cast import fresh, trunk


@pytest.fixture(autouse=True)
def _asterisk(app: Flask) -> Iterator[None]:
    """Asterisk is the carrier, and whoever reads reads English."""
    carriers.use({"asterisk": cast.FakeCarrier()})
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield
    carriers.use({})


def fail(session: Session, line: Trunk, times: int = 1, sip: int | None = 403, q850: int | None = 21) -> Trunk:
    for _ in range(times):
        trunks.note_result(session, line.id, q850, sip)
    return fresh(session, line.id)


def rested(session: Session, line: Trunk) -> Trunk:
    """Let its rest pass."""
    found = fresh(session, line.id)
    found.resting_until = real_now() - timedelta(seconds=1)
    session.flush()
    return found


@pytest.mark.parametrize("sip", [401, 403, 407, 503])
def test_three_refusals_in_a_row_send_a_trunk_to_rest(session: Session, sip: int) -> None:
    line = trunk(session)
    assert not fail(session, line, 2, sip=sip).is_resting
    resting = fail(session, line, sip=sip)
    assert resting.is_resting
    assert (resting.rest_seconds, resting.last_fault) == (30, f"sip {sip}")


@pytest.mark.parametrize("q850", [34, 38, 42])
def test_a_trunk_without_a_way_out_rests_too(session: Session, q850: int) -> None:
    assert fail(session, trunk(session), 3, sip=None, q850=q850).last_fault == f"q850 {q850}"


@pytest.mark.parametrize(("q850", "sip"), [(17, 486), (19, 480), (1, 404), (21, 603), (16, None), (None, None)])
def test_what_the_person_or_their_line_says_is_no_failure_of_the_trunk(
    session: Session, q850: int | None, sip: int | None
) -> None:
    line = fail(session, trunk(session), 5, sip=sip, q850=q850)
    assert (line.faults, line.is_resting) == (0, False)
    assert session.scalar(select(func.count()).select_from(TrunkResult)) == 5


def test_a_good_call_between_failures_begins_the_count_anew(session: Session) -> None:
    line = trunk(session)
    fail(session, line, 2)
    assert fail(session, line, sip=486, q850=17).faults == 0
    assert not fail(session, line, 2).is_resting


def test_half_of_twenty_calls_failing_is_enough_although_never_three_in_a_row(session: Session) -> None:
    line = trunk(session)
    for _ in range(9):
        fail(session, line)
        assert not fail(session, line, sip=200, q850=16).is_resting
    fail(session, line)
    assert fail(session, line).is_resting
    assert trunk_health.fault_share(session, line.id, 20) == (0.55, 20)


def test_rests_double_up_to_ten_minutes_and_one_call_at_a_time_tries_the_way_back(session: Session) -> None:
    line = trunk(session, channels=30)
    fail(session, line, 3)
    lengths = []
    for _ in range(6):
        waking = rested(session, line)
        assert waking.is_on_probation
        assert trunks.lines(session) == 1
        lengths.append(fail(session, line).rest_seconds)
    assert lengths == [60, 120, 240, 480, 600, 600]
    rested(session, line)
    well = fail(session, line, sip=486, q850=17)
    assert (well.faults, well.rest_seconds, well.is_on_probation) == (0, 0, False)
    assert trunks.lines(session) == 30
    assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()[-1] == "trunks.recover"


def test_calls_that_end_during_the_rest_make_it_no_longer(session: Session) -> None:
    line = trunk(session)
    resting = fail(session, line, 3)
    until = resting.resting_until
    assert fail(session, line, 7).resting_until == until
    assert fail(session, line, sip=200, q850=16).resting_until == until


def test_a_trunk_that_answers_403_to_all_pauses_the_queue_when_it_was_the_last(session: Session) -> None:
    line, other = trunk(session), trunk(session)
    queue = cast.queue(session, cast.person(session), carrier="asterisk")
    elsewhere = cast.queue(session, carrier="simulated")
    fail(session, line, 3)
    assert queues.get(session, queue.id).state == "running"
    fail(session, other, 3)
    found = queues.get(session, queue.id)
    assert (found.state, found.state_reason) == ("paused", "carrier:trunks_refused")
    assert "user or password" in str(queues.pause_sentence(found.state_reason))
    assert queues.get(session, elsewhere.id).state == "running"


def test_congestion_lets_the_queue_wait_for_the_end_of_the_rest(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), carrier="asterisk")
    fail(session, trunk(session), 3, sip=503, q850=42)
    assert queues.get(session, queue.id).state == "running"
    assert trunks.why_none(session) == "trunks_resting"


def test_an_alarm_says_what_happened_and_what_to_do(session: Session) -> None:
    line = trunk(session, name="Troncal Prueba")
    assert trunk_alarms.now(session) == []
    fail(session, line, 3)
    (alarm,) = trunk_alarms.now(session)
    assert alarm.subject == "Troncal Prueba"
    assert "Rests until" in alarm.what
    assert "The provider does not let us call." in alarm.advice
    assert "Check user and password" in alarm.advice
    trunk_health.wake(session, line.id, None)
    assert trunk_alarms.now(session) == []
    fresh(session, line.id).switch.fault = "wrong_password"
    session.flush()
    assert "AMI password" in trunk_alarms.now(session)[0].advice


def test_a_registration_is_heard_once_and_its_words_are_kept_in_one_line(session: Session) -> None:
    line = trunk(session, registers=True, username="cuenta1", host="sip.example.com")
    assert trunks.of_registration(session, "local", "sip:cuenta1@sip.example.com", "sip:sip.example.com:5060") == [
        line.id
    ]
    assert trunks.of_registration(session, "local", "sip:otra@sip.example.com", "sip:sip.example.com") == []
    assert trunks.of_registration(session, "other", "sip:cuenta1@sip.example.com", "sip:sip.example.com") == []
    trunks.heard(session, line.id, False, "Rejected\r\nX")
    found = fresh(session, line.id)
    assert (found.registered, found.detail) == (False, "Rejected X")
    assert trunk_words.state(found).words == "Registration refused"
    trunks.heard(session, line.id, True, "Registered")
    since = fresh(session, line.id).registered_at
    trunks.heard(session, line.id, True, "Registered")
    assert fresh(session, line.id).registered_at == since
    assert "Registered since" in trunk_words.state(fresh(session, line.id)).words
    trunks.heard(session, 99_999, True)  # a trunk that was deleted meanwhile


def test_who_does_not_answer_is_told_from_who_refuses_and_who_has_not_spoken(session: Session) -> None:
    line = trunk(session, registers=True)

    def words() -> str:
        return trunk_words.state(fresh(session, line.id)).words

    assert words() == "Waits for its registration"
    trunks.heard(session, line.id, False, "Unregistered")  # as after a start of the switch
    assert words() == "Waits for its registration"
    trunks.heard(session, line.id, False, "Rejected")
    assert words() == "Registration refused"
    trunks.answers(session, line.id, True, "Reachable")
    assert fresh(session, line.id).detail == "Rejected"
    trunks.answers(session, line.id, False, "Unreachable")
    assert words() == "Does not answer"


def test_results_are_kept_for_a_week(session: Session) -> None:
    line = fail(session, trunk(session), 2, sip=486, q850=17)
    old = session.scalars(select(TrunkResult).where(TrunkResult.trunk_id == line.id)).first()
    assert old is not None
    old.at = real_now() - timedelta(days=8)
    session.flush()
    trunk_health.sweep(session)
    assert session.scalar(select(func.count()).select_from(TrunkResult)) == 1


def test_every_failure_of_ours_has_words(session: Session) -> None:
    for sip in (code for code in range(300, 700) if causes.is_ours(None, code)):
        assert trunk_words.explain(sip, None), sip
    for q850 in (cause for cause in range(128) if causes.is_ours(cause, None)):
        assert trunk_words.explain(None, q850), q850
