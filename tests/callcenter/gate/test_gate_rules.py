"""The gate's rules, each alone and all together: the matrix as a table, and random people against a plain statement."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter import calendar
from callcenter.calendar import PHASES, PURPOSES
from callcenter.gate import rulebook
from callcenter.gate.gate_rules import RULES, Asked, Facts, judge, verdict
from callcenter.gate.refusals import SENTENCES, LiftedBy, Refusal
from callcenter.gate.rulebook import Dates, Holiday, Rulebook, SignOff
from tests.callcenter.gate_cast import (
    DAYS,
    ELECTION_DAY,
    LETTERS,
    NOON,
    Plain,
    asked,
    at,
    slow_refusal,
    who,
)

TIJUANA = ZoneInfo("America/Tijuana")
FEDERAL = Dates(1, "Federal", frozenset(), tuple(calendar.election_of(ELECTION_DAY)))
BOOK = Rulebook(elections=(FEDERAL,))


def code(facts: Facts, question: Asked) -> str | None:
    said = judge(facts, question)
    return said.code if said else None


# ── the matrix ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("simulated", [False, True])
@pytest.mark.parametrize("is_member", [False, True])
@pytest.mark.parametrize("is_signed", [False, True])
def test_the_matrix(phase: str, purpose: str, simulated: bool, is_member: bool, is_signed: bool) -> None:
    day = DAYS[phase]
    signed = (SignOff(purpose, 1, phase, day, day),) if is_signed else ()
    book = Rulebook(elections=(FEDERAL,), signoffs=signed)
    expected = {
        "y": None, "w": None, "n": "phase", "m": None if is_member else "phase_members",
        "d": None if simulated else "phase_drill", "s": None if is_signed else "phase_sign_off",
    }[LETTERS[purpose, phase]]  # fmt: skip
    for channel in ("call", "sms", "whatsapp"):
        question = asked(at(day, 12), purpose=purpose, channel=channel, simulated=simulated, book=book)
        assert code(who(is_member=is_member), question) == expected


@pytest.mark.parametrize(("purpose", "phase"), sorted(LETTERS))
def test_a_notice_is_a_warning_and_only_where_the_table_has_one(purpose: str, phase: str) -> None:
    question = asked(at(DAYS[phase], 12), purpose=purpose, book=BOOK)
    rule = next(rule for rule in RULES if rule.code == "phase")
    assert (verdict(rule, who(), question).warning is not None) == (LETTERS[purpose, phase] == "w")
    assert BOOK.asks_to_confirm(purpose, DAYS[phase]) == (LETTERS[purpose, phase] == "w")


def test_a_sign_off_holds_on_its_days_for_its_election_purpose_and_phase_only() -> None:
    first, last = date(2027, 6, 4), date(2027, 6, 5)
    right = SignOff("neutral_reminder", 1, "silence", first, last)
    wrong = tuple(
        replace(right, **change)
        for change in (
            {"election_id": 2}, {"purpose": "survey"}, {"phase": "election_day"}, {"valid_from": last},
        )
    )  # fmt: skip
    question = asked(at(first, 12), purpose="neutral_reminder")
    assert code(who(), _with(question, signoffs=(right,))) is None
    assert code(who(), _with(question, signoffs=wrong)) == "phase_sign_off"
    assert code(who(), _with(asked(at(date(2027, 6, 3), 12), purpose="neutral_reminder"), signoffs=(right,))) == (
        "phase_sign_off"
    )


def _with(question: Asked, **book: Any) -> Asked:
    return Asked(question.channel, question.purpose, question.now, question.simulated,
                 Rulebook(**{"elections": (FEDERAL,)} | book))  # fmt: skip


def test_the_house_may_be_stricter_and_says_that_it_is_the_house() -> None:
    book = Rulebook(elections=(FEDERAL,), house_cells={("survey", "campaign"): "no"})
    said = judge(who(), asked(at(DAYS["campaign"], 12), book=book))
    assert said == Refusal("phase_house")
    assert said.lifted_by is LiftedBy.ADMINISTRATOR


def test_of_several_elections_the_strictest_holds_where_they_are_held() -> None:
    local = Dates(2, "Local", frozenset({30}), tuple(calendar.election_of(date(2027, 5, 12))))  # in silence on 11 May
    book = Rulebook(elections=(FEDERAL, local))
    question = asked(at(date(2027, 5, 11), 12), purpose="persuasion", book=book)
    assert code(who(state=30), question) == "phase"
    assert code(who(state=9, municipality="Coyoacán", phone="+525512345678"), question) is None
    assert code(who(state=None, municipality=None), question) == "phase"  # may live there


def test_days_between_two_phases_are_ordinary_and_an_election_that_is_over_says_nothing() -> None:
    lines = calendar.election_of(ELECTION_DAY)
    gap = Dates(1, "x", frozenset(), (*lines[:2], *lines[3:]))  # no campaign
    old = Dates(2, "old", frozenset(), tuple(calendar.election_of(date(2024, 6, 2))))
    question = asked(at(DAYS["campaign"], 12), purpose="persuasion")
    assert code(who(), _with(question, elections=(gap,))) == "phase"
    assert code(who(), _with(question, elections=(FEDERAL, old))) is None
    assert code(who(), _with(question, elections=())) == "phase"


def test_the_day_of_a_phase_is_the_day_where_the_person_lives() -> None:
    baja = who(state=2, municipality="Tijuana", phone="+526641234567")
    last_evening = at(date(2027, 6, 2), 23, 30, TIJUANA)  # the silence has begun in the centre
    question = asked(last_evening, purpose="persuasion", channel="whatsapp", is_answer=True, book=BOOK)
    assert (code(baja, question), code(who(), question)) == (None, "phase")
    assert code(baja, replace(question, is_answer=False, memory={})) == "hours"


# ── hours ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hour", "minute", "holds_post", "purpose", "allowed"),
    [
        (4, 59, True, "mobilization", False),
        (5, 0, True, "mobilization", True),
        (5, 0, True, "structure", True),
        (5, 0, True, "survey", False),
        (5, 0, False, "structure", False),
        (10, 0, False, "structure", True),
        (17, 59, False, "structure", True),
        (18, 0, False, "structure", False),
        (23, 59, True, "structure", True),
    ],
)
@pytest.mark.parametrize(("zone", "place"), [
    (ZoneInfo("America/Mexico_City"), {}),
    (TIJUANA, {"state": 2, "municipality": "Tijuana", "phone": "+526641234567"}),
    (ZoneInfo("America/Cancun"), {"state": 23, "municipality": "Benito Juárez", "phone": "+529981234567"}),
])  # fmt: skip
def test_on_election_day_a_post_may_be_rung_from_five_to_midnight(
    hour: int, minute: int, holds_post: bool, purpose: str, allowed: bool, zone: ZoneInfo, place: dict[str, Any]
) -> None:
    question = asked(at(ELECTION_DAY, hour, minute, zone), purpose=purpose, book=BOOK)
    assert code(who(holds_post=holds_post, **place), question) == (None if allowed else "hours")


def test_who_may_live_where_nobody_votes_sleeps_until_morning() -> None:
    local = Dates(2, "Local", frozenset({9}), tuple(calendar.election_of(ELECTION_DAY)))
    question = asked(at(ELECTION_DAY, 5), purpose="structure", book=Rulebook(elections=(local,)))
    assert code(who(holds_post=True, state=None, municipality=None), question) == "hours"
    assert code(who(holds_post=True, state=9, municipality=None), question) is None


def test_at_midnight_after_election_day_a_post_sleeps_until_morning() -> None:
    midnight = at(ELECTION_DAY + timedelta(days=1), 0)
    said = judge(who(holds_post=True), asked(midnight, purpose="structure", book=BOOK))
    assert said == Refusal("hours", at(ELECTION_DAY + timedelta(days=1), 9))


def test_the_evening_before_election_day_a_post_is_told_five_in_the_morning() -> None:
    said = judge(who(holds_post=True), asked(at(date(2027, 6, 5), 21), purpose="structure", book=BOOK))
    assert said == Refusal("hours", at(ELECTION_DAY, 5))


@pytest.mark.parametrize(
    ("place", "utc", "allowed"),
    [
        # 2027-03-14: the border moves its clocks with the United States, Mexico does not.
        ({"state": 28, "municipality": "Matamoros", "phone": "+528681234567"}, "2027-03-12T15:30", True),
        ({"state": 28, "municipality": "Matamoros", "phone": "+528681234567"}, "2027-03-12T14:30", False),
        ({"state": 28, "municipality": "H. Matamoros", "phone": "+528681234567"}, "2027-03-16T14:30", True),
        ({"state": 8, "municipality": "Ciudad Juárez", "phone": "+526561234567"}, "2027-03-12T15:30", False),
        ({"state": 8, "municipality": "Juárez", "phone": "+526561234567"}, "2027-03-16T15:30", True),
        ({"state": 2, "municipality": "Tijuana", "phone": "+526641234567"}, "2027-03-16T16:30", True),
        ({"state": 2, "municipality": "Tijuana", "phone": "+526641234567"}, "2027-03-12T16:30", False),
        ({"state": 26, "municipality": "Hermosillo", "phone": "+526621234567"}, "2027-03-16T16:30", True),
        # A phone of the capital in Tijuana: legal in both, or not at all.
        ({"state": 2, "municipality": "Tijuana", "phone": "+525512345678"}, "2027-05-11T15:30", False),
        ({"state": 2, "municipality": "Tijuana", "phone": "+525512345678"}, "2027-05-11T16:30", True),
        ({"state": 2, "municipality": "Tijuana", "phone": "+525512345678"}, "2027-05-12T02:30", False),
    ],
)
def test_hours_are_those_of_the_persons_own_clock(place: dict[str, Any], utc: str, allowed: bool) -> None:
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert code(who(**place), asked(now)) == (None if allowed else "hours")


def test_own_holidays_hold_where_they_are() -> None:
    day = date(2027, 5, 11)
    question = asked(at(day, 9, 30))
    for holiday, expected in (
        (Holiday(day, None, None), "hours"), (Holiday(day, 30, None), "hours"), (Holiday(day, 9, None), None),
        (Holiday(day, None, "America/Mexico_City"), "hours"), (Holiday(day, None, "America/Cancun"), None),
    ):  # fmt: skip
        assert code(who(), _with(question, holidays=(holiday,))) == expected
    may_live_there = who(state=None, municipality=None)
    assert code(may_live_there, _with(question, holidays=(Holiday(day, 9, None),))) == "hours"


def test_narrower_hours_hold() -> None:
    hours = rulebook.DEFAULT_HOURS | {"weekday": (at(NOON.date(), 11).time(), at(NOON.date(), 16).time())}
    assert code(who(), _with(asked(at(DAYS["campaign"], 10)), hours=hours)) == "hours"
    assert code(who(), _with(asked(at(DAYS["campaign"], 11)), hours=hours)) is None
    assert code(who(), _with(asked(at(DAYS["campaign"], 16)), hours=hours)) == "hours"


# ── register, caps, household, words ──────────────────────────────────────────────────────────────────────────────────


def test_a_phone_of_the_register_is_left_out_of_persuasion_and_warned_of_elsewhere() -> None:
    listed = who(is_in_register=True)
    day = at(DAYS["campaign"], 12)
    assert code(listed, asked(day, purpose="persuasion", book=BOOK)) == "do_not_call"
    said = {one.rule: one for one in _all(listed, asked(day, book=BOOK))}
    assert said["do_not_call"].refusal is None
    assert said["do_not_call"].warning
    everything = frozenset(PURPOSES)
    assert code(listed, _with(asked(day), do_not_call=everything)) == "do_not_call"


def test_a_house_may_lower_the_caps_and_lift_what_it_lowered() -> None:
    tries = [NOON - timedelta(days=days) for days in (3, 1)]
    tried = who(phone_total=2, phone_recent=tries)
    assert code(tried, asked()) is None
    said = judge(tried, _with(asked(), per_week=2))
    assert said == Refusal("cap_week", NOON + timedelta(days=4))
    total = judge(tried, _with(asked(), per_week=1, in_all=2))
    assert (total and total.code, total and total.lifted_by) == ("cap_total", LiftedBy.ADMINISTRATOR)
    six = judge(who(person_total=6), asked())
    assert (six and six.lifted_by) is LiftedBy.NOBODY


def test_a_household_is_reached_one_by_one() -> None:
    soon = NOON + timedelta(minutes=1)
    in_call = who(is_being_called=True, is_other_called=True)
    assert judge(in_call, asked()) == Refusal("household", soon)
    assert judge(in_call, asked(channel="sms")) == Refusal("household", soon)
    oneself = who(is_being_called=True, is_other_called=False)
    assert (code(oneself, asked()), code(oneself, asked(channel="sms"))) == ("household", None)
    written = who(other_written_at=NOON - timedelta(minutes=2))
    assert judge(written, asked()) == Refusal("household", NOON + timedelta(minutes=3))


def test_every_refusal_has_words_and_says_who_lifts_it() -> None:
    for name in SENTENCES:
        assert str(Refusal(name).sentence)
        assert str(Refusal(name).lifted_by.sentence)


# ── why not ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _all(facts: Facts, question: Asked) -> list[Any]:
    return [verdict(rule, facts, question) for rule in RULES]


def test_a_verdict_says_when_the_phase_and_the_hours_turn() -> None:
    evening = asked(at(DAYS["campaign"], 21), purpose="persuasion", book=BOOK)
    said = {one.rule: one for one in _all(who(), evening)}
    assert said["phase"].refusal is None
    assert said["phase"].changes_at == at(date(2027, 6, 3), 0)  # the silence begins
    assert said["hours"].changes_at == at(date(2027, 5, 12), 9)
    silence = {one.rule: one for one in _all(who(), asked(at(DAYS["silence"], 12), purpose="persuasion", book=BOOK))}
    assert silence["phase"].refusal == Refusal("phase")
    assert silence["phase"].changes_at is None  # no campaign comes after it
    assert silence["hours"].changes_at == at(DAYS["silence"], 20)
    early = {
        one.rule: one for one in _all(who(), asked(at(DAYS["intercampaign"], 12), purpose="persuasion", book=BOOK))
    }
    assert early["phase"].changes_at == at(date(2027, 4, 4), 0)


# ── random people ─────────────────────────────────────────────────────────────────────────────────────────────────────

_places = st.sampled_from([
    (30, "Minatitlán"), (2, "Tijuana"), (8, "Ciudad Juárez"), (8, "Ojinaga"), (28, "Reynosa"), (23, "Tulum"),
    (26, "Hermosillo"), (18, "Bahía de Banderas"), (9, None), (None, None),
])  # fmt: skip
_areas = st.sampled_from(["922", "664", "656", "868", "998", "662", "551", "626"])
WAYS = ("call", "sms", "whatsapp", "telegram", "email")
_tries = st.none() | st.lists(st.integers(1, 7 * 24 * 60 - 1), max_size=4)


@st.composite
def _people(draw: st.DrawFn) -> Facts:
    state, municipality = draw(_places)
    recent = [[NOON - timedelta(minutes=ago) for ago in found] if (found := draw(_tries)) else None for _ in range(2)]
    totals = [len(found or ()) + draw(st.sampled_from([0, 0, 0, 1, 4])) for found in recent]
    is_called = draw(st.sampled_from([None, None, False, True]))
    flags = {name: draw(st.sampled_from([False, False, False, True])) for name in
             ("invented", "is_blocked", "is_member", "holds_post", "is_suppressed", "is_in_register")}  # fmt: skip
    return who(
        consent=draw(st.sampled_from(["opted_in", "opted_in", "unknown", "opted_out", None])), state=state,
        municipality=municipality, phone=f"+52{draw(_areas)}1234567", is_being_called=is_called,
        is_other_called=is_called and draw(st.booleans()), other_written_at=draw(st.sampled_from([None, None, NOON])),
        phone_total=totals[0], phone_recent=recent[0], person_total=totals[1], person_recent=recent[1], **flags,
    )  # fmt: skip


@st.composite
def _calendars(draw: st.DrawFn) -> tuple[Rulebook, Plain]:
    """Up to three elections whose stretches follow one another, and the same in plain words."""
    elections, plain = [], []
    for number in range(draw(st.integers(0, 3))):
        states = frozenset(draw(st.lists(st.sampled_from([2, 8, 9, 30]), max_size=2)))
        day = date(2027, 1, 1) + timedelta(days=draw(st.integers(0, 300)))
        lines = []
        for _ in range(draw(st.integers(1, 5))):
            ends = day + timedelta(days=draw(st.integers(0, 60)))
            phase = draw(st.sampled_from(PHASES))
            lines.append(calendar.Stretch(phase, phase, day, ends))
            day = ends + timedelta(days=1)
        elections.append(Dates(number, str(number), states, tuple(lines)))
        plain += [(line.starts, line.ends, line.phase, states) for line in lines]
    purposes = draw(st.sets(st.sampled_from(PURPOSES), max_size=2))
    signed = {(purpose, draw(st.sampled_from(("silence", "election_day")))) for purpose in purposes}
    always = (date(2000, 1, 1), date(2100, 1, 1))
    signoffs = tuple(SignOff(purpose, id_, phase, *always) for purpose, phase in signed
                     for id_ in (None, *range(len(elections))))  # fmt: skip
    per_week = draw(st.integers(1, 3))
    in_all = draw(st.integers(per_week, 6))
    book = Rulebook(elections=tuple(elections), signoffs=signoffs, per_week=per_week, in_all=in_all)
    return book, Plain(tuple(plain), frozenset(signed), per_week, in_all)


@settings(max_examples=600, deadline=None)
@given(
    facts=_people(), law=_calendars(), minutes=st.integers(0, 366 * 24 * 60),
    channel=st.sampled_from(WAYS), purpose=st.sampled_from(PURPOSES), simulated=st.booleans(),
    is_answer=st.booleans(),
)  # fmt: skip
def test_the_gate_says_what_a_plain_statement_of_the_rules_says(
    facts: Facts,
    law: tuple[Rulebook, Plain],
    minutes: int,
    channel: str,
    purpose: str,
    simulated: bool,
    is_answer: bool,
) -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    book, plain = law
    question = Asked(channel, purpose, now, simulated, book, is_answer=is_answer)
    expected = slow_refusal(facts, question, plain)
    assert code(facts, question) == expected
    first = next((one.refusal for one in _all(facts, question) if one.refusal), None)
    assert (first.code if first else None) == expected


@settings(max_examples=300, deadline=None)
@given(
    people=st.lists(_people(), min_size=1, max_size=4), law=_calendars(), minutes=st.integers(0, 366 * 24 * 60),
    holiday=st.none() | st.sampled_from([2, 8, 9, 30]),
    channel=st.sampled_from(WAYS), purpose=st.sampled_from(PURPOSES), simulated=st.booleans(),
)  # fmt: skip
def test_what_the_gate_remembers_of_a_batch_changes_no_answer(
    people: list[Facts], law: tuple[Rulebook, Plain], minutes: int, holiday: int | None, channel: str, purpose: str,
    simulated: bool,
) -> None:  # fmt: skip
    """One question for all of them, against every rule asked anew for each."""
    now = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    hours = rulebook.DEFAULT_HOURS | {"holiday": (time(13), time(14))}
    book = replace(law[0], holidays=(Holiday(now.date(), holiday, None),), hours=hours, do_not_call=frozenset(PURPOSES))
    question = Asked(channel, purpose, now, simulated, book)
    for facts in (twin for one in people for twin in _twins(one)):
        afresh = (rule.refuse(facts, replace(question, memory={})) for rule in RULES)
        assert judge(facts, question) == next((refusal for refusal in afresh if refusal), None)


def _twins(one: Facts) -> list[Facts]:
    """The person, and others who differ from them in a single thing; and the same of somebody willing who lives there.

    No name of theirs is a municipality's of its own hour, so that two states may lie in one zone."""
    flags = ("invented", "is_blocked", "is_member", "holds_post", "is_suppressed", "is_in_register")
    found = []
    for who_ in (one, who(state=one.state, municipality=one.municipality, phone=one.phone)):
        found += [who_._replace(state=state, municipality="Calvillo") for state in (1, 2, 9, 30, None)]
        found += [who_._replace(consent=consent) for consent in ("opted_in", "opted_out", "unknown", None)]
        changes: list[dict[str, Any]] = [{flag: not getattr(who_, flag)} for flag in flags]
        found += [who_._replace(**change) for change in changes]
    return [one, *found]


@settings(max_examples=200, deadline=None)
@given(facts=_people(), law=_calendars(), minutes=st.integers(0, 366 * 24 * 60), purpose=st.sampled_from(PURPOSES))
def test_a_verdict_turns_at_the_moment_it_names_and_not_before(
    facts: Facts, law: tuple[Rulebook, Plain], minutes: int, purpose: str
) -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    for rule in RULES:
        if rule.code not in ("phase", "hours"):
            continue
        said = verdict(rule, facts, Asked("call", purpose, now, False, law[0]))
        if said.changes_at is None:
            continue
        assert said.changes_at > now
        then = verdict(rule, facts, Asked("call", purpose, said.changes_at, False, law[0]))
        assert (then.refusal is None) != (said.refusal is None)
        before = verdict(rule, facts, Asked("call", purpose, said.changes_at - timedelta(seconds=1), False, law[0]))
        assert (before.refusal is None) == (said.refusal is None)
