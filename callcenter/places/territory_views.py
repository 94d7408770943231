"""Pages of the territory: the map with its table, one section with its people and its past."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import contacts, territory
from callcenter.base import auth
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.places import past_results, result_bars, territory_counts, territory_map
from callcenter.places.territory_counts import LEVELS, MEASURES, Figures
from callcenter.places.territory_hiding import Key
from callcenter.places.territory_map import Area
from callcenter.tables.table_files import csv_line

blueprint = Blueprint("territory", "callcenter", url_prefix="/territory", template_folder="templates")

READERS = ("administrator", "strategist", "supervisor", "data_clerk", "pollster")
MOST_DRAWN = 3000  # areas of one map; of more, one municipality or district is chosen first
MOST_LINES = 1000  # of the table on the page; the file has them all


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "levels": LEVELS,
        "measures": MEASURES,
        "section_kinds": territory.SECTION_KINDS,
        "sexes": contacts.SEXES,
        "consents": contacts.CONSENTS,
        "line_kinds": contacts.LINE_KINDS,
        "age_words": territory_counts.age_words,
        "may_import": auth.may(frozenset(("administrator",))),
        "may_see_people": auth.may(frozenset(READERS) - {"pollster"}),
    }


@blueprint.get("/")
@access(*READERS)
def page() -> ResponseReturnValue:
    session = web_session()
    if territory.is_empty(session):
        return render_template("callcenter/territory/empty.html")
    shown, within = _figures(session)
    too_many = len(shown.areas) > MOST_DRAWN
    title = _map_title(shown)
    return render_template(
        "callcenter/territory/page.html",
        shown=shown,
        lines=shown.areas[:MOST_LINES],
        chosen="" if within is None else _code(*within),
        choices=_choices(session),
        too_many=too_many,
        drawing="" if too_many else territory_map.paint(
            _areas(session, shown), title=title, as_share=shown.measure == "coverage"
        ),
        title=title,
    )  # fmt: skip


@blueprint.get("/figures.csv")
@access(*READERS)
def export() -> ResponseReturnValue:
    """The table as a file: what the page hides is hidden here, too."""
    shown, _within = _figures(web_session())
    return Response(
        _lines(shown),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=territory-{shown.measure}.csv"},
    )


@blueprint.get("/sections/<int:state>/<int:number>")
@access(*READERS)
def section(state: int, number: int) -> ResponseReturnValue:
    session = web_session()
    found = territory.find(session, state, number)
    results = past_results.of_section(session, state, number)
    figures = territory_counts.of_section(found, territory_counts.places(session))
    return render_template(
        "callcenter/territory/section.html",
        section=found,
        figures=figures,
        people=territory_counts.people_of(session, found, figures),
        counts=territory.nominal_counts(session, state, number),
        results=[(result, result_bars.draw(result)) for result in results],
        history=territory.history(session, state, number),
        neighbours=territory.neighbours(session, found),
    )


def _figures(session: Session) -> tuple[Figures, tuple[str, Key] | None]:
    measure = request.args.get("measure", "contacts")
    level = request.args.get("level", "section")
    within = _within(request.args.get("area", ""))
    return (
        territory_counts.figures(
            session,
            measure if measure in MEASURES else "contacts",
            level if level in LEVELS else "section",
            within=within,
        ),
        within,
    )


def _within(code: str) -> tuple[str, Key] | None:
    """`municipality-30-109` → that municipality; None for the whole territory, or for nonsense."""
    level, _dash, numbers = code.partition("-")
    parts = numbers.split("-")
    if level not in LEVELS or len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return level, (int(parts[0]), int(parts[1]))


def _code(level: str, key: Key) -> str:
    return f"{level}-{key[0]}-{key[1]}"


def _choices(session: Session) -> list[tuple[str, list[tuple[str, str]]]]:
    """For the select: by level, the areas with their codes."""
    return [
        (str(LEVELS[level]), [(_code(level, key), label) for key, label in areas])
        for level, areas in territory_counts.areas_to_choose(session).items()
        if areas
    ]


def _areas(session: Session, shown: Figures) -> list[Area]:
    outlines = territory_map.outlines(session, shown.level, shown.section_ids)
    return [
        Area(one.label, one.value, outlines.get(one.key), _url(shown, one.key), one.is_hidden) for one in shown.areas
    ]


def _url(shown: Figures, key: Key) -> str:
    if shown.level == "section":
        return url_for("territory.section", state=key[0], number=key[1])
    return url_for("territory.page", level="section", measure=shown.measure, area=_code(shown.level, key))


def _map_title(shown: Figures) -> str:
    return f"{MEASURES[shown.measure]} · {LEVELS[shown.level]}"


def _lines(shown: Figures) -> Iterator[str]:
    yield "\ufeff" + csv_line(("state", shown.level, "name", "sections", "nominal_list", shown.measure))
    for one in shown.areas:
        value = _("fewer than 5, or hidden") if one.is_hidden else one.value
        yield csv_line((*one.key, one.label, one.sections, one.nominal_list, value))
