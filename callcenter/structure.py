"""The campaign's own structure: organisations and promoters, through whom people were pledged."""

from datetime import datetime

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class Organization(Base):
    """An organisation or sector that promoters belong to. `name_key`: how two spellings are found to be one."""

    __tablename__ = "organizations"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


class Promoter(Base):
    """Who brings people's signed pledges. `name_key` (segments' text_key): one promoter, however lists spell them."""

    __tablename__ = "promoters"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
