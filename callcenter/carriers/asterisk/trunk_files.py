"""Trunks as an Asterisk reads them: sections of its file of trunks, written and removed through AMI. Pure but `write`,
`remove` and `look`, which ask.

https://docs.asterisk.org/Configuration/Channel-Drivers/SIP/Configuring-res_pjsip/PJSIP-Configuration-Wizard/"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk import actions
from callcenter.carriers.asterisk.actions import Action, BadAction
from callcenter.carriers.asterisk.client import Answer, Packet
from callcenter.telephony import trunk_numbers

FILE, TEMPLATE = "pjsip_trunks.conf", "trunk-wiz"
ASK_ALIVE = "30"  # seconds between two questions whether the other side is there
TRANSPORTS = ("udp", "tcp", "tls")
Ask = Callable[[Action], Answer]
_SECTION = re.compile(r"trunk-([0-9]+)")
_REGISTRATION = re.compile(r"trunk-([0-9]+)-reg-[0-9]+")
_AOR = re.compile(r"trunk-([0-9]+)(?:/|;@|$)")
REGISTERED = {"Registered": True, "Rejected": False, "Stopped": False}
REACHABLE = {"Reachable": True, "Avail": True, "Unreachable": False, "Unavail": False}


@dataclass(frozen=True)
class TrunkFile:
    """What Asterisk must know of a trunk; free of the session. `number`: its main one in E.164, where calls to us come
    in."""

    id: int
    host: str
    port: int
    transport: str
    username: str | None
    secret: str | None = field(repr=False)
    registers: bool
    asks_alive: bool
    number: str = ""


@dataclass(frozen=True)
class Standing:
    """What Asterisk says of a trunk. `what`: registered | reachable."""

    trunk: int
    what: str
    is_well: bool
    detail: str


def section(trunk: TrunkFile) -> list[tuple[str, str]]:
    """The lines of a trunk's section. Raises BadAction for what must not reach a configuration file."""
    _check(trunk)
    lines = [
        ("transport", f"transport-{trunk.transport}"),
        ("remote_hosts", f"{trunk.host}:{trunk.port}"),
        ("sends_auth", "yes" if trunk.username else "no"),
        ("sends_registrations", "yes" if trunk.registers else "no"),
        ("aor/qualify_frequency", ASK_ALIVE if trunk.asks_alive else "0"),
    ]
    if trunk.transport == "tls":
        lines += [("endpoint/media_encryption", "sdes"), ("endpoint/media_encryption_optimistic", "yes")]
    if trunk.username:
        lines += [("outbound_auth/username", trunk.username), ("outbound_auth/password", trunk.secret or "")]
        # Carriers know us by the user of From; whom the person sees is in P-Asserted-Identity and From's name.
        lines.append(("endpoint/contact_user", trunk.username))
    if trunk.registers:
        lines += [
            ("registration/expiration", "300"), ("registration/retry_interval", "20"),
            ("registration/forbidden_retry_interval", "60"), ("registration/fatal_retry_interval", "60"),
            ("registration/auth_rejection_permanent", "no"), ("registration/max_retries", "100000"),
            ("registration/max_random_initial_delay", "0"),
        ]  # fmt: skip
        if trunk.number:
            lines.append(("registration/contact_user", trunk.number))
    return lines


def update(trunk: TrunkFile, *, is_there: bool) -> Action:
    """Write the trunk's section anew and have it read."""
    name = f"trunk-{trunk.id:d}"
    steps: list[tuple[str, dict[str, str]]] = [("DelCat", {"Cat": name})] if is_there else []
    steps.append(("NewCat", {"Cat": name, "Options": f'inherit="{TEMPLATE}"'}))
    steps += [("Append", {"Cat": name, "Var": key, "Value": value}) for key, value in section(trunk)]
    return actions.edit(FILE, steps)


def write(ask: Ask, trunk: TrunkFile) -> None:
    """Make the switch know the trunk as it stands. Harmless when repeated. Raises ProviderError."""
    is_there = trunk.id in known(ask)
    ask(update(trunk, is_there=is_there))
    if is_there and trunk.registers:
        # A reload keeps a registration whose address is the same, also when its password is another one.
        _mildly(ask, {"Action": "PJSIPRegister", "Registration": f"trunk-{trunk.id:d}-reg-0"})


def remove(ask: Ask, trunk_id: int) -> None:
    """Make the switch forget the trunk; harmless when it does not know it. Raises ProviderError."""
    if trunk_id in known(ask):
        ask(actions.edit(FILE, [("DelCat", {"Cat": f"trunk-{trunk_id:d}"})]))


def known(ask: Ask) -> set[int]:
    """The ids of the trunks in the switch's file."""
    answer = ask({"Action": "GetConfig", "Filename": FILE})
    names = [value for header, value in answer.response.headers if header.lower().startswith("category-")]
    return {int(found[1]) for name in names if (found := _SECTION.fullmatch(name))}


def look(ask: Ask) -> list[Standing]:
    """How the switch's trunks stand; what it does not know yet is left out."""
    found = []
    for packet in _listed(ask, "PJSIPShowRegistrationsOutbound"):
        name, status = _REGISTRATION.fullmatch(packet.get("ObjectName")), packet.get("Status")
        if name and status in REGISTERED:
            found.append(Standing(int(name[1]), "registered", REGISTERED[status], status))
    for packet in _listed(ask, "PJSIPShowContacts"):
        name, status = _AOR.match(packet.get("ObjectName")), packet.get("Status")
        if name and status in REACHABLE:
            found.append(Standing(int(name[1]), "reachable", REACHABLE[status], status))
    return found


def _listed(ask: Ask, action: str) -> tuple[Packet, ...]:
    """What an action lists. An Asterisk that has nothing to list calls that an error."""
    answer = _mildly(ask, {"Action": action})
    return answer.events if answer else ()


def _mildly(ask: Ask, action: Action) -> Answer | None:
    """Ask for what may not be there."""
    try:
        return ask(action)
    except ProviderError as error:
        if error.code in ("none", "ami_refused"):
            return None
        raise


def _check(trunk: TrunkFile) -> None:
    fits = (
        trunk_numbers.is_host(trunk.host) and 0 < trunk.port < 65536 and trunk.transport in TRANSPORTS
        and (trunk.username is None or trunk_numbers.is_username(trunk.username))
        and (not trunk.secret or trunk_numbers.is_secret(trunk.secret))
        and (not trunk.number or trunk_numbers.is_e164(trunk.number))
    )  # fmt: skip
    if not fits:
        raise BadAction("This trunk has an address, user or password that must not reach a configuration file.")
