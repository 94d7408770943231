"""Vote intention over time: the page, its two pictures and its file."""

from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.tables import table_exports
from surveys import charts, questionnaire, responses
from surveys.pages import READERS, blueprint
from surveys.publishing import silence
from surveys.vote import report_words, trend_words, trends, wave_charts
from surveys.vote.result_pages import UNWEIGHTED, picture_answer
from surveys.vote.trends import Period, Series

KINDS = ("effective", "gross")


@blueprint.get("/<int:survey_id>/trend")
@access(*READERS)
def trend(survey_id: int) -> ResponseReturnValue:
    """Each period with its figures, and two of them face to face: ?by=wave|week|day&kind=…&from=…&to=…"""
    session = web_session()
    survey, found = questionnaire.find(session, survey_id), responses.kept(session, survey_id)
    series = _series(found)
    before, after = _two(series)
    kind = _kind()
    return render_template(
        "surveys/trend.html", survey=survey, series=series, kind=kind, kinds=report_words.KINDS, before=before,
        after=after, changes=trend_words.changes(series, before, after, kind) if before and after else [],
        pictures=_pictures(series, survey.name, kind, before, after), words=trend_words, plain=report_words,
        labels=trend_words.labels_of(series.periods), as_of=found.as_of, query=_query(series, kind, before, after),
        has_waves=found.frame["wave"].null_count() < found.frame.height,
    )  # fmt: skip


@blueprint.get("/<int:survey_id>/trend/<any(lines, change):what>.<any(svg, png):form>")
@access(*READERS)
def trend_chart(survey_id: int, what: str, form: str) -> ResponseReturnValue:
    """The picture: ?theme=light|dark and what the page asks for."""
    session = web_session()
    if "download" in request.args:
        silence.check_leaving(session, survey_id, current_user.id)
    survey = questionnaire.find(session, survey_id)
    series = _series(responses.kept(session, survey_id))
    theme = request.args.get("theme", "light")
    if theme not in charts.THEMES:
        raise NotFound(_("There are two themes: light and dark."))
    picture = _pictures(series, survey.name, _kind(), *_two(series)).get(what)
    if picture is None:
        raise NotFound(_("There are not two periods with figures yet."))
    draws = wave_charts.trend(picture, theme) if what == "lines" else wave_charts.dumbbell(picture, theme)
    return picture_answer(charts.draw(draws, form), form, "", f"convoca-{survey_id}-trend-{what}")


@blueprint.get("/<int:survey_id>/trend.csv")
@access(*READERS)
def trend_table(survey_id: int) -> ResponseReturnValue:
    """Every option in every period, one row each."""
    session = web_session()
    silence.check_leaving(session, survey_id, current_user.id)
    series = _series(responses.kept(session, survey_id))
    header = [_("period"), _("first interview"), _("last interview"), _("answer"), _("code"), _("n"), _("base"),
              _("gross share"), _("gross, low"), _("gross, high"), _("effective share"), _("effective, low"),
              _("effective, high"), _("not to be compared")]  # fmt: skip
    rows = [row for period in series.periods for row in _rows(series, period)]
    audit.record(session, current_user.id, "trend.export", f"survey/{survey_id}", by=series.by)
    session.commit()
    answer = Response(table_exports.csv_bytes(header, rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="convoca-{survey_id}-trend.csv"'
    return answer


def _series(found: responses.Responses) -> Series:
    return trends.read(
        web_session(), found, request.args.get("by") or _usual(found),
        is_weighted=request.args.get("weights") != UNWEIGHTED,
    )  # fmt: skip


def _usual(found: responses.Responses) -> str:
    """Waves where there are several, else weeks."""
    return "wave" if found.frame["wave"].n_unique() > 1 else "week"


def _kind() -> str:
    kind = request.args.get("kind", KINDS[0])
    if kind not in KINDS:
        raise NotFound(_("Shares are gross or effective."))
    return kind


def _two(series: Series) -> tuple[Period | None, Period | None]:
    """The two periods to be compared: those of the address, else the last two that have figures."""
    known = {period.code: period for period in series.periods if period.cell != "hidden"}
    last = list(known.values())[-2:]
    if len(last) < 2:
        return None, None
    return known.get(request.args.get("from", ""), last[0]), known.get(request.args.get("to", ""), last[1])


def _pictures(
    series: Series, name: str, kind: str, before: Period | None, after: Period | None
) -> dict[str, Any]:  # fmt: skip
    title = f"{name}: {report_words.KINDS[kind]}"
    if before is None or after is None:
        return {}
    lines = trend_words.trend_picture(series, title, kind)
    return {"lines": lines, "change": trend_words.change_picture(series, title, before, after, kind)}


def _query(series: Series, kind: str, before: Period | None, after: Period | None) -> dict[str, str]:
    values = {"by": series.by, "kind": kind}
    if before is not None and after is not None:
        values |= {"from": before.code, "to": after.code}
    return values | ({"weights": UNWEIGHTED} if request.args.get("weights") == UNWEIGHTED else {})


def _rows(series: Series, period: Period) -> list[list[table_exports.Cell]]:
    gross, effective = period.shares("gross"), period.shares("effective")
    days = [at.isoformat(timespec="seconds") if at else None for at in (period.first_at, period.last_at)]
    rows: list[list[table_exports.Cell]] = []
    for option in series.options:
        of = [None if shares is None else shares.of.get(option.code) for shares in (gross, effective)]
        figures: list[table_exports.Cell] = []
        for estimate in of:
            figures += [estimate.share, estimate.low, estimate.high] if estimate else [None, None, None]
        n = of[0].n if of[0] else None
        base = period.base if period.cell != "hidden" else None
        rows.append([period.label, *days, option.words(), option.code, n, base, *figures, " ".join(period.breaks)])
    return rows
