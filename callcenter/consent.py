"""The one gate, and the evidence it stands on: consent, opposition, suppressed phones."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class Consent(Base):
    """Evidence that a person accepted or refused. The newest row of a person holds; rows are never changed.

    `kind`: opted_in | opted_out. `channel`: all | call | sms | whatsapp. `proof`: where the evidence is (a form's
    folio, `call/<uuid>`, `message/<sid>`, `import/17 row 25`).
    """

    __tablename__ = "consents"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    channel: Mapped[str] = mapped_column(default="all")
    text_version: Mapped[str | None]
    proof: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)
    source: Mapped[str]


class Suppression(Base):
    """A phone that must not be contacted, as a keyed hash: it survives the person's deletion and re-import."""

    __tablename__ = "suppressions"
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    reason: Mapped[str]  # call | sms_reply | public_page | import | administrator
    source: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)
