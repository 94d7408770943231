"""Messages and frozen lists of two people who are one: nobody is written to twice, and all of it comes apart again."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.contacts import Contact
from callcenter.people import contact_history, merge_moves, merges
from campaigns import inbox, person_moves
from campaigns.channels import Receipt, Reply
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_news as news
from campaigns.dispatch.message_news import Answer
from campaigns.dispatch.sender_tables import Sender, StickySender
from campaigns.messages import Message
from campaigns.segmenting.frozen_segments import FrozenMember, FrozenSegment
from campaigns.segments import Segment
from campaigns.texts.clicks import MessageClick
from tests.callcenter.people.test_merges import everything
from tests.campaigns.cast import MARIO, Campaign, Cast, message_of


@pytest.fixture(autouse=True)
def _movers() -> None:
    merge_moves.compose()
    person_moves.compose()


@pytest.fixture
def sent(session: Session, cast: Cast, campaign: Campaign) -> Message:
    """A campaign wrote to Lupita (Beto, at her phone, was left out) and to Mario, who answered and clicked."""
    made = campaign()
    for one in claims.claim(session, made.id, 10):
        news.record_sent(session, [Answer(one.id, Receipt("sent", "sent", "SM" + one.phone))])
    inbox.receive(session, Reply("SM1", "sms", MARIO, MARIO, "Gracias"))
    message = message_of(session, cast.mario)
    session.add(MessageClick(contact_id=cast.mario.id, message_id=message.id, at=real_now()))
    session.flush()
    return message


@pytest.mark.parametrize("keeps_lupita", [True, False])
def test_of_two_messages_of_one_campaign_the_one_that_got_furthest_is_theirs(
    session: Session, cast: Cast, sent: Message, keeps_lupita: bool
) -> None:
    kept, removed = (cast.lupita, cast.beto) if keeps_lupita else (cast.beto, cast.lupita)
    before = everything(session)
    rows = session.scalars(select(Message)).all()
    made = merges.merge(session, kept.id, removed.id, user_id=None)
    assert message_of(session, kept).state == "sent"
    assert len(session.scalars(select(Message)).all()) == len(rows)  # the campaign's sums stay as they were
    merges.undo(session, made.id, None)
    assert everything(session) == before


def test_replies_clicks_and_messages_follow_and_are_told_of(session: Session, cast: Cast, sent: Message) -> None:
    before = everything(session)
    told = contact_history.read(session, cast.mario.id, kind="messages").deeds
    made = merges.merge(session, cast.rosa.id, cast.mario.id, user_id=None)
    assert contact_history.read(session, cast.rosa.id, kind="messages").deeds[: len(told)] == told
    assert session.scalars(select(MessageClick.contact_id)).all() == [cast.rosa.id]
    merges.undo(session, made.id, None)
    assert everything(session) == before


def test_a_frozen_list_holds_the_one_person_once(session: Session, cast: Cast) -> None:
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.flush()
    lists = [FrozenSegment(segment_id=segment.id, segment_name="x", segment_version=1, rule={"all": []}, people=2,
                           as_of=cast.rosa.created_at) for _ in range(2)]  # fmt: skip
    session.add_all(lists)
    session.flush()
    both, only_mario = lists
    for frozen, who in ((both, cast.rosa), (both, cast.mario), (only_mario, cast.mario)):
        session.add(FrozenMember(frozen_id=frozen.id, contact_id=who.id))
    before = everything(session)
    made = merges.merge(session, cast.rosa.id, cast.mario.id, user_id=None)
    members = session.execute(select(FrozenMember.frozen_id, FrozenMember.contact_id).order_by(FrozenMember.frozen_id))
    assert [tuple(row) for row in members] == [(both.id, cast.rosa.id), (only_mario.id, cast.rosa.id)]
    merges.undo(session, made.id, None)
    assert everything(session) == before
    assert session.get(Contact, cast.mario.id) is not None


def test_each_sender_that_wrote_to_either_stays_with_the_one_person(session: Session, cast: Cast) -> None:
    senders = [
        Sender(channel="sms", address=f"+52551234990{n}", carrier="simulated", parts_per_second=1.0) for n in range(2)
    ]
    session.add_all(senders)
    session.flush()
    both, only_mario = (one.id for one in senders)
    for sender_id, who in ((both, cast.rosa), (both, cast.mario), (only_mario, cast.mario)):
        session.add(StickySender(contact_id=who.id, sender_id=sender_id, last_at=who.created_at))
    session.flush()
    pairs = select(StickySender.contact_id, StickySender.sender_id, StickySender.last_at).order_by(
        StickySender.contact_id, StickySender.sender_id
    )
    before = session.execute(pairs).all()
    made = merges.merge(session, cast.rosa.id, cast.mario.id, user_id=None)
    assert {tuple(row[:2]) for row in session.execute(pairs)} == {(cast.rosa.id, both), (cast.rosa.id, only_mario)}
    merges.undo(session, made.id, None)
    assert session.execute(pairs).all() == before
