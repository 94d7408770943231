"""Legs of a call beside the citizen's: an outside number that was asked in, or the line to another operator's room.

Committed before the carrier hears of them; their id is the channel's. At most one lives in a call at a time.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, column, select, table, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import carriers
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.transfer_targets import TransferTarget

_operators = table("operators", column("id"), column("user_id"))  # the noun itself stands above this module


class CallLeg(Base):
    """`kind`: outside (target_id) | consult (operator_id). `state`: asked | ringing | up | ended. `room`: where it
    stands when it is up. `cause`: the carrier's own words, raw."""

    __tablename__ = "call_legs"
    __table_args__ = (
        Index("ix_call_legs_call_id", "call_id"),
        Index("ix_call_legs_asked_by", "asked_by", postgresql_where=text("ended_at IS NULL")),
        Index("ix_call_legs_live", "created_at", postgresql_where=text("ended_at IS NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    kind: Mapped[str]
    target_id: Mapped[int | None] = mapped_column(ForeignKey("transfer_targets.id", ondelete="SET NULL"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    room: Mapped[str]
    ref: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="asked", server_default="asked")
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cause: Mapped[dict[str, Any] | None]


def live(session: Session, call_id: UUID) -> CallLeg | None:
    """The leg that lives in this call, fresh."""
    wanted = select(CallLeg).where(CallLeg.call_id == call_id, CallLeg.ended_at.is_(None))
    return session.scalar(wanted.order_by(CallLeg.created_at.desc()).limit(1).execution_options(populate_existing=True))


def last(session: Session, call_id: UUID) -> CallLeg | None:
    """The newest leg of this call, whatever became of it."""
    wanted = select(CallLeg).where(CallLeg.call_id == call_id).order_by(CallLeg.created_at.desc()).limit(1)
    return session.scalar(wanted.execution_options(populate_existing=True))


def card(session: Session, call: Call) -> dict[str, Any]:
    """What the console shows of a call's acts: can there be any, is the citizen on hold, who else is on the line."""
    leg = live(session, call.id) or last(session, call.id)
    return {
        "can": carriers.can("hold"),
        "consults": carriers.can("consult"),
        "held_at": call.held_at.isoformat() if call.held_at else None,
        "handed_out": call.handed_out_at is not None,
        "leg": None if leg is None else {
            "kind": leg.kind, "state": leg.state, "name": _name(session, leg), "was_up": leg.answered_at is not None,
        },
    }  # fmt: skip


def _name(session: Session, leg: CallLeg) -> str:
    if leg.operator_id is not None:
        own = select(User.full_name).join(_operators, _operators.c.user_id == User.id)
        return session.scalar(own.where(_operators.c.id == leg.operator_id)) or ""
    target = session.get(TransferTarget, leg.target_id) if leg.target_id else None
    return target.name if target else ""
