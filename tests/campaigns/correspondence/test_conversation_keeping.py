"""Conversations of people who are merged, blocked or erased."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.people import merge_moves, merges
from callcenter.privacy.person_register import Gone
from campaigns import person_moves
from campaigns.correspondence import conversation_keeping, conversations
from campaigns.correspondence.conversations import Conversation
from campaigns.inbox import InboundMessage
from tests.callcenter.people.test_merges import everything
from tests.campaigns.cast import LUPITA, MARIO, Cast
from tests.campaigns.correspondents import conversation, heard


@pytest.fixture(autouse=True)
def _movers() -> None:
    merge_moves.compose()
    person_moves.compose()


def test_two_conversations_become_one_and_come_apart_again(
    session: Session, cast: Cast, people: dict[str, User]
) -> None:
    mario, lupita = heard(session, MARIO), heard(session, LUPITA)
    conversations.resolve(session, [mario.conversation_id or 0], people["supervisor"].id)
    session.flush()
    before = everything(session)
    made = merges.merge(session, cast.mario.id, cast.lupita.id, user_id=None)
    (found,) = session.scalars(select(Conversation)).all()
    session.refresh(lupita)
    assert (found.contact_id, found.state, lupita.conversation_id) == (cast.mario.id, "open", found.id)
    assert found.waiting_since is not None  # Lupita's words wait still
    merges.undo(session, made.id, None)
    assert everything(session) == before


def test_a_conversation_follows_to_somebody_who_had_none(session: Session, cast: Cast) -> None:
    heard(session, MARIO)
    before = everything(session)
    made = merges.merge(session, cast.rosa.id, cast.mario.id, user_id=None)
    assert session.scalars(select(Conversation.contact_id)).all() == [cast.rosa.id]
    merges.undo(session, made.id, None)
    assert everything(session) == before


def test_whose_data_are_blocked_waits_for_no_answer(session: Session, cast: Cast) -> None:
    inbound = heard(session, MARIO)
    assert conversation_keeping.block(session, cast.mario.id) == 1
    found = conversation(session, inbound)
    assert (found.state, found.waiting_since) == ("resolved", None)


def test_a_conversation_goes_with_its_person_or_phone(session: Session, cast: Cast) -> None:
    stranger = "+529229999999"
    mario, nobody, lupita = heard(session, MARIO), heard(session, stranger), heard(session, LUPITA)
    gone = Gone([cast.mario.id], {stranger}, {})
    assert conversation_keeping.erase(session, gone) == 2
    session.expire_all()
    left = session.get_one(InboundMessage, lupita.id).conversation_id
    assert left is not None
    assert [session.get_one(InboundMessage, one.id).conversation_id for one in (mario, nobody)] == [None, None]
