"""Questionnaires: an XLSForm in, frozen versions inside."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class Survey(Base):
    """A study in the field. Its number is in a call's script: `survey/<id>`. `state`: draft | open | closed."""

    __tablename__ = "surveys"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    population: Mapped[str | None]
    sponsor: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class Questionnaire(Base):
    """One version of a survey's questions. `form` is the ODK XForm (XML); `items` its questions, as the engine reads them."""

    __tablename__ = "questionnaires"
    __table_args__ = (UniqueConstraint("survey_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    version: Mapped[int]
    file_name: Mapped[str]
    sha256: Mapped[str]
    form: Mapped[str]
    items: Mapped[dict[str, Any]]
    frozen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)
