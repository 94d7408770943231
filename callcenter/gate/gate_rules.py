"""The rules of the gate, each alone, in the order in which they speak. Pure: facts of a person, the rulebook, a moment.

`consent` asks them; `judge` and `verdicts` there go through the one list RULES."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from callcenter import calendar
from callcenter.calendar import Span
from callcenter.gate.refusals import LiftedBy, Refusal
from callcenter.gate.rulebook import MAX_IN_ALL, Rulebook, Standing
from callcenter.places import zones

CHANNELS_WITH_HOURS = ("call", "sms", "whatsapp", "telegram")  # what makes a telephone ring at night
CHATS = ("whatsapp", "telegram")  # who wrote there just now is awake: an answer may leave at any hour
NEEDS_OPT_IN = ("persuasion", "mobilization")
ANSWERS_THE_PERSON = ("privacy_request",)  # the law sets when they are answered: the caps are not for them
WEEK = timedelta(days=7)
MOMENT = timedelta(minutes=5)  # how long a message that left keeps the others of the phone waiting
SOON = timedelta(minutes=1)  # when to ask again about a phone in a call
MAX_TURNS = 60  # changes of phase that `verdicts` looks ahead

WARNINGS: dict[str, LazyString] = {
    "notice": _l("The phase of the election lets this purpose through, but launching asks to confirm it."),
    "do_not_call": _l("This phone is in the register of those who do not want advertising; this purpose may use it."),
}


class Facts(NamedTuple):
    """What the gate knows of one person at one phone. Of nobody by that id, all from `state` to `holds_post` are None
    or False. `consent`: what holds on the channel asked for. `…_recent`: the tries of the last seven days."""

    contact_id: int
    phone: str
    state: int | None
    municipality: str | None  # `zones.ANY_MUNICIPALITY` where its name changes nothing
    consent: str | None
    invented: bool | None
    is_blocked: bool
    is_member: bool | None
    holds_post: bool | None
    is_suppressed: bool
    is_in_register: bool
    is_being_called: bool  # a call is open at the phone
    is_other_called: bool  # with somebody else
    other_written_at: datetime | None  # a message to somebody else there has just left
    phone_total: int
    phone_recent: list[datetime] | None
    person_total: int
    person_recent: list[datetime] | None

    @property
    def zones(self) -> tuple[ZoneInfo, ...]:
        return zones.zones_of(self.state, self.municipality, self.phone)


@dataclass(frozen=True)
class Asked:
    """One question to the gate, for a batch. `memory`: what is worked out once for everybody who is alike in it.

    `is_answer`: these people wrote to us and are answered, which no cap keeps us from."""

    channel: str
    purpose: str
    now: datetime
    simulated: bool
    book: Rulebook
    memory: dict[Any, Any] = field(default_factory=dict, compare=False)
    is_answer: bool = False


@dataclass(frozen=True)
class Rule:
    """`refuse` answers why not, or None. `warn`: a code of WARNINGS though it lets through. `turns`: when the verdict
    changes by itself while it lets through (a refusal carries its own `until`)."""

    code: str
    label: LazyString
    refuse: Callable[[Facts, Asked], Refusal | None]
    warn: Callable[[Facts, Asked], str | None] = lambda _facts, _asked: None
    turns: Callable[[Facts, Asked], datetime | None] = lambda _facts, _asked: None


def _person(facts: Facts, _asked: Asked) -> Refusal | None:
    if facts.is_suppressed:
        return Refusal("suppressed")
    if facts.consent is None:
        return Refusal("unknown_person")
    return None


def _blocked(facts: Facts, _asked: Asked) -> Refusal | None:
    return Refusal("blocked") if facts.is_blocked else None


def _invented(facts: Facts, asked: Asked) -> Refusal | None:
    return Refusal("invented") if facts.invented and not asked.simulated else None


def _consent(facts: Facts, asked: Asked) -> Refusal | None:
    if facts.consent == "opted_out":
        return Refusal("opted_out")
    if asked.purpose in NEEDS_OPT_IN and facts.consent != "opted_in":
        return Refusal("not_opted_in")
    return None


# ── the phase of the election ─────────────────────────────────────────────────────────────────────────────────────────

_SEVERITY = ("no", "sign_off", "drill", "members")
_CODES = {"no": "phase", "members": "phase_members", "sign_off": "phase_sign_off", "drill": "phase_drill"}


def _phase(facts: Facts, asked: Asked) -> Refusal | None:
    refusal: Refusal | None = _remembered(facts, asked, "phase", lambda: _phase_on(facts, asked, asked.now))
    return refusal


def _phase_on(facts: Facts, asked: Asked, moment: datetime) -> Refusal | None:
    """The strictest over every election where the person lives, and over the days that their zones show."""
    found: dict[str, Refusal] = {}
    for day in {moment.astimezone(zone).date() for zone in facts.zones}:
        for standing in asked.book.standings(day, facts.state):
            rules = asked.book.rules_of(asked.purpose, standing.phase)
            for rule in rules:
                if _passes(facts, asked, rule, standing, day):
                    continue
                if rule == rules[0] or not _passes(facts, asked, rules[0], standing, day):
                    found[rule] = Refusal(_CODES[rule])
                else:
                    found.setdefault(rule, Refusal("phase_house"))
    return next((found[rule] for rule in _SEVERITY if rule in found), None)


def _passes(facts: Facts, asked: Asked, rule: str, standing: Standing, day: date) -> bool:
    if rule in ("yes", "notice"):
        return True
    if rule == "members":
        return bool(facts.is_member)
    if rule == "drill":
        return asked.simulated
    return rule == "sign_off" and asked.book.is_signed_off(asked.purpose, standing, day)


def needs_notice(facts: Facts, asked: Asked) -> bool:
    """Does launching for this person's territory ask to confirm?"""
    return any(
        "notice" in asked.book.rules_of(asked.purpose, standing.phase)
        for zone in facts.zones
        for standing in asked.book.standings(asked.now.astimezone(zone).date(), facts.state)
    )


