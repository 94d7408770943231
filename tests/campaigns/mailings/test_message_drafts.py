"""The wizard of message campaigns: written in any order, kept as it was typed, changed also while it is paused."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaigns.mailings import message_drafts, message_plans
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.mailings.message_drafts import MessageDraft
from campaigns.segments import Segment
from campaigns.texts import wordings
from tests.campaigns import message_wizard as wizard
from tests.campaigns.cast import Cast


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


def test_a_campaign_is_written_and_looked_at(session: Session, strategist: FlaskClient, segment: Segment) -> None:
    number = wizard.make(strategist, wizard.form(segment.id))
    made = session.get_one(MessageCampaign, number)
    assert (made.state, made.name, made.channel, made.purpose) == ("draft", "Aviso", "sms", "survey")
    look = strategist.get(f"/campaigns/messages/{number}")
    assert look.status_code == 200
    assert "Hola Guadalupe, Estudio Prueba le saluda" in look.text
    assert "disabled" in look.text.split('id="send"')[1].split("</form>")[0]  # nobody approved it


@pytest.mark.parametrize(
    ("wrong", "step"),
    [({"text": "Hola {nombre}, Estudio Prueba. BAJA"}, "wording"), ({"text": ""}, "wording"),
     ({"text": "Hola {given_names}. BAJA para no recibir"}, "wording"),  # it does not say who writes
     ({"text": "Hola, Estudio Prueba le saluda"}, "wording"),  # nor how to get no more
     ({"text": "Estudio Prueba. BAJA " + "x" * 5000}, "wording"),
     ({"name": ""}, "goal"), ({"segment_id": "999"}, "people"), ({"unit_price": "free"}, "sending"),
     ({"sender": "+525500000000"}, "sending"), ({"has_canary": "y", "canary_share": "80"}, "sending"),
     ({"has_canary": "y", "way": "peer"}, "sending"), ({"channel": "pigeon"}, "goal"),
     ({"has_trial": "y", "text_b": wizard.TEXT}, "wording"), ({"has_trial": "y", "text_b": "  "}, "wording")],
)  # fmt: skip
def test_what_is_wrong_is_named_at_its_step_and_nothing_is_lost_or_made(
    session: Session, strategist: FlaskClient, segment: Segment, wrong: dict[str, str], step: str
) -> None:
    draft_id = wizard.begin(strategist)
    answer = wizard.write(strategist, draft_id, wizard.form(segment.id) | wrong)
    assert answer.headers["Location"].endswith(f"/drafts/{draft_id}/review")
    review = strategist.get(answer.headers["Location"]).text
    assert f"/drafts/{draft_id}/{step}?check=1" in review
    assert "invalid-feedback" in strategist.get(f"/campaigns/messages/drafts/{draft_id}/{step}?check=1").text
    assert session.scalar(select(func.count()).select_from(MessageCampaign)) == 0
    kept = session.get_one(MessageDraft, draft_id, populate_existing=True).form
    assert all(kept[name] == value for name, value in wrong.items())


def test_saving_goes_on_only_from_a_step_that_is_right(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    draft_id = wizard.begin(strategist)
    where = f"/campaigns/messages/drafts/{draft_id}/goal"
    answer = strategist.post(where, data=wizard.form(segment.id, name="") | {"go": "next"})
    assert answer.headers["Location"].endswith("/goal?check=1")
    answer = strategist.post(where, data=wizard.form(segment.id) | {"go": "next"})
    assert answer.headers["Location"].endswith("/people")


def test_what_is_typed_is_kept_at_once_and_tells_who_is_reached(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    draft_id = wizard.begin(strategist)
    answer = strategist.post(f"/campaigns/messages/drafts/{draft_id}/goal/keep", data=wizard.form(segment.id))
    assert answer.headers["HX-Trigger"] == "drafted"
    strategist.post(f"/campaigns/messages/drafts/{draft_id}/people/keep", data=wizard.form(segment.id))
    assert message_drafts.find(session, draft_id).name == "Aviso"
    reached = strategist.get(f"/campaigns/messages/drafts/{draft_id}/reach").text
    assert 'class="col-4 text-end fw-bold figures">2<' in reached  # of one household one, and Mario; Rosa has no mobile
    assert "Aviso" in strategist.get("/campaigns/").text


def test_two_wordings_and_a_first_wave_are_kept_and_come_back(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    second = "Estudio Prueba: {given_names|vecina}, ¿nos ayuda? BAJA para no recibir"
    said = wizard.form(segment.id, has_trial="y", text_b=second, share_b="30", trial_goal="replies",
                       has_canary="y", canary_share="10", canary_release="rule", canary_minutes="15")  # fmt: skip
    number = wizard.make(strategist, said)
    made = session.get_one(MessageCampaign, number)
    assert [(one.letter, one.share) for one in wordings.of(session, number)] == [("A", 70), ("B", 30)]
    assert wordings.texts(session, number)["B"] == second
    assert (made.canary_share, made.canary_release, made.canary_minutes, made.trial_goal) == (10, "rule", 15, "replies")
    again = message_plans.written_of(session, made)
    assert all(again[name] == value for name, value in said.items())
    assert "nos ayuda" in strategist.get(f"/campaigns/messages/{number}").text


def test_a_box_that_was_left_open_can_be_ticked_later(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    draft_id = wizard.begin(strategist)
    where = f"/campaigns/messages/drafts/{draft_id}/wording"
    strategist.post(f"{where}/keep", data={"text": "Hola"})
    page = strategist.get(where).text
    box = page[page.index('id="has_trial"') - 60 : page.index('id="has_trial"') + 140]
    assert 'value="y"' in box
    assert "checked" not in box


def test_a_paused_campaign_is_changed_but_not_its_people(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    number = wizard.make(strategist, wizard.form(segment.id))
    made = session.get_one(MessageCampaign, number)
    made.state, made.planned_at = "paused", made.created_at
    session.commit()
    answer = strategist.post(f"/campaigns/messages/{number}/change")
    draft_id = int(answer.headers["Location"].split("/")[-2])
    said = wizard.form(segment.id, text="Estudio Prueba: otra vez, {given_names}. BAJA para no recibir")
    assert wizard.write(strategist, draft_id, said).headers["Location"].endswith(f"/messages/{number}")
    session.refresh(made)
    assert made.text.startswith("Estudio Prueba: otra vez")
    other = Segment(name="Otro", rule={"all": []})
    session.add(other)
    session.commit()
    last = strategist.post(f"/campaigns/messages/drafts/{draft_id}/people",
                           data={"segment_id": str(other.id), "go": "review"})  # fmt: skip
    assert last.status_code == 409
    session.refresh(made)
    assert made.segment_id == segment.id


def test_a_draft_of_a_campaign_that_runs_leads_to_its_page(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, wizard.form(segment.id))
    made = session.scalars(select(MessageCampaign)).one()
    made.state = "running"
    session.commit()
    for address in (f"/campaigns/messages/drafts/{draft_id}/wording", f"/campaigns/messages/drafts/{draft_id}/review"):
        assert strategist.get(address).headers["Location"].endswith(f"/messages/{made.id}")


def test_a_campaign_is_copied_into_a_new_draft(session: Session, strategist: FlaskClient, segment: Segment) -> None:
    number = wizard.make(strategist, wizard.form(segment.id))
    answer = strategist.post(f"/campaigns/messages/{number}/duplicate")
    copied = session.get_one(MessageDraft, int(answer.headers["Location"].split("/")[-2]))
    assert copied.campaign_id is None
    assert copied.form["text"] == wizard.TEXT
    assert copied.form["name"].startswith("Aviso, ")


def test_a_draft_is_thrown_away_and_its_campaign_stays(
    session: Session, strategist: FlaskClient, segment: Segment
) -> None:
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, wizard.form(segment.id))
    assert strategist.post(f"/campaigns/messages/drafts/{draft_id}/discard").status_code == 302
    assert session.get(MessageDraft, draft_id) is None
    assert session.scalars(select(MessageCampaign)).one().state == "draft"


def test_a_supervisor_reads_the_draft_and_writes_in_none(
    session: Session, strategist: FlaskClient, client_as: Callable[[str], FlaskClient], segment: Segment
) -> None:
    number = wizard.make(strategist, wizard.form(segment.id))
    supervisor = client_as("supervisor")
    assert supervisor.get(f"/campaigns/messages/{number}").status_code == 200
    assert supervisor.get("/campaigns/messages/new").status_code == 403
    assert supervisor.post(f"/campaigns/messages/{number}/change").status_code == 403
