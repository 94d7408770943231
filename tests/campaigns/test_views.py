"""The pages of campaigns, as each role sees them."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.errors import Refused
from callcenter.gate import house_rules
from campaigns import inbox
from campaigns.calling import CallCampaign
from campaigns.channels import Receipt, Reply
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_news as news
from campaigns.dispatch.message_news import Answer
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.segments import Segment
from tests.campaigns import wizard
from tests.campaigns.cast import Campaign, Cast


@pytest.fixture
def strategist(app: Flask, client_as: Callable[[str], FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return client_as("strategist")


@pytest.fixture
def segment(session: Session, cast: Cast) -> Segment:
    made = Segment(name="Centro", rule={"all": []})
    session.add(made)
    session.commit()
    return made


def test_the_list_shows_every_campaign_and_the_stop_button(
    strategist: FlaskClient, cast: Cast, campaign: Campaign
) -> None:
    campaign()
    page = strategist.get("/campaigns/")
    assert page.status_code == 200
    assert "Greeting" in page.text
    assert "/campaigns/stop-all" in page.text
    assert strategist.get("/campaigns/live").status_code == 200


def test_stop_all_pauses_what_runs(session: Session, strategist: FlaskClient, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    assert strategist.post("/campaigns/stop-all").status_code == 302
    session.refresh(made)
    assert (made.state, made.state_reason) == ("paused", "emergency")


def test_stop_all_reaches_what_is_old_and_is_not_held_up_by_what_just_ended(
    session: Session, strategist: FlaskClient, cast: Cast, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = campaign()
    more = [
        MessageCampaign(name="Other", purpose="survey", segment_id=runs.segment_id, text="Hola", sender="s",
                        carrier="simulated", state=state)
        for state in ("running", *["draft"] * 101)
    ]  # fmt: skip
    session.add_all(more)
    session.commit()
    over = more[0]
    pause = message_campaigns.pause

    def too_late(session: Session, campaign_id: int, reason: str, user_id: int | None) -> None:
        if campaign_id == over.id:
            raise Refused("state", "It has just ended.")
        pause(session, campaign_id, reason, user_id)

    monkeypatch.setattr(message_campaigns, "pause", too_late)
    assert strategist.post("/campaigns/stop-all").status_code == 302
    session.refresh(runs)
    assert runs.state == "paused"


def test_the_page_of_a_campaign_adds_up(
    session: Session, strategist: FlaskClient, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    for one in claims.claim(session, made.id, 10):
        news.record_sent(session, [Answer(one.id, Receipt("queued", "accepted", "SM" + one.phone))])
        news.record_receipt(session, one.id, Receipt("undelivered/30003", "undelivered", None, "30003"))
    session.commit()
    page = strategist.get(f"/campaigns/messages/{made.id}/live")
    assert page.status_code == 200
    assert "30003" in page.text


def test_the_rows_are_exported_without_phones_or_names(strategist: FlaskClient, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    answer = strategist.get(f"/campaigns/messages/{made.id}/rows.csv")
    assert answer.text.count("\r\n") == 5
    assert "household" in answer.text
    assert "+52" not in answer.text
    assert "Guadalupe" not in answer.text


def test_a_campaign_is_paused_resumed_and_stopped_with_a_reason(
    session: Session, strategist: FlaskClient, cast: Cast, campaign: Campaign
) -> None:
    house_rules.set_approval_needed(session, None, needed=False)
    made = campaign()
    for act, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        answer = strategist.post(f"/campaigns/messages/{made.id}/{act}", data={"reason": "complaints"})
        assert answer.status_code == 302
        session.refresh(made)
        assert made.state == state
    assert strategist.post(f"/campaigns/messages/{made.id}/resume").status_code == 409


def test_a_calling_campaign_is_made_started_paused_and_finished(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    form = {
        "name": "Encuesta", "segment_id": str(segment.id), "purpose": "survey", "script": "operator",
        "script_text": "Buenos días", "on_behalf_of": "Estudio Prueba", "caller_id": "+525512340000",
        "privacy_notice_url": "https://example.org/aviso",
    }  # fmt: skip
    assert wizard.make(strategist, form | {"script_text": ""}).status_code == 422
    assert session.scalars(select(CallCampaign)).first() is None
    answer = wizard.make(strategist, form)
    assert answer.status_code == 302, answer.text
    made = session.scalars(select(CallCampaign)).one()
    assert answer.headers["Location"].endswith(f"/campaigns/calls/{made.id}")
    assert (made.queue.state, made.queue.script_text) == ("running", "Buenos días")
    assert strategist.get(f"/campaigns/calls/{made.id}").status_code == 200
    for act, state in (("pause", "paused"), ("resume", "running"), ("finish", "finished")):
        assert strategist.post(f"/campaigns/calls/{made.id}/{act}").status_code == 302
        session.refresh(made.queue)
        assert made.queue.state == state
        assert strategist.get(f"/campaigns/calls/{made.id}").status_code == 200
        assert strategist.get("/campaigns/live").status_code == 200
    assert strategist.post(f"/campaigns/calls/{made.id}/start").status_code == 409


def test_a_doubtful_reply_waits_for_a_person(session: Session, strategist: FlaskClient, cast: Cast) -> None:
    inbound = inbox.receive(session, Reply("SM9", "sms", cast.lupita.phone, cast.lupita.phone, "¿qué es BAJA?"))
    session.commit()
    assert inbound is not None
    assert "¿qué es BAJA?" in strategist.get("/campaigns/inbox/?show=doubtful").text
    strategist.post(f"/campaigns/inbox/{inbound.id}/review", data={"decision": "opt_out"})
    session.refresh(cast.lupita)
    assert cast.lupita.consent == "opted_out"


def test_a_supervisor_reads_and_pauses_but_does_not_send(
    session: Session, app: Flask, client_as: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    supervisor, made = client_as("supervisor"), campaign()
    assert supervisor.get("/campaigns/").status_code == 200
    assert supervisor.get(f"/campaigns/messages/{made.id}").status_code == 200
    assert supervisor.post(f"/campaigns/messages/{made.id}/pause").status_code == 302
    assert supervisor.post(f"/campaigns/messages/{made.id}/resume").status_code == 403
    assert supervisor.get(f"/campaigns/messages/{made.id}/rows.csv").status_code == 403
    session.refresh(made)
    assert made.state == "paused"


def test_an_operator_sees_no_campaigns(client_as: Callable[[str], FlaskClient], cast: Cast) -> None:
    assert client_as("operator").get("/campaigns/").status_code == 403
