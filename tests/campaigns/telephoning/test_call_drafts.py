"""The wizard: every step kept as it is typed, in any order; a list of what is missing; one start."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now
from callcenter.contacts import Contact
from callcenter.queueing import crews, queue_entries, queue_pace, queue_rules
from callcenter.queueing.queue_pace import Pace
from callcenter.queues import QueueEntry
from campaigns.calling import CallCampaign
from campaigns.segments import Segment
from campaigns.telephoning import call_drafts
from campaigns.telephoning.call_drafts import CallDraft
from tests.campaigns import wizard
from tests.campaigns.cast import Cast
from tests.conftest import ClientAs


@pytest.fixture
def strategist(app: Flask, client_as: ClientAs) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    client = client_as("strategist")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def form(session: Session, cast: Cast) -> dict[str, Any]:
    """A campaign to everybody of the cast, all of it written."""
    segment = Segment(name="Centro", rule={"all": []})
    session.add(segment)
    session.commit()
    return {
        "name": "Encuesta", "segment_id": str(segment.id), "purpose": "survey", "script": "operator",
        "script_text": "Buenos días", "on_behalf_of": "Estudio Prueba", "caller_id": "+525512340000",
        "privacy_notice_url": "https://example.org/aviso", "mode": "predictive", "abandon_limit": "2",
        "ratio": "1.5", "gives_up": "y", "team": "10", "hours_a_day": "6", "hour_price": "80",
        "rule_most_attempts": "4",
    }  # fmt: skip


def draft_of(session: Session, draft_id: int) -> CallDraft:
    return session.get_one(CallDraft, draft_id, populate_existing=True)


def campaigns(session: Session) -> list[CallCampaign]:
    return list(session.scalars(select(CallCampaign).order_by(CallCampaign.id)))


def test_what_is_typed_is_kept_at_once_also_what_is_wrong(session: Session, strategist: FlaskClient) -> None:
    draft_id = wizard.begin(strategist)
    half = {"name": "Encuesta", "privacy_notice_url": "example", "on_behalf_of": ""}
    answer = strategist.post(f"/campaigns/calls/drafts/{draft_id}/goal/keep", data=half)
    assert answer.status_code == 200
    assert answer.headers["HX-Trigger"] == "drafted"
    assert "Saved at" in answer.text
    assert draft_of(session, draft_id).form.items() >= half.items()
    page = wizard.page(strategist, draft_id, "goal")
    assert 'value="example"' in page
    assert "is-invalid" not in page  # nobody has asked yet whether it is right
    assert "Write the whole address" in strategist.get(f"/campaigns/calls/drafts/{draft_id}/goal?check=1").text


def test_the_steps_stand_in_no_forced_order_and_the_last_says_what_is_missing(
    session: Session, strategist: FlaskClient, form: dict[str, Any]
) -> None:
    draft_id = wizard.begin(strategist)
    answer = strategist.post(f"/campaigns/calls/drafts/{draft_id}/goal", data={"name": "", "go": "pace"})
    assert answer.headers["Location"].endswith(f"/{draft_id}/pace")
    assert strategist.get(f"/campaigns/calls/drafts/{draft_id}/forecast").text.count("Choose whom to call.") == 1
    review = wizard.page(strategist, draft_id, "review")
    for said in ("Give the campaign a name.", "Say on whose behalf", "Choose whom to call.",
                 f"/campaigns/calls/drafts/{draft_id}/people?check=1#segment_id"):  # fmt: skip
        assert said in review
    assert wizard.start(strategist, draft_id).status_code == 422
    wizard.write(strategist, draft_id, form)
    review = wizard.page(strategist, draft_id, "review")
    assert 'id="checklist"' not in review
    assert "Start calling 4 people" in review


@pytest.mark.parametrize(
    ("step", "wrong", "said"),
    [
        ("pace", {"abandon_limit": "5"}, "Write a share from 0 to 3 percent."),
        ("pace", {"team": "many"}, "Not a valid integer"),
        ("pace", {"ratio": "0.5"}, "Write a number from 1 to 5."),
        ("pace", {"mode": "turbo"}, "Not a valid choice"),
        ("people", {"segment_id": "999"}, "This segment is there no more"),
        ("people", {"segment_id": "x/y/z"}, "This segment is there no more"),
        ("caller", {"caller_id": "+521112223344"}, "This number may not be shown any more"),
        ("caller", {"operators": ["9999"]}, "valid choice"),
        ("script", {"script_text": " "}, "Write what the operator reads"),
        ("schedule", {"rule_most_attempts": "99"}, "Write a number from 1"),
        ("quotas", {"quota_cells": "sexo;meta\nZ;diez"}, "quota_cells-fault"),
    ],
)
def test_a_wrong_field_is_named_beside_it_and_starts_nothing(
    session: Session, strategist: FlaskClient, form: dict[str, Any], step: str, wrong: dict[str, Any], said: str
) -> None:
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form | wrong)
    answer = wizard.next_of(strategist, draft_id, step, form | wrong)
    assert answer.request.path.endswith(f"/{step}")
    assert said in answer.text
    assert wizard.start(strategist, draft_id).status_code == 422
    assert campaigns(session) == []


def test_an_untouched_draft_is_used_again_and_one_that_was_written_in_is_not(
    session: Session, strategist: FlaskClient
) -> None:
    first = wizard.begin(strategist)
    assert wizard.begin(strategist) == first
    strategist.post(f"/campaigns/calls/drafts/{first}/goal/keep", data={"name": "Encuesta"})
    assert wizard.begin(strategist) != first
    page = strategist.get("/campaigns/").text
    assert f"/campaigns/calls/drafts/{first}/goal" in page
    assert [draft.id for draft in call_drafts.waiting(session)] == [first]


def test_a_draft_is_started_once_with_everything_it_says(
    session: Session, strategist: FlaskClient, form: dict[str, Any], people: dict[str, User]
) -> None:
    olga = operators.of_user(session, people["operator"].id)
    session.commit()
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form | {"operators": [str(olga.id)], "calls_per_second": "7"})
    assert wizard.start(strategist, draft_id).status_code == 302
    (made,) = campaigns(session)
    assert queue_pace.of(session, made.queue_id) == Pace("predictive", 0.02, 1.5, gives_up=True, calls_per_second=7)
    assert queue_rules.of(session, made.queue_id).most_attempts == 4
    assert crews.of_queue(session, made.queue_id) == [olga.id]
    assert made.queue.state == "running"
    assert made.forecast is not None
    assert (made.forecast["team"], made.forecast["people"]) == (10, 4)
    again = wizard.start(strategist, draft_id)
    assert again.headers["Location"].endswith(f"/campaigns/calls/{made.id}")
    assert len(campaigns(session)) == 1
    for step in (*wizard.WRITTEN, "review"):  # the draft is a campaign now
        answer = strategist.get(f"/campaigns/calls/drafts/{draft_id}/{step}")
        assert answer.headers["Location"].endswith(f"/campaigns/calls/{made.id}")
    assert call_drafts.waiting(session) == []


def test_a_started_draft_takes_no_more_words(session: Session, strategist: FlaskClient, form: dict[str, Any]) -> None:
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form)
    wizard.start(strategist, draft_id)
    strategist.post(f"/campaigns/calls/drafts/{draft_id}/goal/keep", data={"name": "Otra"})
    assert draft_of(session, draft_id).form["name"] == "Encuesta"


def test_a_draft_is_thrown_away_on_file(session: Session, strategist: FlaskClient) -> None:
    draft_id = wizard.begin(strategist)
    assert strategist.post(f"/campaigns/calls/drafts/{draft_id}/discard").status_code == 302
    assert strategist.get(f"/campaigns/calls/drafts/{draft_id}/goal").status_code == 404
    row = session.scalars(select(AuditEntry).where(AuditEntry.action == "call_draft.discard")).one()
    assert row.subject == f"call-draft/{draft_id}"


def test_a_duplicate_is_a_draft_that_says_the_same_under_another_name(
    session: Session, strategist: FlaskClient, form: dict[str, Any]
) -> None:
    wizard.make(strategist, form)
    (made,) = campaigns(session)
    answer = strategist.post(f"/campaigns/calls/{made.id}/duplicate")
    copy_id = int(answer.headers["Location"].split("/")[-2])
    said = draft_of(session, copy_id).form
    assert said["name"] == "Encuesta, again"
    for field in form.keys() - {"name"}:
        assert (field, said[field]) == (field, form[field])
    assert wizard.start(strategist, copy_id).status_code == 302
    first, second = campaigns(session)
    assert queue_pace.of(session, first.queue_id) == queue_pace.of(session, second.queue_id)
    assert queue_rules.of(session, first.queue_id) == queue_rules.of(session, second.queue_id)


def test_the_forecast_is_shown_before_anybody_is_called_and_beside_what_came_of_it(
    session: Session, strategist: FlaskClient, form: dict[str, Any]
) -> None:
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form)
    seen = strategist.get(f"/campaigns/calls/drafts/{draft_id}/forecast").text
    for said in ("Conversations an hour", "with 10 at work", "Ends on", "$", "Answer and find nobody"):
        assert said in seen
    assert strategist.get(f"/campaigns/calls/drafts/{draft_id}/reach").text.count("<dd") >= 2
    wizard.start(strategist, draft_id)
    (made,) = campaigns(session)
    page = strategist.get(f"/campaigns/calls/{made.id}").text
    assert "Forecast against actual" in page
    assert "The forecast counted on 10 operators." in page
    assert strategist.get(f"/campaigns/calls/{made.id}/live").status_code == 200


def test_the_pace_is_changed_while_the_campaign_runs(
    session: Session, strategist: FlaskClient, client_as: ClientAs, form: dict[str, Any]
) -> None:
    wizard.make(strategist, form)
    (made,) = campaigns(session)
    wanted = {"mode": "power", "abandon_limit": "1.5", "ratio": "2", "calls_per_second": ""}
    answer = client_as("supervisor").post(f"/campaigns/calls/{made.id}/pace", data=wanted)
    assert answer.status_code == 302
    assert queue_pace.of(session, made.queue_id) == Pace("power", 0.015, 2.0, gives_up=False)
    answer = strategist.post(f"/campaigns/calls/{made.id}/pace", data=wanted | {"abandon_limit": "9"})
    assert answer.status_code == 422
    assert "Write a share from 0 to 3 percent." in answer.text
    assert 'value="9"' in answer.text
    assert queue_pace.of(session, made.queue_id).abandon_limit == 0.015


def test_rules_and_crew_are_changed_while_the_campaign_runs(
    session: Session, strategist: FlaskClient, form: dict[str, Any], people: dict[str, User]
) -> None:
    olga = operators.of_user(session, people["operator"].id)
    wizard.make(strategist, form)
    (made,) = campaigns(session)
    address = f"/campaigns/calls/{made.id}/settings"
    assert 'value="4"' in strategist.get(address).text
    answer = strategist.post(f"{address}/rules", data={"rule_most_attempts": "2", "rule_busy_minutes": "30"})
    assert answer.status_code == 302, answer.text
    session.expire_all()
    rules = queue_rules.of(session, made.queue_id)
    assert rules.most_attempts == 2
    assert rules.retries["busy"].minutes == 30
    answer = strategist.post(f"{address}/rules", data={"rule_most_attempts": "99"})
    assert answer.status_code == 422
    assert 'value="99"' in answer.text
    assert strategist.post(f"{address}/crew", data={"operators": [str(olga.id)]}).status_code == 302
    assert crews.of_queue(session, made.queue_id) == [olga.id]
    assert strategist.post(f"{address}/crew", data={"operators": ["0"]}).status_code == 422
    assert crews.of_queue(session, made.queue_id) == [olga.id]


def test_the_list_tells_pace_end_and_acts_of_each_campaign(
    session: Session, strategist: FlaskClient, form: dict[str, Any]
) -> None:
    wizard.make(strategist, form)
    (made,) = campaigns(session)
    page = strategist.get("/campaigns/").text
    for act in ("pause", "duplicate"):
        assert f"/campaigns/calls/{made.id}/{act}" in page
    acted = {"reason": "end_of_day", "next": "/campaigns/"}
    answer = strategist.post(f"/campaigns/calls/{made.id}/pause", data=acted)
    assert answer.headers["Location"].endswith("/campaigns/")  # where the button stood
    page = strategist.get("/campaigns/").text
    for act in ("resume", "finish", "duplicate"):
        assert f"/campaigns/calls/{made.id}/{act}" in page
    assert "End of the working day" in page


def test_a_running_campaign_has_one_reason_for_whichever_act_halts_it(
    session: Session, strategist: FlaskClient, form: dict[str, Any]
) -> None:
    wizard.make(strategist, form)
    (made,) = campaigns(session)
    address = f"/campaigns/calls/{made.id}"
    page = strategist.get(address).text
    assert page.count('name="reason"') == 1
    for act in ("pause", "finish"):
        assert f'formaction="{address}/{act}"' in page
    strategist.post(f"{address}/finish", data={"reason": "complaints"})
    session.refresh(made.queue)
    assert (made.queue.state, made.queue.state_reason) == ("finished", "complaints")


@pytest.mark.parametrize("way", ["keep", "move"])
def test_a_campaign_that_ends_keeps_its_promises_or_hands_them_on(
    session: Session, strategist: FlaskClient, form: dict[str, Any], cast: Cast, way: str
) -> None:
    for name in ("Encuesta", "Otra"):
        wizard.make(strategist, form | {"name": name})
    ending, other = campaigns(session)
    promised = session.scalars(
        select(QueueEntry).where(QueueEntry.queue_id == ending.queue_id, QueueEntry.contact_id == cast.mario.id)
    ).one()
    queue_entries.promise_callback(session, promised.id, campaign_now(session), None)
    session.commit()
    assert strategist.post(f"/campaigns/calls/{ending.id}/finish").status_code == 409
    page = strategist.get(f"/campaigns/calls/{ending.id}").text
    assert "It makes its 1 promised callback first" in page
    assert "They move to Otra" in page
    chosen = "keep" if way == "keep" else str(other.id)
    assert strategist.post(f"/campaigns/calls/{ending.id}/finish", data={"callbacks": chosen}).status_code == 302
    session.refresh(ending.queue)
    assert ending.queue.state == ("running" if way == "keep" else "finished")
    kept_by = ending.queue_id if way == "keep" else other.queue_id
    waits = select(Contact.given_names).join(QueueEntry, QueueEntry.contact_id == Contact.id).where(
        QueueEntry.queue_id == kept_by, QueueEntry.is_callback, QueueEntry.state == "waiting"
    )  # fmt: skip
    assert list(session.scalars(waits)) == ["Mario"]


def test_who_may_not_launch_sees_no_drafts(client_as: ClientAs, strategist: FlaskClient) -> None:
    draft_id = wizard.begin(strategist)
    strategist.post(f"/campaigns/calls/drafts/{draft_id}/goal/keep", data={"name": "Encuesta"})
    supervisor = client_as("supervisor")
    assert supervisor.get(f"/campaigns/calls/drafts/{draft_id}/goal").status_code == 403
    assert "/drafts/" not in supervisor.get("/campaigns/").text
