"""Everything that can keep a campaign from dialling, each with its numbers: whether it stops it, slows it, or is open.

Pure but for the reader's language: each function looks at why_facts.Facts alone, whatever the others say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from flask_babel import LazyString, format_currency, format_decimal, format_percent
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter import queues
from callcenter.gate.refusals import SENTENCES
from callcenter.queueing import queue_pace
from campaigns import labels
from campaigns.telephoning.why_facts import Facts

STOPS, SLOWS, OPEN = "stops", "slows", "open"
STATE_LABELS: dict[str, LazyString] = {
    STOPS: _l("stops it"),
    SLOWS: _l("slows it"),
    OPEN: _l("in order"),
}
SILENT = 15.0  # seconds without a decision after which the dialer is said to be silent; it decides each second

ASPECTS: dict[str, LazyString] = {
    "campaign": _l("The campaign itself"),
    "dialer": _l("The dialer"),
    "mode": _l("Mode"),
    "carrier": _l("Carrier"),
    "phase": _l("Phase of the election"),
    "list": _l("List"),
    "hours": _l("Calling hours"),
    "quota": _l("Quotas"),
    "money": _l("Spending"),
    "team": _l("Operators"),
    "lines": _l("Lines"),
    "a_second": _l("Calls a second"),
    "risk": _l("Abandoned calls"),
}
# The dialer's last word (queues.WHY_IDLE) -> which of ASPECTS it speaks of.
ASPECT_OF: dict[str, str] = {
    **dict.fromkeys(("manual", "preview", "mode_unknown"), "mode"),
    **dict.fromkeys(("carrier_missing", "no_trunk", "trunks_resting", "trunks_not_registered", "switch_away",
                     "ivr_away"), "carrier"),
    **dict.fromkeys(("list_exhausted", "all_resting"), "list"),
    **dict.fromkeys(("no_operators", "operators_busy", "enough_ringing", "small_team"), "team"),
    **dict.fromkeys(("no_lines", "trunks_full", "sessions_busy"), "lines"),
    **dict.fromkeys(("warming_up", "risk_budget"), "risk"),
    **dict.fromkeys(("spend_limit", "spend_day_limit"), "money"),
    "calls_per_second": "a_second",
    "dialer_fault": "dialer",
}  # fmt: skip


@dataclass(frozen=True)
class Limit:
    """One of ASPECTS. `state`: STOPS (alone it would keep everything from being dialled), SLOWS, or OPEN. `code` says
    what exactly, `sentence` is the same in the reader's language with its numbers, which `counts` names."""

    aspect: str
    state: str
    code: str
    sentence: str
    counts: Mapping[str, int | float] = field(default_factory=dict)

    @property
    def label(self) -> LazyString:
        return ASPECTS[self.aspect]


def all_limits(facts: Facts) -> list[Limit]:
    """One of each aspect, in their order."""
    return [look(facts) for look in _LOOKS]


def _campaign(facts: Facts) -> Limit:
    if facts.state == "running":
        return Limit("campaign", OPEN, "running", _("It runs."))
    if facts.state == "draft":
        return Limit("campaign", STOPS, "draft", _("It has not been started yet."))
    code = "finished" if facts.state == "finished" else "paused"
    word = _("Finished for good") if code == "finished" else _("Paused")
    who = facts.changed.who if facts.changed else None
    by = _("by %(who)s", who=who) if who else _("by itself")
    return Limit("campaign", STOPS, code, f"{word} {by}. {labels.reason(facts.reason)}".strip())


def _dialer(facts: Facts) -> Limit:
    ago = facts.decided_ago
    counts = {} if ago is None else {"decided_seconds_ago": round(ago, 1)}
    if facts.why_idle == "dialer_fault":
        sentence = _("The dialer met a fault of its own with this campaign, and tries again each second; the others "
                     "are dialled. An administrator looks at its log.")  # fmt: skip
        return Limit("dialer", STOPS, "dialer_fault", sentence, counts)
    if facts.state != "running" or (ago is not None and ago <= SILENT and facts.has_dialer):
        return Limit("dialer", OPEN, "deciding", _("It decides at every event, and each second."), counts)
    if not facts.has_dialer:
        sentence = _("No dialer runs: its process has ended or cannot reach the database. It is started again by "
                     "itself; if this stays, an administrator looks at the processes.")  # fmt: skip
        return Limit("dialer", STOPS, "dialer_away", sentence, counts)
    sentence = _("The dialer runs, and has decided nothing for this campaign for %(seconds)s s. An administrator looks "
                 "at its log.", seconds=round(ago or 0))  # fmt: skip
    return Limit("dialer", STOPS, "dialer_silent", sentence, counts)


