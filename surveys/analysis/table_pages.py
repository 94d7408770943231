"""Tables of a survey: any question by any group, with letters, tests, filters in the address, and files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.languages import language
from callcenter.tables import table_exports
from surveys import questionnaire, responses
from surveys.analysis import crosstabs, table_words, tables
from surveys.analysis.table_variables import Variable
from surveys.analysis.tables import Choices, Wanted
from surveys.pages import READERS, blueprint
from surveys.publishing import silence
from surveys.responses import Responses
from surveys.weighting import weighing
from surveys.weighting.weighing import Weighing

MOST_FILTERS = 40  # of the form; the address takes any
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class _Made:
    found: Responses
    choices: Choices
    wanted: Wanted
    weighed: Weighing
    tables: list[crosstabs.Table]

    def notes(self, name: str) -> list[str]:
        """What stands above the table in a file."""
        lines = [f"{name} · {_('INTERNAL USE')}", self.weighed.words(), *filter_words(self.wanted, self.choices)]
        return [*lines, _("As of %(time)s", time=format_datetime(self.found.as_of, "medium")), *reading_notes()]


def reading_notes() -> list[str]:
    """How to read a table."""
    return [
        _("A letter says that the figure is above that of the column with this letter (95 percent, effective bases)."),
        _("Groups under 30 are marked * and not compared, groups under 10 are not shown."),
    ]


@blueprint.get("/<int:survey_id>/tables")
@access(*READERS)
def tables_page(survey_id: int) -> ResponseReturnValue:
    """The tables that the address asks for, and the form that makes such addresses."""
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    found = responses.kept(session, survey_id)
    choices = tables.choices(session, found, language())
    faults: Mapping[str, str] = {}
    made: _Made | None = None
    try:
        made = _make(session, found, choices)
    except InvalidInput as fault:
        faults = fault.faults
    page: dict[str, Any] = {"survey": survey, "found": found, "choices": choices, "made": made, "faults": faults}
    chosen = {name: request.args.getlist(name) for name in ("q", "by", "only")}
    if made is not None:
        chosen = {"q": list(made.wanted.questions), "by": list(made.wanted.by), "only": chosen["only"]}
    page["filters"] = _filters(choices, chosen["only"])
    page |= {"words": table_words, "notes": reading_notes(), "chosen": chosen, "apart": tables.APART}
    drawn = render_template("surveys/tables.html", **page)
    return drawn, 422 if faults else 200


@blueprint.get("/<int:survey_id>/tables.<any(csv, xlsx):form>")
@access(*READERS)
def tables_file(survey_id: int, form: str) -> ResponseReturnValue:
    """The same tables: a CSV with a line for each cell, or a workbook with a sheet for each table."""
    session = web_session()
    silence.check_leaving(session, survey_id, current_user.id)
    survey = questionnaire.find(session, survey_id)
    found = responses.kept(session, survey_id)
    made = _make(session, found, tables.choices(session, found, language()))
    if form == "csv":
        content = table_exports.csv_bytes(table_words.header(), table_words.flat(made.tables))
        kind = "text/csv; charset=utf-8"
    else:
        content, kind = table_words.workbook(made.tables, made.notes(survey.name)), XLSX
    audit.record(
        session, current_user.id, "tables.export", f"survey/{survey_id}", form=form, questions=made.wanted.questions
    )
    session.commit()
    answer = Response(content, content_type=kind)
    name = f"convoca-{survey_id}-tables-{found.as_of:%Y%m%d-%H%M}.{form}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _filters(choices: Choices, only: Sequence[str]) -> dict[str, Variable]:
    """What the form offers to filter by: facts and the first questions of a long form, and what is filtered already."""
    chosen = {text.partition(tables.APART)[0] for text in only}
    return {
        name: one for place, (name, one) in enumerate(choices.by.items()) if place < MOST_FILTERS or name in chosen
    }  # fmt: skip


def filter_words(wanted: Wanted, choices: Choices) -> list[str]:
    """Whom the tables look at: `Sex: Women`."""
    words = []
    for name, code in wanted.only:
        variable = choices.by[name]
        label = next(level.label for level in variable.levels if level.code == code)
        words.append(f"{variable.label}: {label}")
    return words


def _make(session: Session, found: Responses, choices: Choices) -> _Made:
    vote = found.items.get(found.vote_question or "")
    wanted = tables.read(request.args, choices, vote.column if vote else None)
    weighed = weighing.weigh(session, found, wanted=wanted.weighted)
    return _Made(
        found, choices, wanted, weighed, tables.make(session, found, wanted, choices, weighed.values)
    )  # fmt: skip
