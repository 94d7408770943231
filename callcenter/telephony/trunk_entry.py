"""A trunk as somebody enters it: every field a text, read and checked together, each fault with what to write."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput
from callcenter.phones import normalise
from callcenter.switches import Switch
from callcenter.telephony import trunk_numbers
from callcenter.telephony.trunk_book import FORMATS, TRANSPORTS, Trunk

MOST_CHANNELS, MOST_PER_SECOND = 1000, 100
MOST_COST = Decimal(1000)  # MXN a minute
MOST_LINES = 200


@dataclass(frozen=True)
class Plan:
    """A trunk as somebody entered it, every field as text. `password` empty: it stays what it was.

    `prefixes`: a line each, `5255: 0.35` (digits, MXN a minute); `numbers`: a line each, `55 1234 0000: 55, 56`, a
    caller ID and the area codes whose people see it."""

    name: str
    switch_id: str
    host: str
    port: str
    transport: str
    username: str
    registers: bool
    asks_alive: bool
    number_format: str
    number_prefix: str
    numbers: str
    prefixes: str
    channels: str
    calls_per_second: str
    position: str
    simulated: bool
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Lists:
    """The two texts of a plan, read. `numbers`: E.164 → area codes; `prefixes`: digits → MXN a minute."""

    numbers: dict[str, list[str]]
    prefixes: dict[str, Decimal]


def read(session: Session, plan: Plan, trunk: Trunk | None) -> Lists:
    """Check everything; `trunk`: the one that is changed. Raises InvalidInput with every fault."""
    faults: dict[str, str] = {}
    lists = Lists(_numbers(plan.numbers, faults), _prefixes(plan.prefixes, faults))
    faults |= _faults(session, plan, trunk)
    if faults:
        raise InvalidInput(faults)
    return lists


def _faults(session: Session, plan: Plan, trunk: Trunk | None) -> dict[str, str]:
    found = {
        "name": _name_fault(session, plan.name.strip(), trunk),
        "switch_id": None if _is_switch(session, plan.switch_id) else _("Choose the switch that the trunk belongs to."),
        "host": None if trunk_numbers.is_host(plan.host.strip()) else _(
            "This is no host name or address. Write it without spaces, such as sip.example.com or 203.0.113.5."),
        "port": _whole(plan.port, 1, 65535, _("The port is a number from 1 to 65535; most providers use 5060.")),
        "transport": None if plan.transport in TRANSPORTS else _("Choose UDP, TCP or TLS."),
        "number_format": None if plan.number_format in FORMATS else _("Choose how the provider wants numbers."),
        "number_prefix": _prefix_fault(plan),
        "channels": _whole(plan.channels, 1, MOST_CHANNELS,
                           _("Say how many calls it carries at once: 1 to %(most)s.", most=MOST_CHANNELS)),
        "calls_per_second": _whole(plan.calls_per_second, 1, MOST_PER_SECOND,
                                   _("Say how many calls may begin in a second: 1 to %(most)s.", most=MOST_PER_SECOND)),
        "position": _whole(plan.position, 0, 999, _("The order is a number from 0 to 999; the smaller goes first.")),
        **_account_faults(plan, trunk),
    }  # fmt: skip
    return {name: str(sentence) for name, sentence in found.items() if sentence}


def _name_fault(session: Session, name: str, trunk: Trunk | None) -> str | None:
    if not name or len(name) > 80 or not name.isprintable():
        return str(_("Give the trunk a name of up to 80 letters."))
    same = select(Trunk.id).where(func.lower(Trunk.name) == name.lower(), Trunk.id != (trunk.id if trunk else 0))
    return str(_("There is a trunk of this name already.")) if session.scalar(same) is not None else None


def _is_switch(session: Session, text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and session.get(Switch, int(text)) is not None


def _account_faults(plan: Plan, trunk: Trunk | None) -> dict[str, str | None]:
    username = plan.username.strip()
    faults: dict[str, str | None] = {}
    if username and not trunk_numbers.is_username(username):
        faults["username"] = _("A user has letters, digits and . _ + - @ ~ = only, without spaces.")
    if plan.registers and not username:
        faults["username"] = _("To register, the provider must know us: write the user it gave you.")
    if plan.password and not trunk_numbers.is_secret(plan.password):
        faults["password"] = _("A password has up to 80 characters without spaces, accents, ; or \\, and does not "
                               "begin with >. Ask the provider for another one.")  # fmt: skip
    # A kept password goes to the host for which it was given and to no other: a new host gets it written anew.
    is_same_host = trunk is not None and trunk.host == plan.host.strip().lower()
    has_one = bool(plan.password) or (trunk is not None and is_same_host and trunk.secret_sealed is not None)
    if username and not has_one:
        faults["password"] = _("Write the password that the provider gave you with the user.")
    return faults


def _prefix_fault(plan: Plan) -> str | None:
    prefix = plan.number_prefix.strip()
    if plan.number_format == "prefixed" and not re.fullmatch(r"[0-9]{1,8}", prefix, re.ASCII):
        return str(_("Write the digits that go before the ten of the number: 1 to 8 of them."))
    return str(_("Only digits go before a number.")) if prefix and not (prefix.isascii() and prefix.isdigit()) else None


def _whole(text: str, least: int, most: int, sentence: str) -> str | None:
    fits = text.isascii() and text.isdigit() and len(text) < 7 and least <= int(text) <= most
    return None if fits else sentence


def _numbers(text: str, faults: dict[str, str]) -> dict[str, list[str]]:
    """Caller IDs in E.164 with their area codes; a fault names the line."""
    found: dict[str, list[str]] = {}
    for number, line in _lines(text, "numbers", faults):
        phone, _colon, tail = line.partition(":")
        areas = [area for area in re.split(r"[\s,;]+", tail) if area]
        read_ones = normalise(phone[:100]).numbers
        if len(read_ones) != 1 or not trunk_numbers.is_e164(read_ones[0].e164):
            faults["numbers"] = _(
                "Line %(line)s: write a number of ten digits; after a colon, its area codes.", line=number
            )
        elif strange := [area for area in areas if not re.fullmatch(r"[1-9][0-9]{1,2}", area, re.ASCII)]:
            faults["numbers"] = _("Line %(line)s: %(area)s is no area code; those have two or three digits.",
                                  line=number, area=strange[0][:20])  # fmt: skip
        else:
            found[read_ones[0].e164] = areas
    return found


def _prefixes(text: str, faults: dict[str, str]) -> dict[str, Decimal]:
    """E.164 digits → MXN a minute; a fault names the line."""
    found: dict[str, Decimal] = {}
    for number, line in _lines(text, "prefixes", faults):
        prefix, *rest = re.split(r"[\s:;=]+", line.strip(" \t:;="))
        prefix = prefix.removeprefix("+")
        try:
            cost = Decimal(rest[0].replace(",", ".").removeprefix("$")) if rest else Decimal(0)
        except InvalidOperation:
            cost = Decimal(-1)
        if not re.fullmatch(r"[0-9]{1,12}", prefix, re.ASCII) or len(rest) > 1:
            faults["prefixes"] = _("Line %(line)s: write the first digits with the country's, then the price of a "
                                   "minute, such as 5255: 0.35.", line=number)  # fmt: skip
        elif not (cost.is_finite() and 0 <= cost < MOST_COST):
            faults["prefixes"] = _("Line %(line)s: the price of a minute is a number such as 0.35.", line=number)
        elif prefix in found:
            faults["prefixes"] = _("Line %(line)s: %(prefix)s stands there twice.", line=number, prefix=prefix)
        else:
            found[prefix] = cost
    return found


def _lines(text: str, name: str, faults: dict[str, str]) -> Iterable[tuple[int, str]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        faults[name] = _("That is more than %(most)s lines.", most=MOST_LINES)
    return lines[:MOST_LINES]
