"""A questionnaire being written in the page: one draft a survey, changed step by step, taken into use as a whole."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import Refused
from surveys import questionnaire
from surveys.forms import old_forms
from surveys.forms.sheets import Source
from surveys.questionnaire import Questionnaire


class QuestionnaireDraft(Base):
    """`source`: its sheets (forms.sheets); `based_on`: the version it was begun from; `edition` counts changes."""

    __tablename__ = "questionnaire_drafts"
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True)
    source: Mapped[dict[str, Any]]
    based_on: Mapped[int | None]
    edition: Mapped[int]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Opened:
    """A draft as it is read. `edition` 0: nothing was changed yet, the source is that of the version in use."""

    source: Source
    based_on: int
    edition: int
    changed_at: datetime | None = None

    @property
    def is_changed(self) -> bool:
        return self.edition > 0


def source_of(version: Questionnaire) -> Source:
    """The sheets of a version, made of its items where they were not kept."""
    return version.source if version.source is not None else old_forms.source_of(version.items)


def opened(session: Session, survey_id: int) -> Opened:
    """The draft of this survey, or the version in use when nobody has begun one. Raises NotFound."""
    draft = session.get(QuestionnaireDraft, survey_id, populate_existing=True)
    if draft is not None:
        return Opened(draft.source, draft.based_on or 1, draft.edition, draft.changed_at)
    version = questionnaire.current(session, survey_id)
    return Opened(source_of(version), version.version, 0)


def change(session: Session, survey_id: int, edition: int, edit: Callable[[Source], None], user_id: int) -> Opened:
    """Do one change to the draft that the person saw. Raises Refused("changed_meanwhile")."""
    first = opened(session, survey_id)
    row = insert(QuestionnaireDraft).values(
        survey_id=survey_id, source=first.source, based_on=first.based_on, edition=0, changed_at=real_now()
    )
    session.execute(row.on_conflict_do_nothing())
    draft = session.scalars(
        select(QuestionnaireDraft)
        .where(QuestionnaireDraft.survey_id == survey_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if draft.edition != edition:
        raise Refused(
            "changed_meanwhile",
            _("Somebody else has changed this questionnaire meanwhile. See what it says now, then save yours again."),
        )
    source = deepcopy(draft.source)
    edit(source)
    draft.source, draft.edition = source, draft.edition + 1
    draft.changed_by, draft.changed_at = user_id, real_now()
    session.flush()
    return Opened(source, draft.based_on or 1, draft.edition, draft.changed_at)


def discard(session: Session, survey_id: int) -> None:
    """The draft goes; the version in use stays. Harmless when there is none."""
    session.execute(delete(QuestionnaireDraft).where(QuestionnaireDraft.survey_id == survey_id))
    session.expire_all()
