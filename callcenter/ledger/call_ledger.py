"""The tables of the ledger of calls. What may be done with them stands in callcenter.calls."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Identity, Index, UniqueConstraint, and_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.db import Base, kept
from callcenter.ledger.call_states import WAITS

Told: TypeAlias = tuple[UUID, str, str, dict[str, Any]]  # call, key, kind, payload: what a carrier said of a call


class Call(Base):
    """A call is an attempt (same id). Times are real time. `state`: see callcenter.ledger.call_states.

    `lease_until`: until then the worker that claimed it may tell the carrier. `carrier_ref` is the carrier's id.
    `disposition` is what the operator chose; `attempt.outcome` what became of the try. `wrap_up_until`: until then they
    write it up in peace; after it they are asked, and the floor sees it; nothing else happens.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_queue_live", "queue_id", "state", postgresql_where=text("state <> 'ended'")),
        Index("ix_calls_operator_id_ended_at", "operator_id", "ended_at"),
        Index("ix_calls_carrier_ref", "carrier_ref"),
        Index("ix_calls_entry_id", "entry_id"),
        # A citizen who may still be in an operator's room: nobody else is let in until they have gone.
        Index("ix_calls_in_room", "operator_id", "id",
              postgresql_where=text("connected_at IS NOT NULL AND hung_up_at IS NULL")),
        Index("ix_calls_trunk_live", "trunk_id",
              postgresql_where=text("trunk_id IS NOT NULL AND state <> 'ended'")),
        Index("ix_calls_wanted_room", "wanted_at", postgresql_where=text("wanted_room IS NOT NULL")),
        Index("ix_calls_leaves_room", "leaves_room", postgresql_where=text("leaves_room IS NOT NULL")),
        Index("ix_calls_trunk_id_placed_at", "trunk_id", "placed_at", postgresql_where=text("trunk_id IS NOT NULL")),
        # Written once, at a call's end: each index of this table is paid at every change of state that it covers.
        Index("ix_calls_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
        Index("ix_calls_difficult_at", "difficult_at", postgresql_where=text("difficult_at IS NOT NULL")),
        Index("ix_calls_queue_id_answered_at", "queue_id", "answered_at",
              postgresql_where=text("answered_at IS NOT NULL AND state = 'ended'")),
        Index("ix_calls_found_nobody", "queue_id", "answered_at",
              postgresql_where=text("answered_at IS NOT NULL AND connected_at IS NULL AND state = 'ended'")),
        Index("ix_calls_queue_id_placed_at", "queue_id", "placed_at", postgresql_where=text("placed_at IS NOT NULL")),
        Index("ix_calls_given_up", "queue_id", postgresql_where=text("given_up_at IS NOT NULL")),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("queue_entries.id", ondelete="SET NULL"))
    script: Mapped[str]
    carrier: Mapped[str]
    carrier_ref: Mapped[str | None]
    caller_id: Mapped[str]
    trunk_id: Mapped[int | None] = mapped_column(ForeignKey("trunks.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(default="planned")
    direction: Mapped[str] = mapped_column(default="out", server_default="out")  # out | in
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    lease_until: Mapped[datetime | None]
    placed_at: Mapped[datetime | None]
    ringing_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    offered_at: Mapped[datetime | None]
    connected_at: Mapped[datetime | None]
    hung_up_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]  # when we chose to let it ring no longer (callcenter.queueing.giving_up)
    held_at: Mapped[datetime | None]  # since when the citizen hears music
    handed_out_at: Mapped[datetime | None]  # when the citizen left the operator's room for an outside number
    wanted_room: Mapped[str | None]  # where the switch is to move the citizen, until it has (citizen_moves)
    wanted_at: Mapped[datetime | None]
    leaves_room: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))  # whose room they have not left yet
    wrap_up_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cause: Mapped[dict[str, Any] | None]  # the carrier's own words, raw
    disposition: Mapped[str | None]
    disposition_at: Mapped[datetime | None]
    note: Mapped[str | None]
    difficult_at: Mapped[datetime | None]
    difficult_seen_at: Mapped[datetime | None]  # when a supervisor took the alert
    attempt: Mapped[Attempt] = relationship(lazy="joined", innerjoin=True)


class CallEvent(Base):
    """What a carrier said of a call, as it said it. The same `key` twice is one event."""

    __tablename__ = "call_events"
    __table_args__ = (UniqueConstraint("call_id", "key"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    key: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)


def is_waiting(now: datetime) -> ColumnElement[bool]:
    """The condition of a call whose citizen has picked up and may still be given to an operator. `now`: real time."""
    return and_(Call.state == "answered", Call.direction == "out", Call.answered_at > now - WAITS)


def lock(session: Session, call_id: UUID) -> Call | None:
    """The call and its attempt, locked and fresh; None when there is none. What this transaction holds already is not
    read again: nobody else can have changed it."""
    held = _held(session)
    if call_id not in held:
        call = session.get(Call, call_id, with_for_update=True, populate_existing=True)
        if call is None:
            return None
        held[call_id] = call
    return held[call_id]


def lock_all(session: Session, call_ids: Iterable[UUID]) -> dict[UUID, Call]:
    """The same of many in one SELECT and in one order, so that two who take many never wait in a ring. Ids that are no
    call's are left out."""
    wanted, held = set(call_ids), _held(session)
    if missing := wanted - held.keys():
        query = select(Call).where(Call.id.in_(missing)).order_by(Call.id).with_for_update()
        found = session.scalars(query.execution_options(populate_existing=True))
        held |= {call.id: call for call in found}
    return {call_id: held[call_id] for call_id in wanted & held.keys()}


def keep_events(session: Session, told: Sequence[Told]) -> set[tuple[UUID, str]]:
    """Keep what was said of calls, each as (call, key, kind, payload); returns which (call, key) are new."""
    if not told:
        return set()
    session.flush()
    calls, keys, kinds, payloads = zip(*told, strict=True)
    kept_now = session.execute(_KEEP, {
        "calls": list(calls), "keys": list(keys), "kinds": list(kinds), "at": real_now(),
        "payloads": [json.dumps(payload) for payload in payloads],
    })  # fmt: skip
    return {(call_id, key) for call_id, key in kept_now}


# In words of its own: an INSERT of as many rows as there is news is put together anew each time. That takes longer than
# running it, and every webhook waits for it.
_KEEP = text("""
    INSERT INTO call_events (call_id, key, kind, at, payload)
    SELECT told.call_id, told.key, told.kind, :at, CAST(told.payload AS jsonb)
    FROM unnest(CAST(:calls AS uuid[]), CAST(:keys AS text[]), CAST(:kinds AS text[]), CAST(:payloads AS text[]))
        AS told (call_id, key, kind, payload)
    ON CONFLICT DO NOTHING RETURNING call_id, key
""")


def _held(session: Session) -> dict[UUID, Call]:
    """The calls that this transaction has locked."""
    return kept(session, "calls held")
