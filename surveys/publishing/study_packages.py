"""The package of a study: one ZIP with everything the authority and a reader need, made by a worker, kept as made."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later
from surveys import studies

LEASE = timedelta(minutes=15)  # a sign of life is given at every stage
# What a worker does, in order; `stage` counts those that are done.
STAGES: tuple[LazyString, ...] = (
    _l("Reading the interviews"),
    _l("Weighting and counting"),
    _l("Writing the data files"),
    _l("Writing the tables"),
    _l("Setting the study"),
    _l("Packing"),
)


class StudyPackage(Base):
    """`state`: asked → ready | failed | cancelled. `content` is the ZIP; `figures`: study_figures; `missing`:
    keys of the checklist that it lacks. `as_of` is campaign time; `fingerprint` names the record it was made of."""

    __tablename__ = "study_packages"
    __table_args__ = (CheckConstraint("state IN ('asked', 'ready', 'failed', 'cancelled')", name="state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(default="asked")
    language: Mapped[str] = mapped_column(default="es")
    stage: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str | None]
    fingerprint: Mapped[str | None]
    as_of: Mapped[datetime | None]
    figures: Mapped[dict[str, Any] | None] = deferred(mapped_column(JSONB))
    missing: Mapped[list[Any]] = mapped_column(default=list)
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    sha256: Mapped[str | None]
    size: Mapped[int | None]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime] = mapped_column(default=real_now)
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


def ask(session: Session, study_id: int, user_id: int | None, *, language: str = "es") -> StudyPackage:
    """Have a worker make the package. Raises Refused while one is being made, or when the study was delivered."""
    study = studies.find(session, study_id)
    if study.state == "delivered":
        raise Refused("delivered", _("This study was delivered and stays as it is. Begin another one."))
    if any(package.state == "asked" for package in of_study(session, study_id)):
        raise Refused("running", _("The package is being made already. Wait until it is done."))
    made = StudyPackage(study_id=study_id, language=language, asked_by=user_id, lease_until=real_now() + LEASE)
    session.add(made)
    session.flush()
    audit.record(session, user_id, "studies.package", f"survey/{study.survey_id}", study=study_id, package=made.id)
    _enqueue(session, made.id)
    return made


def _enqueue(session: Session, package_id: int) -> None:
    enqueue_later(session, "surveys.publishing.study_jobs.make_package", package_id, queue="bulk")


def of_study(session: Session, study_id: int) -> Sequence[StudyPackage]:
    """The newest first; content and figures are read when asked for."""
    wanted = select(StudyPackage).where(StudyPackage.study_id == study_id).order_by(StudyPackage.id.desc())
    return session.scalars(wanted).all()


def newest_ready(session: Session, study_id: int) -> StudyPackage | None:
    return next((package for package in of_study(session, study_id) if package.state == "ready"), None)


def find(session: Session, package_id: int) -> StudyPackage:
    """Raises NotFound."""
    package = session.get(StudyPackage, package_id, populate_existing=True)
    if package is None:
        raise NotFound(_("There is no such package."))
    return package


def reach_stage(session: Session, package_id: int, stage: int) -> bool:
    """For the worker, between two stages: note how far it is. False: nobody wants the package any more."""
    package = session.get(StudyPackage, package_id, with_for_update=True, populate_existing=True)
    if package is None or package.state != "asked":
        return False
    package.stage, package.lease_until = stage, real_now() + LEASE
    return True


def fail(session: Session, package_id: int, sentence: str) -> None:
    """The package cannot be made, and a person is told why."""
    package = session.get(StudyPackage, package_id, with_for_update=True, populate_existing=True)
    if package is not None and package.state == "asked":
        package.state, package.fault, package.finished_at = "failed", sentence, real_now()


def cancel(session: Session, package_id: int, user_id: int | None) -> StudyPackage:
    """Stop the work; audited. Harmless when it is done."""
    package = find(session, package_id)
    if package.state == "asked":
        package.state, package.finished_at = "cancelled", real_now()
        audit.record(session, user_id, "studies.cancel_package", f"study/{package.study_id}", package=package_id)
    return package


def sweep(session: Session) -> int:
    """For the clock: ask again for packages whose worker gave no sign of life. Returns how many."""
    late = select(StudyPackage).where(StudyPackage.state == "asked", StudyPackage.lease_until < real_now())
    lost = session.scalars(late.with_for_update(skip_locked=True)).all()
    for package in lost:
        package.lease_until = real_now() + LEASE
        _enqueue(session, package.id)
    return len(lost)
