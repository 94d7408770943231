"""Merging: two rows that are one person become one row, whole, and come apart again when that was a mistake.

The removed row is deleted and remembered. What hangs on it moves by movers, which every floor registers for its own
tables; each remembers what it must know to move back.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, PrimaryKeyConstraint, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column
from sqlalchemy.orm.util import identity_key

from callcenter import suppressions
from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import Contact, ContactPhone
from callcenter.people import merge_fields, row_memory
from callcenter.people.row_memory import Row

Move = Callable[[Session, int, int], Any]
MoveBack = Callable[[Session, int, int, Any], None]
BY_HAND = "by_hand"
# Shorter than PostgreSQL's own deadlock_timeout: of a merge and a call that wait for each other, the merge gives way.
LOCK_TIMEOUT = "500ms"

SENTENCES: dict[str, LazyString] = {
    "gone": _l("One of the two is no longer in the list: somebody has merged or deleted them already."),
    "blocked": _l("The data of one of them are blocked after a privacy request: nothing of them may be changed."),
    "invented": _l("One is an invented person of the drill and the other is not: they cannot be one person."),
    "in_call": _l("One of them is being called right now. Wait until the call is over, and try again."),
    "busy": _l("Somebody is working on one of them at this moment. Try again in a few seconds."),
    "undone": _l("This merge was undone already."),
    "not_newest": _l("Somebody else was merged into this person later. Undo the newest merge first."),
    "taken": _l("A list has brought one of them anew since: merge or correct that entry first, then undo."),
}


class ContactMerge(Base):
    """One merge. `kept_id` lives on (and follows when it is merged itself), `removed_id` is gone until an undo.

    `removed` is the removed row; `kept_before` and `kept_after` are the columns of the kept one that changed; `moved`
    is what each mover remembers. An undo empties all four. `rule`: a rule of people.name_likeness, or by_hand.
    `at` is campaign time."""

    __tablename__ = "contact_merges"
    __table_args__ = (
        Index("ix_contact_merges_kept_id", "kept_id"),
        Index("uq_contact_merges_removed", "removed_id", unique=True, postgresql_where=text("undone_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    removed_id: Mapped[int] = mapped_column(BigInteger)
    rule: Mapped[str]
    removed: Mapped[dict[str, Any]]
    kept_before: Mapped[dict[str, Any]]
    kept_after: Mapped[dict[str, Any]]
    moved: Mapped[dict[str, Any]]
    merged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    undone_at: Mapped[datetime | None]  # campaign time


class ContactAlias(Base):
    """A phone and name under which a merged person stood in a list: the same list again finds the person by it."""

    __tablename__ = "contact_aliases"
    __table_args__ = (PrimaryKeyConstraint("phone", "name_key"),)
    phone: Mapped[str]
    name_key: Mapped[str]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)


@dataclass(frozen=True)
class _Mover:
    move: Move
    move_back: MoveBack


_movers: dict[str, _Mover] = {}


def register_mover(kind: str, move: Move, move_back: MoveBack) -> None:
    """How the rows of one table (`kind`: its name) follow a person: `move(session, kept_id, removed_id)` returns what
    it must remember, as JSON; `move_back(session, kept_id, removed_id, memory)` undoes exactly that. Both may raise
    Refused."""
    _movers[kind] = _Mover(move, move_back)


def kinds() -> frozenset[str]:
    """The kinds of rows that have a mover."""
    return frozenset(_movers)


def column_mover(column: InstrumentedAttribute[Any]) -> tuple[Move, MoveBack]:
    """The mover of a table whose rows only change the person they point to."""

    def move(session: Session, kept_id: int, removed_id: int) -> list[Any]:
        return row_memory.moved(session, column, kept_id, of=removed_id)

    def move_back(session: Session, kept_id: int, removed_id: int, ids: list[Any]) -> None:
        row_memory.moved(session, column, removed_id, of=kept_id, ids=ids)

    return move, move_back


def merge(
    session: Session,
    kept_id: int,
    removed_id: int,
    *,
    user_id: int | None,
    rule: str = BY_HAND,
    take: Collection[str] = (),
) -> ContactMerge:
    """Make two people one. `take`: what the kept row takes from the other although it has a value of its own (see
    merge_fields). Raises Refused with the sentence why not, InvalidInput for a person and themself."""
    if kept_id == removed_id:
        raise InvalidInput(_("Choose two different people."))
    with _exclusively(session):
        kept, removed = _pair(session, kept_id, removed_id)
        moved = {kind: mover.move(session, kept_id, removed_id) for kind, mover in _movers.items()}
        after = merge_fields.combined(kept, removed, take)
        _become_one(session, kept, removed, after)
        made = ContactMerge(
            kept_id=kept_id, removed_id=removed_id, rule=rule, removed=removed, kept_after=after, moved=moved,
            kept_before={column: kept[column] for column in after}, merged_by=user_id, at=campaign_now(session),
        )  # fmt: skip
        session.add(made)
        session.flush()
    _settle(session, [kept_id])
    audit.record(session, user_id, "contacts.merge", f"contact/{kept_id}", merge=made.id, removed=removed_id, rule=rule)
    audit.record(session, user_id, "contacts.merged_into", f"contact/{removed_id}", merge=made.id, kept=kept_id)
    return made


def undo(session: Session, merge_id: int, user_id: int | None) -> ContactMerge:
    """Bring back exactly what was there; what happened since stays with the kept person. Raises Refused, NotFound."""
    with _exclusively(session):
        made = _undoable(session, merge_id)
        kept_id, removed_id = made.kept_id, made.removed_id
        (now,) = row_memory.remembered(session, Contact, Contact.id == kept_id)
        _refuse_live_call(session, kept_id)
        back = merge_fields.restored(made.kept_before, made.kept_after, now)
        row_memory.write(session, Contact, kept_id, {**back, "updated_at": real_now().isoformat()})
        _forget_names(session, made, now)
        _bring_back(session, made.removed)
        for kind, mover in reversed(_movers.items()):
            if kind in made.moved:
                mover.move_back(session, kept_id, removed_id, made.moved[kind])
        made.undone_at, made.undone_by = campaign_now(session), user_id
        made.removed, made.kept_before, made.kept_after, made.moved = {}, {}, {}, {}
        session.flush()
    _settle(session, [kept_id, removed_id])
    audit.record(session, user_id, "contacts.undo_merge", f"contact/{kept_id}", merge=merge_id, removed=removed_id)
    return made


def remember_name(session: Session, contact_id: int, phone: str, name_key: str) -> None:
    """A phone and name of a list stand for this person from now on, though they are called otherwise."""
    alias = insert(ContactAlias).values(phone=phone, name_key=name_key, contact_id=contact_id)
    session.execute(alias.on_conflict_do_update(index_elements=["phone", "name_key"], set_={"contact_id": contact_id}))


def into_whom(session: Session, contact_id: int) -> int | None:
    """Who a person that is gone was merged into."""
    gone = select(ContactMerge.kept_id).where(ContactMerge.removed_id == contact_id, ContactMerge.undone_at.is_(None))
    return session.scalar(gone)


def of_person(session: Session, contact_id: int) -> list[ContactMerge]:
    """The merges into this person that hold, newest first: the first one is the one that may be undone."""
    held = select(ContactMerge).where(ContactMerge.kept_id == contact_id, ContactMerge.undone_at.is_(None))
    return list(session.scalars(held.order_by(ContactMerge.id.desc())))


@contextmanager
def _exclusively(session: Session) -> Iterator[None]:
    """A savepoint that gives way to who holds the rows, and says in words which rule of the database stopped it."""
    session.flush()
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            yield
            session.execute(text("SET LOCAL lock_timeout = DEFAULT"))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            raise Refused("busy", str(SENTENCES["busy"])) from None
        raise
    except IntegrityError:
        raise Refused("taken", str(SENTENCES["taken"])) from None


def _pair(session: Session, kept_id: int, removed_id: int) -> tuple[Row, Row]:
    """Both rows, locked in one order whoever asks: two who merge the same pair cannot wait for each other."""
    both: dict[int, Row] = {}
    for contact_id in sorted((kept_id, removed_id)):
        both |= {row["id"]: row for row in row_memory.remembered(session, Contact, Contact.id == contact_id)}
    if len(both) < 2:
        raise Refused("gone", str(SENTENCES["gone"]))
    kept, removed = both[kept_id], both[removed_id]
    if kept["blocked_at"] or removed["blocked_at"]:
        raise Refused("blocked", str(SENTENCES["blocked"]))
    if kept["invented"] != removed["invented"]:
        raise Refused("invented", str(SENTENCES["invented"]))
    _refuse_live_call(session, kept_id, removed_id)
    return kept, removed


def _refuse_live_call(session: Session, *contact_ids: int) -> None:
    live = select(Attempt.id).where(
        Attempt.contact_id.in_(contact_ids), Attempt.channel == "call", Attempt.closed_at.is_(None)
    )
    if session.scalar(live.limit(1)) is not None:
        raise Refused("in_call", str(SENTENCES["in_call"]))


def _undoable(session: Session, merge_id: int) -> ContactMerge:
    made = session.get(ContactMerge, merge_id, with_for_update=True, populate_existing=True)
    if made is None:
        raise NotFound(_("There is no such merge."))
    if made.undone_at is not None:
        raise Refused("undone", str(SENTENCES["undone"]))
    newest = select(func.max(ContactMerge.id)).where(
        ContactMerge.kept_id == made.kept_id, ContactMerge.undone_at.is_(None)
    )
    if session.scalar(newest) != made.id:
        raise Refused("not_newest", str(SENTENCES["not_newest"]))
    return made


def _become_one(session: Session, kept: Row, removed: Row, after: Row) -> None:
    """The removed row goes, the kept one has its new values, and both are known by the names that either had."""
    _delete(session, removed["id"])
    row_memory.write(session, Contact, kept["id"], {**after, "updated_at": real_now().isoformat()})
    _drop_first_phone(session, kept["id"])
    for row in (kept, removed):
        remember_name(session, kept["id"], row["phone"], row["name_key"])


def _delete(session: Session, contact_id: int) -> None:
    known = session.identity_map.get(identity_key(Contact, contact_id))
    if known is not None:
        session.expunge(known)  # who holds it may still read who that was
    session.execute(delete(Contact).where(Contact.id == contact_id).execution_options(synchronize_session=False))


def _drop_first_phone(session: Session, kept_id: int) -> None:
    """The mover of phones has gathered all of both; the one that is called first is no extra one."""
    first = select(Contact.phone).where(Contact.id == kept_id).scalar_subquery()
    session.execute(
        delete(ContactPhone)
        .where(ContactPhone.contact_id == kept_id, ContactPhone.phone == first)
        .execution_options(synchronize_session=False)
    )


def _forget_names(session: Session, made: ContactMerge, now: Row) -> None:
    before = {**now, **made.kept_before}
    for row in (before, made.removed):
        session.execute(
            delete(ContactAlias).where(
                ContactAlias.phone == row["phone"], ContactAlias.name_key == row["name_key"],
                ContactAlias.contact_id == made.kept_id,
            )
        )  # fmt: skip


def _bring_back(session: Session, row: Row) -> None:
    if session.scalar(select(Contact.id).where(Contact.phone == row["phone"], Contact.name_key == row["name_key"])):
        raise Refused("taken", str(SENTENCES["taken"]))
    row_memory.put_back(session, Contact, [row], without=("change_id",))


def _settle(session: Session, contact_ids: list[int]) -> None:
    """What the rows repeat of other tables is true again; what this session had read of them is read anew."""
    session.flush()
    suppressions.mark(session, contact_ids)
    session.expire_all()
