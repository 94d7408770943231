"""The wordings of a message campaign: A, which is its own text, and B where two are tried against each other.

Rows exist only where there is more to say than the campaign's text. What goes with a wording (a template of the
provider, a picture, a subject) stands in campaigns.texts.enclosures."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, column, delete, select, table
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base

FIRST, SECOND = "A", "B"
LETTERS = (FIRST, SECOND)
_campaigns = table("message_campaigns", column("id", Integer), column("text", String))


class MessageWording(Base):
    """One wording. `share`: percent of the people who get it."""

    __tablename__ = "message_wordings"
    __table_args__ = (
        CheckConstraint("letter IN ('A', 'B')", name="letter"),
        CheckConstraint("share BETWEEN 1 AND 100", name="share"),
    )
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("message_campaigns.id", ondelete="CASCADE"), primary_key=True
    )  # fmt: skip
    letter: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    share: Mapped[int] = mapped_column(default=100, server_default=sql("100"))


@dataclass(frozen=True)
class Wording:
    """A wording as others see it; the fields of MessageWording."""

    letter: str
    text: str
    share: int = 100


def of(session: Session, campaign_id: int) -> list[Wording]:
    """Every wording, A first; one that says the campaign's text where nothing else was decided."""
    rows = session.scalars(
        select(MessageWording).where(MessageWording.campaign_id == campaign_id).order_by(MessageWording.letter)
    )
    found = [Wording(row.letter, row.text, row.share) for row in rows]
    return found or [Wording(FIRST, _own_text(session, campaign_id))]


def texts(session: Session, campaign_id: int) -> dict[str, str]:
    """letter → what it says, with placeholders."""
    return {one.letter: one.text for one in of(session, campaign_id)}


def keep(session: Session, campaign_id: int, wanted: Sequence[Wording]) -> None:
    """These are the wordings from now on; the first is the campaign's own text, which the caller keeps."""
    session.execute(delete(MessageWording).where(MessageWording.campaign_id == campaign_id))
    if len(wanted) < 2:
        return
    session.add_all(
        MessageWording(campaign_id=campaign_id, letter=one.letter, text=one.text, share=one.share) for one in wanted
    )
    session.flush()


def _own_text(session: Session, campaign_id: int) -> str:
    found = select(_campaigns.c.text).where(_campaigns.c.id == campaign_id)
    return str(session.execute(found).scalar_one_or_none() or "")
