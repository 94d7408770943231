from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, consent, jobs, queues
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import campaign_now
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.people import contact_views
from callcenter.queueing import queue_entries, queue_jobs, withdrawals
from callcenter.queues import CallQueue, QueueEntry
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.people.test_contact_views import post
from tests.conftest import ClientAs
from tests.queued import run_jobs


def state_in(session: Session, queue: CallQueue, person: Contact) -> tuple[str, str | None]:
    session.flush()
    wanted = select(QueueEntry.state, QueueEntry.reason)
    row = session.execute(wanted.where(QueueEntry.queue_id == queue.id, QueueEntry.contact_id == person.id)).one()
    return row[0], row[1]


def test_a_person_leaves_every_queue_of_the_purposes_named_and_no_other(session: Session) -> None:
    rosa = cast.person(session)
    mobilize, survey = cast.queue(session, rosa, purpose="mobilization"), cast.queue(session, rosa)
    assert withdrawals.withdraw(session, [rosa.id], "voted", purposes=withdrawals.ABOUT_VOTING) == 1
    assert state_in(session, mobilize, rosa) == ("excluded", "voted")
    assert state_in(session, survey, rosa)[0] == "waiting"
    assert withdrawals.withdraw(session, [rosa.id], "voted", purposes=withdrawals.ABOUT_VOTING) == 0


def test_who_has_voted_is_called_about_it_from_no_list_made_later_either(session: Session) -> None:
    rosa, luis = cast.person(session), cast.person(session)
    cast.queue(session, rosa, luis, purpose="mobilization")
    assert withdrawals.report_voted(session, [rosa.id], None, source="phone tree, 12:00") == 1
    later, survey = cast.queue(session, rosa, luis, purpose="neutral_reminder"), cast.queue(session, rosa, luis)
    assert queues.progress(session, later.id)["total"] == 1
    assert queues.progress(session, survey.id)["total"] == 2
    row = session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.report_voted")).one()
    assert (row.subject, row.detail["source"]) == (f"contact/{rosa.id}", "phone tree, 12:00")


@pytest.mark.parametrize("outcome", ["no_answer", "busy", "abandoned"])
def test_nothing_that_is_heard_of_the_call_brings_a_withdrawn_person_back(session: Session, outcome: str) -> None:
    rosa = cast.person(session)
    queue = cast.queue(session, rosa, purpose="mobilization")
    call_id = cast.rung(session, queue)
    withdrawals.report_voted(session, [rosa.id], None, source="field")
    if outcome == "abandoned":
        calls.record_event(session, call_id, Event("answered", "a"))
        calls.record_event(session, call_id, Event("hung_up", "h"))
    else:
        calls.record_event(session, call_id, Event(outcome, "end"))
    assert state_in(session, queue, rosa) == ("excluded", "voted")
    queue_entries.promise_callback(session, cast.entry(session, call_id).id, campaign_now(session), None)
    assert state_in(session, queue, rosa) == ("excluded", "voted")


def test_a_phone_that_rings_is_hung_up_at_once_and_a_talk_goes_on(session: Session, carrier: FakeCarrier) -> None:
    rosa, luis, ana = (cast.person(session) for _ in range(3))
    queue = cast.queue(session, rosa, luis, ana, purpose="mobilization")
    cast.operator(session)
    talking, ringing, planned = cast.connected(session, queue), cast.rung(session, queue), cast.planned(session, queue)
    withdrawals.report_voted(session, [rosa.id, luis.id, ana.id], None, source="field")
    session.commit()
    assert run_jobs().count("callcenter.queueing.queue_jobs.break_off") == 2
    queue_jobs.break_off(str(talking))
    assert carrier.hung_up == [f"CA{ringing.hex}"]
    jobs.place_calls([str(planned)])
    assert carrier.dialled == []
    assert cast.call(session, talking).state == "connected"
    assert [cast.call(session, one).attempt.outcome for one in (ringing, planned)] == ["canceled", "not_placed"]


def test_who_opts_out_elsewhere_leaves_the_queue_in_which_they_are_being_called(session: Session) -> None:
    rosa = cast.person(session)
    queue = cast.queue(session, rosa)
    call_id = cast.rung(session, queue)
    consent.opt_out(session, rosa.phone, reason="sms_reply", proof="message/1", source="sms")
    assert state_in(session, queue, rosa) == ("excluded", "opted_out")
    calls.record_event(session, call_id, Event("no_answer", "n"))
    assert state_in(session, queue, rosa) == ("excluded", "opted_out")


def test_a_survey_answered_in_one_campaign_is_asked_in_no_other_and_an_undo_takes_that_back(session: Session) -> None:
    rosa = cast.person(session)
    first, second = (cast.queue(session, rosa, script="survey/7") for _ in range(2))
    another = cast.queue(session, rosa, script="survey/8")
    call_id = cast.rung(session, first)
    assert withdrawals.answered_elsewhere(session, call_id, "survey/7") == 1
    assert state_in(session, second, rosa) == ("excluded", "answered_elsewhere")
    assert state_in(session, another, rosa)[0] == state_in(session, first, rosa)[0].replace("calling", "waiting")
    withdrawals.take_back(session, call_id, "survey/7")
    assert state_in(session, second, rosa) == ("waiting", None)


def test_a_call_that_is_not_ours_withdraws_nobody(session: Session) -> None:
    assert withdrawals.answered_elsewhere(session, UUID(int=7), "survey/7") == 0
    queue_jobs.break_off(str(UUID(int=7)))


def test_a_report_from_the_persons_page_is_taken_on_election_day_and_can_be_taken_back(
    session: Session, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    rosa = cast.person(session)
    queue = cast.queue(session, rosa, purpose="mobilization")
    session.commit()
    clerk, page = client_as("data_clerk"), f"/contacts/{rosa.id}"
    assert post(clerk, f"{page}/voted", page, has_voted="yes").status_code == 409
    assert 'name="has_voted"' not in clerk.get(page).text
    monkeypatch.setattr(contact_views, "is_election_day", lambda _session, _state: True)
    assert 'name="has_voted" value="yes"' in clerk.get(page).text
    assert post(clerk, f"{page}/voted", page, has_voted="yes").status_code == 302
    assert state_in(session, queue, rosa) == ("excluded", "voted")
    assert 'name="has_voted" value="no"' in clerk.get(page).text
    assert post(clerk, f"{page}/voted", page, has_voted="no").status_code == 302
    session.expire_all()
    assert state_in(session, queue, rosa) == ("waiting", None)
