"""Cases and attempts of a survey, counted from the ledger."""

from itertools import product

import pytest
from sqlalchemy.orm import Session

from callcenter.ledger.dispositions import DISPOSITIONS, OUTCOMES
from callcenter.queueing.queue_tables import QueueEntry
from surveys import questionnaire
from surveys.fieldwork.interview_ledger import Answer
from surveys.questionnaire import Survey
from surveys.sampling import outcomes
from surveys.sampling.outcome_codes import Told, code_of
from surveys.sampling.outcomes import Scope
from surveys.sampling.sample_tables import Sample, SampleCase
from tests.callcenter.cast import person
from tests.surveys import sample_cast as cast


def counted(session: Session, survey: Survey, **scope: int) -> outcomes.Outcomes:
    session.flush()
    return outcomes.count(session, Scope(survey.id, **scope))


def vote(session: Session, survey: Survey, interview_id: object) -> None:
    item = questionnaire.current(session, survey.id).items["vote_question"]
    session.add(Answer(interview_id=interview_id, item=item, value="dk", choice_order=None, client_key=None,
                       seconds=None, superseded_at=None))  # fmt: skip
    session.flush()


def test_of_several_attempts_the_one_that_tells_most_makes_the_case(session: Session, survey: Survey) -> None:
    ana = person(session)
    queue = cast.campaign(session, survey.id, ana)
    for ago, told in ((30, "no_answer"), (20, "refused"), (10, "busy")):
        word = {"disposition": told} if told in DISPOSITIONS else {"outcome": told}
        cast.over(session, queue, ana, ago=ago, **word)
    found = counted(session, survey)
    assert found.cases == {"2.11": 1}
    assert found.attempts == {"2.11": 1, "3.12": 1, "3.13": 1}
    assert (found.tried.total, found.tried.reached, found.tried.refused) == (3, 1, 1)


def test_of_equal_attempts_the_latest_makes_the_case(session: Session, survey: Survey) -> None:
    ana = person(session)
    queue = cast.campaign(session, survey.id, ana)
    cast.over(session, queue, ana, ago=30, outcome="busy")
    cast.over(session, queue, ana, ago=10, outcome="machine")
    assert counted(session, survey).cases == {"3.14": 1}


def test_who_was_never_tried_is_an_unknown_case_and_no_attempt(session: Session, survey: Survey) -> None:
    queue = cast.campaign(session, survey.id, person(session), person(session), person(session))
    entries = session.query(QueueEntry).filter_by(queue_id=queue.id).order_by(QueueEntry.id).all()
    entries[1].state, entries[1].reason = "excluded", "quota_full"
    entries[2].state, entries[2].reason = "excluded", "suppressed"
    found = counted(session, survey)
    assert found.cases == {"3.11": 2, "4.81": 1}
    assert found.attempts == {}
    assert found.rejection.of_attempts is None


def test_what_never_left_the_house_and_who_rang_us_are_no_attempts(session: Session, survey: Survey) -> None:
    ana = person(session)
    queue = cast.campaign(session, survey.id, ana)
    cast.over(session, queue, ana, outcome="refused_by_gate")
    cast.over(session, queue, ana, outcome="inbound_opted_out", direction="in")
    found = counted(session, survey)
    assert (found.cases, found.attempts) == ({"2.11": 1}, {})


def test_an_interview_is_partial_once_its_vote_question_is_answered(session: Session, survey: Survey) -> None:
    ana, luz = person(session), person(session)
    queue = cast.campaign(session, survey.id, ana, luz)
    for who, voted in ((ana, True), (luz, False)):
        call_id = cast.over(session, queue, who, disposition="partial")
        made = cast.interview(session, survey.id, "partial", call_id=call_id, queue_id=queue.id)
        if voted:
            vote(session, survey, made.id)
    assert counted(session, survey).cases == {"1.2": 1, "2.12": 1}


