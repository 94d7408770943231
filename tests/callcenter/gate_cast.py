"""What the gate's tests ask with: facts of a person with nothing against them, and a slow, plain statement of the law.

`slow_refusal` says the rules again without the gate's code: a table in words, minute by minute where hours matter."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from callcenter import calendar
from callcenter.gate.gate_rules import Asked, Facts
from callcenter.gate.rulebook import Rulebook
from callcenter.places.zones import zones_of

MEXICO = ZoneInfo("America/Mexico_City")
ELECTION_DAY = date(2027, 6, 6)
NOON = datetime(2027, 5, 10, 12, 0, tzinfo=MEXICO)  # a Monday of the campaign
# A day of each phase of the election of 6 June 2027, each a weekday but election day.
DAYS = {
    "ordinary": date(2026, 12, 15), "precampaign": date(2027, 1, 20), "intercampaign": date(2027, 3, 10),
    "campaign": date(2027, 5, 11), "silence": date(2027, 6, 4), "election_day": ELECTION_DAY, "post": date(2027, 6, 15),
}  # fmt: skip
WILLING = Facts(
    contact_id=1, phone="+529221234567", consent="opted_in", invented=False, is_blocked=False, is_member=False,
    holds_post=False, state=30, municipality="Minatitlán", is_suppressed=False, is_in_register=False,
    is_being_called=False, is_other_called=False, other_written_at=None, phone_total=0, phone_recent=None,
    person_total=0, person_recent=None,
)  # fmt: skip
# The domain page's table, a letter a phase: y allowed, n not, m members, s sign-off, d drill, w allowed with a notice.
TABLE = {
    "survey": "y y y y y y y",
    "data_verification": "y y y y w n y",
    "structure": "y y y y y y y",
    "persuasion": "n m n y n n n",
    "neutral_reminder": "n n n y s s n",
    "mobilization": "d d d d d y n",
    "citizen_care": "y y y y n n y",
    "privacy_request": "y y y y y y y",
}
LETTERS = {
    (purpose, phase): letter
    for purpose, row in TABLE.items()
    for phase, letter in zip(calendar.PHASES, row.split(), strict=True)
}


def who(**facts: Any) -> Facts:
    return WILLING._replace(**facts)


def asked(now: datetime = NOON, **more: Any) -> Asked:
    given: dict[str, Any] = {"channel": "call", "purpose": "survey", "simulated": False, "book": Rulebook()}
    return Asked(now=now, **given | more)


@dataclass(frozen=True)
class Plain:
    """The rulebook in the plainest words: (first day, last day, phase, states), sign-offs, and the house's numbers."""

    stretches: tuple[tuple[date, date, str, frozenset[int]], ...]
    signed: frozenset[tuple[str, str]] = frozenset()  # (purpose, phase), for every day
    per_week: int = 3
    in_all: int = 6


def slow_refusal(facts: Facts, question: Asked, law: Plain) -> str | None:
    """The code of the first rule that says no, found the long way."""
    answers_the_person = question.purpose == "privacy_request" or question.is_answer
    is_silent = question.channel == "email" or (question.is_answer and question.channel in ("whatsapp", "telegram"))
    recent = max(len(facts.phone_recent or ()), len(facts.person_recent or ()))
    is_called = facts.is_being_called and question.channel == "call"
    phase = _slow_phase(facts, question, law)
    reasons = [
        (facts.is_suppressed, "suppressed"),
        (facts.consent is None, "unknown_person"),
        (facts.is_blocked, "blocked"),
        (facts.invented and not question.simulated, "invented"),
        (facts.consent == "opted_out", "opted_out"),
        (question.purpose in ("persuasion", "mobilization") and facts.consent == "unknown", "not_opted_in"),
        (phase is not None, phase),
        (facts.is_in_register and question.purpose == "persuasion", "do_not_call"),
        (not is_silent and not _is_open(facts, question, law), "hours"),
        (not answers_the_person and max(facts.phone_total, facts.person_total) >= law.in_all, "cap_total"),
        (not answers_the_person and recent >= law.per_week, "cap_week"),
        (is_called or facts.is_other_called or facts.other_written_at, "household"),
    ]
    return next((code for holds, code in reasons if holds), None)


def _slow_phase(facts: Facts, question: Asked, law: Plain) -> str | None:
    refused = set()
    for zone in zones_of(facts.state, facts.municipality, facts.phone):
        for phase in _phases(question.now.astimezone(zone).date(), facts.state, law):
            letter = LETTERS[question.purpose, phase]
            if letter == "n":
                refused.add("phase")
            if letter == "m" and not facts.is_member:
                refused.add("phase_members")
            if letter == "d" and not question.simulated:
                refused.add("phase_drill")
            if letter == "s" and (question.purpose, phase) not in law.signed:
                refused.add("phase_sign_off")
    order = ("phase", "phase_sign_off", "phase_drill", "phase_members")
    return next((code for code in order if code in refused), None)


def _phases(day: date, state: int | None, law: Plain) -> list[str]:
    here = [
        phase
        for starts, ends, phase, states in law.stretches
        if starts <= day <= ends and (not states or state is None or state in states)
    ]
    return here or ["ordinary"]


def _is_open(facts: Facts, question: Asked, law: Plain) -> bool:
    for zone in zones_of(facts.state, facts.municipality, facts.phone):
        local = question.now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        is_rest = local.weekday() == 6 or calendar.is_holiday(local.date())
        opens, closes = (10 * 60, 18 * 60) if is_rest else (9 * 60, 20 * 60)
        has_post = facts.holds_post and question.purpose in ("structure", "mobilization")
        if has_post and any(
            phase == "election_day" and starts <= local.date() <= ends and (not states or facts.state in states)
            for starts, ends, phase, states in law.stretches
        ):
            opens, closes = 5 * 60, 24 * 60
        if not opens <= minute < closes:
            return False
    return True


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def at(day: date, hour: int, minute: int = 0, zone: ZoneInfo = MEXICO) -> datetime:
    return datetime.combine(day, time(hour, minute), zone)
