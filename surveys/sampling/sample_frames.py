"""Frames of people: lists from which samples are drawn, and the strata that their records tell.

The floor above registers its own (segments); a panel, who took part before, is ours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, case, cast, func, literal, select, union
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import String

from callcenter.attempts import Attempt
from callcenter.base.errors import NotFound
from callcenter.contacts import Contact
from callcenter.territory import Section
from surveys.fieldwork.interview_ledger import Answer, Interview, is_present
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.sampling import waves
from surveys.sampling.numbering_reading import SHORT_AREAS

RDD = "rdd"
NO_STRATUM, UNKNOWN, BETWEEN = "*", "?", " · "  # all together; not on record; between the parts of a joint stratum
Asked = Mapping[str, Any]  # the options of a sample


@dataclass(frozen=True)
class Frame:
    """`choices(session, survey_id)`: what may be drawn from, (reference, words). `people(session, survey_id, options)`:
    SELECT of contacts.id; `options["ref"]` is the reference that was chosen. Raises NotFound when it is gone."""

    label: LazyString
    choices: Callable[[Session, int], list[tuple[str, str]]]
    people: Callable[[Session, int, Asked], Select[Any]]


_frames: dict[str, Frame] = {}


def register(kind: str, frame: Frame) -> None:
    """Offer a list of people of a floor above."""
    _frames[kind] = frame


def frames() -> dict[str, Frame]:
    """The frames of people by kind."""
    return {**_frames, "panel": Frame(_l("Panel: who took part in an earlier wave"), _panel_waves, _panel)}


def _panel_waves(session: Session, survey_id: int) -> list[tuple[str, str]]:
    done = waves.interviews(session, survey_id)
    return [(wave.code, f"{wave.label} ({done[wave.code]})") for wave in waves.listed(session, survey_id)
            if done.get(wave.code)]  # fmt: skip


def _panel(session: Session, survey_id: int, asked: Asked) -> Select[Any]:
    """Who gave a complete interview in a wave; with `agree_item`, those alone who answered it with `agree_code`."""
    if waves.find(session, survey_id, str(asked["ref"])) is None:
        raise NotFound(_("There is no wave %(code)s.", code=asked["ref"]))
    complete = (Interview.survey_id == survey_id, Interview.wave == asked["ref"], Interview.state == "complete")
    called = select(Attempt.contact_id).join(Interview, Interview.call_id == Attempt.id).where(*complete)
    linked = select(SurveyLink.contact_id).join(Interview, Interview.id == SurveyLink.interview_id).where(*complete)
    if asked.get("agree_item"):
        said = aliased(Answer)
        agreed = is_present(said, str(asked["agree_item"])) & (said.value == asked.get("agree_code", ""))
        called, linked = (query.join(said, agreed) for query in (called, linked))
    both = union(called, linked).subquery()
    return select(both.c.contact_id).where(both.c.contact_id.is_not(None))


# ── strata ────────────────────────────────────────────────────────────────────────────────────────────────────────────

RDD_STRATA: dict[str, LazyString] = {"area_code": _l("Area code"), "line_kind": _l("Kind of line")}
STRATA: dict[str, LazyString] = {
    "municipality": _l("Municipality"),
    "section_kind": _l("Kind of section"),
    "federal_district": _l("Federal district"),
    "local_district": _l("Local district"),
    "sex": _l("Sex"),
    "age_band": _l("Age"),
    "line_kind": _l("Kind of line"),
    "area_code": _l("Area code"),
}
AGE_BANDS = (("18-29", 18, 29), ("30-44", 30, 44), ("45-59", 45, 59), ("60+", 60, 200))


def _columns() -> dict[str, Any]:
    national = func.substr(Contact.phone, 4)
    short = func.substr(national, 1, 2)
    return {
        "municipality": func.coalesce(Section.municipality, Contact.municipality),
        "section_kind": Section.kind,
        "federal_district": cast(Section.federal_district, String),
        "local_district": cast(Section.local_district, String),
        "sex": Contact.sex,
        "age_band": case(*((Contact.age.between(low, high), band) for band, low, high in AGE_BANDS)),
        "line_kind": Contact.line_kind,
        "area_code": case((short.in_(sorted(SHORT_AREAS)), short), else_=func.substr(national, 1, 3)),
    }


def stratum(names: Sequence[str]) -> ColumnElement[str]:
    """SQL: the joint stratum of a person."""
    if not names:
        return literal(NO_STRATUM)
    known = _columns()
    parts: Any = func.coalesce(known[names[0]], UNKNOWN)
    for name in names[1:]:
        parts = parts.concat(BETWEEN).concat(func.coalesce(known[name], UNKNOWN))
    found: ColumnElement[str] = parts
    return found


def people(session: Session, survey_id: int, frame: str, asked: Asked) -> tuple[Select[int, str], dict[str, int]]:
    """SELECT of (id, stratum) of everybody who may be drawn, and how many of the list may not, by reason."""
    if frame not in frames():
        raise NotFound(_("There is no such frame to draw from."))
    listed = frames()[frame].people(session, survey_id, asked)
    reason = case(
        (Contact.blocked_at.is_not(None), "blocked"),
        (Contact.suppressed, "suppressed"),
        (Contact.consent == "opted_out", "opted_out"),
        else_="",
    )
    there = select(reason.label("reason"), func.count()).where(Contact.id.in_(listed)).group_by("reason")
    left_out = {why: number for why, number in session.execute(there) if why}
    drawable = (
        select(Contact.id.label("id"), stratum(asked.get("strata", ())).label("stratum"))
        .outerjoin(Section, Section.id == Contact.section_id)
        .where(Contact.id.in_(listed), reason == "")
    )
    return drawable, left_out