def test_a_campaign_and_a_sample_have_their_own_counts(session: Session, survey: Survey) -> None:
    ana, luz = person(session), person(session)
    first, second = cast.campaign(session, survey.id, ana), cast.campaign(session, survey.id, luz)
    cast.over(session, first, ana, outcome="busy")
    cast.over(session, second, luz, outcome="machine")
    sample = Sample(survey_id=survey.id, title="x", frame="segment", size=1, replicates=1, released=1, seed="x",
                    state="drawn")  # fmt: skip
    session.add(sample)
    session.flush()
    session.add(SampleCase(sample_id=sample.id, number=1, replicate=1, stratum="*", contact_id=luz.id))
    assert counted(session, survey, queue_id=first.id).cases == {"3.12": 1}
    assert counted(session, survey, sample_id=sample.id).cases == {"3.14": 1}
    assert counted(session, survey, sample_id=sample.id).attempts == {"3.14": 1}
    assert counted(session, survey).cases == {"3.12": 1, "3.14": 1}


def test_a_released_case_without_a_campaign_counts_by_its_interview(session: Session, survey: Survey) -> None:
    sample = Sample(survey_id=survey.id, title="x", frame="segment", size=4, replicates=2, released=1, seed="x",
                    state="drawn")  # fmt: skip
    session.add(sample)
    session.flush()
    cases = [SampleCase(sample_id=sample.id, number=number, replicate=1 + number // 3, stratum="*",
                        contact_id=person(session).id) for number in (1, 2, 3)]  # fmt: skip
    session.add_all(cases)
    session.flush()
    cast.interview(session, survey.id, "complete", case_id=cases[0].id, face="web")
    assert counted(session, survey).cases == {"1.1": 1, "3.11": 1}


def test_an_interview_by_link_is_the_case_of_who_is_also_called(session: Session, survey: Survey) -> None:
    ana = person(session)
    queue = cast.campaign(session, survey.id, ana)
    cast.over(session, queue, ana, outcome="no_answer")
    sample = Sample(survey_id=survey.id, title="x", frame="segment", size=1, replicates=1, released=1, seed="x",
                    state="drawn")  # fmt: skip
    session.add(sample)
    session.flush()
    case = SampleCase(sample_id=sample.id, number=1, replicate=1, stratum="*", contact_id=ana.id)
    session.add(case)
    session.flush()
    cast.interview(session, survey.id, "complete", case_id=case.id, face="web")
    found = counted(session, survey)
    assert (found.cases, found.attempts) == ({"1.1": 1}, {"3.13": 1})


CAUSES = (
    (None, None, None),
    ({"Cause": "21"}, 21, None),
    ({"Cause": "22", "TechCause": "SIP 410 Gone"}, 22, 410),
    ({"CallStatus": "busy", "SipResponseCode": "603"}, None, 603),
    ({"Cause": "21", "TechCause": "SIP 480 Temporarily Unavailable"}, 21, 480),
    ({"Cause": "strange", "TechCause": ""}, None, None),
)


@pytest.mark.parametrize("cause", CAUSES)
def test_the_database_codes_as_the_table_does(session: Session, survey: Survey, cause: tuple) -> None:  # type: ignore[type-arg]
    raw, q850, sip = cause
    queue = cast.campaign(session, survey.id)
    expected: dict[str, int] = {}
    ends = [*((outcome, None) for outcome in OUTCOMES), *((word, word) for word in DISPOSITIONS)]
    for (outcome, word), (state, voted) in product(ends, ((None, False), ("partial", True), ("void", False))):
        call_id = cast.over(session, queue, person(session), outcome=outcome, disposition=word, cause=raw)
        if state is not None:
            made = cast.interview(session, survey.id, state, call_id=call_id)
            if voted:
                vote(session, survey, made.id)
        code = code_of(Told(outcome, word, state, voted, q850, sip))
        if code is not None:
            expected[code] = expected.get(code, 0) + 1
    assert counted(session, survey).attempts == expected
