"""Commands of the top floor: `flask segments count`."""

import json
import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from campaigns import segments

CANNOT_READ = 2
MAX_RULE_BYTES = 1_000_000


@click.group("segments")
def segments_group() -> None:
    """Segments: who is meant by a rule."""


@segments_group.command("count")
@click.argument("rule", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
@with_appcontext
def count_segment(rule: Path, as_json: bool) -> None:
    """Count the people of the rule in the file RULE (JSON, docs/segments.md)."""
    try:
        counted = segments.count(web_session(), _read(rule))
    except (InvalidInput, OSError) as fault:
        click.echo(f"{rule}: {fault.strerror if isinstance(fault, OSError) else fault}", err=True)
        sys.exit(CANNOT_READ)
    if as_json:
        answer = {"count": counted.count, "excluded": counted.excluded, "ms": counted.milliseconds}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(f"{counted.count} people may be contacted of {counted.matching} that match, as of {counted.as_of:%F %R}")
    for reason, people in counted.excluded.items():
        click.echo(f"  {reason}: {people}")


def _read(file: Path) -> object:
    if file.stat().st_size > MAX_RULE_BYTES:
        raise InvalidInput("The rule is larger than 1 MB.")
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is not JSON: {error}") from error


commands = (segments_group,)
