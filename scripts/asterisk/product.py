"""Asterisk as a part of `make run`: the service, its row among the switches, and the daemons that listen to it."""

import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from scripts.asterisk.configuration import Wishes
from scripts.asterisk.instance import Instance, Prepared, is_booted, prepare
from scripts.embedded import CannotStart
from scripts.processes import Part, Supervisor

NAME = "local"  # of our own Asterisk among the switches
DAEMONS = {"switch": "scripts.switch", "ivr": "scripts.ivr"}  # each is told which switch
BOOTS_IN = 10.0  # seconds
EVERYWHERE = "0.0.0.0"  # noqa: S104  # trunks reach us from outside; SIP answers only whom a trunk names


class BadAddress(Exception):
    """A setting names no address; the message says which."""


def start(supervisor: Supervisor, var: Path) -> None:
    """Start the service and write down its switch. Raises NotInstalled, NoPorts, BadAddress, CannotStart."""
    prepared = prepare(var / "asterisk", wishes(os.environ))
    prepared.claim.keep()
    supervisor.start(part(prepared))
    row = Part("switches", partial(register, prepared.instance, ws_url(os.environ, prepared.instance)))
    if not supervisor.run_once(row) and not supervisor.stop_asked:
        raise CannotStart("the telephone switch could not be written down; the log above says why.")
    until = time.monotonic() + BOOTS_IN  # its listeners would complain; the rest of the product can do without it
    while not supervisor.stop_asked and time.monotonic() < until and not is_booted(prepared.instance):
        supervisor.tick(0.05)


def part(prepared: Prepared) -> Part:
    """The service. When the supervisor dies, Asterisk ends its calls and goes too."""
    return Part("asterisk", prepared.command, dies_by=signal.SIGTERM, is_service=True)


def wishes(env: Mapping[str, str]) -> Wishes:
    """What the environment says of addresses. Raises BadAddress."""
    given = {name: env.get(f"CONVOCA_SIP_{name}", "") for name in ("ADDRESS", "PUBLIC_ADDRESS")}
    for name, text in given.items():
        try:
            if text:
                ip_address(text)
        except ValueError:
            raise BadAddress(f"CONVOCA_SIP_{name} is {text!r}; it must be an IP address of this machine, such as "
                             "192.0.2.10.") from None  # fmt: skip
    return Wishes(given["ADDRESS"] or EVERYWHERE, given["PUBLIC_ADDRESS"] or None)


def ws_url(env: Mapping[str, str], instance: Instance) -> str:
    """Where pages find Asterisk's WebSocket: behind a proxy it is a path of our own address."""
    is_proxied = env.get("CONVOCA_PROXIES", "0") != "0" or env.get("CONVOCA_PUBLIC_URL", "").startswith("https:")
    return "/ws" if is_proxied else instance.ws_url


def register(instance: Instance, address: str) -> None:
    """Write the switch down. For a process of its own: it connects to the database."""
    import wsgi
    from callcenter import switches
    from callcenter.base.db import open_session

    wsgi.start_process()
    with open_session() as session:
        switches.register(
            session, NAME, host=instance.host, ami_port=instance.ports.ami, ws_url=address, secrets=instance.secrets,
            folder=str(instance.spool),
        )  # fmt: skip
        session.commit()
