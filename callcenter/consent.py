"""The one gate: may this person be contacted now, on this channel, for this purpose? Asked just before every try.

The rules are `gate_rules`, what they look at is `gate_facts` and `rulebook`, the evidence of consent is `consents`."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.attempts import UNCOUNTED
from callcenter.base.clock import campaign_now
from callcenter.gate import gate_facts, gate_rules, rulebook
from callcenter.gate.consents import Consent, Evidence, evidence, opt_out, people_at, record, undo_opt_out
from callcenter.gate.gate_rules import ANSWERS_THE_PERSON, NEEDS_OPT_IN, RULES, SOON, Asked, Facts, Rule, Verdict, judge
from callcenter.gate.refusals import SENTENCES, LiftedBy, Refusal

__all__ = ["ANSWERS_THE_PERSON", "CHANNELS", "NEEDS_OPT_IN", "RULES", "SENTENCES", "SOON", "UNCOUNTED", "Asked",
           "Consent", "Evidence", "Facts", "LiftedBy", "Refusal", "Rule", "Verdict", "evidence", "hold_phones", "judge",
           "opt_out", "people_at", "record", "refusal", "refusals", "undo_opt_out", "verdicts"]  # fmt: skip

CHANNELS = ("call", "sms", "whatsapp", "telegram", "email")
_PHONE_LOCKS = 20_271  # our own space of PostgreSQL's advisory locks


def refusal(
    session: Session,
    contact_id: int | None,
    channel: str,
    purpose: str,
    *,
    phone: str,
    simulated: bool,
    attempt_id: UUID | None = None,
) -> Refusal | None:
    """Why this person may not be contacted at `phone` at this moment, or None when they may.

    `attempt_id`: the try that asks, which does not count against itself."""
    if contact_id is None:
        return Refusal("unknown_person")
    own = (attempt_id,) if attempt_id else ()
    asked = [(contact_id, phone)]
    return refusals(session, asked, channel, purpose, simulated=simulated, attempt_ids=own).get(contact_id)


def refusals(
    session: Session,
    people: Sequence[tuple[int, str]],
    channel: str,
    purpose: str,
    *,
    simulated: bool,
    attempt_ids: Collection[UUID] = (),
    is_answer: bool = False,
) -> dict[int, Refusal]:
    """The gate for a batch of (contact id, phone): two SELECTs. Who is not in the answer may be contacted now.

    `attempt_ids`: the tries that ask, planned already, which do not count against themselves. `is_answer`: these people
    wrote to us lately and are answered: how often they were tried does not matter, everything else does."""
    if not people:
        return {}
    asked = _question(session, channel, purpose, simulated=simulated, is_answer=is_answer)
    found: dict[int, Refusal] = {}
    caps = (asked.book.per_week, asked.book.in_all)
    for facts, alike in gate_facts.read_alike(session, people, channel, now=asked.now, own=attempt_ids, caps=caps):
        said = judge(facts, asked)
        if said is not None:
            found |= dict.fromkeys(alike, said)
    return found


def verdicts(
    session: Session, contact_id: int, channel: str, purposes: Iterable[str], *, phone: str, simulated: bool
) -> dict[str, list[Verdict]]:
    """What each rule of the gate says of this person now for each of the purposes, in the gate's order, and when it
    would say otherwise. The first that refuses is what `refusal` answers. Few SELECTs, however many purposes."""
    first, *others = purposes
    asked = _question(session, channel, first, simulated=simulated)
    (facts,) = gate_facts.read(session, [(contact_id, phone)], channel, now=asked.now)
    questions = [asked, *(replace(asked, purpose=purpose, memory={}) for purpose in others)]
    return {one.purpose: [gate_rules.verdict(rule, facts, one) for rule in RULES] for one in questions}


def hold_phones(session: Session, phones: Collection[str], *, wait: bool = False) -> set[str]:
    """Take these phones until the end of the transaction, so that nobody else asks the gate about them meanwhile;
    returns those that were free (all of them, later, when we `wait`: everyone who does takes them in one order).

    Who holds a phone, asks the gate, and commits a try: a household is then reached one by one, whoever asks."""
    take = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    taken = "IS NOT NULL" if wait else ""
    query = text(f"SELECT phone FROM unnest(CAST(:phones AS text[])) AS phone"  # noqa: S608  # our own words only
                 f" WHERE {take}({_PHONE_LOCKS}, hashtext(phone)) {taken}")  # fmt: skip
    return set(session.scalars(query, {"phones": sorted(phones)}))


def _question(session: Session, channel: str, purpose: str, *, simulated: bool, is_answer: bool = False) -> Asked:
    if channel not in CHANNELS or purpose not in calendar.PURPOSES:
        raise ValueError(f"no channel {channel!r} or no purpose {purpose!r}: {CHANNELS}, {calendar.PURPOSES}")
    return Asked(channel, purpose, campaign_now(session), simulated, rulebook.read(session), is_answer=is_answer)