def _phase_turns(facts: Facts, asked: Asked) -> datetime | None:
    """When the phase's verdict is another one than now: at a midnight where the person lives."""
    now = _phase_on(facts, asked, asked.now)
    first = min(asked.now.astimezone(zone).date() for zone in facts.zones)
    for day in asked.book.turns(first, facts.state)[:MAX_TURNS]:
        for midnight in sorted(datetime.combine(day, time(0), zone) for zone in facts.zones):
            if midnight > asked.now and (_phase_on(facts, asked, midnight) is None) != (now is None):
                return midnight.astimezone(UTC)
    return None


# ── hours ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _hours(facts: Facts, asked: Asked) -> Refusal | None:
    if not _keeps_hours(asked):
        return None
    hours = hours_for(facts, asked)
    until = _remembered(facts, asked, "hours", lambda: calendar.opens_at(asked.now, facts.zones, hours))
    return Refusal("hours", until) if until else None


def _keeps_hours(asked: Asked) -> bool:
    return asked.channel in CHANNELS_WITH_HOURS and not (asked.is_answer and asked.channel in CHATS)


def hours_for(facts: Facts, asked: Asked) -> calendar.HoursOn:
    """The hours of this person: those of the house, and on election day a post's own for its two purposes."""
    has_post = bool(facts.holds_post) and asked.purpose in calendar.FOR_POSTS
    state = facts.state

    def hours(day: date, zone: ZoneInfo) -> Span:
        if has_post and asked.book.is_election_day(day, state):
            return calendar.POST_HOURS
        return asked.book.hours_on(day, zone, state)

    return hours


def _hours_turn(facts: Facts, asked: Asked) -> datetime | None:
    if not _keeps_hours(asked):
        return None
    return calendar.closes_at(asked.now, facts.zones, hours_for(facts, asked))


