"""How many people of a queue may be called when: the gate's own answers, for all of them at once."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter import consent, queues
from callcenter.contacts import Contact
from callcenter.queueing import queue_outlook
from callcenter.queueing.queue_outlook import Outlook
from callcenter.queues import CallQueue, QueueEntry
from tests.callcenter import cast
from tests.callcenter.gate_cast import MEXICO, NOON, at

EVENING = at(NOON.date(), 19, 30)  # a Monday: closed in Quintana Roo, open in the centre and the west
NIGHT = at(NOON.date(), 23, 0)
Look = Callable[..., Outlook]


@pytest.fixture
def look(session: Session, monkeypatch: pytest.MonkeyPatch) -> Look:
    """`look(queue, EVENING)`: the outlook of a queue at a moment."""

    def ask(queue: CallQueue, now: datetime = NOON, *, everybody: bool = False) -> Outlook:
        for module in (queue_outlook, consent):
            monkeypatch.setattr(module, "campaign_now", lambda _session: now)
        waiting = queues.progress(session, queue.id)["waiting"]
        return queue_outlook.read(session, queue, waiting, simulated=True, everybody=everybody)

    return ask


def lives(session: Session, state: int, area: str, **columns: object) -> Contact:
    """Somebody of this state whose phone has this area code."""
    who = cast.person(session)
    who.phone = f"+52{area}{who.phone[-7:]}"
    who.state = state
    for name, value in columns.items():
        setattr(who, name, value)
    session.flush()
    return who


def test_within_calling_hours_everybody_may_be_called_until_they_close(session: Session, look: Look) -> None:
    seen = look(cast.queue(session, lives(session, 30, "922"), lives(session, 9, "555")))
    (group,) = seen.groups
    assert (seen.now, seen.later, seen.resting, seen.is_estimate) == (2, 0, 0, False)
    assert (group.zones, group.opens_at, group.closes_at) == (("America/Mexico_City",), None, at(NOON.date(), 20))


def test_each_zone_says_how_many_become_callable_when(session: Session, look: Look) -> None:
    centre, coast, west = lives(session, 30, "922"), lives(session, 23, "998"), lives(session, 2, "664")
    seen = look(cast.queue(session, centre, coast, west), EVENING)
    cancun = ZoneInfo("America/Cancun")
    tomorrow = datetime.combine(NOON.date() + timedelta(days=1), datetime.min.time().replace(hour=9), cancun)
    assert {(one.zones, one.people, one.opens_at) for one in seen.groups} == {
        (("America/Mexico_City",), 1, None), (("America/Tijuana",), 1, None), (("America/Cancun",), 1, tomorrow),
    }  # fmt: skip
    assert (seen.now, seen.later, seen.next_at) == (2, 1, tomorrow)


def test_whose_phone_is_from_another_zone_than_their_home_waits_for_both(session: Session, look: Look) -> None:
    seen = look(cast.queue(session, lives(session, 30, "998")), EVENING)
    (group,) = seen.groups
    assert group.zones == ("America/Cancun", "America/Mexico_City")
    assert group.opens_at is not None


def test_whom_a_rule_forbids_is_counted_by_its_reason(session: Session, look: Look) -> None:
    away = lives(session, 30, "922", blocked_at=NOON)
    silent = lives(session, 30, "922", consent="opted_out")
    asked = lives(session, 30, "922", consent="unknown")
    queue = cast.queue(session, away, silent, asked, lives(session, 30, "922"), purpose="persuasion")
    seen = look(queue)
    assert seen.refused == {"blocked": 1, "opted_out": 1, "not_opted_in": 1, "phase": 1}  # no campaign is on


def test_who_rests_is_told_from_who_waits_for_calling_hours(session: Session, look: Look) -> None:
    queue = cast.queue(session, *[lives(session, 30, "922") for _ in range(4)])
    soon, entries = NIGHT + timedelta(minutes=20), list(session.scalars(select(QueueEntry).order_by(QueueEntry.id)))
    entries[0].reason, entries[0].not_before = "hours", NIGHT + timedelta(hours=10)
    entries[1].reason, entries[1].not_before = "busy", soon
    entries[2].reason, entries[2].not_before, entries[2].is_callback = "hours", soon, True
    session.flush()
    seen = look(queue, NIGHT)
    assert (seen.now, seen.later, seen.resting) == (0, 2, 2)
    assert {(rest.reason, rest.people, rest.first_at) for rest in seen.rests} == {
        ("busy", 1, soon), ("callback", 1, soon),
    }  # fmt: skip
    assert seen.next_at == soon


def test_who_was_sent_to_the_opening_before_the_hours_were_widened_still_waits_for_it(
    session: Session, look: Look
) -> None:
    queue = cast.queue(session, lives(session, 30, "922"))
    wakes = NOON + timedelta(minutes=30)
    session.execute(update(QueueEntry).values(reason="hours", not_before=wakes))
    (group,) = look(queue).groups
    assert (group.people, group.opens_at) == (1, wakes)


def test_nobody_waits_in_an_empty_or_finished_list(session: Session, look: Look) -> None:
    empty, over = cast.queue(session), cast.queue(session, lives(session, 30, "922"))
    session.execute(update(QueueEntry).values(state="done", reason="completed"))
    for queue in (empty, over):
        seen = look(queue)
        assert (seen.groups, seen.refused, seen.rests, seen.waiting, seen.next_at) == ((), {}, (), 0, None)


def test_the_counts_are_what_the_gate_says_of_each_person_alone(session: Session, look: Look) -> None:
    chance = random.Random(7)
    people = [
        lives(
            session, chance.choice([2, 5, 8, 9, 23, 26, 30]), chance.choice(["664", "998", "555", "656", "922", "636"]),
            municipality=chance.choice(["Juárez", "Acuña", "Centro", "", None]),
            consent=chance.choice(["opted_in", "opted_in", "opted_out", "unknown"]),
            holds_post=chance.random() < 0.2, is_member=chance.random() < 0.5, invented=chance.random() < 0.9,
        )
        for _ in range(120)
    ]  # fmt: skip
    for who in people[::9]:
        who.state = None
    session.flush()
    asked = [(who.id, who.phone) for who in people]
    for purpose in ("survey", "mobilization", "persuasion"):
        queue = cast.queue(session, *people, purpose=purpose)
        for now in (NOON, EVENING, NIGHT, at(NOON.date() + timedelta(days=6), 9, 30)):
            seen = look(queue, now)
            said = consent.refusals(session, asked, "call", purpose, simulated=True)
            never = Counter(one.code for one in said.values() if one.until is None)
            times = Counter(one.until for one in said.values() if one.until is not None)
            assert seen.refused == never
            assert seen.now == len(people) - len(said)
            by_time: Counter[datetime] = Counter()
            for group in seen.groups:
                if group.opens_at is not None:
                    by_time[group.opens_at] += group.people
            assert by_time == times


def test_a_long_list_is_estimated_from_all_over_it_and_says_so(
    session: Session, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_outlook, "ALL", 100)
    monkeypatch.setattr(queue_outlook, "SAMPLE", 120)
    monkeypatch.setattr(queue_outlook, "SPANS", 30)
    people = [lives(session, 23, "998") if n % 4 == 0 else lives(session, 30, "922") for n in range(400)]
    queue = cast.queue(session, *people)
    seen = look(queue, EVENING)
    assert seen.is_estimate
    assert 100 <= seen.looked_at <= 150
    assert seen.waiting == 400
    assert abs(seen.later - 100) <= 40
    assert seen.now + seen.later == pytest.approx(400, abs=2)
    whole = look(queue, EVENING, everybody=True)
    assert (whole.now, whole.later, whole.is_estimate) == (300, 100, False)


def test_everybody_sees_the_same_hour_whatever_its_zone(session: Session, look: Look) -> None:
    seen = look(cast.queue(session, lives(session, 30, "922")), NOON.astimezone(ZoneInfo("UTC")))
    (group,) = seen.groups
    assert group.closes_at is not None
    assert group.closes_at.astimezone(MEXICO).hour == 20
