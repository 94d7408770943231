"""Commands of the gate: `flask suppressions mark`. They commit; the domain does not."""

import click
from flask.cli import with_appcontext

from callcenter import suppressions
from callcenter.base.db import open_session


@click.group("suppressions")
def suppressions_group() -> None:
    """Phones that must not be contacted."""


@suppressions_group.command("mark")
@with_appcontext
def mark() -> None:
    """Let every person say whether their phone is on the suppression list (after an upgrade). Again is harmless."""
    with open_session() as session:
        changed = suppressions.mark_everybody(session)
        session.commit()
    click.echo(f"{changed} people changed")


commands = (suppressions_group,)
