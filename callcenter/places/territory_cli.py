"""`flask territory import`, `flask sections import`: files of the territory without a browser. All or nothing."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from flask_babel import gettext

from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.places import territory_batches, territory_import
from callcenter.places.territory_import import Choices
from callcenter.places.territory_tables import LAYOUTS

CANNOT_READ = 2
SHOWN_FAULTS = 20
DATE = click.DateTime(["%Y-%m-%d"])


@click.group("territory")
def territory_group() -> None:
    """Sections, municipalities, districts, nominal lists, past results."""


@territory_group.command("import")
@click.argument("kind", type=click.Choice(LAYOUTS))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--valid-from", type=DATE, help="A new map, in force since this day; without it: corrects today's.")
@click.option("--as-of", type=DATE, help="Of a nominal list: its date.")
@click.option("--election", default="", help="Of results: the name of the election.")
@click.option("--held-on", type=DATE, help="Of results: the day of the election.")
@click.option("--layer", default="", help="Of a ZIP with several layers: which.")
@click.option("--strict", is_flag=True, help="Refuse the whole file when one row is at fault.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
@with_appcontext
def import_file(kind: str, file: Path, as_json: bool, **said: Any) -> None:
    """Import FILE (CSV, XLSX, GeoJSON, ZIP of a shapefile) as KIND. Again is harmless.

    Rows at fault are left out and told on stderr. Exit status 2, and nothing kept, when the file cannot be read."""
    session = web_session()
    try:
        found = territory_import.open_layout(file, said["layer"]).kind
        if found != kind:
            raise InvalidInput(gettext("The columns are those of %(found)s, not of %(kind)s.", found=found, kind=kind))
        batch = territory_batches.create(session, file.resolve(), file.name, None)
        batch.options = _choices(said).stored()
        territory_batches.run(session, batch.id, strict=said["strict"])
    except (InvalidInput, OSError) as fault:
        session.rollback()
        click.echo(f"{file}: {fault.strerror if isinstance(fault, OSError) else fault}", err=True)
        sys.exit(CANNOT_READ)
    session.commit()
    for one in batch.faults[:SHOWN_FAULTS]:
        click.echo(f"row {one['row']}: {gettext(one['message'], **one['values'])}", err=True)
    counts = {"batch": batch.id, **batch.counts}
    click.echo(json.dumps(counts) if as_json else ", ".join(f"{name} {count}" for name, count in counts.items()))


@territory_group.command("undo")
@click.argument("batch", type=int)
@with_appcontext
def undo(batch: int) -> None:
    """Take back what import number BATCH wrote: a nominal list, results, a new map."""
    session = web_session()
    territory_batches.undo(session, batch, None)
    session.commit()
    click.echo(f"import {batch} was undone")


def _choices(said: dict[str, Any]) -> Choices:
    valid_from, as_of, held_on = (_day(said[name]) for name in ("valid_from", "as_of", "held_on"))
    return Choices(valid_from, as_of, said["election"], held_on, said["layer"])


def _day(at: datetime | None) -> Any:
    return at.date() if at else None


@click.group("sections")
def sections_group() -> None:
    """Electoral sections."""


@sections_group.command("import")
@click.argument("csv_file", metavar="CSV", type=click.Path(path_type=Path))
@click.option("--geojson", type=click.Path(path_type=Path), help="The sections' outlines.")
@with_appcontext
def import_sections(csv_file: Path, geojson: Path | None) -> None:
    """Import sections from CSV, with their outlines from a GeoJSON file. Again is harmless."""
    session = web_session()
    try:
        kept = territory_import.import_sections(session, csv_file, geojson)
    except (InvalidInput, OSError) as fault:
        session.rollback()
        click.echo(f"{csv_file}: {fault.strerror if isinstance(fault, OSError) else fault}", err=True)
        sys.exit(CANNOT_READ)
    session.commit()
    click.echo(f"{kept} sections")


commands = (territory_group, sections_group)
