"""From a conversation to a call: in plain words, where the person lives, by a campaign that calls."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.contacts import Contact
from callcenter.queues import CallQueue, QueueEntry
from campaigns.calling import CallCampaign
from campaigns.correspondence import conversation_callbacks
from campaigns.correspondence.conversations import Conversation
from campaigns.segments import Segment
from tests.callcenter import cast as callers
from tests.campaigns.cast import LUPITA, MARIO, Cast
from tests.campaigns.correspondents import conversation, heard


@pytest.fixture(autouse=True)
def _language(app: Flask) -> Iterator[None]:
    """Times are told in a reader's language."""
    with app.test_request_context():
        yield


@pytest.fixture
def boss(people: dict[str, User]) -> int:
    return people["supervisor"].id


@pytest.fixture
def queue(session: Session, cast: Cast) -> CallQueue:
    """A campaign that calls, with Lupita in it and not Mario."""
    made = callers.queue(session, cast.lupita)
    segment = Segment(name="Todas", rule={"all": []})
    session.add(CallCampaign(name="Ola 1", segment=segment, segment_version=1, queue=made, frozen_at=datetime.now(UTC)))
    session.flush()
    return made


@pytest.fixture
def mario(session: Session, cast: Cast) -> Conversation:
    return conversation(session, heard(session, MARIO, "¿Me pueden llamar?"))


def place(session: Session, who: Contact) -> QueueEntry:
    found = select(QueueEntry).where(QueueEntry.contact_id == who.id)
    return session.scalars(found.execution_options(populate_existing=True)).one()


def refusal(session: Session, found: Conversation, queue: CallQueue, user_id: int) -> str:
    """The code of why nobody is promised a call."""
    with pytest.raises(Refused) as refused:
        conversation_callbacks.promise(session, found, queue.id, "mañana 6 pm", user_id)
    return refused.value.code


def test_somebody_is_promised_a_call_by_a_campaign_that_did_not_know_them(
    session: Session, cast: Cast, queue: CallQueue, mario: Conversation, boss: int
) -> None:
    at = conversation_callbacks.promise(session, mario, queue.id, "mañana 6 pm", boss)
    entry = place(session, cast.mario)
    assert (entry.state, entry.is_callback, entry.not_before) == ("waiting", True, at)
    assert (at.astimezone(ZONE).hour, at > campaign_now(session)) == (18, True)


def test_who_was_done_is_called_again_because_it_was_promised(
    session: Session, cast: Cast, queue: CallQueue, boss: int
) -> None:
    place(session, cast.lupita).state = "done"
    found = conversation(session, heard(session, LUPITA))
    assert found.contact_id == cast.lupita.id
    conversation_callbacks.promise(session, found, queue.id, "en 2 horas", boss)
    assert (place(session, cast.lupita).state, place(session, cast.lupita).is_callback) == ("waiting", True)


@pytest.mark.parametrize("words", ["", "ayer", "mañana a las 3 am", "cuando sea", "99/99 10:00"])
def test_words_that_give_no_time_are_answered_with_what_to_write(
    session: Session, queue: CallQueue, mario: Conversation, boss: int, words: str
) -> None:
    with pytest.raises(InvalidInput) as fault:
        conversation_callbacks.promise(session, mario, queue.id, words, boss)
    assert fault.value.faults["when"]


def test_no_campaign_that_is_over_or_unknown_promises_anything(
    session: Session, queue: CallQueue, mario: Conversation, boss: int
) -> None:
    assert [number for number, _name in conversation_callbacks.choices(session)] == [queue.id]
    queue.state = "finished"
    session.flush()
    assert conversation_callbacks.choices(session) == []
    for number in (queue.id, 999_999):
        with pytest.raises(InvalidInput):
            conversation_callbacks.promise(session, mario, number, "mañana 6 pm", boss)


def test_who_may_not_be_called_is_promised_nothing(
    session: Session, cast: Cast, queue: CallQueue, mario: Conversation, boss: int
) -> None:
    found = conversation(session, heard(session, LUPITA))
    entry = place(session, cast.lupita)
    entry.state, entry.reason = "excluded", "voted"
    session.flush()
    assert refusal(session, found, queue, boss) == "withdrawn"
    entry.state, entry.reason = "calling", None
    session.flush()
    assert refusal(session, found, queue, boss) == "in_call"
    suppressions.add(session, MARIO, reason="call", source="test", at=real_now())
    stranger = conversation(session, heard(session, "+529229999999"))
    assert [refusal(session, one, queue, boss) for one in (mario, stranger)] == ["suppressed", "unknown_person"]


def test_every_suggested_time_is_one_that_may_be_promised(
    session: Session, queue: CallQueue, mario: Conversation, boss: int
) -> None:
    times = conversation_callbacks.suggestions(session, mario)
    assert times
    for at, words in times:
        assert words
        written = f"{at:%d/%m %H:%M}"
        assert conversation_callbacks.promise(session, mario, queue.id, written, boss) == at
