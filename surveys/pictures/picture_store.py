"""Pictures by their content, and which of them each version of a questionnaire shows. Knows no questionnaire."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from surveys.forms.form_media import plain
from surveys.pictures.picture_files import PictureFile

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class Picture(Base):
    """A picture by its content, as it was uploaded. Never changed. `kind`: its media type; sides in pixels."""

    __tablename__ = "pictures"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(deferred=True)
    kind: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class QuestionnairePicture(Base):
    """What a version shows where its form names `name` (forms.form_media.plain). Stays with the version once somebody
    has answered it; a name that only a draft knows waits here for the next version."""

    __tablename__ = "questionnaire_pictures"
    __table_args__ = (Index("ix_questionnaire_pictures_sha256", "sha256"),)
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaires.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))
    added_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    added_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Shown:
    """A picture as a page shows it; sides in pixels."""

    sha256: str
    kind: str
    width: int
    height: int

    @property
    def file(self) -> str:
        """Its name among the files of a package."""
        return f"pictures/{self.sha256}.{ENDINGS[self.kind]}"


def of_version(session: Session, version_id: int) -> dict[str, Shown]:
    """Plain name -> picture, of one version."""
    rows = session.execute(
        select(QuestionnairePicture.name, Picture.sha256, Picture.kind, Picture.width, Picture.height)
        .join(Picture, Picture.sha256 == QuestionnairePicture.sha256)
        .where(QuestionnairePicture.questionnaire_id == version_id)
        .order_by(QuestionnairePicture.name)
    )
    return {row.name: Shown(row.sha256, row.kind, row.width, row.height) for row in rows}


def contents(session: Session, files: Collection[str]) -> dict[str, bytes]:
    """The pictures of these names among a package's files (`Shown.file`)."""
    if not files:
        return {}
    by_hash = {file.rpartition("/")[2].partition(".")[0]: file for file in files}
    rows = session.execute(select(Picture.sha256, Picture.content).where(Picture.sha256.in_(by_hash)))
    return {by_hash[row.sha256]: row.content for row in rows}


def digest(content: bytes) -> str:
    """The name of a picture with this content."""
    return hashlib.sha256(content).hexdigest()


def keep(session: Session, version_id: int, file: PictureFile, user_id: int | None) -> str:
    """This picture stands for its file's name in the version from now on; returns its SHA-256."""
    sha256 = digest(file.content)
    row = insert(Picture).values(sha256=sha256, content=file.content, kind=file.kind, width=file.width,
                                 height=file.height, created_at=real_now())  # fmt: skip
    session.execute(row.on_conflict_do_nothing())
    stamped = {"sha256": sha256, "added_by": user_id, "added_at": real_now()}
    named = insert(QuestionnairePicture).values(questionnaire_id=version_id, name=plain(file.name), **stamped)
    session.execute(named.on_conflict_do_update(index_elements=["questionnaire_id", "name"], set_=stamped))
    return sha256


def carry(session: Session, old_id: int, new_id: int) -> None:
    """A new version begins with the pictures of the one before."""
    kept = select(literal(new_id), QuestionnairePicture.name, QuestionnairePicture.sha256,
                  QuestionnairePicture.added_by, QuestionnairePicture.added_at)  # fmt: skip
    columns = ["questionnaire_id", "name", "sha256", "added_by", "added_at"]
    session.execute(
        insert(QuestionnairePicture).from_select(columns, kept.where(QuestionnairePicture.questionnaire_id == old_id))
    )