def _mode(facts: Facts) -> Limit:
    mode = facts.pace.mode
    if mode not in queue_pace.MODES:
        return Limit("mode", STOPS, "mode_unknown", str(queues.WHY_IDLE["mode_unknown"]))
    if facts.falls_back and mode not in ("manual", "preview"):
        return Limit("mode", SLOWS, facts.falls_back, queue_pace.fallback_sentence(facts.falls_back) or "")
    return Limit("mode", OPEN, mode, str(queue_pace.MODES[mode]))


def _carrier(facts: Facts) -> Limit:
    fault = facts.lines.fault
    if fault is None and facts.sessions is not None and facts.sessions.capacity is None:
        fault = "ivr_away"
    if fault is not None and fault != "trunks_full":
        return Limit("carrier", STOPS, fault, queues.why_sentence(fault) or fault)
    return Limit("carrier", OPEN, "taking_calls", _("It takes calls."))


def _phase(facts: Facts) -> Limit:
    outlook = facts.outlook
    forbidden = {code: n for code, n in outlook.refused.items() if code.startswith("phase")}
    if not forbidden:
        return Limit("phase", OPEN, "allowed", _("The phase of the election lets this purpose through."))
    code = max(forbidden, key=lambda each: forbidden[each])
    people = sum(forbidden.values())
    callable_some_time = outlook.now + outlook.later
    sentence = f"{SENTENCES[code]} {_('People whom this concerns: %(people)s.', people=_number(people))}"
    return Limit("phase", SLOWS if callable_some_time else STOPS, code, sentence, {"people": people})


def _list(facts: Facts) -> Limit:
    has, outlook = facts.progress, facts.outlook
    counts = {**has, "resting": outlook.resting, "left_out": sum(outlook.refused.values())}
    if not has["total"]:
        return Limit("list", STOPS, "list_empty", _("Nobody is on the list."), counts)
    if facts.only_callbacks and not has["callbacks"]:
        return Limit("list", STOPS, "only_callbacks", _("It is closing, and no agreed call is left."), counts)
    if not has["waiting"] and not has["calling"]:
        return Limit("list", STOPS, "list_exhausted", str(queues.WHY_IDLE["list_exhausted"]), counts)
    words = _("Waiting: %(waiting)s; of them free to be called %(ready)s, resting after a try or until an agreed time "
              "%(resting)s, in a call %(calling)s.", waiting=_number(has["waiting"]), ready=_number(has["ready"]),
              resting=_number(outlook.resting), calling=_number(has["calling"]))  # fmt: skip
    if outlook.now + outlook.later == 0 and has["waiting"] and not has["calling"]:
        return Limit("list", STOPS, "all_resting", words, counts)
    return Limit("list", OPEN, "people_left", words, counts)


def _hours(facts: Facts) -> Limit:
    outlook = facts.outlook
    counts = {"now": outlook.now, "later": outlook.later}
    if outlook.later == 0:
        return Limit("hours", OPEN, "open", _("It is calling hours wherever somebody of the list lives."), counts)
    if outlook.now == 0:
        sentence = _("It is outside calling hours wherever somebody of the list lives: %(people)s people wait for it.",
                     people=_number(outlook.later))  # fmt: skip
        return Limit("hours", STOPS, "hours", sentence, counts)
    sentence = _("Within calling hours: %(now)s people; waiting for them where they live: %(later)s.",
                 now=_number(outlook.now), later=_number(outlook.later))  # fmt: skip
    return Limit("hours", SLOWS, "hours_somewhere", sentence, counts)


def _quota(facts: Facts) -> Limit:
    quota = facts.quota
    if quota is None:
        return Limit("quota", OPEN, "no_quotas", _("It has none."))
    cells, full = len(quota.cells), quota.full_cells
    counts: dict[str, int | float] = {"cells": cells, "full": full, "left_out": quota.left_out, "extra": quota.extra}
    words = _("Full: %(full)s of %(cells)s cells; people left out by them: %(left_out)s.", full=full, cells=cells,
              left_out=_number(quota.left_out))  # fmt: skip
    if quota.all_full or quota.is_precise_enough:
        return Limit("quota", STOPS, "quota_full" if quota.all_full else "quota_margin", words, counts)
    return Limit(
        "quota", SLOWS if quota.left_out else OPEN, "quota_partly" if quota.left_out else "open", words, counts
    )


