"""Where a recorded survey over a carrier's webhooks stands between two of them: one row a call, gone within the hour.

Over Asterisk a program holds the conversation in its memory; a webhook remembers nothing, and may be asked twice.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base

CARRIER = "twilio"  # stands where a recorded call, or a voice, names its switch
KEPT = timedelta(hours=1)  # after the last word heard: a conversation never pauses so long


class CarriedTalk(Base):
    """One conversation. `call_id`: of the call, or of the try of one's own telephone (prompt_trials); `number`: the
    interview's id, also of the one to be; `turn`: how many answers were heard; `document`: what was said last, for who
    asks again; `state`: of surveys.faces.turns.State, without answers; `left_code`: the outcome if the citizen hangs up
    now, '' where the answers say it; `full`: of call_material.Settled."""

    __tablename__ = "carried_talks"
    __table_args__ = (Index("ix_carried_talks_at", "at"),)
    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[UUID]
    turn: Mapped[int] = mapped_column(default=0)
    full: Mapped[list[list[str]] | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
    document: Mapped[str]
    left_code: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=real_now)


def find(session: Session, call_id: UUID) -> CarriedTalk | None:
    return session.get(CarriedTalk, call_id, populate_existing=True)


def left_code(session: Session, call_id: UUID) -> str:
    """The outcome of who hung up where the talk stood; '' when only the answers can say it, or there is no talk."""
    return session.scalar(select(CarriedTalk.left_code).where(CarriedTalk.call_id == call_id)) or ""


def forget(session: Session) -> None:
    """Remove the talks that ended long ago."""
    session.execute(delete(CarriedTalk).where(CarriedTalk.at < real_now() - KEPT))
