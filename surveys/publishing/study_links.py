"""Read-only links to a study's figures for somebody outside the house: signed, with an end, ended by hand at any time.

The code in the address names the link and nothing else; what it shows is a finished package, never live interviews."""

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.settings import Settings
from surveys import studies
from surveys.publishing import silence, study_packages

SIGNATURE = 12  # bytes
_PURPOSE = b"convoca study link 1"
LIVES = (1, 7, 30, 90)  # days to choose from


class StudyLink(Base):
    """Who was given it (`label`), until when, and how often it was opened. Real time."""

    __tablename__ = "study_links"
    id: Mapped[int] = mapped_column(primary_key=True)
    package_id: Mapped[int] = mapped_column(ForeignKey("study_packages.id", ondelete="CASCADE"), index=True)
    label: Mapped[str]
    expires_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now)
    ended_at: Mapped[datetime | None]
    opened: Mapped[int] = mapped_column(default=0)
    last_opened_at: Mapped[datetime | None]

    @property
    def is_live(self) -> bool:
        return self.ended_at is None and self.expires_at > real_now()


def make(session: Session, package_id: int, label: str, days: int, user_id: int | None) -> StudyLink:
    """A link to a finished package. Raises InvalidInput, Refused."""
    package = study_packages.find(session, package_id)
    if package.state != "ready":
        raise Refused("not_ready", _("Make the package first: a link shows what is in it."))
    if not label.strip():
        raise InvalidInput({"label": _("Say to whom the link is given.")})
    if days not in LIVES:
        raise InvalidInput({"days": _("Choose for how many days the link works.")})
    _refuse_in_silence(session, package)
    link = StudyLink(
        package_id=package_id, label=label.strip()[:200], expires_at=real_now() + timedelta(days), made_by=user_id
    )
    session.add(link)
    session.flush()
    audit.record(session, user_id, "study_links.make", f"study/{package.study_id}", link=link.id, days=days)
    return link


def end(session: Session, link_id: int, user_id: int | None) -> StudyLink:
    """The link works no more, from now on; audited."""
    link = session.get(StudyLink, link_id)
    if link is None:
        raise NotFound(_("There is no such link."))
    if link.ended_at is None:
        link.ended_at = real_now()
        audit.record(session, user_id, "study_links.end", f"package/{link.package_id}", link=link_id)
    return link


def of_study(session: Session, study_id: int) -> list[StudyLink]:
    """Newest first."""
    package = study_packages.StudyPackage
    wanted = select(StudyLink).join(package, package.id == StudyLink.package_id).where(package.study_id == study_id)
    return list(session.scalars(wanted.order_by(StudyLink.id.desc())))


def url(link: StudyLink, settings: Settings) -> str:
    return f"{settings.public_url}/study/{code(link.id, settings)}"


def code(link_id: int, settings: Settings) -> str:
    packed = struct.pack(">I", link_id)
    return urlsafe_b64encode(packed + _signature(packed, settings)).decode().rstrip("=")


def _signature(packed: bytes, settings: Settings) -> bytes:
    return hmac.digest(settings.secret_key.encode(), _PURPOSE + packed, "sha256")[:SIGNATURE]


def find(session: Session, said: str, settings: Settings) -> StudyLink:
    """The link of a code. Raises NotFound when we did not make the code."""
    try:
        raw = urlsafe_b64decode(said + "=" * (-len(said) % 4))
    except (NotBase64, ValueError):
        raw = b""
    packed, signature = raw[:4], raw[4:]
    is_ours = len(packed) == 4 and hmac.compare_digest(signature, _signature(packed, settings))
    link = session.get(StudyLink, struct.unpack(">I", packed)[0]) if is_ours else None
    if link is None:
        raise NotFound(_("This address is not complete, or it is no longer in use."))
    return link


def open_link(session: Session, link: StudyLink) -> study_packages.StudyPackage:
    """What the link shows, counted as opened. Raises Refused: ended, expired, or the electoral silence."""
    if link.ended_at is not None:
        raise Refused("ended", _("This link was ended by who gave it. Ask them for another one."))
    if link.expires_at <= real_now():
        raise Refused("expired", _("This link has expired. Ask who gave it to you for another one."))
    package = study_packages.find(session, link.package_id)
    _refuse_in_silence(session, package)
    link.opened += 1
    link.last_opened_at = real_now()
    return package


def _refuse_in_silence(session: Session, package: study_packages.StudyPackage) -> None:
    """Sharing has no exception: a pollster's release is for files that a person hands over."""
    study = studies.find(session, package.study_id)
    lock = silence.lock_at(session, campaign_now(session), [study.election_id] if study.election_id else ())
    if lock is not None:
        raise Refused("silence", lock.sentence)
