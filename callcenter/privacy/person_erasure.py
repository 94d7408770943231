"""Taking a person's data out of use (block), back into it (unblock), and out of existence (delete)."""

from collections.abc import Sequence
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import exists, func, select, union
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.consent import Consent
from callcenter.contacts import Contact, ContactPhone
from callcenter.privacy import person_register, retention_policy
from callcenter.privacy.person_register import Gone


def block(session: Session, contact_id: int, reason: str, user_id: int | None) -> int:
    """Nobody uses this person's data from now on, on any floor; returns how many things waited for them.

    Raises InvalidInput, Refused."""
    contact = _locked(session, contact_id)
    _say_why(reason)
    if contact.blocked_at is not None:
        raise Refused("blocked", _("This person's data are blocked already."))
    contact.blocked_at = contact.updated_at = real_now()
    session.flush()
    waited = person_register.block(session, contact_id)
    audit.record(session, user_id, "contacts.block", f"contact/{contact_id}", waited=waited)
    return waited


def unblock(session: Session, contact_id: int, reason: str, user_id: int | None) -> None:
    """The data may be used again; what was taken out of queues and campaigns stays out.

    Raises InvalidInput, Refused."""
    contact = _locked(session, contact_id)
    _say_why(reason)
    if contact.blocked_at is None:
        raise Refused("not_blocked", _("This person's data are not blocked."))
    contact.blocked_at, contact.updated_at = None, real_now()
    audit.record(session, user_id, "contacts.unblock", f"contact/{contact_id}")


def delete(
    session: Session, contact_id: int, user_id: int | None, *, reason: str = "", keep_off_lists: bool = False
) -> dict[str, int]:
    """Erase a blocked person on every floor; returns how many rows of what.

    Before the waiting days are over it needs a `reason`. `keep_off_lists`: their phones go to the suppression list,
    which knows them by a keyed hash, so that no list brings them back. Raises Refused."""
    contact = _locked(session, contact_id)
    if contact.blocked_at is None:
        raise Refused("not_blocked", _("Block the data first: nothing is deleted while it is in use."))
    waiting = timedelta(days=retention_policy.read(session).days_of("blocked"))
    if real_now() < contact.blocked_at + waiting and not reason.strip():
        sentence = _("Blocked data wait %(days)s days before they are deleted. To delete them now, say why.",
                     days=waiting.days)  # fmt: skip
        raise InvalidInput({"reason": sentence})
    if _is_being_reached(session, contact_id):
        raise Refused("in_call", _("This person is being called or written to at this moment. Try again in a minute."))
    if keep_off_lists:
        for phone in _phones(session, [contact_id]):
            consent.opt_out(session, phone, reason="administrator", proof=f"user/{user_id}", source="privacy request")
    counts = erase(session, [contact_id])
    audit.record(session, user_id, "contacts.erase", f"contact/{contact_id}", **counts)
    return counts


def erase(session: Session, contact_ids: Sequence[int], *, with_texts: bool = True) -> dict[str, int]:
    """Erase people on every floor, whatever their state. `with_texts`: also from texts that only mention them."""
    session.flush()
    _keep_refusals(session, contact_ids)
    counts = person_register.erase(session, gone(session, contact_ids, with_texts=with_texts))
    session.expire_all()
    return counts


def gone(session: Session, contact_ids: Sequence[int], *, with_texts: bool) -> Gone:
    """What is looked for when these people are erased."""
    ids, names = list(contact_ids), {}
    if with_texts:
        rows = session.execute(select(Contact.id, Contact.name).where(Contact.id.in_(ids)))
        names = {row.id: person_register.words_of(row.name) for row in rows}
    return Gone(ids, frozenset(_phones(session, ids, nobody_but=ids)), names)


def _keep_refusals(session: Session, contact_ids: Sequence[int]) -> None:
    """Who refused everything in their own words is not brought back by the next list: the hash of their phones stays,
    where nobody else is reached there. (A no in a list's column of the notice is no opposition.)"""
    in_own_words = exists().where(
        Consent.contact_id == Contact.id, Consent.kind == "opted_out", Consent.channel == "all",
        ~Consent.proof.startswith("import/"),
    )  # fmt: skip
    refusing = select(Contact.id).where(Contact.id.in_(contact_ids), Contact.consent == "opted_out", in_own_words)
    ids = list(session.scalars(refusing))
    phones = _phones(session, ids, nobody_but=contact_ids) if ids else []
    for phone in sorted(phones):
        suppressions.add(session, phone, reason="administrator", source="consent", at=campaign_now(session))


def _phones(session: Session, ids: Sequence[int], *, nobody_but: Sequence[int] = ()) -> list[str]:
    """Their phones; with `nobody_but`, those at which only these people are reached."""
    firsts = select(Contact.phone).where(Contact.id.in_(ids))
    others = select(ContactPhone.phone).where(ContactPhone.contact_id.in_(ids))
    phones = union(firsts, others).subquery()
    wanted = select(phones.c.phone)
    if nobody_but:
        wanted = wanted.where(
            ~exists().where(Contact.phone == phones.c.phone, Contact.id.not_in(nobody_but)),
            ~exists().where(ContactPhone.phone == phones.c.phone, ContactPhone.contact_id.not_in(nobody_but)),
        )
    return list(session.scalars(wanted))


def _is_being_reached(session: Session, contact_id: int) -> bool:
    """In a call, or handed to a provider within the last minutes."""
    lately = Attempt.created_at > func.now() - timedelta(minutes=5)
    open_one = select(Attempt.id).where(Attempt.contact_id == contact_id, Attempt.closed_at.is_(None))
    return session.scalar(open_one.where((Attempt.channel == "call") | lately).limit(1)) is not None


def _locked(session: Session, contact_id: int) -> Contact:
    contact = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if contact is None:
        raise NotFound(_("This person is no longer in the list."))
    return contact


def _say_why(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why, in a few words.")})
