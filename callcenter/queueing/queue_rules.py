"""Who of a queue is called when: retries by outcome, passes, order, spending. May be changed while the queue runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.gate.rulebook import MAX_IN_ALL
from callcenter.queueing.queue_tables import CallQueue

HOUR = 60
LEFT_ALONE = 72 * HOUR  # minutes; who picked up to silence, whatever anybody sets
LONGEST = 14 * 24 * HOUR  # minutes between two tries, however a pause grows
LOOK_SECONDS = (15, 900)  # the shortest and the longest look at a person before a call
MOST_PASSES, MOST_RETRIES, MOST_GROWTH = 5, 10, 5.0
MOST_GROWN = 50  # times that a pause grows: it has long been the longest one then, and the power stays a number
MOST_MONEY = Decimal(100_000_000)

ORDERS: dict[str, LazyString] = {
    "priority": _l("Priority of the person"),
    "section_goal": _l("Sections that are furthest from their goal"),
    "pass": _l("Earlier passes before later ones"),
    "hour": _l("People for whom this hour is the best"),
    "newest": _l("Newest on the list"),
}
# What makes a try count for nothing: it is made again, and no rule bounds how often. Its pause may grow to an hour: a
# number of which the network says each time that there is no line must not keep a line busy.
GIVEN_BACK = frozenset({"canceled", "lost", "not_placed"})
# The phone is of no use for this person: another one of theirs is tried, or they are done.
DEAD_PHONE = frozenset({"invalid_number", "wrong_number"})


@dataclass(frozen=True)
class Retry:
    """What follows a try that ended in one way. `most`: how often in one pass (None: in the only pass as often as
    `most_attempts` allows; with several passes not at all). `minutes`: until the next, `growth` times as long each time
    again. `other_phone`: at the next phone of the same person. `next_pass`: whoever has used up `most` comes back in
    the next pass."""

    most: int | None = None
    minutes: float = HOUR
    growth: float = 1.0
    other_phone: bool = False
    next_pass: bool = True


# An outcome that is not here is final.
RETRIES: dict[str, Retry] = {
    "busy": Retry(minutes=15),
    "no_answer": Retry(minutes=2 * HOUR),
    "given_up": Retry(minutes=2 * HOUR),
    "machine": Retry(minutes=3 * HOUR),
    "voicemail": Retry(minutes=3 * HOUR),
    "not_available": Retry(minutes=3 * HOUR),
    "no_reply": Retry(minutes=3 * HOUR),
    "failed": Retry(minutes=HOUR),
    "not_coded": Retry(minutes=HOUR),
    "invalid_number": Retry(minutes=2, other_phone=True),
    "wrong_number": Retry(minutes=2, other_phone=True),
    "abandoned": Retry(minutes=LEFT_ALONE),
    "lost": Retry(minutes=HOUR),
    "canceled": Retry(minutes=10),
    "not_placed": Retry(minutes=2, growth=2.0),
}


@dataclass(frozen=True)
class Rules:
    """`retries`: outcome or disposition → what differs from RETRIES. `most_attempts`: tries of a person in this queue.
    `passes`: how often the list is gone through, for one person at least `minutes_between_passes` apart. `order`: codes
    of ORDERS, the weightiest first. `section_goal`: conversations wanted in each section. `household_minutes`: rest of
    the others at a phone after a conversation there. `look_seconds`: how long an operator may look at a person before a
    call (mode preview), `skip_minutes`: until one whom they skipped is shown again. Money in MXN: `minute_price` where
    the trunk names none; the queue dials nobody once it has spent `spend_limit`, or `spend_day_limit` on one day."""

    retries: Mapping[str, Retry] = field(default_factory=dict)
    most_attempts: int = 3
    passes: int = 1
    minutes_between_passes: int = 24 * HOUR
    order: tuple[str, ...] = ("priority", "pass")
    section_goal: int | None = None
    household_minutes: int = 0
    look_seconds: int = 120
    skip_minutes: int = 60
    minute_price: Decimal = Decimal(0)
    spend_limit: Decimal | None = None
    spend_day_limit: Decimal | None = None

    def retry(self, outcome: str) -> Retry | None:
        """What follows the outcome; None when it is final."""
        return self.retries.get(outcome, RETRIES.get(outcome))


@dataclass(frozen=True)
class Step:
    """What becomes of a person after a try: again in so many `minutes`, or, when that is None, done for `reason`."""

    reason: str
    minutes: float | None = None
    is_new_pass: bool = False
    other_phone: bool = False


def next_step(
    rules: Rules, outcome: str, *, same: int, tries: int, pass_number: int, is_callback: bool = False
) -> Step:
    """What a try that ended with `outcome` means. `same`: tries of this pass that ended so, `tries`: all that counted,
    both with this one. A promised callback is not lost to `most_attempts`."""
    retry = rules.retry(outcome)
    if retry is None:
        return Step(outcome)
    longest = max(retry.minutes, HOUR) if outcome in GIVEN_BACK else LONGEST
    pause = min(retry.minutes * retry.growth ** min(max(same - 1, 0), MOST_GROWN), longest)
    if outcome in GIVEN_BACK:
        return Step(outcome, pause)
    if tries >= rules.most_attempts and not is_callback:
        return Step("max_attempts")
    most = retry.most if retry.most is not None or rules.passes == 1 else 0
    if most is None or same <= most:
        return Step(outcome, pause, other_phone=retry.other_phone)
    if retry.next_pass and pass_number < rules.passes:
        return Step(outcome, max(pause, rules.minutes_between_passes), is_new_pass=True, other_phone=retry.other_phone)
    return Step(outcome if most == 0 and rules.passes == 1 else "max_attempts")


def of(session: Session, queue_id: int) -> Rules:
    """Raises NotFound."""
    queue = session.get(CallQueue, queue_id)
    if queue is None:
        raise NotFound(_("There is no such call queue."))
    return of_queue(queue)


def of_queue(queue: CallQueue) -> Rules:
    return from_kept(queue.rules)


def set_rules(session: Session, queue_id: int, rules: Rules, user_id: int | None) -> None:
    """Let the queue go by these rules from its next try on, and audit them. Raises InvalidInput, NotFound."""
    faults = faults_of(rules)
    if faults:
        raise InvalidInput(faults)
    queue = session.get(CallQueue, queue_id, with_for_update=True, populate_existing=True)
    if queue is None:
        raise NotFound(_("There is no such call queue."))
    old, new = of_queue(queue), to_keep(rules)
    if from_kept(new) == old:
        return
    audit.record(session, user_id, "queues.set_rules", f"queue/{queue_id}", was=queue.rules, now=new)
    queue.rules = new
    if _arranged_by(old) != _arranged_by(rules) and queue.state != "draft":
        enqueue_later(session, "callcenter.queueing.queue_jobs.arrange", queue_id, queue="bulk")
    session.flush()
    for topic in (f"queue/{queue_id}", "dialer"):
        tell_later(session, topic)


def is_arranged(rules: Rules) -> bool:
    """Does the order look at what is written into the entries (callcenter.queueing.queue_order)?"""
    return _arranged_by(rules) != (False, None)


def _arranged_by(rules: Rules) -> tuple[bool, int | None]:
    """What the entries keep of the order: other rules mean other entries."""
    return "hour" in rules.order, rules.section_goal if "section_goal" in rules.order else None


def to_keep(rules: Rules) -> dict[str, Any]:
    """As JSON: what differs from the rules of the house."""
    kept = {name: value for name, value in asdict(rules).items() if value != getattr(Rules(), name)}
    kept.pop("retries", None)
    changed = {code: retry for code, retry in rules.retries.items() if retry != RETRIES.get(code)}
    if changed:
        kept["retries"] = {code: asdict(retry) for code, retry in changed.items()}
    if "order" in kept:
        kept["order"] = list(rules.order)
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in kept.items()}


def from_kept(kept: Mapping[str, Any]) -> Rules:
    """The rules that `to_keep` wrote; `{}`: those of the house."""
    given: dict[str, Any] = dict(kept)
    if "retries" in given:
        given["retries"] = {code: Retry(**retry) for code, retry in given["retries"].items()}
    if "order" in given:
        given["order"] = tuple(given["order"])
    for name in ("minute_price", "spend_limit", "spend_day_limit"):
        if given.get(name) is not None:
            given[name] = Decimal(given[name])
    return Rules(**given)


def faults_of(rules: Rules) -> dict[str, str]:
    """What cannot be used of them: field (`retries.busy` for one outcome) → a sentence."""
    faults = {}
    for name, least, most in (
        ("most_attempts", 1, MAX_IN_ALL), ("passes", 1, MOST_PASSES), ("minutes_between_passes", 0, LONGEST),
        ("household_minutes", 0, LONGEST), ("section_goal", 1, 100_000),
        ("look_seconds", *LOOK_SECONDS), ("skip_minutes", 1, LONGEST),
    ):  # fmt: skip
        value = getattr(rules, name)
        if value is not None and not least <= value <= most:
            faults[name] = _("Give a number from %(least)s to %(most)s.", least=least, most=most)
    for name in ("minute_price", "spend_limit", "spend_day_limit"):
        money = getattr(rules, name)
        if money is not None and not (money.is_finite() and 0 <= money <= MOST_MONEY):
            faults[name] = _("Give an amount in MXN that is not negative, or nothing.")
    if set(rules.order) - set(ORDERS) or len(set(rules.order)) < len(rules.order):
        faults["order"] = _("Name each of these at most once: %(codes)s.", codes=", ".join(ORDERS))
    elif "section_goal" in rules.order and rules.section_goal is None:
        faults["section_goal"] = _("Say how many conversations are wanted in each section.")
    return faults | _faults_of_retries(rules.retries)


def _faults_of_retries(retries: Mapping[str, Retry]) -> dict[str, str]:
    faults = {}
    for code, retry in retries.items():
        least = LEFT_ALONE if code == "abandoned" else 1
        if code not in RETRIES:
            faults[f"retries.{code}"] = _("There is no retry after %(code)s; choose one of: %(codes)s.",
                                          code=code, codes=", ".join(RETRIES))  # fmt: skip
        elif not least <= retry.minutes <= LONGEST:
            faults[f"retries.{code}"] = _("Give a pause from %(least)s to %(most)s minutes.", least=least, most=LONGEST)
        elif not 1 <= retry.growth <= MOST_GROWTH:
            faults[f"retries.{code}"] = _("A pause grows between 1 and %(most)s times.", most=f"{MOST_GROWTH:g}")
        elif retry.most is not None and not 0 <= retry.most <= MOST_RETRIES:
            faults[f"retries.{code}"] = _("Retry between 0 and %(most)s times.", most=MOST_RETRIES)
    return faults
