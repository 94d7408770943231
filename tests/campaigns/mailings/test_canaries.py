"""Waves: a few are written to first, the rest is held until somebody or the rule lets it go, with the better text."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from campaigns.dispatch import message_claims, message_planning, message_sweep
from campaigns.dispatch import message_states as states
from campaigns.mailings import canaries, message_trials
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.messages import CANARY, REST, Message
from campaigns.segments import Segment
from campaigns.texts import clicks, wordings
from campaigns.texts.wordings import Wording
from tests.campaigns.cast import Cast, person

PEOPLE = 400
TEXT, OTHER = "Hola {given_names}. BAJA para no recibir", "{given_names}, ¡hola! BAJA para no recibir"


@pytest.fixture
def many(session: Session, cast: Cast) -> int:
    """Four hundred people besides the cast; how many may be written to."""
    session.add_all(person(f"Ana Cruz {n}", f"+52922113{n:04}") for n in range(PEOPLE))
    session.flush()
    return PEOPLE + 2


def begun(session: Session, said: tuple[Wording, ...] = (), **decided: object) -> MessageCampaign:
    """A campaign to everybody, planned and running."""
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.flush()
    plan = MessagePlan("Aviso", segment.id, "survey", TEXT, "+525512340001", "simulated", **decided)  # type: ignore[arg-type]  # the test's own
    made = campaigns.create(session, plan, None, said)
    campaigns.launch(session, made.id, None)
    message_planning.write_for_segment(session, made.id)
    campaigns.resume(session, made.id, None)
    session.commit()
    return made


def counted(session: Session, campaign: MessageCampaign) -> dict[tuple[int, bool, str], int]:
    """(wave, is held, wording) → planned rows"""
    what = Message.wave, Message.is_held, Message.wording
    rows = session.execute(
        select(*what, func.count()).where(Message.campaign_id == campaign.id, Message.state == states.PLANNED)
        .group_by(*what)
    )  # fmt: skip
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def end(session: Session, campaign: MessageCampaign, *, delivered: float = 1.0, minutes_ago: int = 120) -> None:
    """Everybody of the first wave was written to, and so many of them got it."""
    ids = session.scalars(
        select(Message.id).where(Message.campaign_id == campaign.id, Message.wave == CANARY,
                                 Message.state == states.PLANNED)
    ).all()  # fmt: skip
    at, good = real_now() - timedelta(minutes=minutes_ago), ids[: round(len(ids) * delivered)]
    for state, some in ((states.DELIVERED, good), (states.UNDELIVERED, ids[len(good) :])):
        session.execute(update(Message).where(Message.id.in_(some)).values(state=state, sent_at=at, finished_at=at))
    session.commit()


def settle(session: Session, campaign: MessageCampaign) -> None:
    """What the job does, in small blocks."""
    while canaries.settle_rest(session, campaign.id, 50):
        session.commit()
    session.commit()


def test_a_few_are_written_to_first_and_the_rest_is_held(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0)
    rows = counted(session, made)
    assert set(rows) == {(CANARY, False, "A"), (REST, True, "A")}
    assert sum(rows.values()) == many
    assert 40 <= rows[CANARY, False, "A"] <= 120  # drawn: a fifth of 402, give or take five standard deviations


def test_planning_again_draws_the_same_and_adds_nobody(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0)
    before = counted(session, made)
    message_planning.write_for_segment(session, made.id)
    assert counted(session, made) == before


def test_only_the_first_wave_may_be_claimed_and_the_campaign_does_not_end_with_it(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0)
    end(session, made)
    assert not message_claims.has_ready(session, made.id)
    assert not message_sweep.finish(session, made.id)
    seen = canaries.look(session, made)
    assert seen is not None
    assert (seen.is_over, seen.held, seen.faults) == (True, many - seen.people, [])


def test_a_person_lets_the_rest_go_and_it_is_on_file(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0)
    end(session, made)
    canaries.release(session, made.id, None)
    canaries.release(session, made.id, None)  # pressed twice
    session.commit()
    settle(session, made)
    rows = counted(session, made)
    assert set(rows) == {(REST, False, "A")}
    assert message_claims.has_ready(session, made.id)
    written = select(func.count()).where(AuditEntry.action == "message_campaign.release_rest")
    assert session.scalar(written) == 1


def test_whoever_is_planned_after_the_release_is_not_held(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0)
    canaries.release(session, made.id, None)
    session.add(person("Luz Cruz", "+529221149999"))
    session.flush()
    settle(session, made)
    message_planning.write_for_segment(session, made.id)
    assert not any(is_held for _wave, is_held, _letter in counted(session, made))


def test_the_rule_lets_it_go_only_when_time_has_passed_and_it_went_well(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0, canary_release="rule", canary_minutes=60)
    assert canaries.follow(session) == 0  # nobody was written to yet
    end(session, made, minutes_ago=30)
    assert canaries.follow(session) == 0  # too early
    session.execute(update(Message).where(Message.wave == CANARY).values(sent_at=real_now() - timedelta(minutes=61)))
    assert canaries.follow(session) == 1
    session.commit()
    session.refresh(made)
    assert made.rest_released_at is not None
    assert made.rest_released_by is None


def test_a_bad_first_wave_waits_for_a_person_and_says_why(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0, canary_release="rule", canary_least_delivered=90.0)
    end(session, made, delivered=0.5)
    assert canaries.follow(session) == 0
    seen = canaries.look(session, made)
    assert seen is not None
    assert len(seen.faults) == 1
    assert "90" in seen.faults[0]


def test_a_person_s_campaign_is_never_let_go_by_itself(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0)
    end(session, made)
    assert canaries.follow(session) == 0
    assert made.rest_released_at is None


def test_a_lost_job_of_a_release_is_done_again(session: Session, many: int) -> None:
    made = begun(session, canary_share=20.0)
    canaries.release(session, made.id, None)
    session.commit()
    assert canaries.follow(session) == 1  # some are held still: the job is enqueued again
    settle(session, made)
    assert canaries.follow(session) == 0


def test_two_wordings_are_drawn_by_their_shares(session: Session, many: int) -> None:
    made = begun(session, (Wording("A", TEXT, 75), Wording("B", OTHER, 25)))
    rows = counted(session, made)
    assert set(rows) == {(REST, False, "A"), (REST, False, "B")}
    assert 60 <= rows[REST, False, "B"] <= 145


def test_the_winner_is_for_all_who_are_still_to_be_written_to(session: Session, many: int) -> None:
    made = begun(session, (Wording("A", TEXT, 50), Wording("B", OTHER, 50)), canary_share=50.0)
    end(session, made)
    got_a = select(func.count()).where(Message.wave == CANARY, Message.wording == "A")
    before = session.scalar(got_a)
    canaries.release(session, made.id, None, "B")
    session.commit()
    settle(session, made)
    assert set(counted(session, made)) == {(REST, False, "B")}
    assert session.scalar(got_a) == before  # what was sent is not rewritten
    with pytest.raises(InvalidInput):
        canaries.choose(session, made.id, "C", None)


def test_the_rule_goes_on_with_the_better_wording(session: Session, many: int) -> None:
    made = begun(session, (Wording("A", TEXT, 50), Wording("B", OTHER, 50)), canary_share=50.0, canary_release="rule")
    session.add_all(person(f"Eva Luna {n}", f"+52922114{n:04}") for n in range(400))
    session.flush()
    message_planning.write_for_segment(session, made.id)
    end(session, made)
    got_b = session.scalars(select(Message.id).where(Message.wave == CANARY, Message.wording == "B")).all()
    for message_id in got_b[:90]:
        clicks.record(session, message_id, real_now())
    trial = message_trials.look(session, made)
    assert trial is not None
    assert trial.verdict.winner == "B"
    assert canaries.follow(session) == 1
    session.commit()
    settle(session, made)
    assert {letter for _wave, _held, letter in counted(session, made)} == {"B"}


def test_a_campaign_with_one_wording_has_no_trial(session: Session, many: int) -> None:
    made = begun(session)
    assert message_trials.look(session, made) is None
    assert canaries.look(session, made) is None
    assert wordings.texts(session, made.id) == {"A": TEXT}
    with pytest.raises(Refused):
        canaries.release(session, made.id, None)


def test_the_page_shows_wave_and_trial_and_lets_go(
    session: Session, app: Flask, client_as: Callable[[str], FlaskClient], many: int
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    made = begun(session, (Wording("A", TEXT, 50), Wording("B", OTHER, 50)), canary_share=50.0)
    end(session, made)
    strategist, supervisor = client_as("strategist"), client_as("supervisor")
    page = f"/campaigns/messages/{made.id}"
    shown = strategist.get(page).text
    assert 'id="canary"' in shown
    assert 'data-verdict="open"' in shown or 'data-verdict="too_few"' in shown
    assert 'id="canary"' in supervisor.get(page).text
    assert supervisor.post(f"{page}/release").status_code == 403
    assert strategist.post(f"{page}/release", data={"winner": "Z"}).status_code == 422
    assert strategist.post(f"{page}/release", data={"winner": "A"}).status_code == 302
    session.refresh(made)
    assert (made.winner, made.rest_released_at is not None) == ("A", True)
    assert strategist.get(f"{page}/live").status_code == 200
