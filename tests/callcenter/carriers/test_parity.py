"""What both carriers say of one answer of the telephone network, and what becomes of whoever picks up: the same,
whichever carrier the campaign rings through."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.calls import Event
from callcenter.carriers.asterisk import causes, events
from callcenter.carriers.asterisk.events import Leg
from callcenter.carriers.twilio import errors
from callcenter.ledger import machines
from callcenter.queueing import abandonment
from callcenter.queueing.queue_rules import DEAD_PHONE, GIVEN_BACK
from callcenter.telephony import switch_news
from tests.callcenter import cast

# The Q.850 cause that Asterisk makes of a SIP code; 127 of every other one from 400 on, 16 of redirections.
# https://docs.asterisk.org/Configuration/Miscellaneous/Hangup-Cause-Mappings/
MADE_OF = {
    401: 21, 403: 21, 404: 1, 407: 21, 408: 18, 409: 41, 410: 22, 420: 3, 480: 19, 483: 19, 484: 28, 485: 1, 486: 17,
    488: 58, 500: 38, 502: 27, 503: 34, 504: 102, 580: 58, 600: 17, 603: 21, 604: 1, 606: 58,
}  # fmt: skip
# Our own account: refused by our provider at a trunk; by a network beyond Twilio's at Twilio (causes.py, errors.toml).
WHOSE_ACCOUNT = {401, 403, 407}


def at_a_trunk(code: int) -> tuple[str, str]:
    """Outcome and what it says of the next try."""
    found = causes.meaning(MADE_OF.get(code, 127 if code >= 400 else 16), code)
    assert found is not None
    return found.event, next_try(found.event)


def at_twilio(code: int) -> tuple[str, str]:
    return errors.of_sip(code).outcome, errors.of_sip(code).retry


def next_try(outcome: str) -> str:
    if outcome in DEAD_PHONE:
        return errors.NEVER
    return errors.GIVEN_BACK if outcome in GIVEN_BACK else errors.BY_RULES


@pytest.mark.parametrize("code", sorted(set(errors.BY_SIP) | set(causes.BY_SIP)))
def test_an_answer_of_the_network_means_the_same_through_both_carriers(code: int) -> None:
    if code in WHOSE_ACCOUNT:
        assert at_a_trunk(code) == ("not_placed", errors.GIVEN_BACK)
        assert at_twilio(code) == ("failed", errors.BY_RULES)
    else:
        assert at_a_trunk(code) == at_twilio(code)


@pytest.mark.parametrize(("code", "cause"), [each for each in MADE_OF.items() if each[0] not in (*WHOSE_ACCOUNT, 483)])
def test_a_cause_without_its_code_means_what_the_code_means(code: int, cause: int) -> None:
    found = causes.meaning(cause, None)
    if code != 409:  # nobody answers a call with it
        assert found is not None
        assert (found.event, next_try(found.event)) == at_twilio(code)


@pytest.mark.parametrize("code", sorted(errors.BY_SIP))
def test_a_failed_call_of_twilios_is_written_as_the_table_says(code: int) -> None:
    outcome = errors.outcome_of_failed(str(code), None)
    assert (outcome, next_try(outcome)) == at_twilio(code)


def twilio_judges(session: Session, call_id: UUID, is_machine: bool) -> None:
    """At once in, judged after it: by then nobody had come."""
    assert calls.answer(session, call_id, Event("answered", "answer")) is None
    cast.patient(session, call_id, 2)
    assert calls.answer(session, call_id, Event("answered", "answer")) is None
    machines.judged(session, call_id, "machine_start" if is_machine else "human", {})


def asterisk_judges(session: Session, call_id: UUID, is_machine: bool) -> None:
    """Judged first; only whom it takes for a person waits for somebody."""
    leg = Leg.read(str(call_id))
    switch_news.take(session, "local", events.Judged(leg, "MACHINE" if is_machine else "HUMAN", "", 2020))
    for news in (events.Answered(leg), events.Abandoned(leg)):
        switch_news.take(session, "local", news)


@pytest.mark.parametrize("judges", [twilio_judges, asterisk_judges])
@pytest.mark.parametrize(("is_machine", "outcome"), [(True, "machine"), (False, "abandoned")])
def test_only_a_person_whom_nobody_took_is_abandoned_through_both_carriers(
    session: Session, judges: Callable[[Session, UUID, bool], None], is_machine: bool, outcome: str
) -> None:
    queue = cast.queue(session, cast.person(session), machine_detection="on")
    call_id = cast.rung(session, queue)
    judges(session, call_id, is_machine)
    assert cast.call(session, call_id).attempt.outcome == cast.entry(session, call_id).reason == outcome
    assert abandonment.of_queues(session, [queue.id])[queue.id].abandoned == (not is_machine)


def hangs_up_at_twilio(session: Session, call_id: UUID) -> None:
    assert calls.answer(session, call_id, Event("answered", "answer")) is None
    calls.record_event(session, call_id, Event("hung_up", "status:hung_up"))


def hangs_up_at_asterisk(session: Session, call_id: UUID) -> None:
    """While it is judged who picked up: the dialplan says no more than what the line said."""
    leg = Leg.read(str(call_id))
    for news in (events.Up(leg), events.Said(leg, {}), events.Ended(leg, 16, None, None, {"Cause": "16"})):
        switch_news.take(session, "local", news)


@pytest.mark.parametrize("hangs_up", [hangs_up_at_twilio, hangs_up_at_asterisk])
def test_who_hangs_up_before_it_is_known_who_they_are_found_nobody_through_both_carriers(
    session: Session, hangs_up: Callable[[Session, UUID], None]
) -> None:
    queue = cast.queue(session, cast.person(session), machine_detection="on")
    call_id = cast.rung(session, queue)
    hangs_up(session, call_id)
    assert cast.call(session, call_id).attempt.outcome == "abandoned"
    assert abandonment.of_queues(session, [queue.id])[queue.id].abandoned == 1
