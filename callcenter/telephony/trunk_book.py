"""Trunks: the lines to the telephone network that our Asterisks call through. Tables, and finding a trunk."""

from datetime import datetime
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from callcenter.switches import Switch

TRANSPORTS = ("udp", "tcp", "tls")
FORMATS = ("plus", "digits", "national", "prefixed")  # callcenter.telephony.trunk_numbers.written
FAULTS_BEFORE_REST = 3  # in a row


class Trunk(Base):
    """A line of one switch. Times are real time. `position`: the smaller goes first. `simulated`: it leads to invented
    people only. `secret_sealed`: its password, never shown again. `channels`: calls at once.

    What it does now: `changed_at` later than `written_at`: the switch does not know it yet; `write_fault`: why (a code
    of trunk_words.FAULTS). What the switch heard last, None: nothing yet: `registered` (with the provider, where it
    must be), `reachable` (it answers at all), `detail` (in its words). `faults`: failures of ours in a row;
    `resting_until`: nobody is called through it before; `rest_seconds`: how long the last rest was."""

    __tablename__ = "trunks"
    __table_args__ = (
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        CheckConstraint("channels > 0 AND calls_per_second > 0", name="capacity"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    switch_id: Mapped[int] = mapped_column(ForeignKey("switches.id"))
    host: Mapped[str]
    port: Mapped[int]
    transport: Mapped[str]
    username: Mapped[str | None]
    secret_sealed: Mapped[str | None]
    registers: Mapped[bool]
    asks_alive: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    number_format: Mapped[str]
    number_prefix: Mapped[str] = mapped_column(default="", server_default="")
    channels: Mapped[int]
    calls_per_second: Mapped[int]
    simulated: Mapped[bool]
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    position: Mapped[int] = mapped_column(default=10, server_default=text("10"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now)
    written_at: Mapped[datetime | None]
    write_fault: Mapped[str | None]
    registered: Mapped[bool | None]
    registered_at: Mapped[datetime | None]
    reachable: Mapped[bool | None]
    detail: Mapped[str | None]
    faults: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    last_fault: Mapped[str | None]
    last_fault_at: Mapped[datetime | None]
    resting_until: Mapped[datetime | None]
    rest_seconds: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    switch: Mapped[Switch] = relationship(lazy="joined", innerjoin=True)
    prefixes: Mapped[list["TrunkPrefix"]] = relationship(
        order_by="TrunkPrefix.prefix", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )
    numbers: Mapped[list["TrunkNumber"]] = relationship(
        order_by="TrunkNumber.position", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_written(self) -> bool:
        """Does its switch know it as it stands here?"""
        return self.written_at is not None and self.written_at >= self.changed_at

    @property
    def is_resting(self) -> bool:
        return self.resting_until is not None and self.resting_until > real_now()

    @property
    def is_on_probation(self) -> bool:
        """Rested, and one call at a time shows whether it works again."""
        return self.faults >= FAULTS_BEFORE_REST and not self.is_resting

    @property
    def is_cut_off(self) -> bool:
        """Are we not registered where we must be, or does the other side not answer?"""
        return (self.registers and not self.registered) or (self.asks_alive and self.reachable is False)


class TrunkPrefix(Base):
    """Numbers that a trunk serves: E.164 digits without +, '' for all; `cost`: MXN a minute."""

    __tablename__ = "trunk_prefixes"
    __table_args__ = (UniqueConstraint("trunk_id", "prefix"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    trunk_id: Mapped[int] = mapped_column(ForeignKey("trunks.id", ondelete="CASCADE"))
    prefix: Mapped[str]
    cost: Mapped[Decimal] = mapped_column(Numeric(8, 4))


class TrunkNumber(Base):
    """A caller ID that a trunk may show (E.164), and for people of which area codes it is the local one."""

    __tablename__ = "trunk_numbers"
    __table_args__ = (UniqueConstraint("trunk_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    trunk_id: Mapped[int] = mapped_column(ForeignKey("trunks.id", ondelete="CASCADE"))
    number: Mapped[str]
    area_codes: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, server_default=text("'{}'"))
    position: Mapped[int]


class TrunkResult(Base):
    """How one call through a trunk ended, as the trunk said it. `is_fault`: our alarm, not the person's answer."""

    __tablename__ = "trunk_results"
    __table_args__ = (Index("ix_trunk_results_trunk_id_id", "trunk_id", "id"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    trunk_id: Mapped[int] = mapped_column(ForeignKey("trunks.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=real_now)
    q850: Mapped[int | None]
    sip_code: Mapped[int | None]
    is_fault: Mapped[bool]


def every(session: Session) -> list[Trunk]:
    """All trunks, those that are used first before the others."""
    query = select(Trunk).order_by(Trunk.is_enabled.desc(), Trunk.position, Trunk.name)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def enabled(session: Session) -> list[Trunk]:
    """The trunks that are used, of switches that are used, in their order."""
    return [trunk for trunk in every(session) if trunk.is_enabled and trunk.switch.is_enabled]


def find(session: Session, trunk_id: int, *, lock: bool = False) -> Trunk:
    """`lock`: nobody else changes it or counts its calls until this transaction ends. Raises NotFound."""
    query = select(Trunk).where(Trunk.id == trunk_id).execution_options(populate_existing=True)
    if lock:
        query = query.with_for_update(of=Trunk, key_share=True)  # ledger rows may refer to it meanwhile
    trunk = session.scalars(query).one_or_none()
    if trunk is None:
        raise NotFound(_("There is no such trunk."))
    return trunk


def lead_to_invented(session: Session) -> bool:
    """Do the trunks in use lead to invented people? (Simulated and real ones are never in use together.)"""
    used = enabled(session)
    return bool(used) and all(trunk.simulated for trunk in used)


def caller_ids(session: Session) -> list[str]:
    """Every number that some trunk in use may show, in the trunks' order."""
    return list(dict.fromkeys(number.number for trunk in enabled(session) for number in trunk.numbers))
