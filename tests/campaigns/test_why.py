"""The why panel from the dialer's own turn to the page, the command, and the search for one person."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter import operators, queues
from callcenter.base import leases
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.contacts import Contact
from callcenter.queueing import dial_decisions, queue_outlook
from callcenter.queueing.dial_decisions import Decided
from callcenter.queues import QueueEntry
from campaigns import calling, why
from campaigns.calling import CallCampaign
from campaigns.segments import Segment
from campaigns.telephoning import why_facts
from campaigns.why import Why
from scripts.dialer import NAME, Dialer
from tests.callcenter import cast
from tests.callcenter.conftest import carrier  # noqa: F401 - a fixture
from tests.callcenter.gate_cast import NOON, at
from tests.conftest import ClientAs

pytestmark = pytest.mark.usefixtures("carrier")
Ask = Callable[[CallCampaign], Why]
NIGHT = at(NOON.date(), 23, 30)


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is day where everybody lives, whatever the time of the test."""
    monkeypatch.setattr(queue_outlook, "campaign_now", lambda _session: NOON)


@pytest.fixture
def ask(app: Flask, session: Session) -> Ask:
    """Asks in English."""

    def answer(campaign: CallCampaign) -> Why:
        session.flush()
        with app.test_request_context(headers={"Accept-Language": "en"}):
            return why.of_campaign(session, campaign)

    return answer


def campaign(session: Session, *people: Contact, **queue: object) -> CallCampaign:
    segment = Segment(name=f"Everybody {uuid4()}", rule={"all": []})
    session.add(segment)
    made = cast.queue(session, *people, **queue)
    found = CallCampaign(name=made.name, segment=segment, segment_version=1, queue=made, frozen_at=real_now())
    session.add(found)
    session.flush()
    return found


def turn(session: Session) -> None:
    """One turn of a dialer that leads."""
    session.commit()
    token = leases.take(session, NAME, "me", 60)
    session.commit()
    assert token is not None
    Dialer().turn(token)
    session.expire_all()


def bound(found: Why) -> str | None:
    return found.binding.aspect if found.binding else None


def test_a_campaign_that_dials_is_kept_by_nothing(session: Session, ask: Ask) -> None:
    running = campaign(session, *[cast.person(session) for _ in range(3)])
    cast.operator(session)
    turn(session)
    assert bound(ask(running)) is None


def test_operators_are_the_reason_when_none_is_there(session: Session, ask: Ask) -> None:
    running = campaign(session, cast.person(session))
    turn(session)
    found = ask(running)
    assert bound(found) == "team"
    assert found.sentence == str(queues.WHY_IDLE["no_operators"])


def test_an_operator_whose_page_is_gone_is_counted_as_without_a_line(session: Session, ask: Ask) -> None:
    running = campaign(session, cast.person(session))
    olga = cast.operator(session)
    olga.last_seen_at = real_now() - operators.GRACE * 2
    turn(session)
    team = {one.aspect: one for one in ask(running).limits}["team"]
    assert (team.code, team.counts["no_line"]) == ("no_line", 1)


