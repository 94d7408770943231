"""`flask demo …`: the demonstration's data and its truth, beside the running product."""

import json

import click
from flask.cli import with_appcontext

from callcenter.base.db import open_session
from callcenter.base.settings import web_settings
from scripts.demo import load, truth

demo_group = click.Group("demo", help="The demonstration: invented people in Minatitlán.")
commands: list[click.Command] = [demo_group]


@demo_group.command("load")
@with_appcontext
def load_command() -> None:
    """Load the demonstration into an empty database; does nothing when anybody is there."""
    with open_session() as session:
        click.echo(load.load_once(session, web_settings()))


@demo_group.command("truth")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
@with_appcontext
def truth_command(as_json: bool) -> None:
    """Show the invented people's hidden vote beside what the interviews found."""
    with open_session() as session:
        found = truth.compare(session)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else truth.as_text(found))
