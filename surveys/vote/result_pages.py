"""Results of a survey: the page that refreshes itself, its pictures, and its files."""

from collections.abc import Iterator
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.base.web import is_htmx
from callcenter.tables import table_exports
from callcenter.tables.table_exports import Cell
from surveys import charts, responses
from surveys.pages import READERS, blueprint
from surveys.publishing import silence
from surveys.results import BREAKDOWNS, GROUPS, UNKNOWN, Filters
from surveys.sampling import waves
from surveys.vote import report, report_words, vote_looks, vote_options
from surveys.vote.group_labels import BREAKDOWN_LABELS, group_label
from surveys.vote.report import Report, Wanted

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOT_MODIFIED_SOON = "private, max-age=86400, immutable"
UNWEIGHTED = "none"  # ?weights=none: everybody counts once, whatever recipe is in force


@blueprint.get("/<int:survey_id>/results")
@access(*READERS)
def results(survey_id: int) -> ResponseReturnValue:
    """Vote intention as of now. htmx asks again every few seconds for the part that changes."""
    session = web_session()
    found = report.read(session, survey_id, wanted())
    page = {
        "report": found, "words": report_words, "kinds": report_words.KINDS, "breakdown_labels": BREAKDOWN_LABELS,
        "query": query(found.wanted), "looks": vote_looks,
        "pictures": {kind: report_words.picture(found, kind) for kind in report_words.KINDS},
    }  # fmt: skip
    if is_htmx():
        return render_template("surveys/results_part.html", **page)
    kept = responses.kept(session, survey_id)
    questions = [kept.items[vote_options.vote_question(kept)], *vote_options.face_offs(kept)]
    seen = set(kept.frame["wave"].drop_nulls().unique().to_list())
    known = [(wave.code, wave.label) for wave in waves.listed(session, survey_id) if wave.code in seen]
    return render_template(
        "surveys/results.html", groups=_group_choices(), questions=questions, waves=known, **page
    )  # fmt: skip


@blueprint.get("/<int:survey_id>/results/<any(gross, effective):kind>.<any(svg, png):form>")
@access(*READERS)
def chart(survey_id: int, kind: str, form: str) -> ResponseReturnValue:
    """The picture: ?theme=light|dark and the page's filters. With the `v` of the page it may be kept by the browser."""
    session = web_session()
    if "download" in request.args:
        silence.check_leaving(session, survey_id, current_user.id)
    found = report.read(session, survey_id, wanted())
    theme = request.args.get("theme", "light")
    if theme not in charts.THEMES:
        raise NotFound(_("There are two themes: light and dark."))
    drawn = charts.draw(charts.bars(report_words.picture(found, kind), theme), form)
    return picture_answer(drawn, form, found.version, file_name(found, kind))


def picture_answer(drawn: bytes, form: str, version: str, name: str) -> Response:
    """A picture as it is shown; with ?download as a file of this name."""
    answer = Response(drawn, content_type=charts.FORMATS[form])
    if request.args.get("v") == version:
        answer.headers["Cache-Control"] = NOT_MODIFIED_SOON
    if "download" in request.args:
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


@blueprint.get("/<int:survey_id>/results.<any(csv, xlsx):form>")
@access(*READERS)
def table(survey_id: int, form: str) -> ResponseReturnValue:
    """The total and the three breakdowns as a table, one row for each answer in each group."""
    session = web_session()
    silence.check_leaving(session, survey_id, current_user.id)
    found = report.read(session, survey_id, wanted())
    header = _header()
    if form == "csv":
        content, kind = table_exports.csv_bytes(header, _rows(found)), "text/csv; charset=utf-8"
    else:
        content, kind = table_exports.xlsx_bytes(_("Results"), header, _rows(found), _notes(found)), XLSX
    audit.record(session, current_user.id, "results.export", f"survey/{survey_id}", form=form)
    session.commit()
    answer = Response(content, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(found, "results")}.{form}"'
    return answer


def wanted() -> Wanted:
    """What the address asks for. Raises InvalidInput for a group that there is none of."""
    filters = Filters(**{name: request.args.get(name) or None for name in (*BREAKDOWNS, "wave")})
    return Wanted(filters, request.args.get("weights") != UNWEIGHTED, request.args.get("question") or None)


def query(asked: Wanted) -> dict[str, str]:
    """The address that asks for the same."""
    values = {name: value for name in (*BREAKDOWNS, "wave") if (value := getattr(asked.filters, name))}
    if not asked.is_weighted:
        values["weights"] = UNWEIGHTED
    return values | ({"question": asked.question} if asked.question else {})


def _group_choices() -> dict[str, list[tuple[str, str]]]:
    return {by: [(group, group_label(by, group)) for group in (*GROUPS[by], UNKNOWN)] for by in BREAKDOWNS}


def _header() -> list[str]:
    return [
        _("breakdown"), _("group"), _("answer"), _("code"), _("role"), _("n"), _("base"), _("gross share"),
        _("gross, low"), _("gross, high"), _("effective base"), _("effective share"), _("effective, low"),
        _("effective, high"), _("cell"), _("first interview"), _("last interview"), _("as of"), _("weights"),
    ]  # fmt: skip


def _rows(found: Report) -> Iterator[list[Cell]]:
    as_of, weights = found.as_of.isoformat(timespec="seconds"), found.weighing.words()
    first = found.first_at.isoformat(timespec="seconds") if found.first_at else None
    last = found.last_at.isoformat(timespec="seconds") if found.last_at else None
    for by, tables in (("", (found.total,)), *found.breakdowns.items()):
        for each in tables:
            for line in each.lines:
                yield [
                    by, each.label, line.label, line.option, line.role, line.n, each.base, line.share, line.low,
                    line.high, each.effective_base, line.effective, line.effective_low, line.effective_high,
                    each.cell, first, last, as_of, weights,
                ]  # fmt: skip


def _notes(found: Report) -> list[str]:
    return [
        f"{found.name} · {_('INTERNAL USE')}",
        report_words.facts(found, found.total.base, found.total.margin),
        report_words.weighing(found),
        _("As of %(time)s", time=format_datetime(found.as_of, "medium")),
    ]


def file_name(found: Report, what: str) -> str:
    """What a file of these figures is called, without its ending."""
    return f"convoca-{found.survey_id}-{what}-{found.as_of:%Y%m%d-%H%M}"


def chart_url(found: Report, kind: str, form: str, **values: Any) -> str:
    """The address of a picture with these numbers and filters."""
    more: dict[str, Any] = {**query(found.wanted), **values}
    return url_for("surveys.chart", survey_id=found.survey_id, kind=kind, form=form, v=found.version, **more)


@blueprint.context_processor
def _addresses() -> dict[str, Any]:
    return {"chart_url": chart_url}