def _money(facts: Facts) -> Limit:
    money = facts.money
    counts = {"day": float(money.day), "total": float(money.total)}
    if money.limit is None and money.day_limit is None:
        return Limit("money", OPEN, "unlimited", _("Nothing limits it."), counts)
    most = {"day": _amount(money.day_limit), "total": _amount(money.limit)}
    words = _("Today %(day)s of %(day_limit)s, in all %(total)s of %(limit)s.", day=_amount(money.day),
              day_limit=most["day"], total=_amount(money.total), limit=most["total"])  # fmt: skip
    if money.stop is not None:
        return Limit("money", STOPS, money.stop, f"{words} {queues.why_sentence(money.stop)}", counts)
    return Limit("money", OPEN, "below_limit", words, counts)


def _team(facts: Facts) -> Limit:
    if facts.sessions is not None:
        return Limit("team", OPEN, "not_needed", _("A machine asks: no operator is needed."))
    team = facts.team
    counts = {"free": team.free, "no_line": team.no_line, "talking": team.talking, "writing_up": team.writing_up,
              "paused": team.paused, "ringing": facts.ringing}  # fmt: skip
    words = _("Free %(free)s, talking %(talking)s, writing up %(writing)s, paused %(paused)s, available without a line "
              "%(no_line)s. Phones that ring: %(ringing)s.", free=team.free, talking=team.talking,
              writing=team.writing_up, paused=team.paused, no_line=team.no_line, ringing=facts.ringing)  # fmt: skip
    if team.free:
        return Limit("team", OPEN, "some_free", words, counts)
    if team.talking or team.writing_up:
        return Limit("team", SLOWS, "operators_busy", words, counts)
    code = "no_line" if team.no_line else "no_operators"
    why = _("Nobody can take a call.") if code == "no_line" else str(queues.WHY_IDLE["no_operators"])
    return Limit("team", STOPS, code, f"{why} {words}", counts)


def _lines(facts: Facts) -> Limit:
    lines, held = facts.lines, facts.sessions
    counts: dict[str, int | float] = {"total": lines.total, "used": lines.used}
    words = _("In use: %(used)s of %(total)s.", used=_number(lines.used), total=_number(lines.total))
    if held is not None:
        most = [n for n in (held.limit, held.capacity) if n is not None]
        counts |= {"sessions": min(most, default=0), "sessions_held": held.held}
        words += " " + _("Conversations with the recording: %(held)s of at most %(most)s.", held=held.held,
                         most=min(most, default=0))  # fmt: skip
        is_full = held.capacity is not None and held.all_held >= held.capacity
        if is_full or (held.limit is not None and held.held >= held.limit):
            return Limit("lines", STOPS, "sessions_busy", words, counts)
    if lines.fault in (None, "trunks_full") and lines.total - lines.used <= 0:
        return Limit("lines", STOPS, lines.fault or "no_lines", words, counts)
    return Limit("lines", OPEN, "lines_free", words, counts)


def _a_second(facts: Facts) -> Limit:
    most = [n for n in (facts.pace.calls_per_second, facts.lines.a_second) if n is not None]
    begun = facts.lines.begun
    if not most:
        return Limit("a_second", OPEN, "unlimited", _("Nothing limits them."), {"begun": begun})
    words = _("Begun in the last second: %(begun)s of at most %(most)s.", begun=begun, most=min(most))
    is_full = begun >= min(most) or facts.why_idle == "calls_per_second"
    code = "calls_per_second" if is_full else "below"
    return Limit("a_second", SLOWS if is_full else OPEN, code, words, {"begun": begun, "most": min(most)})


def _risk(facts: Facts) -> Limit:
    limit = facts.pace.abandon_limit
    last = facts.decisions[0] if facts.decisions else None
    answered, abandoned = (last.answered, last.abandoned) if last else (0, 0)
    counts: dict[str, int | float] = {"answered": answered, "abandoned": abandoned, "limit": limit}
    share = abandoned / answered if answered else 0.0
    words = _("Abandoned %(abandoned)s of %(answered)s answered calls (%(share)s); the limit is %(limit)s.",
              abandoned=_number(abandoned), answered=_number(answered), share=format_percent(share, "0.0#%"),
              limit=format_percent(limit, "0.#%"))  # fmt: skip
    code = next((one for one in (facts.why_idle, facts.falls_back) if one in ("risk_budget", "warming_up")), None)
    if code is not None:
        return Limit("risk", SLOWS, code, f"{words} {queues.why_sentence(code)}", counts)
    return Limit("risk", OPEN, "below_limit", words, counts)


def _amount(money: Decimal | None) -> str:
    return str(_("no limit")) if money is None else str(format_currency(money, "MXN"))


def _number(people: int) -> str:
    return str(format_decimal(people))


_LOOKS: tuple[Callable[[Facts], Limit], ...] = (
    _campaign, _dialer, _mode, _carrier, _phase, _list, _hours, _quota, _money, _team, _lines, _a_second, _risk,
)  # fmt: skip
