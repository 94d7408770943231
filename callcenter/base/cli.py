"""`flask users …`: people who work here, from the command line (the first administrator, a forgotten password)."""

import sys

import click
from flask.cli import AppGroup

from callcenter.base import users
from callcenter.base.auth import ROLES
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput

users_group = AppGroup("users", help="People who work here.")
commands = (users_group,)


@users_group.command("create")
@click.argument("username")
@click.option("--name", "full_name", required=True, help="The person's full name.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be given again.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
def create(username: str, full_name: str, roles: tuple[str, ...], password_stdin: bool) -> None:
    """Make a person. Without --password-stdin a one-time password is printed."""
    session = web_session()
    password, once = _password(password_stdin)
    try:
        user = users.create(
            session, users.NewPerson(full_name, roles, username.casefold()), password, by=None, must_change=once
        )
    except InvalidInput as error:
        raise click.ClickException(str(error)) from None
    session.commit()
    _tell(user.username, password if once else None)


@users_group.command("password")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
def password(username: str, password_stdin: bool) -> None:
    """Set a person's password and end their sessions. Without --password-stdin a one-time password is printed."""
    session = web_session()
    user = users.find_by_name(session, username)
    if user is None:
        raise click.ClickException(f"Nobody has the user name {username!r}; `flask users list` names everybody.")
    new, once = _password(password_stdin)
    try:
        users.set_password(session, user.id, new, by=None, must_change=once)
    except InvalidInput as error:
        raise click.ClickException(str(error)) from None
    session.commit()
    _tell(user.username, new if once else None)


@users_group.command("list")
def list_people() -> None:
    """Everybody: user name, roles, state, name."""
    for user in web_session().scalars(users.matching()):
        state = "active" if user.active else "disabled"
        click.echo("\t".join((user.username, ",".join(role.name for role in user.roles), state, user.full_name)))


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password, and whether it was made here and is for one use."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    return users.new_password(), True


def _tell(username: str, one_time: str | None) -> None:
    click.echo(f"{username}: done." if one_time is None else f"{username}: one-time password {one_time}")
