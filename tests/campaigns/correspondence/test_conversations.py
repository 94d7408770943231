"""Conversations: one a person, waiting from the first word that nobody answered, in the hands of one colleague."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter.base import db
from callcenter.base.auth import Role, User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound
from campaigns.correspondence import conversation_lists, conversations
from campaigns.correspondence.conversation_lists import Wanted
from campaigns.correspondence.conversations import OPEN, RESOLVED, Conversation
from campaigns.dispatch import message_claims as claims
from campaigns.messages import Message
from tests.campaigns.cast import LUPITA, MARIO, Campaign, Cast
from tests.campaigns.correspondents import conversation, heard

NOBODY_KNOWS = "+529229999999"


def test_what_one_person_writes_on_two_channels_is_one_conversation(session: Session, cast: Cast) -> None:
    first = heard(session, MARIO)
    second = heard(session, MARIO, "¿Y dónde?", channel="whatsapp", address="whatsapp:+5219221110002")
    found = conversation(session, second)
    assert first.conversation_id == found.id
    assert (found.contact_id, found.channel, found.address) == (cast.mario.id, "whatsapp", "whatsapp:+5219221110002")


def test_a_conversation_waits_since_the_first_word_that_nobody_answered(session: Session, cast: Cast) -> None:
    found = conversation(session, heard(session, MARIO))
    since = found.waiting_since
    assert since is not None
    assert conversation(session, heard(session, MARIO, "¿Hola?")).waiting_since == since
    conversations.answered(session, found)
    session.flush()
    assert conversation(session, heard(session, MARIO, "Gracias")).waiting_since > since  # type: ignore[operator]  # it waits


def test_a_baja_leaves_nothing_to_answer(session: Session, cast: Cast) -> None:
    heard(session, MARIO, "¿Quién es?")
    found = conversation(session, heard(session, MARIO, "BAJA"))
    assert (found.state, found.resolution, found.waiting_since) == (RESOLVED, "opt_out", None)


def test_the_people_of_a_household_have_conversations_of_their_own(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    claims.claim(session, made.id, 10)
    first = heard(session, LUPITA)
    assert first.contact_id == cast.lupita.id  # to whom we wrote
    session.execute(update(Message).where(Message.contact_id == cast.beto.id).values(sent_at=real_now()))
    second = heard(session, LUPITA)
    assert (second.contact_id, second.conversation_id != first.conversation_id) == (cast.beto.id, True)


def test_it_knows_which_campaign_is_answered(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    claims.claim(session, made.id, 10)
    assert conversation(session, heard(session, MARIO)).campaign_id == made.id


def test_who_is_on_no_list_is_told_apart_by_phone_or_by_address(session: Session, cast: Cast) -> None:
    by_phone = [heard(session, NOBODY_KNOWS).conversation_id for _ in range(2)]
    by_address = [
        heard(session, None, channel="telegram", address=address).conversation_id for address in ("71", "71", "72")
    ]
    assert by_phone[0] == by_phone[1]
    assert by_address[0] == by_address[1] != by_address[2]
    assert session.scalar(select(func.count()).select_from(Conversation)) == 3


def test_an_answer_to_a_message_that_a_colleague_let_go_is_that_colleagues(
    session: Session, cast: Cast, campaign: Campaign, people: dict[str, User]
) -> None:
    made = campaign()
    claims.claim(session, made.id, 10)
    session.execute(update(Message).values(released_by=people["operator"].id))
    assert conversation(session, heard(session, MARIO)).assigned_to == people["operator"].id


def test_whoever_has_waited_longest_is_taken_first(session: Session, cast: Cast, people: dict[str, User]) -> None:
    mario, lupita = heard(session, MARIO), heard(session, LUPITA)
    olga = people["operator"].id
    taken = [conversations.take_next(session, olga) for _ in range(3)]
    assert [one.id if one else None for one in taken] == [mario.conversation_id, lupita.conversation_id, None]
    assert conversations.waiting(session, olga) == {
        "open": 2, "waiting": 2, "unassigned": 0, "newest": lupita.conversation_id,
    }  # fmt: skip


def test_two_who_take_at_once_take_two(committed: db.Sessions) -> None:
    with committed() as session:
        role = Role(name="operator")
        users = [
            User(username=name, full_name=name, password="!", fs_uniquifier=name, roles=[role])
            for name in ("olga", "omar")
        ]
        session.add_all(users)
        session.flush()
        for number in (1, 2):
            session.add(Conversation(phone=f"+52922111000{number}", channel="sms", waiting_since=func.now()))
        session.commit()
        olga, omar = (user.id for user in users)
    with committed() as one, committed() as other:
        first, second = conversations.take_next(one, olga), conversations.take_next(other, omar)
        assert len({one.id for one in (first, second) if one is not None}) == 2


def test_a_conversation_goes_to_colleagues_only(session: Session, cast: Cast, people: dict[str, User]) -> None:
    found = conversation(session, heard(session, MARIO))
    olga, clerk, boss = people["operator"].id, people["data_clerk"].id, people["supervisor"].id
    assert conversations.assign(session, [found.id], olga, boss) == 1
    assert conversations.find(session, found.id, of_user=olga).id == found.id
    for nobody in (clerk, 999_999):
        with pytest.raises(InvalidInput):
            conversations.assign(session, [found.id], nobody, boss)
    conversations.assign(session, [found.id], None, boss)
    with pytest.raises(NotFound):
        conversations.find(session, found.id, of_user=olga)


def test_what_was_resolved_comes_back_to_the_same_colleague_when_the_person_writes_again(
    session: Session, cast: Cast, people: dict[str, User]
) -> None:
    olga = people["operator"].id
    found = conversation(session, heard(session, MARIO))
    conversations.assign(session, [found.id], olga, people["supervisor"].id)
    assert conversations.resolve(session, [found.id], olga, of_user=olga) == 1
    assert conversations.resolve(session, [found.id], olga, of_user=olga) == 0  # it was already
    again = conversation(session, heard(session, MARIO, "Una cosa más"))
    assert (again.id, again.state, again.assigned_to, again.resolution) == (found.id, OPEN, olga, None)


def test_nobody_resolves_what_is_a_colleagues(session: Session, cast: Cast, people: dict[str, User]) -> None:
    found = conversation(session, heard(session, MARIO))
    assert conversations.resolve(session, [found.id], people["operator"].id, of_user=people["operator"].id) == 0
    assert found.state == OPEN


def test_what_waits_too_long_with_one_colleague_is_anybodys_again(
    session: Session, cast: Cast, people: dict[str, User]
) -> None:
    mario, lupita = heard(session, MARIO), heard(session, LUPITA)
    olga = people["operator"].id
    for _ in range(2):
        conversations.take_next(session, olga)
    found = conversation(session, mario)
    found.waiting_since = real_now() - conversations.STALE - timedelta(seconds=1)
    session.flush()
    assert (conversations.sweep(session), conversations.sweep(session)) == (1, 0)
    assert (conversation(session, mario).assigned_to, conversation(session, lupita).assigned_to) == (None, olga)


ACTS: dict[str, Callable[[Session, Conversation, int], object]] = {
    "heard": lambda session, _found, _user: heard(session, MARIO),
    "baja": lambda session, _found, _user: heard(session, MARIO, "BAJA"),
    "answered": lambda session, found, _user: conversations.answered(session, found),
    "resolve": lambda session, found, user: conversations.resolve(session, [found.id], user),
    "reopen": lambda session, found, user: conversations.reopen(session, [found.id], user),
}


@given(acts=st.lists(st.sampled_from(sorted(ACTS)), max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_only_an_open_conversation_waits(
    session: Session, cast: Cast, people: dict[str, User], acts: list[str]
) -> None:
    with session.begin_nested() as savepoint:
        inbound = heard(session, MARIO)
        for act in acts:
            ACTS[act](session, conversation(session, inbound), people["supervisor"].id)
            session.flush()
            found = conversation(session, inbound)
            assert found.waiting_since is None or found.state == OPEN
            if act != "reopen":  # which changes nothing where it was open
                assert (found.waiting_since is not None) == (act == "heard")
        savepoint.rollback()


def test_the_keys_walk_through_a_whole_list_and_end(session: Session, cast: Cast, people: dict[str, User]) -> None:
    boss = people["supervisor"].id
    moment = real_now()
    for number in range(5):
        found = conversation(session, heard(session, f"+52922999000{number}"))
        found.waiting_since = found.last_at = moment  # all at once
    session.flush()
    for show in ("waiting", "all"):
        wanted = Wanted(show, boss)
        ids = [row.Conversation.id for row in conversation_lists.read(session, wanted, limit=10)]
        walked = [ids[0]]
        while after := conversation_lists.neighbours(session, wanted, conversations.find(session, walked[-1]))[1]:
            walked.append(after)
        assert walked == ids
        back = [conversation_lists.neighbours(session, wanted, conversations.find(session, one))[0] for one in ids]
        assert back == [None, *ids[:-1]]
