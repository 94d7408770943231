"""Trying a recorded survey on one's own telephone: it is asked as it would be, and nothing is kept of what is said.

The number rung is written nowhere.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import Refused

PAUSE = timedelta(seconds=30)  # between two tries of one person: this is no way to call others


class PromptTrial(Base):
    """One try. Its id is the id of the leg. `state`: asked | talking | over."""

    __tablename__ = "prompt_trials"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    language: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    sponsor: Mapped[str]
    state: Mapped[str] = mapped_column(default="asked")
    at: Mapped[datetime] = mapped_column(default=real_now)


def ask(session: Session, survey_id: int, language: str, sponsor: str, user_id: int) -> PromptTrial:
    """Raises Refused("too_soon")."""
    newest = session.scalar(
        select(PromptTrial.at).where(PromptTrial.user_id == user_id).order_by(PromptTrial.at.desc()).limit(1)
    )
    if newest is not None and newest > real_now() - PAUSE:
        raise Refused("too_soon", _("Your telephone was rung a moment ago. Wait half a minute and try again."))
    trial = PromptTrial(id=uuid4(), survey_id=survey_id, language=language, sponsor=sponsor[:200], user_id=user_id,
                        state="asked", at=real_now())  # fmt: skip
    session.add(trial)
    audit.record(session, user_id, "survey.ring_me", f"survey/{survey_id}")
    session.flush()
    return trial


def take(session: Session, channel: str) -> PromptTrial | None:
    """The try behind an answered leg of this unique id; None when the leg is none of these."""
    try:
        trial = session.get(PromptTrial, UUID(channel))
    except ValueError:
        return None
    if trial is not None:
        trial.state = "talking"
    return trial


def end(session: Session, trial_id: UUID) -> None:
    trial = session.get(PromptTrial, trial_id)
    if trial is not None:
        trial.state = "over"
