"""Each limit of a campaign alone, and which of them binds: a table, from made-up facts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from callcenter.queueing import idle_reasons
from callcenter.queueing.dial_decisions import DialDecision
from callcenter.queueing.queue_outlook import Group, Outlook, Rest
from callcenter.queueing.queue_pace import Pace
from campaigns import why
from campaigns.telephoning import why_limits
from campaigns.telephoning.why_facts import Facts, LastChange, Lines, Money, Sessions, Team
from campaigns.telephoning.why_limits import ASPECT_OF, ASPECTS, OPEN, SLOWS, STOPS, Limit
from surveys.fieldwork.quota_cells import QuotaPlan
from surveys.fieldwork.quota_standing import CellStanding, Standing

NOW = datetime(2027, 5, 10, 18, tzinfo=UTC)
CENTRE = ("America/Mexico_City",)
COUNTS = {"total": 10, "waiting": 8, "ready": 8, "resting": 0, "callbacks": 0, "callbacks_due": 0, "calling": 0,
          "done": 2, "excluded": 0, "untried": 8}  # fmt: skip
OPEN_NOW = Outlook((Group(CENTRE, 8, None, NOW),), {}, (), 8, 8, NOW)
# A campaign that dials, with nothing against it.
WELL = Facts(
    state="running", reason=None, why_idle=None, falls_back=None, decided_ago=0.4, has_dialer=True, changed=None,
    pace=Pace("predictive"), team=Team(free=2, talking=3), ringing=4, waiting=0, lines=Lines(None, 100, 7),
    sessions=None, progress=COUNTS, only_callbacks=False, outlook=OPEN_NOW, quota=None, money=Money(), as_of=NOW,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _reader(app: Flask) -> Iterator[None]:
    """Somebody who reads English."""
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def limit(aspect: str, **facts: Any) -> Limit:
    return {one.aspect: one for one in why_limits.all_limits(replace(WELL, **facts))}[aspect]


def binding(**facts: Any) -> Limit | None:
    changed = replace(WELL, **facts)
    return why.bind(changed, why_limits.all_limits(changed))


def outlook(*groups: Group, refused: dict[str, int] | None = None, rests: tuple[Rest, ...] = ()) -> Outlook:
    return Outlook(groups, refused or {}, rests, 8, 8, NOW)


def quota(*full: bool, left_out: int = 0, margin: float | None = None) -> Standing:
    cells = tuple(CellStanding((str(n),), 5, 5 if is_full else 1, 0, None) for n, is_full in enumerate(full))
    plan = QuotaPlan(dimensions=(), cells=(), stop_margin=0.03)
    return Standing(plan, cells, 0, left_out, margin, None, NOW)


LATER = NOW + timedelta(hours=12)
ASLEEP = outlook(Group(CENTRE, 8, LATER))
HALF_ASLEEP = outlook(Group(CENTRE, 5, None, NOW), Group(("America/Cancun",), 3, LATER))
RESTING = outlook(rests=(Rest("busy", 8, LATER),))
FORBIDDEN = outlook(refused={"phase": 8})
PARTLY_FORBIDDEN = outlook(Group(CENTRE, 5, None, NOW), refused={"phase_members": 3, "opted_out": 1})
NOBODY = COUNTS | {"waiting": 0, "ready": 0, "done": 10}
TRUNKS = Lines("trunks_resting", 0, 0)
RECORDED = Sessions(limit=3, capacity=5, held=1, all_held=2)

TABLE: list[tuple[str, dict[str, Any], str, str]] = [
    ("campaign", {}, OPEN, "running"),
    ("campaign", {"state": "draft"}, STOPS, "draft"),
    ("campaign", {"state": "paused", "reason": "review"}, STOPS, "paused"),
    ("campaign", {"state": "finished"}, STOPS, "finished"),
    ("dialer", {}, OPEN, "deciding"),
    ("dialer", {"state": "paused", "has_dialer": False, "decided_ago": 999.0}, OPEN, "deciding"),
    ("dialer", {"decided_ago": 15.1}, STOPS, "dialer_silent"),
    ("dialer", {"decided_ago": None}, STOPS, "dialer_silent"),
    ("dialer", {"has_dialer": False}, STOPS, "dialer_away"),
    ("dialer", {"why_idle": "dialer_fault"}, STOPS, "dialer_fault"),
    ("mode", {}, OPEN, "predictive"),
    ("mode", {"pace": Pace("preview"), "falls_back": "small_team"}, OPEN, "preview"),
    ("mode", {"pace": Pace("manual")}, OPEN, "manual"),
    ("mode", {"pace": Pace("guess")}, STOPS, "mode_unknown"),
    ("mode", {"falls_back": "small_team"}, SLOWS, "small_team"),
    ("carrier", {}, OPEN, "taking_calls"),
    ("carrier", {"lines": Lines("carrier_missing")}, STOPS, "carrier_missing"),
    ("carrier", {"lines": TRUNKS}, STOPS, "trunks_resting"),
    ("carrier", {"lines": Lines("trunks_not_registered")}, STOPS, "trunks_not_registered"),
    ("carrier", {"lines": Lines("switch_away")}, STOPS, "switch_away"),
    ("carrier", {"lines": Lines("no_trunk")}, STOPS, "no_trunk"),
    ("carrier", {"lines": Lines("trunks_full", 5, 5)}, OPEN, "taking_calls"),
    ("carrier", {"sessions": Sessions(None, None, 0, 0)}, STOPS, "ivr_away"),
    ("phase", {}, OPEN, "allowed"),
    ("phase", {"outlook": FORBIDDEN}, STOPS, "phase"),
    ("phase", {"outlook": PARTLY_FORBIDDEN}, SLOWS, "phase_members"),
    ("list", {}, OPEN, "people_left"),
    ("list", {"progress": dict.fromkeys(COUNTS, 0)}, STOPS, "list_empty"),
    ("list", {"progress": NOBODY}, STOPS, "list_exhausted"),
    ("list", {"progress": NOBODY | {"calling": 1}}, OPEN, "people_left"),
    ("list", {"outlook": RESTING}, STOPS, "all_resting"),
    ("list", {"outlook": ASLEEP}, OPEN, "people_left"),
    ("list", {"only_callbacks": True}, STOPS, "only_callbacks"),
    ("list", {"only_callbacks": True, "progress": COUNTS | {"callbacks": 1}}, OPEN, "people_left"),
    ("hours", {}, OPEN, "open"),
    ("hours", {"outlook": ASLEEP}, STOPS, "hours"),
    ("hours", {"outlook": HALF_ASLEEP}, SLOWS, "hours_somewhere"),
    ("quota", {}, OPEN, "no_quotas"),
    ("quota", {"quota": quota(True, False)}, OPEN, "open"),
    ("quota", {"quota": quota(True, False, left_out=4)}, SLOWS, "quota_partly"),
    ("quota", {"quota": quota(True, True, left_out=8)}, STOPS, "quota_full"),
    ("quota", {"quota": quota(True, False, margin=0.02)}, STOPS, "quota_margin"),
    ("money", {}, OPEN, "unlimited"),
    ("money", {"money": Money(Decimal(5), Decimal(9), limit=Decimal(10))}, OPEN, "below_limit"),
    ("money", {"money": Money(Decimal(5), Decimal(10), limit=Decimal(10), stop="spend_limit")}, STOPS, "spend_limit"),
    ("money", {"money": Money(Decimal(5), Decimal(9), day_limit=Decimal(5), stop="spend_day_limit")}, STOPS,
     "spend_day_limit"),
    ("team", {}, OPEN, "some_free"),
    ("team", {"team": Team(talking=3)}, SLOWS, "operators_busy"),
    ("team", {"team": Team(writing_up=1, paused=2)}, SLOWS, "operators_busy"),
    ("team", {"team": Team(paused=2)}, STOPS, "no_operators"),
    ("team", {"team": Team(no_line=1)}, STOPS, "no_line"),
    ("team", {"team": Team(), "sessions": RECORDED}, OPEN, "not_needed"),
    ("lines", {}, OPEN, "lines_free"),
    ("lines", {"lines": Lines(None, 5, 5)}, STOPS, "no_lines"),
    ("lines", {"lines": Lines("trunks_full", 5, 5)}, STOPS, "trunks_full"),
    ("lines", {"lines": Lines("no_trunk", 0, 0)}, OPEN, "lines_free"),
    ("lines", {"sessions": RECORDED}, OPEN, "lines_free"),
    ("lines", {"sessions": Sessions(3, 5, 3, 3)}, STOPS, "sessions_busy"),
    ("lines", {"sessions": Sessions(None, 5, 1, 5)}, STOPS, "sessions_busy"),
    ("a_second", {}, OPEN, "unlimited"),
    ("a_second", {"lines": Lines(None, 100, 7, a_second=5, begun=2)}, OPEN, "below"),
    ("a_second", {"lines": Lines(None, 100, 7, a_second=5, begun=5)}, SLOWS, "calls_per_second"),
    ("a_second", {"pace": Pace("progressive", calls_per_second=2), "lines": Lines(None, 100, 7, 5, 2)}, SLOWS,
     "calls_per_second"),
    ("risk", {}, OPEN, "below_limit"),
    ("risk", {"falls_back": "risk_budget"}, SLOWS, "risk_budget"),
    ("risk", {"why_idle": "warming_up"}, SLOWS, "warming_up"),
]  # fmt: skip


@pytest.mark.parametrize(("aspect", "facts", "state", "code"), TABLE)
def test_each_limit_says_whether_it_stops_or_slows_and_with_what_code(
    aspect: str, facts: dict[str, Any], state: str, code: str
) -> None:
    found = limit(aspect, **facts)
    assert (found.state, found.code) == (state, code)
    assert found.sentence.strip()
    assert str(found.label)


def test_the_table_tries_every_aspect_in_every_state_that_it_can_have() -> None:
    assert {aspect for aspect, *_rest in TABLE} == set(ASPECTS)
    assert [one.aspect for one in why_limits.all_limits(WELL)] == list(ASPECTS)


def test_whatever_the_dialer_may_say_speaks_of_one_aspect() -> None:
    assert set(idle_reasons.WHY_IDLE) <= set(ASPECT_OF)
    assert set(ASPECT_OF.values()) <= set(ASPECTS)


@pytest.mark.parametrize("code", sorted(idle_reasons.WHY_IDLE))
def test_the_dialers_own_word_binds_and_is_what_is_said(code: str) -> None:
    facts = replace(WELL, why_idle=code)
    found = why.bind(facts, why_limits.all_limits(facts))
    assert found is not None
    assert found.aspect == ASPECT_OF[code]
    assert why.sentence(facts, found) in (str(idle_reasons.WHY_IDLE[code]), found.sentence)
    assert found.code == code or why.sentence(facts, found) == str(idle_reasons.WHY_IDLE[code])


def test_nothing_binds_a_campaign_that_dials() -> None:
    assert binding() is None
    assert why.sentence(WELL, None)


def test_a_campaign_that_does_not_run_binds_before_anything_else() -> None:
    found = binding(state="paused", why_idle="no_operators", has_dialer=False, team=Team())
    assert found is not None
    assert found.aspect == "campaign"


def test_a_dialer_that_is_silent_binds_before_its_old_word() -> None:
    facts = replace(WELL, why_idle="no_operators", decided_ago=60.0)
    found = why.bind(facts, why_limits.all_limits(facts))
    assert found is not None
    assert found.code == "dialer_silent"
    assert "60" in why.sentence(facts, found)


@pytest.mark.parametrize(
    ("facts", "aspect"),
    [
        ({"why_idle": "all_resting", "outlook": ASLEEP}, "hours"),
        ({"why_idle": "all_resting", "outlook": FORBIDDEN}, "phase"),
        ({"why_idle": "all_resting", "outlook": RESTING}, "list"),
        ({"why_idle": "list_exhausted", "progress": NOBODY, "quota": quota(True, True, left_out=8)}, "quota"),
        ({"why_idle": "list_exhausted", "progress": NOBODY}, "list"),
    ],
)
def test_behind_a_list_of_which_nobody_may_be_called_stands_the_reason(facts: dict[str, Any], aspect: str) -> None:
    found = binding(**facts)
    assert found is not None
    assert found.aspect == aspect
    assert why.sentence(replace(WELL, **facts), found)


def test_who_paused_it_is_named_and_else_it_was_by_itself() -> None:
    by_sofia = limit("campaign", state="paused", reason="review", changed=LastChange("Sofía Mena", NOW))
    assert "Sofía Mena" in by_sofia.sentence
    assert "review" in by_sofia.sentence.lower()
    by_itself = limit("campaign", state="paused", reason="carrier:no_trunk", changed=LastChange(None, NOW))
    assert "by itself" in by_itself.sentence
    assert "trunk" in by_itself.sentence


def test_the_abandoned_calls_stand_beside_their_limit() -> None:
    decision = DialDecision(answered=200, abandoned=3)
    found = limit("risk", decisions=[decision])
    assert found.counts == {"answered": 200, "abandoned": 3, "limit": 0.01}
    assert "1.5%" in found.sentence
    assert "1%" in found.sentence


def test_numbers_stand_in_the_sentences() -> None:
    team = limit("team", team=Team(no_line=1, talking=12, writing_up=3, paused=4))
    assert all(number in team.sentence for number in ("12", "3", "4", "1"))
    assert limit("lines", lines=Lines(None, 1234, 56)).sentence == "In use: 56 of 1,234."
