"""Every process of Convoca on one machine, supervised: what `make run` starts."""

import argparse
import contextlib
import gc
import http.client
import importlib
import json
import os
import runpy
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from callcenter.base.settings import CARRIERS, BadSettings, read_settings, var_folder
from scripts import asterisk, data_folder, embedded, log, outside, service_user, web
from scripts.asterisk import product as telephony
from scripts.processes import Part, Supervisor

DEFAULT_PORT = 8000
PORTS_TRIED = 100
# Imported once, before the parts are forked from this process: they start at once and share the memory.
SHARED_IMPORTS = ("wsgi", "rq", "gunicorn.arbiter", "gunicorn.workers.gthread", "redis", "psycopg", "twilio.rest")
DAEMONS = {"dialer": "scripts.dialer", "clock": "scripts.clock"}


class CannotRun(Exception):
    """The start is refused; the message says why and what to do."""


@dataclass(frozen=True)
class Addresses:
    """The sockets of the web processes, and the ports kept for the simulated carrier and its mail server."""

    pages: socket.socket
    live: socket.socket
    carrier_port: int
    smtp_port: int

    @property
    def port(self) -> int:
        return int(self.pages.getsockname()[1])


def main(argv: list[str] | None = None) -> int:
    """0 after a stop that was asked for; 2 when the start was refused, with the reason on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    options = _parse(argv)
    var = var_folder()
    try:
        data_folder.prepare(var)
        service_user.become([sys.executable, "-m", "scripts.run", *argv], var)
        claim = data_folder.claim(var, "make run")
        addresses = _addresses(options.host, options.port)
        os.environ.update(_environment(options, addresses, var))
        outside.check({name: os.environ[name] for name in options.outside})
        read_settings()
        _supervise(options, addresses, var, claim)
    except data_folder.InUse as error:
        print(f"Convoca is not started: {error} {_where(var)}", file=sys.stderr)
        return 2
    except (CannotRun, data_folder.CannotUse, service_user.CannotDrop, embedded.CannotStart, outside.Unreachable,
            BadSettings, asterisk.NotInstalled, asterisk.NoPorts, telephony.BadAddress) as error:  # fmt: skip
        print(f"Convoca is not started: {error}", file=sys.stderr)
        return 2
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, help=f"the port (default: {DEFAULT_PORT}, or the next free one)")
    by_default = "CONVOCA_CARRIER (default: what was chosen under Telephony, else simulated)"
    parser.add_argument("--carrier", choices=CARRIERS, help=by_default)
    options = parser.parse_args(argv)
    if options.port is not None and not 0 < options.port < 65536:
        parser.error(f"the port {options.port} is not between 1 and 65535")
    options.outside = [name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)]
    options.own_services = embedded.own_services()
    return options


def _addresses(host: str, port: int | None) -> Addresses:
    """Bind what was asked for; only the default port moves on when it is taken."""
    try:
        pages = web.listen(host, port) if port else _next_free(host, DEFAULT_PORT)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotRun(f"it cannot listen on {host} port {port or DEFAULT_PORT}: {reason}.") from None
    live = _next_free(host, int(pages.getsockname()[1]) + 1)
    with (
        _next_free("127.0.0.1", int(live.getsockname()[1]) + 1) as kept,
        _next_free("127.0.0.1", int(kept.getsockname()[1]) + 1) as mail,
    ):
        return Addresses(pages, live, int(kept.getsockname()[1]), int(mail.getsockname()[1]))


def _next_free(host: str, port: int) -> socket.socket:
    first = port if port + PORTS_TRIED < 65536 else port - PORTS_TRIED
    for candidate in range(first, first + PORTS_TRIED):
        with contextlib.suppress(OSError):
            return web.listen(host, candidate)
    return web.listen(host, first)  # raises the reason


def _reachable(host: str) -> str:
    """Where this machine finds what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared with, not listened on


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _environment(options: argparse.Namespace, addresses: Addresses, var: Path) -> dict[str, str]:
    """What every part reads its settings from."""
    env = embedded.environment(os.environ, var)
    env["CONVOCA_VAR"] = str(var)
    told = options.carrier or env.get("CONVOCA_CARRIER")
    env["CONVOCA_CARRIER"] = told or "simulated"  # until the database is there to be asked, see _settle_carrier
    env["CONVOCA_CARRIER_TOLD"] = "yes" if told else "no"
    env.setdefault("CONVOCA_PUBLIC_URL", _url(_reachable(options.host), addresses.port))
    env["CONVOCA_LIVE_PORT"] = str(addresses.live.getsockname()[1])
    env["CONVOCA_SIMULATED_URL"] = f"http://127.0.0.1:{addresses.carrier_port}"
    env["CONVOCA_SIMULATED_SMTP_URL"] = f"smtp://127.0.0.1:{addresses.smtp_port}"
    env.setdefault("CONVOCA_SIMULATED_TOKEN", secrets.token_hex(16))
    env.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's threads must not exist before the fork
    env["PYTHONUNBUFFERED"] = "1"
    if not _is_loopback(options.host):
        env["CONVOCA_DEMO_PASSWORDS"] = "refused"
    return env


