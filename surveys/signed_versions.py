"""What a survey's recipes have in common: versions that are never changed, each of which a second person signs before
figures use it. In force is the newest version that is signed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound, Refused
from surveys import questionnaire


class SignedVersion:
    """The columns of one version, for a table of recipes that says besides what its recipe is."""

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    version: Mapped[int]
    made_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now)
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    signed_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805  # SQLAlchemy hands it the class
        return (
            UniqueConstraint("survey_id", "version"),
            CheckConstraint("signed_by <> made_by", name="two_people"),
            CheckConstraint("(signed_at IS NULL) = (signed_by IS NULL)", name="signed"),
        )


V = TypeVar("V", bound=SignedVersion)


def in_force(session: Session, kind: type[V], survey_id: int) -> V | None:
    """The newest signed version; None while nobody has signed one."""
    mine = select(kind).where(kind.survey_id == survey_id, kind.signed_at.is_not(None))
    return session.scalar(mine.order_by(kind.version.desc()).limit(1))


def listed(session: Session, kind: type[V], survey_id: int) -> Sequence[V]:
    """Every version, the newest first."""
    return session.scalars(select(kind).where(kind.survey_id == survey_id).order_by(kind.version.desc())).all()


def named(session: Session, kind: type[V], survey_id: int, number: int) -> V:
    """The version of this number. Raises NotFound."""
    found = session.scalar(select(kind).where(kind.survey_id == survey_id, kind.version == number))
    if found is None:
        raise NotFound(_("There is no version %(number)s of this recipe.", number=number))
    return found


def next_number(session: Session, kind: type[V], survey_id: int) -> int:
    """The number of the version to be written; two who write at once wait for each other. Raises NotFound."""
    session.refresh(questionnaire.find(session, survey_id), with_for_update=True)
    return (session.scalar(select(func.max(kind.version)).where(kind.survey_id == survey_id)) or 0) + 1


def sign(session: Session, kind: type[V], survey_id: int, number: int, user_id: int, act: str) -> V:
    """A second person takes responsibility: from now on this version is in force. Audited as `act`; harmless twice.

    Raises NotFound; Refused("own_work") for its author, ("replaced") once a newer version is written."""
    row = named(session, kind, survey_id, number)
    session.refresh(row, with_for_update=True)
    if row.signed_at is not None:
        return row
    if row.made_by == user_id:
        raise Refused("own_work", _("A second person has to sign it: you made this version."))
    if listed(session, kind, survey_id)[0].version != number:
        raise Refused("replaced", _("A newer version was written; look at that one."))
    row.signed_by, row.signed_at = user_id, real_now()
    audit.record(session, user_id, act, f"survey/{survey_id}", version=number)
    return row
