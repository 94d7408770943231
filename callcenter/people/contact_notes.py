"""Notes on people: short, and never about third parties' politics or about benefits.

A list of words that an administrator edits warns before a note is saved; one that is saved all the same waits for a
supervisor, who keeps or deletes it. Notes of calls stand in `calls.note` and go through the same list.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Row,
    Select,
    column,
    delete,
    func,
    literal,
    null,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import Contact, name_key
from callcenter.ledger.call_ledger import Call

_operators = table("operators", column("id"), column("user_id"))  # the noun itself stands above this module
LENGTH = 500
WORDS = ("apoyo", "despensa", "dinero", "tinaco", "camión")  # until an administrator says otherwise
MAX_WORDS, MAX_WORD = 200, 40


class ContactNote(Base):
    """A note on a person. One about a call has no text of its own, and is here only while a supervisor has to look at
    it or has kept it. `review`: none | open | kept. `hits`: the listed words that it holds. `at`: campaign time."""

    __tablename__ = "contact_notes"
    __table_args__ = (
        CheckConstraint("(text IS NULL) = (call_id IS NOT NULL)", name="one_text"),
        CheckConstraint("review IN ('none', 'open', 'kept')", name="review"),
        Index("ix_contact_notes_open", "id", postgresql_where=text("review = 'open'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), unique=True)
    text: Mapped[str | None]
    hits: Mapped[list[Any]]
    review: Mapped[str]
    written_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reviewed_at: Mapped[datetime | None]


class NoteFilter(Base):
    """One row once an administrator has changed the list of words."""

    __tablename__ = "note_filters"
    id: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[list[Any]]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now)


def words(session: Session) -> list[str]:
    """The words that warn, as they were written."""
    kept = session.get(NoteFilter, 1)
    return [str(word) for word in kept.words] if kept else list(WORDS)


def set_words(session: Session, given: Sequence[str], user_id: int | None) -> None:
    """Change the list: it counts for what is written from now on. Raises InvalidInput."""
    wanted = list(dict.fromkeys(" ".join(word.split()) for word in given if word.strip()))
    if len(wanted) > MAX_WORDS or any(len(word) > MAX_WORD or not _tokens(word) for word in wanted):
        sentence = _("At most %(many)s words of at most %(long)s letters.", many=MAX_WORDS, long=MAX_WORD)
        raise InvalidInput({"words": sentence})
    changed = {"words": wanted, "changed_by": user_id, "changed_at": real_now()}
    row = insert(NoteFilter).values(id=1, **changed)
    session.execute(row.on_conflict_do_update(index_elements=["id"], set_=changed))
    session.expire_all()
    audit.record(session, user_id, "notes.set_words", "notes", words=len(wanted))


def found_words(said: str, listed: Collection[str]) -> list[str]:
    """The listed words that a text holds, whatever its accents, capitals and plurals; pure."""
    line = " " + " ".join(_tokens(said)) + " "
    return [word for word in listed if re.search(_pattern(word), line)]


def warning(hits: Sequence[str]) -> str:
    """What to tell who is about to save such a note."""
    listed = ", ".join(f"«{word}»" for word in hits)
    sentence: str = _(
        "The note says %(words)s. Notes hold no politics of other people and no benefits, gifts or transport."
        " If you save it, a supervisor reads it and may delete it.", words=listed,
    )  # fmt: skip
    return sentence


def warning_of(session: Session, said: str | None) -> str | None:
    """The warning for a note as it stands; None when nothing in it warns."""
    hits = found_words(said, words(session)) if said else []
    return warning(hits) if hits else None


def write(
    session: Session, contact_id: int, said: str, user_id: int | None, *, despite_words: bool = False
) -> ContactNote:
    """Keep a note on a person. Raises InvalidInput, and Refused(`words`) with the warning unless `despite_words`."""
    said = said.strip()
    if not said or len(said) > LENGTH:
        raise InvalidInput({"text": _("Write a note of at most %(long)s characters.", long=LENGTH)})
    hits = found_words(said, words(session))
    if hits and not despite_words:
        raise Refused("words", warning(hits))
    note = ContactNote(
        contact_id=contact_id, text=said, hits=hits, review="open" if hits else "none", written_by=user_id,
        at=campaign_now(session),
    )  # fmt: skip
    session.add(note)
    session.flush()
    audit.record(session, user_id, "notes.write", f"contact/{contact_id}", note=note.id, hits=len(hits))
    return note


def screen_call(session: Session, call: Call) -> list[str]:
    """Look at the note of a call as it now stands: with listed words it waits for a supervisor. Returns the words."""
    hits = found_words(call.note or "", words(session)) if call.note else []
    known = session.scalars(select(ContactNote).where(ContactNote.call_id == call.id)).one_or_none()
    if not hits or call.attempt.contact_id is None:
        if known is not None:
            session.delete(known)
        return hits
    if known is None:
        written_by = session.scalar(select(_operators.c.user_id).where(_operators.c.id == call.operator_id))
        row = {"contact_id": call.attempt.contact_id, "call_id": call.id, "hits": hits, "review": "open",
               "written_by": written_by, "at": campaign_now(session)}  # fmt: skip
        session.execute(insert(ContactNote).values(row).on_conflict_do_nothing(index_elements=["call_id"]))
    elif known.hits != hits:
        known.hits, known.review, known.reviewed_by, known.reviewed_at = hits, "open", None, None
    return hits


def of_person(session: Session, contact_id: int, limit: int = 50) -> list[Row[Any]]:
    """The newest notes on a person, of calls too. columns: at, text, author, from_call, review (none, open, kept)"""
    author = select(User.full_name).where(User.id == ContactNote.written_by).scalar_subquery()
    written: Select[Any] = select(
        ContactNote.at, ContactNote.text, author.label("author"), literal(False).label("from_call"), ContactNote.review
    ).where(ContactNote.contact_id == contact_id, ContactNote.call_id.is_(None))
    review = select(ContactNote.review).where(ContactNote.call_id == Call.id).scalar_subquery()
    operator = (
        select(User.full_name)
        .join(_operators, _operators.c.user_id == User.id)
        .where(_operators.c.id == Call.operator_id)
        .scalar_subquery()
    )
    of_calls: Select[Any] = (
        select(Attempt.at, Call.note, operator, literal(True), func.coalesce(review, "none"))
        .join(Call, Call.id == Attempt.id)
        .where(Attempt.contact_id == contact_id, Call.note.is_not(None))
    )
    both = union_all(written, of_calls).subquery()
    return list(session.execute(select(both).order_by(both.c.at.desc()).limit(limit)))


def to_review(session: Session, *, after: int = 0, limit: int = 50) -> list[Row[Any]]:
    """What waits for a supervisor, oldest first. columns: ContactNote, said, contact_name, author"""
    said = func.coalesce(ContactNote.text, Call.note, null()).label("said")
    waiting = (
        select(ContactNote, said, Contact.name.label("contact_name"), User.full_name.label("author"))
        .join(Contact, Contact.id == ContactNote.contact_id)
        .outerjoin(Call, Call.id == ContactNote.call_id)
        .outerjoin(User, User.id == ContactNote.written_by)
        .where(ContactNote.review == "open", ContactNote.id > after)
    )
    return list(session.execute(waiting.order_by(ContactNote.id).limit(limit)))


def count_open(session: Session) -> int:
    """How many notes wait for a supervisor."""
    return session.scalar(select(func.count()).where(ContactNote.review == "open")) or 0


def keep(session: Session, note_id: int, user_id: int | None) -> None:
    """The supervisor finds nothing wrong with it. Raises NotFound."""
    note = _locked(session, note_id)
    note.review, note.reviewed_by, note.reviewed_at = "kept", user_id, real_now()
    audit.record(session, user_id, "notes.keep", f"contact/{note.contact_id}", note=note_id)


def remove(session: Session, note_id: int, user_id: int | None) -> None:
    """The supervisor deletes it, in the call's record too. Raises NotFound."""
    note = _locked(session, note_id)
    if note.call_id is not None:
        call = session.get(Call, note.call_id, with_for_update=True, populate_existing=True)
        if call is not None:
            call.note = None
    session.execute(delete(ContactNote).where(ContactNote.id == note_id))
    audit.record(session, user_id, "notes.delete", f"contact/{note.contact_id}", note=note_id)


def _locked(session: Session, note_id: int) -> ContactNote:
    note = session.get(ContactNote, note_id, with_for_update=True, populate_existing=True)
    if note is None:
        raise NotFound(_("There is no such note: it may have been deleted already."))
    return note


def _tokens(said: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name_key(said))


def _pattern(word: str) -> str:
    return " " + " ".join(_either_number(token) for token in _tokens(word)) + " "


def _either_number(token: str) -> str:
    """A word in the singular and the plural, whichever of them stands in the list."""
    stems = {token}
    if token.endswith("s"):
        stems |= {token[:-1], token.removesuffix("es")}
    forms = {form for stem in stems if len(stem) > 2 for form in (stem, stem + "s", stem + "es")} | {token}
    forms |= {stem[:-1] + "ces" for stem in stems if stem.endswith("z")}
    if token.endswith("ces"):
        forms.add(token[:-3] + "z")
    return "(?:" + "|".join(sorted(forms)) + ")"
