"""The rules that are data, read as one value: elections with their phases, stricter cells, sign-offs, hours, caps.

Who enters them: `elections`, `house_rules`, `signoffs`. The gate reads them here, all at one moment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.calendar import REST_DAY_HOURS, WEEKDAY_HOURS, Span, Stretch

# Frequency caps of the law, over every channel, for the phone and for the person. A house may lower them.
MAX_PER_WEEK, MAX_IN_ALL = 3, 6
DAY_KINDS = ("weekday", "sunday", "holiday")
DEFAULT_HOURS: dict[str, Span] = {"weekday": WEEKDAY_HOURS, "sunday": REST_DAY_HOURS, "holiday": REST_DAY_HOURS}
DO_NOT_CALL_DEFAULT = frozenset({"persuasion"})  # purposes that a phone of the register is left out of


@dataclass(frozen=True)
class Dates:
    """One election as the gate sees it. `states` empty: the whole country."""

    id: int
    name: str
    states: frozenset[int]
    stretches: tuple[Stretch, ...]

    def is_held_in(self, state: int | None) -> bool:
        """Somebody whose state is not known may live anywhere."""
        return not self.states or state is None or state in self.states

    def phase_on(self, day: date) -> str | None:
        """None before the first and after the last stretch; a day between two is ordinary."""
        if not self.stretches or not self.stretches[0].starts <= day <= max(one.ends for one in self.stretches):
            return None
        return next((one.phase for one in self.stretches if one.starts <= day <= one.ends), "ordinary")


@dataclass(frozen=True)
class SignOff:
    """A lawyer's written approval that holds from one day to another, both included. No election: ordinary days."""

    purpose: str
    election_id: int | None
    phase: str
    valid_from: date
    valid_until: date


@dataclass(frozen=True)
class Holiday:
    """A rest day of one's own: everywhere, in a state, or in a zone."""

    day: date
    state: int | None
    zone: str | None


@dataclass(frozen=True)
class Standing:
    """In which phase of which election a day stands. No election: ordinary days."""

    election_id: int | None
    phase: str


@dataclass(frozen=True)
class Rulebook:
    """Every rule that is data, at one moment. `house_cells`: (purpose, phase) -> rule, each stricter than the law."""

    elections: tuple[Dates, ...] = ()
    house_cells: Mapping[tuple[str, str], str] = field(default_factory=dict)
    signoffs: tuple[SignOff, ...] = ()
    hours: Mapping[str, Span] = field(default_factory=lambda: DEFAULT_HOURS)
    holidays: tuple[Holiday, ...] = ()
    per_week: int = MAX_PER_WEEK
    in_all: int = MAX_IN_ALL
    do_not_call: frozenset[str] = DO_NOT_CALL_DEFAULT

    @cached_property
    def named_states(self) -> frozenset[int]:
        """The states of which anything is said. In all others, which are known, every rule is the same."""
        of_elections = (state for election in self.elections for state in election.states)
        return frozenset((*of_elections, *(own.state for own in self.holidays if own.state is not None)))

    def rules_of(self, purpose: str, phase: str) -> tuple[str, ...]:
        """The law's rule, and the house's own where there is one: both hold."""
        house = self.house_cells.get((purpose, phase))
        law = calendar.RULES[purpose, phase]
        return (law, house) if house else (law,)

    def standings(self, day: date, state: int | None) -> list[Standing]:
        """Where `day` stands in every election that runs in `state`; ordinary when none does."""
        found = [
            Standing(election.id, phase)
            for election in self.elections
            if election.is_held_in(state) and (phase := election.phase_on(day)) is not None
        ]
        return found or [Standing(None, "ordinary")]

    def is_election_day(self, day: date, state: int | None) -> bool:
        """Is it for certain? Of somebody whose state is not known only where the whole country votes."""
        return any(
            election.phase_on(day) == "election_day" and (not election.states or state in election.states)
            for election in self.elections
        )

    def is_signed_off(self, purpose: str, standing: Standing, day: date) -> bool:
        return any(
            one.purpose == purpose and one.election_id == standing.election_id and one.phase == standing.phase
            and one.valid_from <= day <= one.valid_until
            for one in self.signoffs
        )  # fmt: skip

    def asks_to_confirm(self, purpose: str, day: date) -> bool:
        """Does launching on `day`, in whatever state an election runs, ask to confirm?"""
        standings = self.standings(day, None)
        return any("notice" in self.rules_of(purpose, standing.phase) for standing in standings)

    def is_rest_day(self, day: date, zone: ZoneInfo | None = None, state: int | None = None) -> bool:
        """A federal holiday, or one of one's own for this state or zone. Somebody whose state is not known may live in
        any."""
        return calendar.is_holiday(day) or any(
            own.day == day
            and (state is None or own.state in (None, state))
            and own.zone in (None, zone.key if zone else None)
            for own in self.holidays
        )

    def hours_on(self, day: date, zone: ZoneInfo | None = None, state: int | None = None) -> Span:
        """From when until when people of this zone and state may be called on `day`. A holiday on a Sunday has the
        shorter of both."""
        kinds = [kind for kind, holds in (("sunday", day.weekday() == 6),
                                          ("holiday", self.is_rest_day(day, zone, state))) if holds]  # fmt: skip
        spans = [self.hours[kind] for kind in kinds or ["weekday"]]
        return max(span[0] for span in spans), min(span[1] for span in spans)

    def turns(self, day: date, state: int | None) -> list[date]:
        """The days after `day` on which a phase or a sign-off begins or has just ended, in order."""
        spans = [(one.starts, one.ends) for election in self.elections if election.is_held_in(state)
                 for one in election.stretches]  # fmt: skip
        spans += [(one.valid_from, one.valid_until) for one in self.signoffs]
        days = {turn for starts, ends in spans for turn in (starts, ends + timedelta(days=1))}
        return sorted(turn for turn in days if turn > day)


