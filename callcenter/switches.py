"""Our Asterisks: where each is, and how it fares. An operator's room and the citizens in it are on one of them."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import case, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import sealed
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound

SILENCE = timedelta(seconds=15)  # a switch whose listener has not heard from it for so long is away
AMI_USERS = ("switch", "ivr", "worker")


class Switch(Base):
    """One Asterisk. `secrets_sealed`: JSON, AMI user → secret. `folder`: its spool folder as this host sees it, None
    on another host; `folder_there`: the same folder as Asterisk sees it. `seen_at`: when its listener last heard from
    it; `booted_at`: when it started last. `fault`: the code of what keeps the listener out.
    `ivr_sessions`: how many recorded surveys it holds at once; `ivr_seen_at`: when their program last said it runs."""

    __tablename__ = "switches"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    host: Mapped[str]
    ami_port: Mapped[int]
    ws_url: Mapped[str]
    secrets_sealed: Mapped[str]
    folder: Mapped[str | None]
    folder_there: Mapped[str | None]
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default="true")
    seen_at: Mapped[datetime | None]
    booted_at: Mapped[datetime | None]
    version: Mapped[str | None]
    fault: Mapped[str | None]
    ivr_seen_at: Mapped[datetime | None]
    ivr_sessions: Mapped[int] = mapped_column(default=60, server_default="60")


@dataclass(frozen=True)
class Door:
    """How one AMI user enters one switch; free of the session."""

    switch: str
    host: str
    port: int
    user: str
    secret: str

    def __repr__(self) -> str:
        return f"Door({self.user}@{self.switch})"  # the secret never reaches a log


def register(session: Session, name: str, *, host: str, ami_port: int, ws_url: str, secrets: dict[str, str],
             folder: str | None = None, folder_there: str | None = None) -> None:  # fmt: skip
    """Write down a switch, or what is new about it."""
    values = {
        "host": host, "ami_port": ami_port, "ws_url": ws_url, "secrets_sealed": sealed.seal(json.dumps(secrets)),
        "folder": folder, "folder_there": folder_there or folder,
    }  # fmt: skip
    row = insert(Switch).values(name=name, **values)
    session.execute(row.on_conflict_do_update(index_elements=[Switch.name], set_=values))


def all_switches(session: Session) -> list[Switch]:
    """Every enabled switch, by name."""
    return list(session.scalars(select(Switch).where(Switch.is_enabled).order_by(Switch.name)))


def named(session: Session, name: str) -> Switch:
    """Raises NotFound."""
    switch = session.scalar(select(Switch).where(Switch.name == name).execution_options(populate_existing=True))
    if switch is None:
        raise NotFound(_("There is no telephone switch of this name."))
    return switch


def folder_of(session: Session, name: str) -> str | None:
    """The spool folder of a switch as this host sees it; None when it cannot, or there is no such switch."""
    return session.scalar(select(Switch.folder).where(Switch.name == name))


def door(session: Session, name: str, user: str) -> Door:
    """How `user` (one of AMI_USERS) enters the switch. Raises NotFound, sealed.Unreadable."""
    switch = named(session, name)
    return Door(switch.name, switch.host, switch.ami_port, user, json.loads(sealed.unseal(switch.secrets_sealed))[user])


def is_away(switch: Switch) -> bool:
    """Has its listener not heard from it for a while?"""
    return switch.seen_at is None or switch.seen_at < real_now() - SILENCE


def heard(session: Session, name: str, *, booted_at: datetime | None = None, version: str | None = None) -> None:
    """Its listener has heard from it just now; what is new about it is kept. A fault of others stays theirs."""
    news = {"booted_at": booted_at, "version": version}
    known = {column: value for column, value in news.items() if value is not None}
    theirs = case((Switch.fault.startswith("worker:"), Switch.fault))
    session.execute(update(Switch).where(Switch.name == name).values(seen_at=real_now(), fault=theirs, **known))


def failed(session: Session, name: str, fault: str) -> None:
    """Its listener cannot get in. `fault`: the code of the ProviderError."""
    session.execute(update(Switch).where(Switch.name == name, Switch.fault.is_distinct_from(fault)).values(fault=fault))


def any_heard(session: Session) -> bool:
    """Is there a switch that calls can go out through?"""
    return any(not is_away(switch) for switch in all_switches(session))
