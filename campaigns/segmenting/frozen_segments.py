"""Frozen lists: the people whom a segment meant at one moment, kept under a number."""

from datetime import datetime
from typing import Any, Protocol

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, insert, literal, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from callcenter.contacts import Contact
from campaigns.segmenting import segment_counts
from campaigns.segmenting.segment_nodes import Node

NEWEST = 200
_AT_ONCE = 100_000


class FrozenSegment(Base):
    """`rule` is the segment's as it was frozen, at `segment_version`; `as_of` is campaign time, `frozen_at` real time.

    `people`: how many there were; who is deleted since then is in no answer any more."""

    __tablename__ = "frozen_segments"
    id: Mapped[int] = mapped_column(primary_key=True)
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segments.id", ondelete="SET NULL"), index=True)
    segment_name: Mapped[str]
    segment_version: Mapped[int]
    rule: Mapped[dict[str, Any]]
    people: Mapped[int] = mapped_column(default=0)
    as_of: Mapped[datetime]
    frozen_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    frozen_at: Mapped[datetime] = mapped_column(default=real_now)


class FrozenMember(Base):
    """One person of a frozen list. No foreign key on the person: checking a million of them takes longer than writing
    them, and every reader joins the people anyway."""

    __tablename__ = "frozen_members"
    frozen_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class Source(Protocol):
    """The segment that is frozen."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def rule(self) -> dict[str, Any]: ...


def freeze(session: Session, node: Node, segment: Source, user_id: int | None) -> FrozenSegment:
    """Write the people of `node`, which is the segment's rule as read, under a new number."""
    frozen = FrozenSegment(
        segment_id=segment.id, segment_name=segment.name, segment_version=segment.version, rule=segment.rule,
        as_of=campaign_now(session), frozen_by=user_id,
    )  # fmt: skip
    session.add(frozen)
    session.flush()
    looked = segment_counts.look(session, node)
    if looked is not None:
        frozen.people = _copy_in(session, frozen.id, looked.ids(looked.masks[0]))
    else:
        frozen.people = _select_in(session, frozen.id, node)
    session.flush()
    return frozen


def _select_in(session: Session, frozen_id: int, node: Node) -> int:
    ids = segment_counts.selected(node).order_by(Contact.id).subquery()
    rows = insert(FrozenMember).from_select(["frozen_id", "contact_id"], select(literal(frozen_id), *ids.c))
    return session.connection().execute(rows, execution_options={"preserve_rowcount": True}).rowcount


def _copy_in(session: Session, frozen_id: int, ids: Any) -> int:
    """COPY in PostgreSQL's binary form (https://www.postgresql.org/docs/18/sql-copy.html): the array is the file."""
    import numpy as np

    rows = np.empty(len(ids), [("fields", ">i2"), ("l1", ">i4"), ("frozen", ">i4"), ("l2", ">i4"), ("id", ">i8")])
    rows["fields"], rows["l1"], rows["frozen"], rows["l2"], rows["id"] = 2, 4, frozen_id, 8, ids
    connection: Any = session.connection().connection.driver_connection
    statement = "COPY frozen_members (frozen_id, contact_id) FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for first in range(0, len(rows), _AT_ONCE):
            copy.write(rows[first : first + _AT_ONCE].tobytes())
        copy.write(b"\xff\xff")
    return len(ids)


def names(session: Session) -> dict[int, str]:
    """The newest frozen lists, each as «name · day · people»."""
    newest = session.scalars(select(FrozenSegment).order_by(FrozenSegment.id.desc()).limit(NEWEST))
    return {
        one.id: f"{one.segment_name} · {format_date(one.as_of, 'd MMM')} · {format_decimal(one.people)}"
        for one in newest
    }


def get(session: Session, frozen_id: int) -> FrozenSegment:
    """The frozen list; raises NotFound."""
    frozen = session.get(FrozenSegment, frozen_id)
    if frozen is None:
        raise NotFound(_("There is no frozen list %(number)s.", number=frozen_id))
    return frozen
