"""Command: `flask surveys reproduce PACKAGE`. It asks no database: the package alone is enough."""

import json
import sys
from pathlib import Path

import click

from callcenter.base.errors import InvalidInput
from surveys.cli import surveys_group
from surveys.publishing.reproduction import Reproduced, reproduce

commands: tuple[click.Command, ...] = ()  # it joins the group of `surveys.cli`
MOST_SHOWN = 20


@surveys_group.command("reproduce")
@click.argument("package", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
def reproduce_package(package: Path, as_json: bool) -> None:
    """Make every figure of a study's package again and compare. Exits with 1 when a figure or a file differs, with 2
    when it is no package."""
    try:
        found = reproduce(package.read_bytes())
    except InvalidInput as fault:
        for sentence in fault.faults.values():
            click.echo(sentence, err=True)
        sys.exit(2)
    click.echo(json.dumps(_as_json(found), ensure_ascii=False) if as_json else _in_words(found))
    if not found.is_same:
        sys.exit(1)


def _as_json(found: Reproduced) -> dict[str, object]:
    return {
        "title": found.title,
        "interviews": found.interviews,
        "compared": found.compared,
        "same": found.is_same,
        "changed_files": list(found.changed),
        "differences": [{"place": one.place, "kept": one.kept, "found": one.found} for one in found.differences],
    }


def _in_words(found: Reproduced) -> str:
    lines = [f"{found.title}: {found.interviews} interviews, {found.compared} figures made again"]
    lines += [f"  changed file: {name}" for name in found.changed]
    lines += [f"  {one.place}: the package says {one.kept}, now {one.found}" for one in found.differences[:MOST_SHOWN]]
    if len(found.differences) > MOST_SHOWN:
        lines.append(f"  and {len(found.differences) - MOST_SHOWN} more")
    lines.append("Everything is the same." if found.is_same else "Not the same.")
    return "\n".join(lines)
