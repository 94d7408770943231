"""Evidence of consent and opposition: who accepted or refused what, on which channel, when, and where the proof is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import contacts, suppressions
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput
from callcenter.contacts import Contact, ContactPhone
from callcenter.queueing import withdrawals
from callcenter.queues import QueueEntry

KINDS = ("opted_in", "opted_out")
SCOPES = ("all", "call", "sms", "whatsapp", "telegram", "email")  # what a consent is for: every channel, or one


class Consent(Base):
    """Evidence that a person accepted or refused. The newest row of a person for a channel, or for all, holds; rows are
    never changed.

    `kind`: opted_in | opted_out. `channel`: one of SCOPES. `proof`: where the evidence is (a form's
    folio, `call/<uuid>`, `message/<sid>`, `import/17 row 25`).
    `at` is campaign time, as is everything that is done to reach a person.
    """

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("channel IN ('all', 'call', 'sms', 'whatsapp', 'telegram', 'email')", name="channel"),
        # Hardly anybody has one: the gate finds out at no cost.
        Index("ix_consents_one_channel", "contact_id", "channel", postgresql_where=text("channel <> 'all'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    channel: Mapped[str] = mapped_column(default="all")
    text_version: Mapped[str | None]
    proof: Mapped[str]
    at: Mapped[datetime]
    source: Mapped[str]


@dataclass(frozen=True)
class Evidence:
    """A consent or its withdrawal as somebody puts it on file. `text_version`: of the notice that was read or shown;
    `proof`: where the paper, recording or message is. `at` (campaign time): when the person said it."""

    kind: str
    channel: str
    proof: str
    at: datetime
    source: str
    text_version: str | None = None


def record(session: Session, contact_id: int, said: Evidence, user_id: int | None) -> Consent:
    """Put on file what the person said; audited. Newest counts: an older paper changes nothing that came after it.

    It lifts no suppression of the phone: see `suppressions.lift`. Raises InvalidInput with every fault, NotFound."""
    contact = contacts.get(session, contact_id)
    if faults := _faults(said, campaign_now(session)):
        raise InvalidInput(faults)
    row = Consent(contact_id=contact_id, **said.__dict__)
    session.add(row)
    session.flush()
    mirror(session, contact)
    if said.kind == "opted_out" and said.channel == "all":
        withdrawals.withdraw(session, [contact_id], "opted_out")
    audit.record(session, user_id, "consents.record", f"contact/{contact_id}", kind=said.kind, channel=said.channel,
                 consent=row.id)  # fmt: skip
    return row


def _faults(said: Evidence, now: datetime) -> dict[str, str]:
    faults = {}
    if said.kind not in KINDS:
        faults["kind"] = _("Say whether the person accepts or refuses.")
    if said.channel not in SCOPES:
        faults["channel"] = _("Choose a channel, or all of them.")
    if not said.proof.strip():
        faults["proof"] = _("Write where the proof is: a form's number, a recording, a message.")
    if said.kind == "opted_in" and not (said.text_version or "").strip():
        faults["text_version"] = _("Write which version of the notice the person accepted.")
    if said.at > now:
        faults["at"] = _("This moment is still to come.")
    return faults


def evidence(session: Session, contact_id: int) -> list[Consent]:
    """The person's consents and refusals, newest first."""
    return list(
        session.scalars(
            select(Consent).where(Consent.contact_id == contact_id).order_by(Consent.at.desc(), Consent.id.desc())
        )
    )


def mirror(session: Session, contact: Contact) -> None:
    """Let `contact.consent` say what the newest row for all channels says; without one it stays as it is."""
    newest = select(Consent.kind).where(Consent.contact_id == contact.id, Consent.channel == "all")
    kind = session.scalar(newest.order_by(Consent.at.desc(), Consent.id.desc()).limit(1))
    if kind is not None and kind != contact.consent:
        contact.consent, contact.updated_at = kind, real_now()
        session.flush()


def opt_out(session: Session, phone: str, *, reason: str, proof: str, source: str) -> None:
    """Nobody at `phone` is contacted again, on any channel or list: suppression, evidence, and out of every queue.

    Harmless twice, and for a phone that nobody here knows."""
    now = campaign_now(session)
    people = _hold_people_at(session, phone)
    suppressions.add(session, phone, reason=reason, source=source, at=now)
    if not people:
        return
    session.execute(
        insert(Consent),
        [{"contact_id": person, "kind": "opted_out", "proof": proof, "source": source, "at": now} for person in people],
    )
    session.execute(update(Contact).where(Contact.id.in_(people)).values(consent="opted_out", updated_at=real_now()))
    withdrawals.withdraw(session, people, "opted_out")


def _hold_people_at(session: Session, phone: str) -> list[int]:
    """Everybody at the phone, who is merged with nobody until the caller commits: a merge that is under way ends first,
    and who was kept by it is at the phone then."""
    people: list[int] = []
    while (found := sorted(people_at(session, phone))) != people:
        people = found
        hold = select(Contact.id).where(Contact.id.in_(people)).order_by(Contact.id)
        session.execute(hold.with_for_update(key_share=True))
    return people


def people_at(session: Session, phone: str) -> list[int]:
    """Ids of everybody reached at `phone`, as their first or another phone."""
    extra = select(ContactPhone.contact_id).where(ContactPhone.phone == phone)
    return list(session.scalars(select(Contact.id).where(or_(Contact.phone == phone, Contact.id.in_(extra)))))


def undo_opt_out(session: Session, phone: str, *, proof: str) -> None:
    """Take back an opt-out that an operator entered by mistake a moment ago; `proof` is that act's own.

    Its rows are removed, because a slip of a key is no evidence; earlier refusals of the same phone or people stay."""
    slips = list(session.scalars(select(Consent).where(Consent.proof == proof, Consent.kind == "opted_out")))
    if not slips:
        return
    before = min(slip.at for slip in slips) - timedelta(seconds=1)  # the suppression was written just before them
    suppression = suppressions.find(session, phone)
    if suppression is not None and suppression.reason == "call" and suppression.at >= before:
        suppressions.take_off(session, phone)
    for slip in slips:
        session.delete(slip)
    session.flush()
    for person in {slip.contact_id for slip in slips}:
        held = next((row.kind for row in evidence(session, person) if row.channel == "all"), "unknown")
        session.execute(update(Contact).where(Contact.id == person).values(consent=held, updated_at=real_now()))
        if held != "opted_out":
            out = (QueueEntry.contact_id == person, QueueEntry.state == "excluded", QueueEntry.reason == "opted_out")
            session.execute(update(QueueEntry).where(*out).values(state="waiting", reason=None))
