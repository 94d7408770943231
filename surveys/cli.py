"""Commands: `flask surveys import FILE --name NAME`, `flask surveys tally ID --json`."""

import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput, NotFound, Refused
from surveys import questionnaire, results
from surveys.weighting.intervals import margin

surveys_group = AppGroup("surveys", help="Questionnaires and results.")
commands = (surveys_group,)


@surveys_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="", help="The survey's name; without it the title of the form.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
def import_survey(file: Path, name: str, as_json: bool) -> None:
    """Make a survey from an XLSForm. Exits with 2 and a sentence for each fault when the form cannot be used."""
    with open_session() as session:
        try:
            survey = questionnaire.create_survey(session, name, file.name, file.read_bytes())
        except InvalidInput as fault:
            for sentence in fault.faults.values():
                click.echo(sentence, err=True)
            sys.exit(2)
        session.commit()
        items = questionnaire.current(session, survey.id).items
        made = {
            "survey": survey.id,
            "name": survey.name,
            "questions": len(items["items"]),
            "languages": items["languages"],
        }
    click.echo(json.dumps(made, ensure_ascii=False) if as_json else f"survey/{survey.id} {survey.name}")


@surveys_group.command("tally")
@click.argument("survey_id", type=int)
@click.option("--by", type=click.Choice(tuple(results.BREAKDOWNS)), help="Break down by this.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
def tally(survey_id: int, by: str | None, as_json: bool) -> None:
    """Vote intention of a survey, gross and effective, as counted now."""
    with open_session() as session:
        try:
            frame = results.tally(session, survey_id, by)
        except (InvalidInput, NotFound, Refused) as fault:
            click.echo(str(fault), err=True)
            sys.exit(2)
    if not as_json:
        click.echo(frame.drop(columns=["first_at", "last_at"]).to_string(index=False))
        return
    rows = json.loads(frame.to_json(orient="records", date_format="iso"))
    base = int(frame["base"].iloc[0]) if by is None else int(frame.groupby("group")["base"].first().sum())
    error = round(margin(base), 6) if base else None
    click.echo(json.dumps({"survey": survey_id, "n": base, "margin": error, "rows": rows}, ensure_ascii=False))
