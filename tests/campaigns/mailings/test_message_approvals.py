"""Four eyes: what leaves was approved by a second person exactly as it is, or it does not leave."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, Refused
from callcenter.gate import house_rules
from campaigns.mailings import message_approvals, message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.segments import Segment
from campaigns.texts import wordings
from campaigns.texts.wordings import Wording
from tests.campaigns.cast import Cast

TEXT = "Hola {given_names}, Estudio Prueba. BAJA para no recibir"


@pytest.fixture
def author(people: dict[str, User]) -> int:
    return people["strategist"].id


@pytest.fixture
def second(people: dict[str, User]) -> int:
    return people["supervisor"].id


def plan(segment: Segment, **said: Any) -> MessagePlan:
    decided = {"purpose": "survey", "text": TEXT, "sender": "+525512340001", "carrier": "simulated",
               "on_behalf_of": "Estudio Prueba"} | said  # fmt: skip
    return MessagePlan("Aviso", segment.id, **decided)


@pytest.fixture
def draft(session: Session, cast: Cast, author: int) -> MessageCampaign:
    segment = Segment(name="Centro", rule={"all": []})
    session.add(segment)
    session.flush()
    made = message_campaigns.create(session, plan(segment), author)
    session.commit()
    return made


def approve(session: Session, draft: MessageCampaign, user_id: int) -> None:
    message_approvals.approve(session, draft, message_approvals.version(session, draft), user_id)


def refusal(session: Session, act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    session.rollback()
    return refused.value.code


def test_nothing_leaves_unapproved_and_what_was_approved_does(
    session: Session, draft: MessageCampaign, author: int, second: int
) -> None:
    assert refusal(session, lambda: message_campaigns.launch(session, draft.id, author)) == "approval"
    approve(session, draft, second)
    message_campaigns.launch(session, draft.id, author)
    assert draft.state == "planning"


def test_who_wrote_it_or_changed_it_last_cannot_approve_it(
    session: Session, draft: MessageCampaign, author: int, second: int
) -> None:
    assert refusal(session, lambda: approve(session, draft, author)) == "own_work"
    message_campaigns.change(session, draft.id, plan(draft.segment, text=TEXT + " hoy"), second)
    session.commit()
    assert refusal(session, lambda: approve(session, draft, second)) == "own_work"
    assert refusal(session, lambda: approve(session, draft, author)) == "own_work"  # a third person has to


@pytest.mark.parametrize("change", [
    {"text": TEXT + "."}, {"sender": "+525512340009"}, {"canary_share": 10.0}, {"urgency": "urgent"},
    {"purpose": "citizen_care"}, {"is_plain": True}, {"unit_price": "0.40"}, {"is_peer": True},
])  # fmt: skip
def test_a_change_voids_the_approval(
    session: Session, draft: MessageCampaign, author: int, second: int, change: dict[str, Any]
) -> None:
    approve(session, draft, second)
    session.commit()
    assert message_campaigns.change(session, draft.id, plan(draft.segment, **change), author)
    session.commit()
    standing = message_approvals.standing(session, draft)
    assert (standing.is_given, standing.is_void) == (False, True)
    assert refusal(session, lambda: message_campaigns.launch(session, draft.id, author)) == "approval"


def test_another_second_wording_or_segment_voids_it_and_another_name_does_not(
    session: Session, draft: MessageCampaign, author: int, second: int
) -> None:
    approve(session, draft, second)
    session.commit()
    message_campaigns.change(session, draft.id, plan(draft.segment), author)
    draft.name, draft.state_reason = "Otro nombre", "review"
    session.commit()
    assert message_approvals.standing(session, draft).is_given
    wordings.keep(session, draft.id, [Wording("A", TEXT, 50), Wording("B", TEXT + "!", 50)])
    assert not message_approvals.standing(session, draft).is_given
    wordings.keep(session, draft.id, [])
    assert message_approvals.standing(session, draft).is_given
    draft.segment.version += 1
    session.commit()
    assert not message_approvals.standing(session, draft).is_given


def test_what_was_not_seen_is_not_approved(session: Session, draft: MessageCampaign, author: int, second: int) -> None:
    seen = message_approvals.version(session, draft)
    message_campaigns.change(session, draft.id, plan(draft.segment, text=TEXT + " hoy"), author)
    session.commit()
    act = refusal(session, lambda: message_approvals.approve(session, draft, seen, second))
    assert act == "changed"


def test_a_paused_campaign_that_was_changed_goes_on_only_when_it_is_approved_again(
    session: Session, draft: MessageCampaign, author: int, second: int
) -> None:
    approve(session, draft, second)
    draft.state, draft.planned_at, draft.launched_at = "paused", draft.created_at, draft.created_at
    session.commit()
    message_campaigns.resume(session, draft.id, author)
    message_campaigns.pause(session, draft.id, "review", author)
    message_campaigns.change(session, draft.id, plan(draft.segment, text=TEXT + " hoy"), author)
    session.commit()
    assert refusal(session, lambda: message_campaigns.resume(session, draft.id, author)) == "approval"
    approve(session, draft, second)
    message_campaigns.resume(session, draft.id, author)
    assert draft.state == "running"


def test_sending_back_says_why_and_takes_the_approval(
    session: Session, draft: MessageCampaign, author: int, second: int
) -> None:
    message_approvals.ask(session, draft, author)
    assert message_approvals.waiting(session, [draft]) == {draft.id}
    approve(session, draft, second)
    with pytest.raises(InvalidInput):
        message_approvals.send_back(session, draft, "  ", second)
    message_approvals.send_back(session, draft, "Falta la fecha", second)
    session.commit()
    standing = message_approvals.standing(session, draft)
    assert not standing.is_given
    assert [(one.step, one.remark) for one, _name in standing.said] == [
        ("returned", "Falta la fecha"), ("approved", ""), ("asked", ""),
    ]  # fmt: skip
    assert message_approvals.waiting(session, [draft]) == set()


def test_a_house_may_do_without(session: Session, draft: MessageCampaign, author: int) -> None:
    house_rules.set_approval_needed(session, None, needed=False)
    session.commit()
    message_campaigns.launch(session, draft.id, author)
    assert draft.state == "planning"


def test_an_administrator_turns_the_rule_off_and_on_and_it_is_on_file(
    session: Session, app: Flask, client_as: Callable[[str], FlaskClient]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    administrator = client_as("administrator")
    for sent, needed in (({}, False), ({"needed": "yes"}, True)):
        assert administrator.post("/rules/approval", data=sent).status_code == 302
        session.expire_all()
        assert house_rules.is_approval_needed(session) is needed
    assert session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "house-rule/approval_needed")).all()
    assert client_as("supervisor").post("/rules/approval", data={}).status_code == 403


def test_two_people_do_it_on_the_page(
    session: Session, app: Flask, client_as: Callable[[str], FlaskClient], draft: MessageCampaign
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    strategist, supervisor = client_as("strategist"), client_as("supervisor")
    page = f"/campaigns/messages/{draft.id}"
    assert "own_work" not in strategist.get(page).text
    assert strategist.post(f"{page}/send").status_code == 409
    assert strategist.post(f"{page}/ask").status_code == 302
    assert f"{page}#approval" in supervisor.get("/campaigns/").text
    assert supervisor.post(f"{page}/send-back", data={"remark": ""}).status_code == 422
    seen = message_approvals.version(session, draft)
    assert f'value="{seen}"' in supervisor.get(page).text
    assert strategist.post(f"{page}/approve", data={"version": seen}).status_code == 409
    assert supervisor.post(f"{page}/approve", data={"version": seen}).status_code == 302
    assert strategist.post(f"{page}/send").status_code == 302
    session.refresh(draft)
    assert draft.state == "planning"