def _supervise(options: argparse.Namespace, addresses: Addresses, var: Path, claim: int) -> None:
    supervisor = Supervisor(log.to_stdout(), partial(_note_pids, var, addresses))
    try:
        _start_services(supervisor, options, var)
        _import_shared()
        _await_services(supervisor, options, var)
        _prepare_database(supervisor)
        if not supervisor.stop_asked:
            _start_telephony(supervisor, var)
            for part in _parts(addresses):
                supervisor.start(part)
            _announce(supervisor, options.host, addresses)
        while not supervisor.stop_asked:
            supervisor.tick(60)
    finally:
        supervisor.stop()
        (var / "processes.json").unlink(missing_ok=True)
        os.close(claim)


def _start_services(supervisor: Supervisor, options: argparse.Namespace, var: Path) -> None:
    places = embedded.make_places(var)
    if options.own_services:
        embedded.forget_the_dead(places)
    if "postgres" in options.own_services:
        embedded.init_postgres(places)
        command = embedded.postgres_command(places)
        supervisor.start(Part("postgres", command, signal.SIGINT, signal.SIGQUIT, signal.SIGINT, is_service=True))
    if "redis" in options.own_services:
        command = embedded.redis_command(places)
        supervisor.start(Part("redis", command, is_service=True))


def _import_shared() -> None:
    for name in SHARED_IMPORTS:
        importlib.import_module(name)
    importlib.import_module("wsgi").import_everything()
    gc.collect()
    gc.freeze()  # what is shared now is never touched by a collection, and so stays shared


def _await_services(supervisor: Supervisor, options: argparse.Namespace, var: Path, *, seconds: float = 60) -> None:
    places = embedded.make_places(var)
    until = time.monotonic() + seconds
    while "postgres" in options.own_services and not supervisor.stop_asked:
        if embedded.make_database(places):
            return
        if time.monotonic() > until:
            raise embedded.CannotStart(f"PostgreSQL does not answer in {places.sockets}; the log above says why.")
        supervisor.tick(0.05)


def _prepare_database(supervisor: Supervisor) -> None:
    """Migrate, and load the demonstration into an empty database in drill mode."""
    if supervisor.stop_asked:
        return
    url = os.environ["DATABASE_URL"]
    if not embedded.is_migrated(url):
        _once(supervisor, "migrate", partial(embedded.migrate, url))
    _check_suppression_key(url)
    _settle_carrier(url)
    wants_demo = os.environ["CONVOCA_CARRIER"] == "simulated" and os.environ.get("CONVOCA_DEMO") != "no"
    if wants_demo and not supervisor.stop_asked and not embedded.has_users(url):
        _once(supervisor, "demo", _module("scripts.demo"))


def _start_telephony(supervisor: Supervisor, var: Path) -> None:
    """Our own Asterisk, where it is the carrier."""
    if os.environ["CONVOCA_CARRIER"] == "asterisk":
        telephony.start(supervisor, var)


def _settle_carrier(url: str) -> None:
    """Where the environment told this start nothing, take what an administrator chose under Telephony."""
    from callcenter.telephony import carrier_choice

    kept = carrier_choice.kept_at(url)
    carrier = kept.pop("CONVOCA_CARRIER")
    for name, value in kept.items():
        os.environ[name] = os.environ.get(name) or value
    if os.environ["CONVOCA_CARRIER_TOLD"] == "yes":
        return
    os.environ["CONVOCA_CARRIER"] = carrier
    if faults := carrier_choice.faults_of(carrier):
        raise CannotRun(f"the carrier chosen under Telephony is {carrier}, and {faults} Or: make run CARRIER=simulated")


