"""`flask …` commands: beside the running services, or with services of their own for as long as they need them."""

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine, event

from callcenter.base.settings import BadSettings, Settings, read_settings, var_folder
from callcenter.gate.suppression_key import WrongKey, check_at
from scripts import data_folder, embedded, outside, service_user

ACCEPTS_KEY = "accept-key"  # the command that is there for a key that does not fit
USERS = "commands.lock"  # held, shared, by every command that uses the services of another one


class _Stop(click.ClickException):
    exit_code = 2


@click.command("upgrade-database")
def upgrade_database() -> None:
    """Bring the database of DATABASE_URL to this version's tables (the embedded one always is)."""
    embedded.migrate(embedded.environment(os.environ, var_folder())["DATABASE_URL"])


commands: list[click.Command] = [upgrade_database]


def is_command() -> bool:
    """Is this process a `flask …` command?"""
    return click.get_current_context(silent=True) is not None


def read_command_settings() -> Settings:
    """The settings of a `flask …` command, as the service user when root started it. Ends it in words on a fault."""
    var = var_folder()
    try:
        data_folder.prepare(var)
        # The command reads the files that it is given with root's eyes; it writes none.
        service_user.become([sys.executable, *sys.orig_argv[1:]], var, keep_reading=True)
        return read_settings(embedded.environment(os.environ, var))
    except (BadSettings, data_folder.CannotUse, service_user.CannotDrop) as error:
        raise _Stop(str(error)) from None


def start_services_on_demand(engine: Engine, suppression_key: bytes) -> None:
    """Let the first connection of this command find its services running; they stop with the command.

    With a suppression key that is not the list's no command runs, but the one that accepts it."""
    needed = contextlib.ExitStack()
    click.get_current_context().find_root().call_on_close(needed.close)
    begun = False

    def begin(*_: Any) -> None:
        nonlocal begun
        if begun:
            return
        begun = True
        try:
            outside.check(os.environ)
            needed.enter_context(_services(var_folder()))
            needed.callback(engine.dispose)
            if click.get_current_context().command.name != ACCEPTS_KEY:
                check_at(engine.url.render_as_string(hide_password=False), suppression_key)
        except (outside.Unreachable, embedded.CannotStart, data_folder.InUse, WrongKey) as error:
            raise _Stop(str(error)) from None

    event.listen(engine, "do_connect", begin)


@contextlib.contextmanager
def _services(var: Path) -> Iterator[None]:
    own = embedded.own_services()
    if not own:
        yield
        return
    with (var / USERS).open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            claim = data_folder.claim(var, "A flask command")
        except data_folder.InUse as error:
            _await_migrated(var, error)
            yield
            return
        try:
            embedded.forget_the_dead(embedded.make_places(var))
            with embedded.running(var, only=own) as places:
                if "postgres" in own:
                    embedded.migrate(places.database_url)
                yield
                fcntl.flock(users, fcntl.LOCK_EX)  # other commands may still be using what we started
        finally:
            os.close(claim)


def _await_migrated(var: Path, holder: data_folder.InUse, *, seconds: float = 60) -> None:
    """The services are another's: wait until they are as a command expects them."""
    import psycopg

    url = embedded.environment(os.environ, var)["DATABASE_URL"]
    until = time.monotonic() + seconds
    while True:
        try:
            if embedded.is_migrated(url):
                return
        except psycopg.OperationalError:
            pass
        if time.monotonic() > until:
            raise holder
        time.sleep(0.1)
