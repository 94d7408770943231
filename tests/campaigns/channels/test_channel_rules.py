from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE, real_now
from callcenter.base.errors import InvalidInput, Refused
from campaigns.channels import channel_rules, channel_stops
from campaigns.channels.channel_rules import Approval
from tests.base.conftest import post
from tests.campaigns.cast import Campaign, Cast
from tests.conftest import ClientAs

PAGE = "/campaigns/messages/channels"


def today() -> date:
    return real_now().astimezone(ZONE).date()


def approval(**values: Any) -> Approval:
    return replace(Approval("Surveys of opinion", "Ticket 17", ["survey"], today()), **values)


def test_with_a_real_provider_a_channel_is_off_until_its_use_case_is_recorded(session: Session) -> None:
    assert channel_rules.why_off(session, "whatsapp", "survey", simulated=False) == "channel_off"
    with pytest.raises(Refused, match="nobody recorded the use case"):
        channel_rules.check(session, "whatsapp", "survey", simulated=False)
    channel_rules.record(session, "whatsapp", approval(), None)
    channel_rules.check(session, "whatsapp", "survey", simulated=False)


def test_a_drill_needs_no_record(session: Session) -> None:
    assert channel_rules.why_off(session, "whatsapp", "persuasion", simulated=True) is None


@pytest.mark.parametrize("simulated", [True, False])
def test_what_was_approved_for_surveys_carries_no_persuasion(session: Session, simulated: bool) -> None:
    channel_rules.record(session, "sms", approval(), None)
    assert channel_rules.why_off(session, "sms", "persuasion", simulated=simulated) == "channel_purpose"
    assert channel_rules.why_off(session, "sms", "survey", simulated=simulated) is None


def test_an_approval_holds_to_the_end_of_its_last_day(session: Session) -> None:
    channel_rules.record(session, "sms", approval(valid_until=today()), None)
    assert channel_rules.why_off(session, "sms", "survey", simulated=False) is None
    yesterday = today() - timedelta(days=1)
    channel_rules.record(session, "sms", approval(approved_on=yesterday, valid_until=yesterday), None)
    assert channel_rules.why_off(session, "sms", "survey", simulated=False) == "channel_expired"


@pytest.mark.parametrize("simulated", [True, False])
def test_a_channel_that_is_turned_off_carries_nothing_until_it_is_recorded_again(
    session: Session, simulated: bool
) -> None:
    channel_rules.record(session, "sms", approval(), None)
    channel_rules.turn_off(session, "sms", "The carrier complained", None)
    assert channel_rules.why_off(session, "sms", "survey", simulated=simulated) == "channel_off"
    channel_rules.record(session, "sms", approval(), None)
    assert channel_rules.why_off(session, "sms", "survey", simulated=simulated) is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"use_case": " "}, "use_case"),
        ({"reference": ""}, "reference"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["bribery"]}, "purposes"),
        ({"approved_on": None}, "approved_on"),
        ({"approved_on": date(2999, 1, 1)}, "approved_on"),
        ({"valid_until": date(2020, 1, 1)}, "valid_until"),
        ({"daily_people": 0}, "daily_people"),
    ],
)
def test_an_approval_that_says_too_little_is_not_recorded(session: Session, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        channel_rules.record(session, "sms", approval(**values), None)
    assert list(error.value.faults) == [field]
    assert channel_rules.of(session, "sms") is None


def test_an_administrator_records_an_approval_on_its_page(session: Session, client_as: ClientAs) -> None:
    form = {"use_case": "Encuestas de opinión", "reference": "Ticket 17", "purposes": ["survey", "citizen_care"],
            "approved_on": today().isoformat(), "valid_until": "", "daily_people": "2000"}  # fmt: skip
    browser = client_as("administrator")
    assert (
        post(browser, "/campaigns/messages/channels/whatsapp", form, page="/campaigns/messages/channels").status_code
        == 302
    )
    rule = channel_rules.of(session, "whatsapp")
    assert rule is not None
    assert (rule.purposes, rule.daily_people) == (["survey", "citizen_care"], 2000)
    page = browser.get("/campaigns/messages/channels")
    assert "Encuestas de opinión" in page.text
    assert "Ticket 17" in page.text


def test_what_was_typed_is_not_lost_when_something_is_wrong(session: Session, client_as: ClientAs) -> None:
    form = {"use_case": "Encuestas de opinión", "reference": "", "purposes": ["survey"], "approved_on": "mañana",
            "daily_people": "many"}  # fmt: skip
    page = post(
        client_as("administrator"), "/campaigns/messages/channels/whatsapp", form, page="/campaigns/messages/channels"
    )
    assert page.status_code == 422
    assert "Encuestas de opinión" in page.text
    assert 'value="survey" checked' in page.text
    assert channel_rules.of(session, "whatsapp") is None


def test_turning_a_channel_off_needs_a_reason(session: Session, client_as: ClientAs) -> None:
    browser = client_as("administrator")
    assert (
        post(
            browser, "/campaigns/messages/channels/sms/off", {"off_reason": " "}, page="/campaigns/messages/channels"
        ).status_code
        == 422
    )
    assert (
        post(
            browser,
            "/campaigns/messages/channels/sms/off",
            {"off_reason": "Quejas"},
            page="/campaigns/messages/channels",
        ).status_code
        == 302
    )
    assert "Quejas" in browser.get("/campaigns/messages/channels").text


def test_what_is_being_sent_pauses_when_its_channel_is_turned_off(
    session: Session, cast: Cast, campaign: Campaign, client_as: ClientAs
) -> None:
    made = campaign()
    for channel, state in (("telegram", "running"), ("sms", "paused")):
        off = f"/campaigns/messages/channels/{channel}/off"
        assert post(client_as("administrator"), off, {"off_reason": "Quejas"}, page=PAGE).status_code == 302
        session.refresh(made)
        assert made.state == state
    assert made.state_reason == "channel_off"


def test_what_is_being_sent_pauses_when_the_approval_runs_out(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    assert channel_stops.sweep(session) == 0
    yesterday = today() - timedelta(days=1)
    channel_rules.record(session, "sms", approval(approved_on=yesterday, valid_until=yesterday), None)
    assert [channel_stops.sweep(session) for _ in range(2)] == [1, 0]
    session.refresh(made)
    assert (made.state, made.state_reason) == ("paused", "channel_expired")


@pytest.mark.parametrize("path", ["", "/off"])
def test_there_is_no_page_of_a_channel_that_is_none(client_as: ClientAs, path: str) -> None:
    assert (
        post(
            client_as("administrator"),
            f"/campaigns/messages/channels/pigeon{path}",
            {},
            page="/campaigns/messages/channels",
        ).status_code
        == 404
    )


def test_a_strategist_sees_channels_and_changes_none(client_as: ClientAs) -> None:
    browser = client_as("strategist")
    assert browser.get("/campaigns/messages/channels").status_code == 200
    assert browser.get("/campaigns/messages/templates").status_code == 200
    assert browser.get("/campaigns/messages/channels/sms").status_code == 403
    assert (
        post(browser, "/campaigns/messages/channels/check", {}, page="/campaigns/messages/channels").status_code == 403
    )
