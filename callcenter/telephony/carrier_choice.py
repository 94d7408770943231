"""What an administrator chose for the next start: the carrier, and how the world sees our Asterisk. `make run` asks for
it where nobody told it by the environment."""

import os
from ipaddress import ip_address

from flask_babel import gettext as _
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from callcenter.base import audit
from callcenter.base.auth import Role, User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import CARRIERS, PREFIX, BadSettings, read_settings
from callcenter.gate.house_rules import HouseSetting

KEY, ADDRESS_KEY = "carrier", "public_address"
DEFAULT = "simulated"


def chosen(session: Session) -> str | None:
    """One of settings.CARRIERS; None while nobody has chosen."""
    kept = _kept(session, KEY)
    return kept if kept in CARRIERS else None


def public_address(session: Session) -> str:
    """The address under which the world finds our Asterisk behind a router; '' for none."""
    return str(_kept(session, ADDRESS_KEY) or "")


def choose(session: Session, carrier: str, address: str, user_id: int | None) -> None:
    """Keep the carrier and the public address of the next start; audited. Raises InvalidInput with every fault, also
    when this installation cannot start with this carrier, or nobody could sign in then."""
    address = address.strip()
    faults = {"carrier": _carrier_fault(session, carrier), "public_address": _address_fault(address)}
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise InvalidInput(found)
    _keep(session, KEY, carrier, chosen(session), user_id)
    _keep(session, ADDRESS_KEY, address, public_address(session), user_id)


def kept_at(url: str) -> dict[str, str]:
    """What is kept in the database at `url`, as variables of the environment. For a start, before anything is
    connected."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    try:
        with Session(engine) as session:
            if not inspect(session.connection()).has_table(HouseSetting.__tablename__):
                return {PREFIX + "CARRIER": DEFAULT}
            address = public_address(session)
            return {PREFIX + "CARRIER": chosen(session) or DEFAULT} | (
                {PREFIX + "SIP_PUBLIC_ADDRESS": address} if address else {}
            )
    finally:
        engine.dispose()


def _kept(session: Session, key: str) -> object:
    return session.scalar(select(HouseSetting.value).where(HouseSetting.key == key))


def _keep(session: Session, key: str, value: str, was: str | None, user_id: int | None) -> None:
    if value == (was or ""):
        return
    row = {"value": value, "changed_by": user_id, "changed_at": real_now()}
    statement = insert(HouseSetting).values(key=key, **row).on_conflict_do_update(index_elements=["key"], set_=row)
    session.execute(statement)
    audit.record(session, user_id, "carrier.choose", f"house-rule/{key}", was=was, now=value)


def _carrier_fault(session: Session, carrier: str) -> str:
    if carrier not in CARRIERS:
        return str(_("Choose one of the carriers."))
    if faults := faults_of(carrier):
        return faults
    if carrier == DEFAULT or _somebody_gets_in(session):
        return ""
    sentence = _(
        "With this carrier the demonstration's passwords are refused, and no administrator has another one: nobody "
        "could sign in. Change yours under «My account» first."
    )
    return str(sentence)


def _address_fault(address: str) -> str:
    try:
        fits = not address or (address.isascii() and ip_address(address).is_global)
    except ValueError:
        fits = False
    return "" if fits else str(_("This is no public address. Write it as 203.0.113.5 is written, or leave it empty."))


def _somebody_gets_in(session: Session) -> bool:
    """Has some administrator a password that is not the demonstration's?"""
    fits = (User.active, ~User.has_demo_password, User.roles.any(Role.name == "administrator"))
    return session.scalar(select(User.id).where(*fits).limit(1)) is not None


def faults_of(carrier: str) -> str:
    """What this installation's environment lacks to start with the carrier, in words; '' when nothing."""
    lacking = _faults(carrier)
    return "\n".join(fault for fault in lacking if fault not in _faults(DEFAULT))


def _faults(carrier: str) -> list[str]:
    try:
        read_settings({**os.environ, PREFIX + "CARRIER": carrier})
    except BadSettings as error:
        return str(error).splitlines()
    return []
