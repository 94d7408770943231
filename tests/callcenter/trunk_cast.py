"""Switches and trunks for tests: nothing of them exists."""

from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import switches
from callcenter.base import sealed
from callcenter.base.clock import real_now
from callcenter.switches import Switch
from callcenter.telephony import trunk_book
from callcenter.telephony.trunk_book import Trunk, TrunkNumber, TrunkPrefix
from callcenter.telephony.trunk_entry import Plan

_names = count(1)
MEXICO_CITY, XALAPA = "+525512340000", "+522281230000"


def switch(session: Session, name: str = "local", *, is_heard: bool = True) -> Switch:
    """A switch whose listener has just heard from it."""
    secrets = dict.fromkeys(switches.AMI_USERS, "s")
    sealed.configure("secret-of-the-tests")  # the same as the application's
    switches.register(session, name, host="127.0.0.1", ami_port=5038, ws_url="ws://127.0.0.1:8088/ws", secrets=secrets)
    made = session.scalars(select(Switch).where(Switch.name == name)).one()
    made.seen_at = real_now() if is_heard else None
    session.flush()
    return made


def trunk(session: Session, prefixes: dict[str, str] | None = None, *, numbers: dict[str, list[str]] | None = None,
          **columns: Any) -> Trunk:  # fmt: skip
    """A trunk in use that leads to invented people, knows nothing of a registration, and serves every number."""
    shown = {MEXICO_CITY: ["55", "56"]} if numbers is None else numbers
    wanted = {"name": f"Línea {next(_names)}", "switch_id": _switch_id(session), "host": "192.0.2.10", "port": 5060,
              "transport": "udp", "registers": False, "number_format": "plus", "channels": 2, "calls_per_second": 50,
              "simulated": True, "written_at": real_now()} | columns  # fmt: skip
    made = Trunk(**wanted)
    made.changed_at = made.written_at or real_now()
    made.prefixes = [TrunkPrefix(prefix=prefix, cost=Decimal(cost)) for prefix, cost in (prefixes or {}).items()]
    made.numbers = [TrunkNumber(number=number, area_codes=areas, position=position)
                    for position, (number, areas) in enumerate(shown.items())]  # fmt: skip
    session.add(made)
    session.flush()
    return made


def plan(session: Session, **fields: Any) -> Plan:
    """A trunk as an administrator would enter it."""
    wanted: dict[str, Any] = {
              "name": "Proveedor", "switch_id": str(_switch_id(session)), "host": "sip.example.com", "port": "5060",
              "transport": "udp", "username": "cuenta1", "password": "clave-1", "registers": True, "asks_alive": True,
              "number_format": "plus", "number_prefix": "", "numbers": "55 1234 0000: 55, 56", "prefixes": "52: 0.35",
              "channels": "30", "calls_per_second": "5", "position": "10", "simulated": False} | fields  # fmt: skip
    return Plan(**wanted)


def fresh(session: Session, trunk_id: int) -> Trunk:
    session.flush()
    return trunk_book.find(session, trunk_id)


def _switch_id(session: Session) -> int:
    found = session.scalar(select(Switch.id).order_by(Switch.id).limit(1))
    return found if found is not None else switch(session).id