def test_a_list_that_is_done_and_one_that_sleeps_are_told_apart(
    session: Session, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, asleep = campaign(session), campaign(session, cast.person(session))
    session.execute(update(QueueEntry).values(reason="hours", not_before=real_now() + timedelta(days=999)))
    cast.operator(session)
    turn(session)
    monkeypatch.setattr(queue_outlook, "campaign_now", lambda _session: NIGHT)
    assert bound(ask(done)) == "list"
    found = ask(asleep)
    assert bound(found) == "hours"
    assert (found.outlook.now, found.outlook.later) == (0, 1)


def test_a_carrier_that_is_not_here_is_the_reason(session: Session, ask: Ask) -> None:
    foreign = campaign(session, cast.person(session), carrier="pigeon")
    cast.operator(session)
    turn(session)
    found = ask(foreign)
    assert bound(found) == "carrier"
    assert found.sentence == str(queues.WHY_IDLE["carrier_missing"])


def test_who_paused_it_and_why_is_said(session: Session, ask: Ask, people: dict[str, User]) -> None:
    running = campaign(session, cast.person(session))
    calling.pause(session, running.id, "complaints", people["supervisor"].id)
    found = ask(running)
    assert bound(found) == "campaign"
    assert people["supervisor"].full_name in found.sentence
    assert "Complaints" in found.sentence


def test_what_would_stop_it_next_is_named_beside_what_stops_it_now(session: Session, ask: Ask) -> None:
    paused = campaign(session, state="paused", carrier="pigeon")
    found = ask(paused)
    assert bound(found) == "campaign"
    assert {one.aspect for one in found.others} >= {"carrier", "list", "team"}


def test_a_dialer_that_has_died_is_told_from_one_that_waits(session: Session, ask: Ask) -> None:
    running = campaign(session, cast.person(session))
    turn(session)
    leases.release(session, NAME, "me")
    session.execute(update(leases.Lease).values(expires_at=real_now() - timedelta(seconds=1)))
    found = ask(running)
    assert found.binding is not None
    assert found.binding.code == "dialer_away"


def test_the_last_decisions_are_shown_with_what_they_were_made_from(session: Session, ask: Ask) -> None:
    running = campaign(session, cast.person(session))
    dial_decisions.keep(
        session,
        [Decided(running.queue_id, "predictive", idle=2, ringing=5, answered=200, abandoned=1, risk=0.02, place=1)],
    )
    found = ask(running)
    (decision,) = found.decisions
    assert (decision.idle, decision.ringing, decision.risk) == (2, 5, 0.02)
    assert {one.aspect: one for one in found.limits}["risk"].counts["abandoned"] == 1


def test_a_long_list_is_counted_once_in_ten_seconds_however_many_look(
    session: Session, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_outlook, "ALL", 2)
    moments = [1000.0]
    monkeypatch.setattr(why_facts, "monotonic", lambda: moments[0])
    running = campaign(session, *[cast.person(session) for _ in range(3)])
    assert ask(running).outlook.waiting == 3
    session.execute(update(QueueEntry).values(state="done", reason="completed"))
    moments[0] += why_facts.KEPT - 1
    assert ask(running).outlook.waiting == 3
    moments[0] += 2
    assert ask(running).outlook.waiting == 0


# ── the page ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("role", "status"), [("strategist", 200), ("supervisor", 200), ("operator", 403)])
def test_the_panel_is_for_who_watches_campaigns(session: Session, client_as: ClientAs, role: str, status: int) -> None:
    running = campaign(session, cast.person(session))
    session.commit()
    for part in ("", "/panel"):
        assert client_as(role).get(f"/campaigns/calls/{running.id}/why{part}").status_code == status


def test_the_page_shows_every_limit_the_zones_and_the_reason(session: Session, client_as: ClientAs) -> None:
    running = campaign(session, cast.person(session), name="Sondeo de mayo")
    turn(session)
    said = client_as("supervisor").get(f"/campaigns/calls/{running.id}/why", headers={"Accept-Language": "en"}).text
    assert 'data-aspect="hours"' in said
    assert 'data-code="no_operators"' in said
    assert "Central zone" in said
    assert "Sondeo de mayo" in said


@pytest.mark.parametrize(("state", "is_there"), [("running", True), ("paused", True), ("finished", False)])
def test_the_campaigns_page_carries_the_panel_from_the_start(
    session: Session, client_as: ClientAs, state: str, is_there: bool
) -> None:
    """What arrives later moves the page under the hand: nothing below it is asked for on load."""
    made = campaign(session, cast.person(session), state=state)
    session.commit()
    page = client_as("supervisor").get(f"/campaigns/calls/{made.id}", headers={"Accept-Language": "en"}).text
    assert ('data-aspect="' in page.partition('id="why"')[2].partition('id="picture"')[0]) == is_there
    assert "load" not in {word for trigger in re.findall(r'hx-trigger="([^"]*)"', page.partition("<main")[2])
                          for word in re.split(r"[ ,]+", trigger)}  # fmt: skip


def test_somebody_is_found_by_name_phone_or_number_with_what_keeps_them(session: Session, client_as: ClientAs) -> None:
    who, other = cast.person(session, "María Núñez", "+528123456789"), cast.person(session, "María Solís")
    who.name_key, other.name_key = "maria nunez", "maria solis"
    running = campaign(session, who)
    session.execute(update(QueueEntry).values(state="done", reason="wrong_number"))
    session.commit()
    address = f"/campaigns/calls/{running.id}/why/person?person="
    for words in ("maría", "81 2345 6789", str(who.id)):
        said = client_as("supervisor").get(address + words, headers={"Accept-Language": "en"}).text
        assert "María Núñez" in said
        assert "Wrong number" in said
        assert "Solís" not in said
    assert 'data-wait="not_listed"' in client_as("supervisor").get(address + str(other.id)).text
    assert "María" not in client_as("supervisor").get(address + "zacarías").text
    looked = session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.search")).all()
    assert {entry.detail["by"] for entry in looked} == {"name", "phone", "number"}
    assert "8123456789" not in str([entry.detail for entry in looked])


def test_a_strategist_finds_nobody_by_phone_and_sees_none(session: Session, client_as: ClientAs) -> None:
    who = cast.person(session, "María Núñez", "+528123456789")
    running = campaign(session, who)
    session.commit()
    address = f"/campaigns/calls/{running.id}/why/person?person="
    assert "Núñez" not in client_as("strategist").get(address + "8123456789").text
    assert who.phone not in client_as("strategist").get(address + str(who.id)).text


# ── the command ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_answers_in_one_line_of_json(session: Session, app: Flask) -> None:
    running = campaign(session, cast.person(session))
    turn(session)
    ran = app.test_cli_runner().invoke(args=["calling", "why", str(running.id), "--json"])
    assert ran.exit_code == 0
    said = json.loads(ran.stdout)
    assert (said["campaign"], said["dials"], said["binding"]["aspect"]) == (running.id, False, "team")
    assert {"aspect", "state", "code", "sentence", "counts"} == set(said["limits"][0])
    assert said["hours"]["zones"][0]["zones"] == ["America/Mexico_City"]
    assert said["hours"]["is_estimate"] is False
    assert len(ran.stdout.splitlines()) == 1


def test_the_command_answers_in_words_and_for_one_person(session: Session, app: Flask) -> None:
    who = cast.person(session)
    running = campaign(session, who)
    session.execute(update(QueueEntry).values(state="excluded", reason="opted_out"))
    turn(session)
    run = app.test_cli_runner()
    said = run.invoke(args=["calling", "why", str(running.id)]).stdout
    assert "Operators" in said
    assert "Who may be called when" in said
    of_person = run.invoke(args=["calling", "why", str(running.id), "--person", str(who.id)]).stdout
    assert "left out" in of_person
    one = run.invoke(args=["calling", "why", str(running.id), "--person", str(who.id), "--json"]).stdout
    assert json.loads(one)["reason"] == "opted_out"


def test_the_command_says_when_there_is_no_such_campaign_or_person(session: Session, app: Flask) -> None:
    running = campaign(session)
    session.commit()
    run = app.test_cli_runner()
    assert run.invoke(args=["calling", "why", "999999"]).exit_code == 2
    assert run.invoke(args=["calling", "why", str(running.id), "--person", "999999"]).exit_code == 2


def test_the_page_of_no_campaign_is_not_found(client_as: ClientAs) -> None:
    assert client_as("supervisor").get("/campaigns/calls/999999/why").status_code == 404
