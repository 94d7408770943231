"""Peer-to-peer: no message leaves that nobody let go, none twice, and none waits for somebody who went home."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from campaigns.dispatch import message_claims as claims
from campaigns.mailings import message_campaigns, peer_batches
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.mailings.peer_batches import PeerBatch, PeerMessage, Progress
from campaigns.messages import Message
from tests.campaigns.cast import Campaign, Cast, message_of, states


@pytest.fixture
def olga(people: dict[str, User]) -> int:
    return people["operator"].id


@pytest.fixture
def sofia(people: dict[str, User]) -> int:
    return people["supervisor"].id


@pytest.fixture
def peer(session: Session, cast: Cast, campaign: Campaign) -> MessageCampaign:
    """A campaign to Lupita and Mario whose messages people let go (Beto and Rosa are left out)."""
    made = campaign(is_peer=True)
    session.commit()
    return made


def first(session: Session, batch: PeerBatch) -> Message:
    row = peer_batches.next_of(session, batch)
    assert row is not None
    message: Message = row.Message
    return message


def test_nothing_leaves_that_nobody_let_go(session: Session, cast: Cast, peer: MessageCampaign, olga: int) -> None:
    assert claims.claim(session, peer.id, 10) == []
    assert peer_batches.campaigns(session) == [(peer, 2)]
    batch = peer_batches.take(session, peer.id, 10, olga)
    assert claims.claim(session, peer.id, 10) == []
    message = first(session, batch)
    peer_batches.release(session, olga, message.id)
    peer_batches.release(session, olga, message.id)  # a second click
    assert [letter.id for letter in claims.claim(session, peer.id, 10)] == [message.id]
    session.refresh(message)
    assert message.released_by == olga
    assert peer_batches.progress(session, batch) == Progress(2, 1, 0, 1)


def test_two_colleagues_never_have_the_same_message(
    session: Session, peer: MessageCampaign, olga: int, sofia: int
) -> None:
    peer_batches.take(session, peer.id, 10, olga)
    assert peer_batches.campaigns(session) == []
    with pytest.raises(Refused, match="Nothing is left"):
        peer_batches.take(session, peer.id, 10, sofia)


def test_one_has_one_batch_at_a_time_of_a_size_that_is_offered(
    session: Session, peer: MessageCampaign, olga: int
) -> None:
    with pytest.raises(InvalidInput):
        peer_batches.take(session, peer.id, 1_000_000, olga)
    peer_batches.take(session, peer.id, 10, olga)
    with pytest.raises(Refused, match="Finish the batch"):
        peer_batches.take(session, peer.id, 10, olga)


def test_who_is_left_out_gets_nothing_and_a_batch_ends_by_itself(
    session: Session, cast: Cast, peer: MessageCampaign, olga: int
) -> None:
    batch = peer_batches.take(session, peer.id, 10, olga)
    for _ in range(2):
        peer_batches.skip(session, olga, first(session, batch).id)
    assert peer_batches.current(session, olga) is None
    assert states(session)["Mario"] == ("excluded", peer_batches.SKIPPED_CODE)
    assert claims.claim(session, peer.id, 10) == []


def test_what_is_given_back_is_a_colleagues_and_no_more_mine(
    session: Session, peer: MessageCampaign, olga: int, sofia: int
) -> None:
    batch = peer_batches.take(session, peer.id, 10, olga)
    message = first(session, batch)
    assert peer_batches.give_back(session, batch, olga) == 2
    with pytest.raises(NotFound, match="given back"):
        peer_batches.release(session, olga, message.id)
    again = peer_batches.take(session, peer.id, 10, sofia)
    with pytest.raises(NotFound):
        peer_batches.release(session, olga, message.id)
    peer_batches.release(session, sofia, first(session, again).id)


def test_a_batch_that_nobody_works_on_is_given_back(
    session: Session, peer: MessageCampaign, olga: int, sofia: int
) -> None:
    batch = peer_batches.take(session, peer.id, 10, olga)
    peer_batches.release(session, olga, first(session, batch).id)
    assert peer_batches.sweep(session) == 0
    long_ago = real_now() - peer_batches.STALE - timedelta(seconds=1)
    session.execute(update(PeerBatch).values(used_at=long_ago))
    session.expire_all()
    assert (peer_batches.sweep(session), peer_batches.sweep(session)) == (1, 0)
    assert peer_batches.current(session, olga) is None
    assert [row.result for row in session.scalars(select(PeerMessage))] == ["released"]
    assert peer_batches.progress(session, peer_batches.take(session, peer.id, 10, sofia)).total == 1


def test_while_the_campaign_is_paused_nothing_is_let_go_and_after_its_end_batches_are_free(
    session: Session, peer: MessageCampaign, olga: int
) -> None:
    batch = peer_batches.take(session, peer.id, 10, olga)
    message_campaigns.pause(session, peer.id, "review", None)
    with pytest.raises(Refused, match="not running"):
        peer_batches.release(session, olga, first(session, batch).id)
    assert peer_batches.campaigns(session) == []
    message_campaigns.stop(session, peer.id, "review", None)
    assert peer_batches.sweep(session) == 1


def test_a_message_that_was_withdrawn_meanwhile_is_not_shown(
    session: Session, cast: Cast, peer: MessageCampaign, olga: int
) -> None:
    batch = peer_batches.take(session, peer.id, 10, olga)
    claims.exclude(session, {message_of(session, cast.lupita).id: "blocked"})
    assert first(session, batch).contact_id == cast.mario.id
    peer_batches.release(session, olga, first(session, batch).id)
    assert peer_batches.current(session, olga) is None  # nothing is left in it


def test_an_ordinary_campaign_is_not_for_hands(session: Session, cast: Cast, campaign: Campaign, olga: int) -> None:
    made = campaign()
    assert peer_batches.campaigns(session) == []
    with pytest.raises(NotFound):
        peer_batches.take(session, made.id, 10, olga)