def read(session: Session) -> Rulebook:
    """The rules as they stand, in one SELECT."""
    return _parsed(session.scalar(_EVERYTHING) or "{}")


# PostgreSQL answers with one text, so that what was read a moment ago is not built again.
_EVERYTHING = text(
    """
    SELECT jsonb_build_object(
        'elections', (SELECT jsonb_agg(jsonb_build_array(e.id, e.name, e.states, (
            SELECT jsonb_agg(jsonb_build_array(p.name, p.phase, p.starts, p.ends) ORDER BY p.starts)
            FROM phases p WHERE p.election_id = e.id), e.day) ORDER BY e.id) FROM elections e),
        'cells', (SELECT jsonb_agg(jsonb_build_array(purpose, phase, rule)) FROM (
            SELECT DISTINCT ON (purpose, phase) purpose, phase, rule FROM house_cells
            ORDER BY purpose, phase, id DESC) newest WHERE rule IS NOT NULL),
        'signoffs', (SELECT jsonb_agg(jsonb_build_array(purpose, election_id, phase, valid_from, valid_until))
            FROM legal_signoffs WHERE withdrawn_at IS NULL),
        'holidays', (SELECT jsonb_agg(jsonb_build_array(day, state, zone)) FROM holidays),
        'settings', (SELECT jsonb_object_agg(key, value) FROM house_settings)
    )::text
    """
)


@lru_cache(maxsize=16)
def _parsed(document: str) -> Rulebook:
    found = {key: value or [] for key, value in json.loads(document).items()}
    settings: dict[str, Any] = dict(found.get("settings") or {})
    caps = settings.get("caps", {})
    hours = {kind: _span(settings["hours"][kind]) for kind in DAY_KINDS} if "hours" in settings else DEFAULT_HOURS
    return Rulebook(
        elections=tuple(_dates(*row) for row in found.get("elections", ())),
        house_cells={(purpose, phase): rule for purpose, phase, rule in found.get("cells", ())},
        signoffs=tuple(SignOff(*row[:3], *map(date.fromisoformat, row[3:])) for row in found.get("signoffs", ())),
        hours=hours,
        holidays=tuple(Holiday(date.fromisoformat(day), state, zone) for day, state, zone in found.get("holidays", ())),
        per_week=caps.get("per_week", MAX_PER_WEEK),
        in_all=caps.get("in_all", MAX_IN_ALL),
        do_not_call=frozenset(settings.get("do_not_call", DO_NOT_CALL_DEFAULT)),
    )


def _dates(id_: int, name: str, states: list[int], stretches: list[list[str]] | None, day: str) -> Dates:
    """An election is held on its day, also where no phase was entered for it."""
    lines = [Stretch(title, phase, date.fromisoformat(starts), date.fromisoformat(ends))
             for title, phase, starts, ends in stretches or ()]  # fmt: skip
    held = date.fromisoformat(day)
    if not any(one.starts <= held <= one.ends for one in lines):
        lines.append(Stretch(name, "election_day", held, held))
    return Dates(id_, name, frozenset(states), tuple(sorted(lines, key=lambda one: one.starts)))


def _span(words: list[str]) -> Span:
    return time.fromisoformat(words[0]), time.fromisoformat(words[1])
