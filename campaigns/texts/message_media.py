"""Images and short videos that go with messages: looked at before they are kept, and fetched by providers from an
address that nobody can guess.

The database keeps the bytes, so that every web process has them; each keeps a copy on its disk, because a provider may
fetch one picture a hundred thousand times.
"""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, LargeBinary, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.channels import Facts, Media
from campaigns.texts import media_files

MOST_BYTES = 20 * 2**20  # what any channel takes
SIGNATURE = 12  # bytes: more than anybody guesses


class MessageMedia(Base):
    """`width` and `height` in pixels, None for a video whose file does not say. `content` as it leaves: what a camera
    wrote into an image (where and when it was taken) is cut out before it is kept."""

    __tablename__ = "message_media"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    kind: Mapped[str]  # image | video
    content_type: Mapped[str]
    size: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    sha256: Mapped[str] = mapped_column(unique=True)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)

    @property
    def extension(self) -> str:
        return media_files.EXTENSIONS[self.content_type]


def keep(session: Session, name: str, content: bytes, user_id: int | None) -> MessageMedia:
    """Look at a file and keep it; the same file twice is one. Raises InvalidInput: what it is, and what would do."""
    found = media_files.look_at(content)
    clean = media_files.without_traces(content, found.content_type)
    digest = hashlib.sha256(clean).hexdigest()
    there = session.scalar(select(MessageMedia).where(MessageMedia.sha256 == digest))
    if there is not None:
        return there
    media = MessageMedia(
        id=uuid4(), name=Path(name.replace("\\", "/")).name.replace("\0", "")[:120] or digest[:8], kind=found.kind,
        content_type=found.content_type, size=len(clean), width=found.width, height=found.height, sha256=digest,
        content=clean, created_by=user_id,
    )  # fmt: skip
    session.add(media)
    session.flush()
    audit.record(session, user_id, "message_media.keep", f"message-media/{media.id}", size=media.size, kind=media.kind)
    return media


def find(session: Session, media_id: UUID) -> MessageMedia:
    """Raises NotFound."""
    found = session.get(MessageMedia, media_id)
    if found is None:
        raise NotFound(_("There is no such image or video."))
    return found


def newest(session: Session, limit: int = 50) -> list[MessageMedia]:
    return list(session.scalars(select(MessageMedia).order_by(MessageMedia.created_at.desc()).limit(limit)))


def fault(media: MessageMedia, facts: Facts) -> str | None:
    """Why this channel does not take it, in a sentence; None when it does."""
    name, most = str(facts.label), facts.media.get(media.content_type)
    if not facts.media:
        return str(_("%(channel)s carries no images or videos here.", channel=name))
    if most is None:
        kinds = ", ".join(sorted(media_files.EXTENSIONS[one] for one in facts.media))
        return str(_("%(channel)s does not take this kind of file; it takes %(kinds)s.", channel=name, kinds=kinds))
    if media.size > most:
        return str(_("The file has %(size)s MB; %(channel)s takes at most %(most)s MB.", size=_megabytes(media.size),
                     channel=name, most=_megabytes(most)))  # fmt: skip
    return None


def enclosed(media: MessageMedia, settings: Settings | None = None) -> Media:
    """As it goes with a message."""
    return Media(media.kind, media.content_type, public_url(media, settings), media.size)


def public_url(media: MessageMedia, settings: Settings | None = None) -> str:
    """Where providers fetch it: our public address, and a name that only we can make."""
    settings = settings or channels.configured()
    return f"{settings.public_url}/m/{token(media.id, settings)}.{media.extension}"


def token(media_id: UUID, settings: Settings) -> str:
    return urlsafe_b64encode(media_id.bytes + _signature(media_id, settings)).decode().rstrip("=")


def read_token(said: str, settings: Settings) -> UUID:
    """Whose token this is. Raises NotFound when we did not make it."""
    try:
        raw = urlsafe_b64decode(said + "=" * (-len(said) % 4))
    except (NotBase64, ValueError):
        raw = b""
    if len(raw) != 16 + SIGNATURE or not hmac.compare_digest(raw[16:], _signature(UUID(bytes=raw[:16]), settings)):
        raise NotFound(_("There is no such image or video."))
    return UUID(bytes=raw[:16])


def file_of(session: Session, media: MessageMedia, settings: Settings) -> Path:
    """Its bytes as a file of this machine, written once."""
    folder = settings.var / "message-media"
    path = folder / media.sha256
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{media.sha256}.{os.getpid()}.{uuid4().hex[:8]}")
        draft.write_bytes(session.scalars(select(MessageMedia.content).where(MessageMedia.id == media.id)).one())
        draft.replace(path)  # whole or not at all, whoever else writes it
    return path


def _signature(media_id: UUID, settings: Settings) -> bytes:
    key = settings.secret_key.encode()
    return hmac.digest(key, b"message media " + media_id.bytes, "sha256")[:SIGNATURE]


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f}".removesuffix(".0")


def check_size(size: int) -> None:
    """Raises InvalidInput when no channel takes so many bytes."""
    if size > MOST_BYTES:
        raise InvalidInput({"file": _("The file has %(size)s MB; no channel takes more than %(most)s MB.",
                                      size=_megabytes(size), most=_megabytes(MOST_BYTES))})  # fmt: skip
