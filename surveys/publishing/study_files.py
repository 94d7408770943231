"""Files that go with a study: logos of its parties, the note as published, contracts; and our own: CVs, deed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, LargeBinary, func, or_, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound

MAX_BYTES = 10 * 1024 * 1024
MOST_FILES = 40
# Of one study; and of the firm, for every study.
STUDY_KINDS: dict[str, LazyString] = {
    "logo_sponsor": _l("Logo of who sponsored"),
    "logo_conductor": _l("Logo of who conducted it"),
    "logo_publisher": _l("Logo of who published"),
    "note": _l("The note as it was published"),
    "contract": _l("Contract or invoice"),
    "other": _l("Other file"),
}
FIRM_KINDS: dict[str, LazyString] = {
    "cv": _l("CV of who answers for the study"),
    "membership": _l("Proof of membership of a guild"),
    "deed": _l("Deed of incorporation (acta constitutiva)"),
}
KINDS = {**STUDY_KINDS, **FIRM_KINDS}
# What a file begins with: its name is not believed.
_BEGINNINGS = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"PK\x03\x04", "application/vnd.openxmlformats-officedocument", "docx"),
)
PICTURES = ("image/png", "image/jpeg")


class StudyFile(Base):
    """One file. Without a study it is the firm's own and goes with every study."""

    __tablename__ = "study_files"
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int | None] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    file_name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary, nullable=False))
    added_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    added_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Given:
    """A file as it was uploaded."""

    kind: str
    file_name: str
    content: bytes


def add(session: Session, study_id: int | None, given: Given, user_id: int | None) -> StudyFile:
    """Keep the file; a logo takes the place of the one before. Raises InvalidInput."""
    kinds = FIRM_KINDS if study_id is None else STUDY_KINDS
    if given.kind not in kinds:
        raise InvalidInput({"kind": _("Choose what the file is.")})
    content_type, ending = _type_of(given)
    if study_id is not None and given.kind.startswith("logo_"):
        for old in of_study(session, study_id, given.kind):
            session.delete(old)
    elif count(session, study_id) >= MOST_FILES:
        raise InvalidInput({"file": _("There are %(limit)s files already: remove one first.", limit=MOST_FILES)})
    stem = "".join(char if char.isalnum() or char in "-_ " else "_" for char in PurePath(given.file_name).stem)[:80]
    made = StudyFile(
        study_id=study_id, kind=given.kind, file_name=f"{stem.strip() or given.kind}.{ending}", content=given.content,
        content_type=content_type, size=len(given.content), sha256=hashlib.sha256(given.content).hexdigest(),
        added_by=user_id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(session, user_id, "study_files.add", f"study/{study_id or 'firm'}", file=made.id, kind=made.kind)
    return made


def _type_of(given: Given) -> tuple[str, str]:
    if not given.content:
        raise InvalidInput({"file": _("Choose the file to upload.")})
    if len(given.content) > MAX_BYTES:
        raise InvalidInput({"file": _("The file is larger than 10 MB: make it smaller.")})
    for beginning, content_type, ending in _BEGINNINGS:
        if given.content.startswith(beginning):
            if given.kind.startswith("logo_") and content_type not in PICTURES:
                raise InvalidInput({"file": _("A logo is a picture: upload a PNG or JPEG file.")})
            return content_type, ending
    raise InvalidInput({"file": _("That is no PDF, PNG, JPEG or DOCX file.")})


def count(session: Session, study_id: int | None) -> int:
    return session.scalar(select(func.count()).where(StudyFile.study_id == study_id)) or 0


def of_study(session: Session, study_id: int, kind: str | None = None) -> list[StudyFile]:
    """The study's files, its logos first."""
    wanted = select(StudyFile).where(StudyFile.study_id == study_id)
    if kind is not None:
        wanted = wanted.where(StudyFile.kind == kind)
    return sorted(session.scalars(wanted), key=lambda file: (tuple(KINDS).index(file.kind), file.id))


def of_firm(session: Session) -> list[StudyFile]:
    """What goes with every study."""
    return list(session.scalars(select(StudyFile).where(StudyFile.study_id.is_(None)).order_by(StudyFile.id)))


def with_firm(session: Session, study_id: int) -> list[StudyFile]:
    """The study's files and the firm's."""
    wanted = select(StudyFile).where(or_(StudyFile.study_id == study_id, StudyFile.study_id.is_(None)))
    return list(session.scalars(wanted.order_by(StudyFile.id)))


def digests(session: Session, study_id: int) -> list[list[str]]:
    """[kind, sha256] of everything that goes with the study."""
    return [[file.kind, file.sha256] for file in with_firm(session, study_id)]


def find(session: Session, file_id: int) -> StudyFile:
    """Raises NotFound."""
    file = session.get(StudyFile, file_id)
    if file is None:
        raise NotFound(_("There is no such file."))
    return file


def remove(session: Session, file_id: int, user_id: int | None) -> StudyFile:
    """Take the file away for good; audited."""
    file = find(session, file_id)
    audit.record(session, user_id, "study_files.remove", f"study/{file.study_id or 'firm'}", file=file.id,
                 kind=file.kind, sha256=file.sha256)  # fmt: skip
    session.delete(file)
    session.flush()
    return file
