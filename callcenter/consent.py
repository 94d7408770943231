"""The one gate, and the evidence it stands on: consent and opposition. Suppressed phones: `suppressions`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import calendar, suppressions, zones
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.db import Base
from callcenter.contacts import Contact, ContactPhone
from callcenter.queues import QueueEntry

CHANNELS = ("call", "sms", "whatsapp")
CHANNELS_WITH_HOURS = ("call", "sms")
NEEDS_OPT_IN = ("persuasion", "mobilization")
ANSWERS_THE_PERSON = ("citizen_care", "privacy_request")  # they asked: the caps are not for them
# Frequency caps, over every channel, for the phone and for the person.
MAX_PER_WEEK, MAX_IN_ALL = 3, 6
WEEK = timedelta(days=7)
# A try that never left the house does not count.
UNCOUNTED = ("refused_by_gate", "not_placed", "excluded", "cancelled", "canceled")

SENTENCES = {
    "suppressed": _l("This phone asked not to be contacted again."),
    "opted_out": _l("This person did not accept, or withdrew their consent."),
    "blocked": _l("This person's data are blocked after a privacy request."),
    "unknown_person": _l("This person is no longer in the list."),
    "invented": _l("This is an invented person of the drill: only a simulated carrier may reach them."),
    "not_opted_in": _l("This purpose needs the person's recorded consent, and there is none."),
    "phase": _l("The phase of the election does not allow this purpose now."),
    "phase_members": _l("In this phase the purpose is only for members of the organisation."),
    "phase_sign_off": _l("In this phase the purpose needs a lawyer's written approval."),
    "phase_drill": _l("Before election day this purpose is only rehearsed through a simulated carrier."),
    "hours": _l("It is outside calling hours where this person lives."),
    "cap_week": _l("This phone or person was tried three times in the last seven days."),
    "cap_total": _l("This phone or person was tried six times: that is the limit."),
    "household": _l("Somebody at this phone is being called right now."),
}
_PHASE_CODES = {"no": "phase", "members": "phase_members", "sign_off": "phase_sign_off", "drill": "phase_drill"}


@dataclass(frozen=True)
class Refusal:
    """Why nobody may contact this person now. `until` (campaign time): when to ask again; None: time heals nothing."""

    code: str
    until: datetime | None = None

    @property
    def sentence(self) -> LazyString:
        """The reason in the reader's language (drawn where it is shown; jobs keep the code)."""
        return SENTENCES[self.code]


class Consent(Base):
    """Evidence that a person accepted or refused. The newest row of a person holds; rows are never changed.

    `kind`: opted_in | opted_out. `channel`: all | call | sms | whatsapp. `proof`: where the evidence is (a form's
    folio, `call/<uuid>`, `message/<sid>`, `import/17 row 25`).
    `at` is campaign time, as is everything that is done to reach a person.
    """

    __tablename__ = "consents"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    channel: Mapped[str] = mapped_column(default="all")
    text_version: Mapped[str | None]
    proof: Mapped[str]
    at: Mapped[datetime]
    source: Mapped[str]


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
) -> dict[int, Refusal]:
    """The gate for a batch of (contact id, phone): one SELECT. Who is not in the answer may be contacted now.

    `attempt_ids`: the tries that ask, planned already, which do not count against themselves."""
    if channel not in CHANNELS or purpose not in calendar.PURPOSES:
        raise ValueError(f"no channel {channel!r} or no purpose {purpose!r}: {CHANNELS}, {calendar.PURPOSES}")
    if not people:
        return {}
    now = campaign_now(session)
    found: dict[int, Refusal] = {}
    for row in session.execute(_FACTS, _question(people, now, attempt_ids)):
        verdict = judge(row, channel, purpose, now=now, simulated=simulated)
        if verdict:
            found[row.contact_id] = verdict
    return found


def judge(facts: Any, channel: str, purpose: str, *, now: datetime, simulated: bool) -> Refusal | None:
    """The rule itself, pure. `facts`: a row of `_FACTS`."""
    return (
        _personal_refusal(facts, purpose, simulated=simulated)
        or _phase_refusal(facts, purpose, simulated=simulated)
        or _hours_refusal(facts, channel, now)
        or _cap_refusal(facts, purpose)
        or (Refusal("household") if channel == "call" and facts.is_being_called else None)
    )


def _personal_refusal(facts: Any, purpose: str, *, simulated: bool) -> Refusal | None:
    if facts.is_suppressed:
        return Refusal("suppressed")
    if facts.consent is None:
        return Refusal("unknown_person")
    if facts.is_blocked:
        return Refusal("blocked")
    if facts.invented and not simulated:
        return Refusal("invented")
    if facts.consent == "opted_out":
        return Refusal("opted_out")
    if purpose in NEEDS_OPT_IN and facts.consent != "opted_in":
        return Refusal("not_opted_in")
    return None


def _phase_refusal(facts: Any, purpose: str, *, simulated: bool) -> Refusal | None:
    rule = calendar.RULES[purpose, facts.phase or "ordinary"]
    if rule == "yes" or (rule == "drill" and simulated) or (rule == "members" and facts.is_member):
        return None
    return Refusal(_PHASE_CODES[rule])


def _hours_refusal(facts: Any, channel: str, now: datetime) -> Refusal | None:
    if channel not in CHANNELS_WITH_HOURS:
        return None
    until = calendar.opens_at(now, zones.zones_of(facts.state, facts.municipality, facts.phone))
    return Refusal("hours", until) if until else None


