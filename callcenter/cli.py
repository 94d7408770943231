"""Commands of the ground floor: `flask contacts import`. They commit; the domain does not."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from callcenter import imports
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.lists.import_batches import unwatched
from callcenter.lists.import_jobs import Watch

CANNOT_READ = 2


@click.group("contacts")
def contacts_group() -> None:
    """People: import their lists."""


@contacts_group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Where the list comes from; kept with every person.")
@click.option("--dry-run", is_flag=True, help="Say what would become of the list, and keep nothing.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
@click.option("--sex-letters", type=click.Choice(["HM", "MF"]), help="What M means: HM mujer, MF masculino.")
@click.option("--notice-version", help="The version of the privacy notice that the people of the list answered.")
@with_appcontext
def import_contacts(file: Path, source: str, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Import a list of people from FILE (CSV in any delimiter, or XLSX).

    Exit status 0 although rows were refused, 2 when the file cannot be read."""
    try:
        counts = _import(file, source, dry_run=dry_run, **options)
    except (InvalidInput, OSError) as fault:
        click.echo(_sentence(file, fault), err=True)
        sys.exit(CANNOT_READ)
    click.echo(json.dumps(counts, ensure_ascii=False) if as_json else _in_words(counts, dry_run=dry_run))


def _import(file: Path, source: str, *, dry_run: bool, sex_letters: str | None, notice_version: str | None) -> Any:
    session = web_session()
    batch = imports.create(session, file.resolve(), source=source, file_name=file.name)
    batch.sex_letters, batch.notice_version, batch.options = sex_letters, notice_version, {"dry_run": dry_run}
    if not dry_run:
        session.commit()
    try:
        opened = imports.open_list(session, batch.id)
        if not dry_run:
            session.commit()
        counts = imports.bring_in(session, opened, _said(batch.id, dry_run=dry_run))
    except InvalidInput as fault:
        session.rollback()
        if not dry_run:
            imports.fail(session, batch.id, fault)
            session.commit()
        raise
    if dry_run:
        session.rollback()
    else:
        session.commit()
    return counts


def _said(import_id: int, *, dry_run: bool) -> Callable[..., None]:
    """Says on stderr how far it is, and on file that somebody works on it."""
    watch = unwatched if dry_run else Watch(import_id)

    def say(progress: imports.Progress | None = None) -> None:
        watch(progress)
        if progress is not None:
            click.echo(f"{progress.rows} rows read", err=True)

    return say


@contacts_group.command("undo")
@click.argument("import_id", type=int)
@click.option("--dry-run", is_flag=True, help="Say what would become of the people, and change nothing.")
@with_appcontext
def undo_import(import_id: int, dry_run: bool) -> None:
    """Take a whole import back: people it made go, people it changed are as before.

    Who was contacted or changed since stays. Prints one line of JSON; exit status 2 when it cannot be taken back."""
    session = web_session()
    try:
        figures = imports.undo_preview(session, import_id)
        if not dry_run:
            imports.undo(session, import_id, None)
            session.commit()
            for figures in imports.take_back(session, import_id):  # noqa: B007  # the last are printed
                session.commit()
    except (NotFound, Refused) as fault:
        click.echo(str(fault), err=True)
        sys.exit(CANNOT_READ)
    click.echo(json.dumps(figures))


def _sentence(file: Path, fault: Exception) -> str:
    if isinstance(fault, OSError):
        return f"{file}: {fault.strerror}."
    return f"{file}: {fault}"


def _in_words(counts: dict[str, Any], *, dry_run: bool) -> str:
    refused = ", ".join(f"{reason} {count}" for reason, count in counts["rejected"].items()) or "0"
    lines = [
        "Nothing was kept: this was a dry run." if dry_run else "",
        f"{counts['rows']} rows in {counts['seconds']} s: {counts['created']} people created,"
        f" {counts['updated']} updated, {counts['unchanged']} unchanged, {counts['duplicates']} duplicate rows.",
        f"Rows refused: {refused}.",
        f"Columns dropped: {', '.join(counts['dropped_columns']) or 'none'}.",
    ]
    return "\n".join(filter(None, lines))


commands = (contacts_group,)
