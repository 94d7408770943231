"""Switches that an administrator turns while everything runs (the simulated operators of the drill, for one)."""

from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base


class Flag(Base):
    __tablename__ = "flags"
    name: Mapped[str] = mapped_column(primary_key=True)
    is_on: Mapped[bool]


def is_on(session: Session, name: str) -> bool:
    flag = session.get(Flag, name, populate_existing=True)
    return flag is not None and flag.is_on


def turn(session: Session, name: str, *, on: bool) -> None:
    session.merge(Flag(name=name, is_on=on))
