"""Commands of privacy: `flask privacy accept-key`, `flask privacy purge`."""

import click
from flask.cli import with_appcontext

from callcenter.base import audit
from callcenter.base.db import web_session
from callcenter.base.settings import web_settings
from callcenter.gate import suppression_key
from callcenter.privacy import privacy_jobs, retention


@click.group("privacy")
def privacy_group() -> None:
    """Personal data: the suppression key, and what is kept too long."""


@privacy_group.command("accept-key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def accept_key(yes: bool) -> None:
    """Go on with another suppression key, knowing that earlier opt-outs are no longer recognised."""
    session = web_session()
    count = suppression_key.accept(session, web_settings().suppression_key)
    if not yes:
        click.confirm(f"{count} phones that opted out would no longer be recognised in lists. Go on?", abort=True)
    audit.record(session, None, "suppressions.accept_key", "suppressions", unrecognised=count)
    session.commit()
    click.echo(f"The key is accepted. {count} earlier opt-outs stay in the table and fit no phone any more.")


@privacy_group.command("purge")
@click.option("--preview", is_flag=True, help="Only say what would go.")
@with_appcontext
def purge(preview: bool) -> None:
    """Delete what has been kept long enough, by the terms that an administrator confirmed."""
    session = web_session()
    for due in retention.preview(session):
        click.echo(f"{due.kind}: {due.count}" + ("" if due.until else " (not due yet)"))
    session.rollback()
    if not preview:
        privacy_jobs.purge(3600)


commands = (privacy_group,)
