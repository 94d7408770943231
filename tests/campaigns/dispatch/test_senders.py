"""Senders: their speed in parts a second, whoever claims; who writes to whom; what is wrong with one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.base.errors import InvalidInput
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import sender_budget, sender_choice, senders
from campaigns.dispatch.sender_budget import Budget
from campaigns.dispatch.sender_choice import Wish
from campaigns.dispatch.sender_tables import Sender, StickySender
from campaigns.dispatch.senders import Wanted
from campaigns.messages import Message
from tests.campaigns.cast import Campaign, Cast, message_of


def sender(session: Session, address: str, per_second: float = 10.0) -> Sender:
    return senders.save(session, Wanted("sms", address, "simulated", str(per_second)), None)


def budget(number: int, *, per_second: float = 10.0, cursor: float = 0.0, ahead: float = 1.0) -> Budget:
    return Budget(number, f"2600{number}", per_second, real_now(), cursor, ahead)


@given(parts=some.lists(some.integers(1, 10), max_size=60), per_second=some.floats(0.2, 500))
def test_parts_never_leave_faster_than_the_sender_may(parts: list[int], per_second: float) -> None:
    one = budget(1, per_second=per_second)
    leaves = [(one.take(count), count) for count in parts]
    taken = [(at - one.locked_at, count) for at, count in leaves if at is not None]
    for number, (at, _count) in enumerate(taken):
        assert at * per_second >= sum(count for _, count in taken[:number]) - 1e-3
        assert at < one.ahead
    assert all(at is None for at, _ in leaves[len(taken) :])


def test_what_one_worker_took_another_does_not_take_again(session: Session) -> None:
    made = sender(session, "26262", 10)
    (first,) = sender_budget.lock(session, [made]).values()
    assert [first.take(1) is not None for _ in range(12)] == [True] * 10 + [False] * 2
    sender_budget.keep(session, [first])
    (second,) = sender_budget.lock(session, [made]).values()
    assert second.room <= 1  # the moment between the two
    assert second.cursor > 0.5


def test_who_claims_on_a_sender_is_not_waited_for(committed: Sessions) -> None:
    with committed() as one, committed() as two:
        made = sender(one, "26262")
        one.commit()
        assert sender_budget.lock(one, [made])
        assert sender_budget.lock(two, [made]) == {}


def test_a_clock_that_was_set_back_does_not_hold_a_sender_up(session: Session) -> None:
    made = sender(session, "26262")
    session.execute(update(Sender).values(free_at=real_now() + timedelta(days=1)))
    (found,) = sender_budget.lock(session, [made]).values()
    assert found.room == 10


def test_a_sender_that_was_asked_to_wait_rests_longer_each_time_and_is_forgiven(session: Session) -> None:
    made = sender(session, "26262")
    sender_budget.rest(session, made.id)
    sender_budget.rest(session, made.id)  # the same moment, said by another request
    session.expire_all()
    assert made.setbacks == 1
    session.execute(update(Sender).values(free_at=real_now()))
    sender_budget.rest(session, made.id, seconds=120)  # as long as the provider says
    (found,) = sender_budget.lock(session, [made]).values()
    assert found.cursor > 100
    assert found.room == 0
    sender_budget.forgive(session, [made.id])
    session.expire_all()
    assert made.setbacks == 0


def test_a_person_is_written_to_by_the_same_sender_again(session: Session, cast: Cast) -> None:
    one, two = sender(session, "26001"), sender(session, "26002")
    session.flush()
    wish = Wish(message_id(1), cast.mario.id, 1)
    first = sender_choice.choose(session, [budget(one.id), budget(two.id, cursor=0.5)], [wish], sticks=True)
    assert first.carried[wish.id][0].sender_id == one.id
    again = sender_choice.choose(session, [budget(one.id, cursor=0.9), budget(two.id)], [wish], sticks=True)
    assert again.carried[wish.id][0].sender_id == one.id
    full = sender_choice.choose(session, [budget(one.id, cursor=2), budget(two.id)], [wish], sticks=True)
    assert full.late == [wish.id]
    gone = sender_choice.choose(session, [budget(two.id)], [wish], sticks=True)  # theirs may not send any more
    assert gone.carried[wish.id][0].sender_id == two.id
    assert len(session.scalars(select(StickySender)).all()) == 2


def test_a_new_person_goes_to_the_sender_that_is_free_first(session: Session) -> None:
    wishes = [Wish(message_id(number), None, 1) for number in range(30)]
    both = [budget(1, per_second=20), budget(2, per_second=10)]
    choice = sender_choice.choose(session, both, wishes, sticks=False)
    by_sender = [found.sender_id for found, _ in choice.carried.values()]
    assert (by_sender.count(1), by_sender.count(2)) == (20, 10)


def message_id(number: int):  # type: ignore[no-untyped-def]  # a UUID
    from uuid import UUID

    return UUID(int=number)


def test_a_claim_takes_no_more_than_its_senders_carry(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    (own,) = senders.of_campaign(session, made)
    own.parts_per_second = 0.5
    session.flush()
    assert len(claims.claim(session, made.id, 10)) == 1
    again = claims.take(session, made.id, 10)
    assert (again.letters, again.is_full, again.has_sender) == ([], True, True)
    assert claims.has_ready(session, made.id)


def test_a_pool_shares_the_work_and_the_row_says_who_carried_it(
    session: Session, cast: Cast, campaign: Campaign
) -> None:  # fmt: skip
    made = campaign()
    codes = [sender(session, "26001"), sender(session, "26002")]
    made.pool_id = senders.save_pool(session, "Short codes", [one.id for one in codes], None).id
    session.flush()
    letters = claims.claim(session, made.id, 10)
    assert sorted(one.sender for one in letters) == ["26001", "26002"]
    assert {message_of(session, cast.mario).sender_id, message_of(session, cast.lupita).sender_id} == {
        one.id for one in codes
    }


def test_a_campaign_whose_senders_are_all_out_has_none(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    (own,) = senders.of_campaign(session, made)
    senders.block(session, own.id, "21606")
    session.flush()
    assert claims.take(session, made.id, 10).has_sender is False
    assert "+525512340001" in (senders.fault(session, made) or "")
    assert set(session.scalars(select(Message.state))) == {"planned", "excluded"}


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("address", Wanted("sms", " ", "simulated", "10")),
        ("parts_per_second", Wanted("sms", "26262", "simulated", "0")),
        ("parts_per_second", Wanted("sms", "26262", "simulated", "nan")),
        ("parts_per_second", Wanted("sms", "26262", "simulated", "fast")),
        ("daily_people", Wanted("sms", "26262", "simulated", "10", daily_people="2.5")),
        ("daily_people", Wanted("sms", "26262", "simulated", "10", daily_people="0")),
    ],
)
def test_a_faulty_sender_is_named_by_its_field(session: Session, field: str, wanted: Wanted) -> None:
    with pytest.raises(InvalidInput) as fault:
        senders.save(session, wanted, None)
    assert list(fault.value.faults) == [field]


def test_a_sender_is_entered_once(session: Session) -> None:
    sender(session, "26262")
    with pytest.raises(InvalidInput):
        sender(session, "26262")


def test_a_pool_holds_senders_of_one_channel(session: Session) -> None:
    sms = sender(session, "26262")
    whatsapp = senders.save(session, Wanted("whatsapp", "+525512340001", "simulated", "80"), None)
    for chosen in ([], [sms.id, whatsapp.id]):
        with pytest.raises(InvalidInput):
            senders.save_pool(session, "All", chosen, None)


@pytest.mark.parametrize(("address", "is_name"), [("CONVOCA", True), ("26262", False), ("+525512340001", False),
                                                  ("MG" + "5" * 32, False)])  # fmt: skip
def test_a_name_is_told_from_a_number(address: str, is_name: bool) -> None:  # a column of the table
    assert senders.is_alphanumeric("sms", address) is is_name
