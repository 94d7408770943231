"""The map of an answer: its share by section, municipality or district, with what the other areas lent it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.languages import language
from callcenter.places import territory_map
from callcenter.places.territory_counts import LEVELS
from callcenter.places.territory_map import Area, Key
from callcenter.tables import table_exports
from callcenter.tables.table_exports import Cell
from surveys import charts, questionnaire, responses
from surveys.analysis import area_shares, crosstabs, map_picture, table_words, tables
from surveys.analysis.map_picture import MapPicture
from surveys.analysis.table_variables import Coded, Level, Variable, without_missing
from surveys.analysis.tables import APART, Choices, who
from surveys.fieldwork import interview_places
from surveys.pages import READERS, blueprint
from surveys.publishing import silence
from surveys.responses import Responses
from surveys.weighting import weighing as weighing_of
from surveys.weighting.weighing import Weighing

BASES = ("", "valid", "candidates")
FIGURES = ("drawn", "raw")


@dataclass(frozen=True)
class Line:
    """One area. `raw`, `drawn`: shares (0–1), None where they are not shown; `own`: how much of `raw` is in `drawn`."""

    key: Key
    label: str
    n: int
    cell: str
    raw: float | None
    drawn: float | None
    low: float | None
    high: float | None
    own: float | None

    @property
    def is_shown(self) -> bool:
        return self.drawn is not None


@dataclass(frozen=True)
class AnswerMap:
    """What the page shows. `figure`: drawn | raw; `base`: one of BASES; `unknown`: people whose area is not known."""

    question: Variable
    answer: Level
    level: str
    base: str
    figure: str
    weighed: Weighing
    lines: tuple[Line, ...]
    mean: float
    spread: float
    unknown: int
    section_ids: dict[Key, list[int]]

    @property
    def title(self) -> str:
        return str(
            _("%(answer)s by %(level)s", answer=self.answer.label, level=str(LEVELS[self.level]).lower())
        )  # fmt: skip


@blueprint.get("/<int:survey_id>/map")
@access(*READERS)
def map_page(survey_id: int) -> ResponseReturnValue:
    """The map and its table; `?answer=vote:azul&level=municipality&base=candidates&figure=raw&weights=no`."""
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    found = responses.kept(session, survey_id)
    choices = tables.choices(session, found, language())
    made = _made(session, found, choices) if found.frame.height else None
    drawing = _drawn(session, made) if made else ""
    return render_template(
        "surveys/map.html", survey=survey, found=found, choices=choices, made=made, drawing=drawing, levels=LEVELS,
        words=table_words, apart=APART, answerable=_answerable(choices),
    )  # fmt: skip


@blueprint.get("/<int:survey_id>/map.<any(csv, svg, png):form>")
@access(*READERS)
def map_file(survey_id: int, form: str) -> ResponseReturnValue:
    """The table of the map, or the map as a picture; what the page hides is hidden here, too."""
    session = web_session()
    silence.check_leaving(session, survey_id, current_user.id)
    survey = questionnaire.find(session, survey_id)
    found = responses.kept(session, survey_id)
    made = _made(session, found, tables.choices(session, found, language()))
    if form == "csv":
        content, kind = table_exports.csv_bytes(_header(made), _rows(made)), "text/csv; charset=utf-8"
    else:
        content, kind = map_picture.draw(_picture(session, survey.name, found, made), form), charts.FORMATS[form]
    if not content:
        raise NotFound(_("No outline of these areas is known, so there is no picture of the map."))
    audit.record(session, current_user.id, "map.export", f"survey/{survey_id}", question=made.question.name, form=form)
    session.commit()
    answer = Response(content, content_type=kind)
    name = f"convoca-{survey_id}-map-{found.as_of:%Y%m%d-%H%M}.{form}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _picture(session: Session, name: str, found: Responses, made: AnswerMap) -> MapPicture:
    notes = [
        f"{made.question.label} · {made.weighed.words()}",
        _("As of %(time)s", time=format_datetime(found.as_of, "medium")),
        _("Areas under 10 interviews are not shown; own shares are drawn towards the mean of all areas.")
        if made.figure == "drawn"
        else _("Areas under 10 interviews are not shown; own shares alone."),
    ]
    return MapPicture(f"{name}: {made.title}", _drawn(session, made), notes, str(_("INTERNAL USE")))


def _header(made: AnswerMap) -> list[str]:
    return [
        _("state"), _("number"), str(LEVELS[made.level]), _("question"), _("answer"), _("n"), _("own share"),
        _("drawn share"), _("low"), _("high"), _("weight of its own"), _("cell"),
    ]  # fmt: skip


def _rows(made: AnswerMap) -> Iterator[list[Cell]]:
    for line in made.lines:
        n = line.n if line.cell != "hidden" or line.n == 0 else None
        yield [
            *line.key, line.label, made.question.name, made.answer.code, n, line.raw, line.drawn, line.low, line.high,
            line.own, line.cell,
        ]  # fmt: skip


def _made(session: Session, found: Responses, choices: Choices) -> AnswerMap:
    question, answer = _answer(found, choices)
    level = request.args.get("level") or "municipality"
    base, figure = request.args.get("base", ""), request.args.get("figure", "drawn")
    for value, known, field in ((level, tuple(LEVELS), "level"), (base, BASES, "base"), (figure, FIGURES, "figure")):
        if value not in known:
            known_words = ", ".join(known).strip(", ")
            raise InvalidInput({field: _("“%(value)s” is not one of %(known)s.", value=value, known=known_words)})
    weighed = weighing_of.weigh(session, found, wanted=request.args.get("weights") != "no")
    codes = _based(tables.answers(session, found, question), question, base)
    places = interview_places.read(session, found, level)
    weights = np.ones(found.frame.height) if weighed.values is None else weighed.values
    hit = who(codes, [one.code for one in question.levels].index(answer.code))
    sums = area_shares.sums(places.of_person, hit, weights, codes.has_answer, count=len(places.areas))
    shares = area_shares.drawn_together(sums)
    return AnswerMap(
        question, answer, level, base, figure, weighed, tuple(_lines(places, sums, shares)), shares.mean, shares.spread,
        int((codes.has_answer & (weights > 0) & (places.of_person < 0)).sum()), places.section_ids,
    )  # fmt: skip


def _answerable(choices: Choices) -> list[Variable]:
    return [one for one in choices.questions.values() if one.kind != "number" and one.levels]


def _answer(found: Responses, choices: Choices) -> tuple[Variable, Level]:
    """The answer that the address names; else the first one of the vote."""
    name, _apart, code = request.args.get("answer", "").partition(APART)
    known = {one.name: one for one in _answerable(choices)}
    if not known:
        raise InvalidInput({"answer": _("This questionnaire has no question with choices to make a map of.")})
    if not name:
        vote = found.items.get(found.vote_question or "")
        question = known.get(vote.column if vote else "") or next(iter(known.values()))
        return question, question.levels[0]
    if name not in known:
        raise InvalidInput({"answer": _("There is no question “%(name)s”. Choose one of the list.", name=name)})
    for level in known[name].levels:
        if level.code == code:
            return known[name], level
    raise InvalidInput({"answer": _("The question has no answer “%(code)s”. Choose one of the list.", code=code)})


def _based(codes: Coded, question: Variable, base: str) -> Coded:
    if base == "valid":
        return without_missing(codes, question)
    if base == "candidates" and codes.at is None:
        named = [place for place, level in enumerate(question.levels) if level.role == "candidate"]
        if named:
            kept = np.where(np.isin(codes.codes, named), codes.codes, -1)
            return Coded(kept, kept >= 0)
    return codes


def _lines(
    places: interview_places.Places, sums: area_shares.Sums, shares: area_shares.Shares
) -> Iterator[Line]:  # fmt: skip
    for at, key in enumerate(places.areas):
        n = int(sums.n[at])
        cell = crosstabs.cell_kind(n)
        figures = (shares.raw, shares.drawn, shares.low, shares.high, shares.own)
        shown = [None if cell == "hidden" or math.isnan(one[at]) else float(one[at]) for one in figures]
        yield Line(key, places.labels[key], n, cell, *shown)


def _drawn(session: Session, made: AnswerMap) -> Markup:
    areas = _areas(session, made)
    return territory_map.paint(areas, title=made.title, as_share=True, fewest=crosstabs.HIDDEN_BELOW)


def _areas(session: Session, made: AnswerMap) -> list[Area]:
    outlines = territory_map.outlines(session, made.level, made.section_ids)
    values = {line.key: line.raw if made.figure == "raw" else line.drawn for line in made.lines}
    return [
        Area(line.label, values[line.key], outlines.get(line.key), is_hidden=line.n > 0) for line in made.lines
    ]  # fmt: skip