def _check_suppression_key(url: str) -> None:
    from callcenter.gate import suppression_key

    try:
        suppression_key.check_at(url, read_settings().suppression_key)
    except suppression_key.WrongKey as error:
        raise CannotRun(str(error)) from None


def _once(supervisor: Supervisor, name: str, run: Callable[[], None]) -> None:
    if not supervisor.run_once(Part(name, run)) and not supervisor.stop_asked:
        raise CannotRun(f"“{name}” failed; the log above says why.")


def _module(name: str, *arguments: str) -> Callable[[], None]:
    """What `python -m name arguments` does, in a fork that has imported the product already."""

    def run() -> None:
        sys.argv = [name, *arguments]
        runpy.run_module(name, run_name="__main__", alter_sys=True)

    return run


def _parts(addresses: Addresses) -> list[Part]:
    """In the order in which a person misses them."""
    parts = [
        Part("web", partial(web.serve, addresses.pages)),
        Part("live", partial(web.serve, addresses.live, is_live=True)),
        Part("worker", _module("scripts.worker", "urgent", "default")),
        # So have messages: planning and sending a million of them delays neither calls nor imports.
        Part("messages", _module("scripts.worker", "messages")),
        # Long work has a worker of its own: an import never delays a call.
        Part("bulk", _module("scripts.worker", "bulk", "default")),
        *(Part(name, _module(module)) for name, module in DAEMONS.items()),
    ]
    if os.environ["CONVOCA_CARRIER"] == "simulated":
        ports = ("--port", str(addresses.carrier_port), "--smtp-port", str(addresses.smtp_port))
        carrier = _module("scripts.simulated_carrier", *ports)
        parts.append(Part("carrier", carrier))
        parts.append(Part("operators", _module("scripts.simulated_operators")))
    if os.environ["CONVOCA_CARRIER"] == "asterisk":
        parts += [Part(name, _module(module, telephony.NAME)) for name, module in telephony.DAEMONS.items()]
    return parts


def _announce(supervisor: Supervisor, host: str, addresses: Addresses) -> None:
    """Say the address once the product is healthy, and after it how to log in."""
    complained_at = time.monotonic() + 30
    while not supervisor.stop_asked:
        status, parts = _health(addresses)
        if status == 200:
            break
        if time.monotonic() > complained_at:
            complained_at += 30
            ill = [name for name, part in parts.items() if not part.get("ok")]
            supervisor.log.write("run", f"still waiting for: {', '.join(ill) or 'web'}")
        supervisor.tick(0.1)
    else:
        return
    supervisor.log.say(f"Convoca: {_url(host, addresses.port)}")
    for line in _how_to_enter():
        supervisor.log.say(line)


def _health(addresses: Addresses) -> tuple[int, Mapping[str, Mapping[str, object]]]:
    host = _reachable(addresses.pages.getsockname()[0])
    connection = http.client.HTTPConnection(host, addresses.port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("parts", {})
    except (OSError, http.client.HTTPException, ValueError):
        return 0, {}
    finally:
        connection.close()


def _how_to_enter() -> list[str]:
    if os.environ["CONVOCA_CARRIER"] != "simulated" and not embedded.has_users(os.environ["DATABASE_URL"]):
        create = "flask users create USERNAME --name “Full Name” --role administrator"
        return [f"Nobody can sign in yet. Make the first administrator: .venv/bin/{create}"]
    if read_settings().demo_passwords_refused:
        return ["Demonstration log-ins are refused on this address. Make your own: flask users create --help"]
    if os.environ["CONVOCA_CARRIER"] != "simulated" or os.environ.get("CONVOCA_DEMO") == "no":
        return []
    from scripts.demo import logins

    return list(logins())


def _note_pids(var: Path, addresses: Addresses, pids: Mapping[str, int]) -> None:
    """Leave word for whoever looks: which process is which, and where the product answers."""
    note = {
        "url": _url("127.0.0.1", addresses.port),
        "live": _url("127.0.0.1", int(addresses.live.getsockname()[1])),
        "carrier": _url("127.0.0.1", addresses.carrier_port),
        "supervisor": os.getpid(),
        "parts": dict(pids),
    }
    draft = var / "processes.json.new"
    draft.write_text(json.dumps(note))
    draft.rename(var / "processes.json")


def _where(var: Path) -> str:
    try:
        return f"It answers at {json.loads((var / 'processes.json').read_text())['url']}."
    except (OSError, ValueError, KeyError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