# ── register, caps, household ─────────────────────────────────────────────────────────────────────────────────────────


def _do_not_call(facts: Facts, asked: Asked) -> Refusal | None:
    is_out = facts.is_in_register and asked.purpose in asked.book.do_not_call
    return Refusal("do_not_call") if is_out else None


def _cap(facts: Facts, asked: Asked) -> Refusal | None:
    if asked.purpose in ANSWERS_THE_PERSON or asked.is_answer:
        return None
    book = asked.book
    most = max(facts.phone_total, facts.person_total)
    if most >= book.in_all:
        return Refusal("cap_total", by=None if most >= MAX_IN_ALL else LiftedBy.ADMINISTRATOR)
    # The try whose seventh day makes room for the next.
    ends = [
        sorted(recent)[-book.per_week] + WEEK
        for recent in (facts.phone_recent, facts.person_recent)
        if recent and len(recent) >= book.per_week
    ]
    return Refusal("cap_week", max(ends)) if ends else None


def _household(facts: Facts, asked: Asked) -> Refusal | None:
    if facts.is_being_called and (asked.channel == "call" or facts.is_other_called):
        return Refusal("household", asked.now + SOON)
    if facts.other_written_at is not None:
        return Refusal("household", max(facts.other_written_at + MOMENT, asked.now + SOON))
    return None


RULES: tuple[Rule, ...] = (
    Rule("person", _l("Opposition of the phone"), _person),
    Rule("block", _l("Block after a privacy request"), _blocked),
    Rule("drill", _l("Invented people"), _invented),
    Rule("consent", _l("Consent"), _consent),
    Rule("phase", _l("Phase of the election"), _phase,
         warn=lambda facts, asked: "notice" if needs_notice(facts, asked) else None, turns=_phase_turns),
    Rule("do_not_call", _l("Register of those who want no advertising"), _do_not_call,
         warn=lambda facts, _asked: "do_not_call" if facts.is_in_register else None),
    Rule("hours", _l("Calling hours"), _hours, turns=_hours_turn),
    Rule("caps", _l("How often a person is tried"), _cap),
    Rule("household", _l("One at a time in a household"), _household),
)  # fmt: skip


def judge(facts: Facts, asked: Asked) -> Refusal | None:
    """The gate itself: what the first rule says that refuses."""
    for rule in RULES:
        refusal = rule.refuse(facts, asked)
        if refusal is not None:
            return refusal
    return None


@dataclass(frozen=True)
class Verdict:
    """What one rule says. `refusal` None: it lets through, perhaps with a `warning`. `changes_at` (aware): when that
    turns by itself, either way; None: time changes nothing."""

    rule: str
    label: LazyString
    refusal: Refusal | None
    warning: LazyString | None
    changes_at: datetime | None


def verdict(rule: Rule, facts: Facts, asked: Asked) -> Verdict:
    """What `rule` alone says, whatever the others do."""
    refusal = rule.refuse(facts, asked)
    warning = rule.warn(facts, asked) if refusal is None else None
    changes_at = refusal.until if refusal and refusal.until else rule.turns(facts, asked)
    return Verdict(rule.code, rule.label, refusal, WARNINGS[warning] if warning else None, changes_at)


def _remembered(facts: Facts, asked: Asked, what: str, work: Callable[[], Any]) -> Any:
    """One answer for everybody of a batch who is alike in what the phase and the hours look at."""
    key = (what, _place(facts, asked), facts.is_member, facts.holds_post)
    if key not in asked.memory:
        asked.memory[key] = work()
    return asked.memory[key]


def _place(facts: Facts, asked: Asked) -> tuple[int | str | None, tuple[ZoneInfo, ...]]:
    """What matters of where a person lives: the zones, and the state only where something is said of it."""
    state = facts.state
    named = state if state is None or state in asked.book.named_states else "another"
    return named, zones.zones_of(state, facts.municipality, facts.phone)
