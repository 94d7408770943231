"""Questionnaires: an XLSForm in, frozen versions inside."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from surveys.forms.items import Items, read_items
from surveys.forms.sheets import Source
from surveys.forms.xlsform import read_workbook
from surveys.pictures import picture_store

MOST_FROZEN = 16  # versions that a process keeps; one of two thousand questions takes some ten megabytes
_frozen: dict[tuple[int, str], Items] = {}
_lock = Lock()


class Survey(Base):
    """A study in the field. Its number is in a call's script: `survey/<id>`. `state`: draft | open | closed.

    Draft until its first interview; a closed one opens no interview any more.
    """

    __tablename__ = "surveys"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    population: Mapped[str | None]
    sponsor: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class Questionnaire(Base):
    """One version of a survey's questions. `form`: the ODK XForm (XML); `items`: what the engine reads (forms.items);
    `source`: the sheets as their author wrote them (forms.sheets), None for what was read before they were kept.

    With its first answer a version is frozen: a new file then makes a new version. `form` and `source` are read when
    they are asked for: few pages need them.
    """

    __tablename__ = "questionnaires"
    __table_args__ = (UniqueConstraint("survey_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    version: Mapped[int]
    file_name: Mapped[str]
    sha256: Mapped[str]
    form: Mapped[str] = mapped_column(deferred=True)
    items: Mapped[dict[str, Any]]
    source: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    frozen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Newest:
    """The version that new interviews use, as the engine reads it. `state`: of the survey."""

    survey_id: int
    state: str
    version_id: int
    items: Items


@dataclass(frozen=True)
class ReadForm:
    """An XLSForm that was read and found whole."""

    file_name: str
    sha256: str
    form: str
    items: Items
    source: Source


def read_form(file_name: str, content: bytes) -> ReadForm:
    """Read an XLSForm. Raises InvalidInput with one sentence for each fault (sheet, row, column, what to do)."""
    workbook = read_workbook(content)
    items = read_items(workbook)
    return ReadForm(file_name[:200], hashlib.sha256(content).hexdigest(), _xform(content), items, workbook.source)


def create_survey(session: Session, name: str, file_name: str, content: bytes) -> Survey:
    """`add_survey` of a file that we trust: a command's or the demonstration's."""
    return add_survey(session, name, read_form(file_name, content))


def add_survey(session: Session, name: str, form: ReadForm) -> Survey:
    """A new survey with the first version of its questionnaire; `name` may be empty (the form's title is taken)."""
    survey = Survey(name=name.strip()[:200] or form.items["title"] or form.file_name)
    session.add(survey)
    session.flush()
    session.add(_version(survey.id, 1, form))
    session.flush()
    return survey


def replace_form(session: Session, survey_id: int, form: ReadForm) -> Questionnaire:
    """The survey's questionnaire becomes this form: in place while nobody has answered, else as a new version."""
    present = current(session, survey_id)
    session.refresh(present, with_for_update=True)
    if present.sha256 == form.sha256:
        return present
    if present.frozen_at is None:
        present.file_name, present.sha256, present.form = form.file_name, form.sha256, form.form
        present.items, present.source = form.items, form.source
        return present
    following = _version(survey_id, present.version + 1, form)
    session.add(following)
    session.flush()
    picture_store.carry(session, present.id, following.id)
    return following


def find(session: Session, survey_id: int) -> Survey:
    survey = session.get(Survey, survey_id)
    if survey is None:
        raise NotFound(_("There is no survey %(id)s.", id=survey_id))
    return survey


def current(session: Session, survey_id: int) -> Questionnaire:
    """The newest version: the one that new interviews use."""
    newest = session.scalar(
        select(Questionnaire)
        .where(Questionnaire.survey_id == survey_id)
        .order_by(Questionnaire.version.desc())
        .limit(1)
    )
    if newest is None:
        raise NotFound(_("There is no survey %(id)s.", id=survey_id))
    return newest


def newest(session: Session, survey_id: int) -> Newest | None:
    """The same for who only asks its questions: a frozen one is read once a process. None without such a survey."""
    row = session.execute(_NEWEST, {"survey_id": survey_id}).one_or_none()
    if row is None:
        return None
    is_frozen = row.frozen_at is not None
    items = frozen_items(session, row.id, row.sha256) if is_frozen else current(session, survey_id).items
    return Newest(survey_id, row.state, row.id, items)


# Built once: to put it together takes as long as PostgreSQL needs for it.
_NEWEST = (
    select(Survey.state, Questionnaire.id, Questionnaire.sha256, Questionnaire.frozen_at)
    .join(Survey, Survey.id == Questionnaire.survey_id)
    .where(Questionnaire.survey_id == bindparam("survey_id"))
    .order_by(Questionnaire.version.desc())
    .limit(1)
)


def version(session: Session, survey_id: int, number: int) -> Questionnaire:
    """One version by its number. Raises NotFound."""
    found = session.scalar(
        select(Questionnaire).where(Questionnaire.survey_id == survey_id, Questionnaire.version == number)
    )
    if found is None:
        raise NotFound(_("There is no version %(number)s of this questionnaire.", number=number))
    return found


def frozen_items(session: Session, version_id: int, sha256: str) -> Items:
    """What the engine reads of a frozen version. It never changes, so a process reads it once, not for every answer."""
    key = (version_id, sha256)
    found = _frozen.get(key)
    if found is None:
        found = session.scalars(select(Questionnaire.items).where(Questionnaire.id == version_id)).one()
        with _lock:
            _frozen[key] = found
            while len(_frozen) > MOST_FROZEN:
                del _frozen[next(iter(_frozen))]  # the one that was read first
    return found


def versions(session: Session, survey_id: int) -> list[Questionnaire]:
    """Every version, the newest first."""
    return list(
        session.scalars(
            select(Questionnaire).where(Questionnaire.survey_id == survey_id).order_by(Questionnaire.version.desc())
        )
    )


def listed(session: Session) -> list[tuple[Survey, int]]:
    """Every survey with the number of its newest version, the newest survey first."""
    newest = select(func.max(Questionnaire.version)).where(Questionnaire.survey_id == Survey.id).scalar_subquery()
    rows = session.execute(select(Survey, func.coalesce(newest, 0)).order_by(Survey.id.desc()))
    return [(survey, version) for survey, version in rows]


def set_state(session: Session, survey_id: int, state: str) -> Survey:
    """Open or close a survey by hand."""
    if state not in ("open", "closed"):
        raise InvalidInput({"state": _("A survey can be opened or closed, not “%(state)s”.", state=state)})
    survey = find(session, survey_id)
    survey.state = state
    return survey


def _version(survey_id: int, number: int, form: ReadForm) -> Questionnaire:
    return Questionnaire(
        survey_id=survey_id,
        version=number,
        file_name=form.file_name,
        sha256=form.sha256,
        form=form.form,
        items=form.items,
        source=form.source,
    )


def _xform(content: bytes) -> str:
    """The ODK XForm that pyxform makes of the file; what only pyxform refuses is told in its words."""
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    try:
        return str(convert(xlsform=content, file_type=".xlsx").xform)
    except PyXFormError as error:
        raise InvalidInput(
            {"file": _("The form cannot be converted: %(detail)s Correct the file and upload it again.", detail=error)}
        ) from error
