"""The pages of the inbox, as each role sees them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from campaigns.calling import CallCampaign
from campaigns.correspondence import conversations
from campaigns.correspondence.canned_replies import CannedReply
from campaigns.correspondence.conversations import Conversation
from campaigns.dispatch import message_claims as claims
from campaigns.messages import Message
from campaigns.segments import Segment
from tests.callcenter import cast as callers
from tests.campaigns.cast import LUPITA, MARIO, Campaign, Cast
from tests.campaigns.correspondents import conversation, heard

Enter = Callable[[str], FlaskClient]


@pytest.fixture
def enter(app: Flask, client_as: Enter) -> Enter:
    app.config["WTF_CSRF_ENABLED"] = False
    return client_as


@pytest.fixture
def mario(session: Session, cast: Cast) -> Conversation:
    found = conversation(session, heard(session, MARIO, "¿A qué hora abren?"))
    session.commit()
    return found


def address(found: Conversation, act: str = "") -> str:
    return f"/campaigns/inbox/conversations/{found.id}{act}"


def seen(page: str) -> str:
    """What the page says of how far it has been read."""
    said = re.search(r'name="seen" value="([^"]+)"', page)
    assert said is not None
    return said[1]


def test_who_hands_out_work_sees_everybody_and_an_operator_their_own(
    session: Session, enter: Enter, mario: Conversation, people: dict[str, User]
) -> None:
    assert "¿A qué hora abren?" in enter("supervisor").get("/campaigns/inbox/").text
    operator = enter("operator")
    assert "¿A qué hora abren?" not in operator.get("/campaigns/inbox/").text
    assert operator.get(address(mario)).status_code == 404
    assert operator.post(address(mario, "/reply"), data={"text": "Hola"}).status_code == 404
    answer = operator.post("/campaigns/inbox/take")
    assert answer.headers["Location"].startswith(address(mario))
    assert "¿A qué hora abren?" in operator.get("/campaigns/inbox/").text
    assert "Mario Cruz" in operator.get(address(mario)).text
    assert MARIO not in operator.get(address(mario)).text  # masked
    session.refresh(mario)
    assert mario.assigned_to == people["operator"].id


@pytest.mark.parametrize("role", ["pollster", "data_clerk"])
def test_others_do_not_read_it(enter: Enter, mario: Conversation, role: str) -> None:
    client = enter(role)
    assert client.get("/campaigns/inbox/").status_code == 403
    assert client.get(address(mario)).status_code == 403
    assert client.get("/campaigns/peer/").status_code == 403


def test_looking_at_a_conversation_is_on_file(
    session: Session, enter: Enter, mario: Conversation, cast: Cast, people: dict[str, User]
) -> None:
    enter("strategist").get(address(mario))
    looks = select(AuditEntry.user_id, AuditEntry.subject).where(AuditEntry.action == "inbox.look_up")
    assert session.execute(looks).all() == [(people["strategist"].id, f"contact/{cast.mario.id}")]


def test_somebody_is_answered_and_the_next_one_comes(
    session: Session, enter: Enter, mario: Conversation, people: dict[str, User]
) -> None:
    lupita = conversation(session, heard(session, LUPITA, "¿Dónde?"))
    session.commit()
    supervisor = enter("supervisor")
    page = supervisor.get(address(mario)).text
    form = {"text": "A las nueve.", "channel": "sms", "seen": seen(page), "resolve": "1"}
    answer = supervisor.post(address(mario, "/reply"), data=form)
    assert answer.headers["Location"].startswith(address(lupita))
    session.refresh(mario)
    assert (mario.state, mario.waiting_since) == ("resolved", None)
    assert session.scalars(select(Message.body)).all() == ["A las nueve."]
    again = supervisor.post(address(mario, "/reply"), data=form)
    assert (again.status_code, "A las nueve." in again.text) == (422, True)
    assert len(session.scalars(select(Message)).all()) == 1


@pytest.mark.parametrize("form", [{"text": ""}, {"text": "Hola", "channel": "pigeon"}, {"text": "Hola", "seen": "now"}])
def test_a_refused_answer_keeps_what_was_written(
    session: Session, enter: Enter, mario: Conversation, form: dict[str, str]
) -> None:
    supervisor = enter("supervisor")
    sent = {"channel": "sms", "seen": seen(supervisor.get(address(mario)).text)} | form
    page = supervisor.post(address(mario, "/reply"), data=sent)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert f">{form['text']}</textarea>" in page.text
    assert session.scalars(select(Message)).all() == []


def test_who_said_baja_has_no_field_to_answer_in(session: Session, enter: Enter, cast: Cast) -> None:
    found = conversation(session, heard(session, MARIO, "BAJA"))
    session.commit()
    page = enter("supervisor").get(address(found)).text
    assert 'id="reply-text"' not in page
    assert "asked not to be contacted" in page or "pidió" in page


def test_resolving_goes_on_with_the_next_and_ends_with_the_list(
    session: Session, enter: Enter, mario: Conversation
) -> None:
    lupita = conversation(session, heard(session, LUPITA))
    session.commit()
    supervisor = enter("supervisor")
    ends = [
        supervisor.post("/campaigns/inbox/resolve", data={"id": one.id, "next": "1", "from": one.id}).headers[
            "Location"
        ]
        for one in (mario, lupita)
    ]
    assert ends[0].startswith(address(lupita))
    assert ends[1].startswith("/campaigns/inbox/?")
    assert conversations.waiting(session)["waiting"] == 0
    supervisor.post("/campaigns/inbox/reopen", data={"id": mario.id, "from": mario.id})
    assert conversations.waiting(session)["waiting"] == 1


def test_marked_conversations_are_handed_over_and_resolved_together(
    session: Session, enter: Enter, mario: Conversation, people: dict[str, User]
) -> None:
    lupita = conversation(session, heard(session, LUPITA))
    session.commit()
    supervisor, olga = enter("supervisor"), people["operator"].id
    ids = [mario.id, lupita.id]
    assert supervisor.post("/campaigns/inbox/assign", data={"id": ids, "to": olga}).status_code == 302
    assert conversations.waiting(session, olga)["waiting"] == 2
    assert supervisor.post("/campaigns/inbox/assign", data={"id": ids, "to": 999_999}).status_code == 422
    assert supervisor.post("/campaigns/inbox/resolve", data={"id": ids}).status_code == 302
    assert conversations.waiting(session, olga)["open"] == 0


def test_an_operator_neither_hands_over_nor_touches_what_is_a_colleagues(
    session: Session, enter: Enter, mario: Conversation
) -> None:
    operator = enter("operator")
    assert operator.post("/campaigns/inbox/assign", data={"id": mario.id}).status_code == 403
    assert operator.get("/campaigns/inbox/canned").status_code == 403
    operator.post("/campaigns/inbox/resolve", data={"id": mario.id})
    assert conversations.waiting(session)["waiting"] == 1
    inbound = heard(session, MARIO, "¿qué es BAJA?")
    session.commit()
    assert operator.post(f"/campaigns/inbox/{inbound.id}/review", data={"decision": "opt_out"}).status_code == 404
    assert operator.post("/campaigns/inbox/999999/review", data={"decision": "opt_out"}).status_code == 404


def test_a_doubtful_reply_is_decided_in_the_list_or_in_the_conversation(
    session: Session, enter: Enter, cast: Cast
) -> None:
    first, second = heard(session, MARIO, "¿qué es BAJA?"), heard(session, LUPITA, "como doy de baja a mi mamá")
    session.commit()
    supervisor = enter("supervisor")
    page = supervisor.get("/campaigns/inbox/?show=doubtful").text
    assert f"/campaigns/inbox/{first.id}/review" in page
    supervisor.post(f"/campaigns/inbox/{first.id}/review", data={"decision": "opt_out", "list": "1"})
    assert f"/campaigns/inbox/{second.id}/review" in supervisor.get(address(conversation(session, second))).text
    supervisor.post(f"/campaigns/inbox/{second.id}/review", data={"decision": "keep"})
    session.refresh(cast.mario)
    session.refresh(cast.lupita)
    assert (cast.mario.consent, cast.lupita.consent) == ("opted_out", "opted_in")
    assert conversation(session, first).resolution == "opt_out"


def test_a_call_is_promised_from_the_conversation(
    session: Session, enter: Enter, cast: Cast, mario: Conversation
) -> None:
    queue = callers.queue(session, cast.lupita)
    segment = Segment(name="Todas", rule={"all": []})
    session.add(CallCampaign(name="Ola", segment=segment, segment_version=1, queue=queue, frozen_at=datetime.now(UTC)))
    session.commit()
    supervisor = enter("supervisor")
    refused = supervisor.post(address(mario, "/call-back"), data={"queue": queue.id, "when": "algún día"})
    assert refused.status_code == 422
    assert 'value="algún día"' in refused.text
    done = supervisor.post(address(mario, "/call-back"), data={"queue": queue.id, "when": "", "at": "11/5 18:00"})
    assert done.status_code == 302
    assert supervisor.get(done.headers["Location"]).status_code == 200


def test_canned_replies_are_kept_and_faults_lose_nothing(session: Session, enter: Enter, mario: Conversation) -> None:
    supervisor = enter("supervisor")
    refused = supervisor.post("/campaigns/inbox/canned", data={"shortcut": "a b", "text": "Hola {apodo}"})
    assert refused.status_code == 422
    assert "Hola {apodo}" in refused.text
    supervisor.post("/campaigns/inbox/canned", data={"shortcut": "hola", "text": "Hola {given_names}."})
    (kept,) = session.scalars(select(CannedReply))
    assert 'data-insert="Hola Mario."' in supervisor.get(address(mario)).text
    data = {"reply": kept.id, "shortcut": "", "text": "Otro"}
    assert "Otro" in supervisor.post("/campaigns/inbox/canned", data=data).text
    assert supervisor.post(f"/campaigns/inbox/canned/{kept.id}/remove").status_code == 302
    assert supervisor.post(f"/campaigns/inbox/canned/{kept.id}/remove").status_code == 404


def test_the_counter_tells_parts_and_what_is_too_much(enter: Enter, cast: Cast) -> None:
    operator = enter("operator")
    short = operator.post("/campaigns/inbox/parts", data={"text": "¿Qué día?", "channel": "sms"}).text
    assert "9 " in short
    assert "í" in short
    assert "text-danger" in operator.post("/campaigns/inbox/parts", data={"text": "a" * 5_000, "channel": "sms"}).text


def test_every_list_and_part_of_the_page_opens(session: Session, enter: Enter, mario: Conversation) -> None:
    heard(session, None, "Hola", channel="telegram", address="71")
    heard(session, "+529229999999", "Hola <b>", channel="whatsapp", address="whatsapp:+5219229999999")
    session.commit()
    supervisor = enter("supervisor")
    for show in ("waiting", "mine", "unassigned", "doubtful", "open", "resolved", "opt_out", "all", "nonsense"):
        assert supervisor.get(f"/campaigns/inbox/?show={show}&page=x&campaign=y").status_code == 200
    assert supervisor.get("/campaigns/inbox/list?show=all").status_code == 200
    for found in session.scalars(select(Conversation)):
        page = supervisor.get(address(found))
        assert page.status_code == 200
        assert "<b>" not in page.text
        assert supervisor.get(address(found, "/thread")).status_code == 200


def test_the_answers_to_one_campaign_are_listed_alone(
    session: Session, enter: Enter, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    claims.claim(session, made.id, 10)
    heard(session, MARIO, "Sí voy")
    heard(session, "+529229999999", "¿Quién es?")
    session.commit()
    page = enter("strategist").get(f"/campaigns/inbox/?show=all&campaign={made.id}").text
    assert ("Sí voy" in page, "¿Quién es?" in page, made.name in page) == (True, False, True)


def test_the_snapshot_of_an_inbox_is_for_those_who_may_read_it(
    enter: Enter, mario: Conversation, people: dict[str, User]
) -> None:
    olga = people["operator"].id
    supervisor, operator = enter("supervisor"), enter("operator")
    everybody = supervisor.get("/live/snapshot?topic=inbox").get_json()["topics"]["inbox"]
    assert everybody["waiting"] == 1
    assert operator.get("/live/snapshot?topic=inbox").status_code == 403
    assert operator.get(f"/live/snapshot?topic=inbox/{olga}").status_code == 200
    assert operator.get(f"/live/snapshot?topic=inbox/{olga + 1}").status_code == 403


def test_messages_are_let_go_one_by_one_on_a_page(
    session: Session, enter: Enter, cast: Cast, campaign: Campaign
) -> None:
    cast.mario.neighborhood = "Norte"
    made = campaign("Hola {given_names}, vecino de {neighborhood}.", is_peer=True)
    cast.mario.neighborhood = None  # lost since the list was prepared
    session.commit()
    operator = enter("operator")
    assert made.name in operator.get("/campaigns/peer/").text
    operator.post("/campaigns/peer/take", data={"campaign": made.id, "size": 10})
    texts = []
    for _ in range(2):
        page = operator.get("/campaigns/peer/").text
        texts.append("Hola Guadalupe, vecino de Centro." in page)
        (act,) = re.findall(r"/campaigns/peer/[0-9a-f-]{36}/" + ("release" if texts[-1] else "skip"), page)
        assert operator.post(act).status_code == 302
    assert sorted(texts) == [False, True]
    assert "Hola" not in operator.get("/campaigns/peer/").text
    assert operator.post(act).status_code == 302  # of a batch that is over: a sentence, nothing leaves
    assert operator.post("/campaigns/peer/give-back").status_code == 302
    bad = operator.post("/campaigns/peer/take", data={"campaign": made.id, "size": 7})
    assert bad.status_code == 422