def _cap_refusal(facts: Any, purpose: str) -> Refusal | None:
    if purpose in ANSWERS_THE_PERSON:
        return None
    if max(facts.phone_total, facts.person_total) >= MAX_IN_ALL:
        return Refusal("cap_total")
    ends = [
        freed + WEEK
        for count, freed in ((facts.phone_recent, facts.phone_freed), (facts.person_recent, facts.person_freed))
        if count >= MAX_PER_WEEK
    ]
    return Refusal("cap_week", max(ends)) if ends else None


# columns: contact_id, phone, consent (NULL: no such person), invented, is_blocked, is_member, state, municipality,
# is_suppressed, phase (NULL: ordinary), is_being_called, and for phone and person: …_total and …_recent (tries),
# …_freed (the try whose seventh day makes room for the next)
_TRIES = """
    LEFT JOIN LATERAL (
        SELECT count(*) AS total, count(*) FILTER (WHERE at > :week_ago) AS recent,
            (array_agg(at ORDER BY at DESC))[:max_per_week] AS freed,
            bool_or(closed_at IS NULL AND channel = 'call') AS is_being_called
        FROM attempts WHERE {by} AND (outcome IS NULL OR outcome <> ALL(:uncounted)) AND id <> ALL(:own)
    ) AS {name} ON true"""
_PEOPLE = """
    SELECT asked.contact_id, asked.phone, c.consent, c.invented, c.blocked_at IS NOT NULL AS is_blocked,
        c.is_member, c.state, c.municipality,
        EXISTS (SELECT FROM suppressions s WHERE s.phone_hash = asked.hash) AS is_suppressed,
        (SELECT phase FROM phases WHERE starts <= :today AND ends >= :today ORDER BY starts DESC, id DESC LIMIT 1)
            AS phase,
        COALESCE(at_phone.is_being_called, false) AS is_being_called,
        at_phone.total AS phone_total, at_phone.recent AS phone_recent, at_phone.freed AS phone_freed,
        of_person.total AS person_total, of_person.recent AS person_recent, of_person.freed AS person_freed
    FROM unnest(CAST(:ids AS bigint[]), CAST(:phones AS text[]), CAST(:hashes AS bytea[]))
        AS asked (contact_id, phone, hash)
    LEFT JOIN contacts c ON c.id = asked.contact_id"""
_FACTS = text(
    "".join(
        (
            _PEOPLE,
            _TRIES.format(by="phone = asked.phone", name="at_phone"),
            _TRIES.format(by="contact_id = asked.contact_id", name="of_person"),
        )
    )
)


def _question(people: Sequence[tuple[int, str]], now: datetime, own: Collection[UUID]) -> dict[str, Any]:
    return {
        "ids": [contact_id for contact_id, _ in people],
        "phones": [phone for _, phone in people],
        "hashes": [suppressions.phone_hash(phone) for _, phone in people],
        "today": now.astimezone(ZONE).date(),
        "week_ago": now - WEEK,
        "max_per_week": MAX_PER_WEEK,
        "uncounted": list(UNCOUNTED),
        "own": list(own),
    }


def opt_out(session: Session, phone: str, *, reason: str, proof: str, source: str) -> None:
    """Nobody at `phone` is contacted again, on any channel or list: suppression, evidence, and out of every queue.

    Harmless twice, and for a phone that nobody here knows."""
    now = campaign_now(session)
    suppressions.add(session, phone, reason=reason, source=source, at=now)
    people = people_at(session, phone)
    if not people:
        return
    session.execute(
        insert(Consent),
        [{"contact_id": person, "kind": "opted_out", "proof": proof, "source": source, "at": now} for person in people],
    )
    session.execute(update(Contact).where(Contact.id.in_(people)).values(consent="opted_out", updated_at=real_now()))
    session.execute(
        update(QueueEntry)
        .where(QueueEntry.contact_id.in_(people), QueueEntry.state == "waiting")
        .values(state="excluded", reason="opted_out")
    )


def people_at(session: Session, phone: str) -> list[int]:
    """Ids of everybody reached at `phone`, as their first or another phone."""
    extra = select(ContactPhone.contact_id).where(ContactPhone.phone == phone)
    return list(session.scalars(select(Contact.id).where(or_(Contact.phone == phone, Contact.id.in_(extra)))))


def evidence(session: Session, contact_id: int) -> list[Consent]:
    """The person's consents and refusals, newest first."""
    return list(
        session.scalars(
            select(Consent).where(Consent.contact_id == contact_id).order_by(Consent.at.desc(), Consent.id.desc())
        )
    )


def undo_opt_out(session: Session, phone: str, *, proof: str) -> None:
    """Take back an opt-out that an operator entered by mistake a moment ago; `proof` is that act's own.

    Its rows are removed, because a slip of a key is no evidence; earlier refusals of the same phone or people stay."""
    slips = list(session.scalars(select(Consent).where(Consent.proof == proof, Consent.kind == "opted_out")))
    if not slips:
        return
    before = min(slip.at for slip in slips) - timedelta(seconds=1)  # the suppression was written just before them
    suppression = suppressions.find(session, phone)
    if suppression is not None and suppression.reason == "call" and suppression.at >= before:
        session.delete(suppression)
    for slip in slips:
        session.delete(slip)
    session.flush()
    for person in {slip.contact_id for slip in slips}:
        held = next((row.kind for row in evidence(session, person)), "unknown")
        session.execute(update(Contact).where(Contact.id == person).values(consent=held, updated_at=real_now()))
        if held != "opted_out":
            out = (QueueEntry.contact_id == person, QueueEntry.state == "excluded", QueueEntry.reason == "opted_out")
            session.execute(update(QueueEntry).where(*out).values(state="waiting", reason=None))
