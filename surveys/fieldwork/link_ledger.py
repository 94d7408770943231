"""The rows of survey links: one person's own way to one survey, without a log-in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class SurveyLink(Base):
    """One a person, survey and wave; its address is made of `id` and a signature (link_codes), stored nowhere.

    `interview_id`: the person's interview once it has begun, on whatever channel. `source`: what it went out with,
    `message-campaign/3` or `conversation/5`. `on_behalf_of`: whom the page names. All times are real."""

    __tablename__ = "survey_links"
    __table_args__ = (
        UniqueConstraint("survey_id", "contact_id", "wave", postgresql_nulls_not_distinct=True),
        UniqueConstraint("interview_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    interview_id: Mapped[UUID | None] = mapped_column(ForeignKey("interviews.id", ondelete="SET NULL"))
    wave: Mapped[str | None]
    source: Mapped[str]
    on_behalf_of: Mapped[str] = mapped_column(default="", server_default="")
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    opted_out_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)
