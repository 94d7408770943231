"""Targets from the territory: what the nominal list of today's sections says of sex, kind of section and place."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from callcenter.base.errors import InvalidInput
from callcenter.territory import Section
from surveys.weighting.raking import Margin

VARIABLES = ("sex", "section_kind", "municipality", "federal_district")
MOST_LEVELS = 60


def margins(session: Session, wanted: Sequence[str]) -> tuple[Margin, ...]:
    """The margins of `wanted` VARIABLES over all sections that stand today, each person of the nominal list once.

    Raises InvalidInput where the sections do not know a variable, or know a single level of it."""
    counts = _counts(session)
    faults, found = [], []
    for variable in [name for name in VARIABLES if name in wanted]:
        levels = {level: n for level, n in counts[variable].items() if n > 0}
        if not 1 < len(levels) <= MOST_LEVELS:
            faults.append(_("The sections tell no shares of %(variable)s: they know %(n)s levels of it.",
                            variable=variable, n=len(levels)))  # fmt: skip
            continue
        total = sum(levels.values())
        found.append(Margin(variable, {level: n / total for level, n in levels.items()}))
    if not wanted:
        faults.append(_("Choose at least one variable."))
    if faults:
        raise InvalidInput({"sections": " ".join(faults)})
    return tuple(found)


def source(session: Session) -> str:
    """Where these targets come from, in words, for the study."""
    sections, people = session.execute(
        select(func.count(), func.coalesce(func.sum(Section.nominal_list), 0)).where(Section.valid_to.is_(None))
    ).one()
    return str(_("Nominal list of %(people)s people in the %(sections)s sections loaded here.",
             people=people, sections=sections))  # fmt: skip


def _counts(session: Session) -> Mapping[str, dict[str, int]]:
    men, women = session.execute(
        select(func.coalesce(func.sum(Section.men), 0), func.coalesce(func.sum(Section.women), 0))
        .where(Section.valid_to.is_(None))
    ).one()  # fmt: skip
    return {
        "sex": {"H": int(men or 0), "M": int(women or 0)},
        "section_kind": _by(session, Section.kind),
        "municipality": _by(session, Section.municipality),
        "federal_district": _by(session, Section.federal_district),
    }


def _by(session: Session, column: InstrumentedAttribute[Any]) -> dict[str, int]:
    rows = session.execute(
        select(column, func.sum(Section.nominal_list))
        .where(Section.valid_to.is_(None), column.is_not(None))
        .group_by(column)
        .order_by(column)
    )
    return {str(level): int(n or 0) for level, n in rows}
