"""The carrier that an administrator chose for the next start. `make run` asks for it where nobody told it one."""

import os

from flask_babel import gettext as _
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import CARRIERS, PREFIX, BadSettings, read_settings
from callcenter.house_rules import HouseSetting

KEY = "carrier"
DEFAULT = "simulated"


def chosen(session: Session) -> str | None:
    """One of settings.CARRIERS; None while nobody has chosen."""
    kept = session.scalar(select(HouseSetting.value).where(HouseSetting.key == KEY))
    return kept if kept in CARRIERS else None


def choose(session: Session, carrier: str, user_id: int | None) -> None:
    """Keep the carrier of the next start; audited. Raises InvalidInput when this installation cannot start with it."""
    if carrier not in CARRIERS:
        raise InvalidInput({"carrier": _("Choose one of the carriers.")})
    if faults := faults_of(carrier):
        raise InvalidInput({"carrier": faults})
    was = chosen(session)
    row = {"value": carrier, "changed_by": user_id, "changed_at": real_now()}
    statement = insert(HouseSetting).values(key=KEY, **row).on_conflict_do_update(index_elements=["key"], set_=row)
    session.execute(statement)
    if carrier != was:
        audit.record(session, user_id, "carrier.choose", "house-rule/carrier", was=was, now=carrier)


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


def chosen_at(url: str) -> str:
    """What is kept in the database at `url`, else simulated. For a start, before anything is connected."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    try:
        with Session(engine) as session:
            has_table = inspect(session.connection()).has_table(HouseSetting.__tablename__)
            return (chosen(session) if has_table else None) or DEFAULT
    finally:
        engine.dispose()
