"""Test sends: the real text on our own phones, in the ledger, and in nobody's figures."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from campaigns import reports
from campaigns.channels import Receipt
from campaigns.dispatch import message_claims, message_news, message_planning
from campaigns.dispatch import message_states as states
from campaigns.dispatch.message_news import Answer
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings import message_tests
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.messages import TEST, Message
from campaigns.segments import Segment
from campaigns.texts.wordings import Wording
from tests.campaigns.cast import LUPITA, Campaign, Cast

OURS = "922 333 0001"
TEXT = "Hola {given_names}. BAJA para no recibir"


@pytest.fixture
def draft(session: Session, cast: Cast) -> MessageCampaign:
    segment = Segment(name="Centro", rule={"all": []})
    session.add(segment)
    session.flush()
    plan = MessagePlan("Aviso", segment.id, "survey", TEXT, "+525512340001", "simulated")
    made = campaigns.create(session, plan, None)
    session.commit()
    return made


def rows_of(session: Session, campaign: MessageCampaign) -> list[Message]:
    wanted = select(Message).where(Message.campaign_id == campaign.id, Message.wave == TEST).order_by(Message.turn)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def test_a_draft_is_tried_as_a_person_of_the_list_would_get_it(session: Session, draft: MessageCampaign) -> None:
    assert message_tests.begin(session, draft.id, f"{OURS}, +52 922 333 0002", None) == 2
    rows = rows_of(session, draft)
    assert {row.phone for row in rows} == {"+529223330001", "+529223330002"}
    assert all(row.contact_id is None and row.body and row.body.startswith("Hola ") for row in rows)
    batch = message_tests.claim(session, draft.id)
    assert [one.sender for one in batch] == ["+525512340001"] * 2
    message_news.record_sent(session, [Answer(one.id, Receipt("k", "accepted", f"SM{one.id}")) for one in batch])
    for one in batch:
        message_news.record_receipt(session, one.id, Receipt("delivered", "delivered", f"SM{one.id}"))
    tried = message_tests.newest(session, draft.id)
    assert tried.has_arrived
    assert not tried.is_moving
    assert {end for _row, end in tried.rows} == {"0001", "0002"}


def test_every_wording_is_tried(session: Session, draft: MessageCampaign) -> None:
    said = [Wording("A", TEXT, 50), Wording("B", "B: " + TEXT, 50)]
    plan = MessagePlan("Aviso", draft.segment_id, "survey", TEXT, "+525512340001", "simulated")
    campaigns.change(session, draft.id, plan, None, said)
    assert message_tests.begin(session, draft.id, OURS, None) == 2
    assert {row.wording for row in rows_of(session, draft)} == {"A", "B"}


def test_the_same_phone_may_be_tried_again_and_still_be_on_the_list(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    for _time in range(2):
        message_tests.begin(session, made.id, LUPITA, None)
    assert len(rows_of(session, made)) == 2
    assert reports.funnel(session, made).planned == 4  # the list alone
    assert [one.phone for one in message_claims.claim(session, made.id, 10)].count(LUPITA) == 1
    assert all(row.state == states.PLANNED for row in rows_of(session, made))  # they leave by their own job


def test_a_test_is_no_try_to_reach_a_person(session: Session, draft: MessageCampaign) -> None:
    message_tests.begin(session, draft.id, OURS, None)
    (one,) = message_tests.claim(session, draft.id)
    message_news.record_sent(session, [Answer(one.id, Receipt("k", "accepted", "SM1"))])
    assert session.scalars(select(Attempt)).first() is None


def test_tests_do_not_keep_a_campaign_from_its_end_nor_from_being_planned(
    session: Session, draft: MessageCampaign
) -> None:
    message_tests.begin(session, draft.id, OURS, None)
    campaigns.launch(session, draft.id, None)
    assert message_planning.write_for_segment(session, draft.id) == 4
    assert not message_claims.claim(session, draft.id, 0)


def test_what_the_provider_does_not_take_is_said_and_not_tried_again(session: Session, draft: MessageCampaign) -> None:
    message_tests.begin(session, draft.id, OURS, None)
    (one,) = message_tests.claim(session, draft.id)
    code = message_news.record_sent(session, [Answer(one.id, ProviderError("refused", code="20003", permanent=True))])
    message_tests.close_unsent(session, [one.id], code)
    (row,) = rows_of(session, draft)
    assert (row.state, row.error_code) == (states.STOPPED, "20003")
    assert message_tests.claim(session, draft.id) == []


@pytest.mark.parametrize("typed", ["", "nobody", "55 1", "1" * 900, ", ,", "9223330001,2,3,4,5,6",
                                   "9223330001,9223330002,9223330003,9223330004,9223330005,9223330006"])  # fmt: skip
def test_what_is_no_phone_is_refused_in_words(session: Session, draft: MessageCampaign, typed: str) -> None:
    with pytest.raises(InvalidInput):
        message_tests.begin(session, draft.id, typed, None)


def test_a_suppressed_phone_gets_no_test(session: Session, draft: MessageCampaign) -> None:
    suppressions.add(session, "+529223330001", reason="asked", source="test", at=real_now())
    with pytest.raises(Refused) as refused:
        message_tests.begin(session, draft.id, OURS, None)
    assert refused.value.code == "suppressed"


def test_nobody_tries_without_end(session: Session, draft: MessageCampaign) -> None:
    for _time in range(message_tests.MOST_AN_HOUR):
        message_tests.begin(session, draft.id, OURS, None)
    with pytest.raises(Refused) as refused:
        message_tests.begin(session, draft.id, OURS, None)
    assert refused.value.code == "too_many_tests"


def test_the_page_takes_phones_says_what_is_wrong_and_shows_what_became_of_them(
    session: Session, app: Flask, client_as: Callable[[str], FlaskClient], draft: MessageCampaign
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    strategist = client_as("strategist")
    page = f"/campaigns/messages/{draft.id}"
    wrong = strategist.post(f"{page}/tests", data={"phones": "nobody"})
    assert (wrong.status_code, "invalid-feedback" in wrong.text) == (422, True)
    assert strategist.post(f"{page}/tests", data={"phones": OURS}).status_code == 302
    assert 'data-test="planned"' in strategist.get(f"{page}/tests").text
    assert "every 1s" in strategist.get(page).text
    assert client_as("supervisor").post(f"{page}/tests", data={"phones": OURS}).status_code == 403
