"""Figures of the territory: our people by section, municipality and district, few people never told."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func, select, text
from sqlalchemy.orm import Session

from callcenter.contacts import Contact
from callcenter.places import territory_hiding
from callcenter.places.territory_hiding import Key, Spot
from callcenter.tables import small_counts
from callcenter.territory import District, Municipality, Section

LEVELS: dict[str, LazyString] = {
    "municipality": _l("Municipality"),
    "federal_district": _l("Federal district"),
    "local_district": _l("Local district"),
    "section": _l("Section"),
}
MEASURES: dict[str, LazyString] = {
    "contacts": _l("Our people"),
    "consented": _l("Accepted the notice"),
    "coverage": _l("Coverage"),
    "pledges": _l("People with a pledge"),
}
AGES = ((18, 29), (30, 44), (45, 59), (60, None))


@dataclass(frozen=True)
class Place:
    """A section of today with what is counted in it."""

    id: int
    number: int
    keys: dict[str, Key | None]  # by level: the area it belongs to
    municipality: str | None
    nominal_list: int | None
    contacts: int
    consented: int
    pledges: int


@dataclass(frozen=True)
class AreaFigure:
    """One line of the table. `value`: the count, or for coverage the share; None: not shown or not known."""

    key: Key
    label: str
    sections: int
    nominal_list: int | None
    value: float | None
    is_hidden: bool


@dataclass(frozen=True)
class Figures:
    """The areas of one level, by key, with one measure. `total` None: it would give a small count away."""

    level: str
    measure: str
    areas: list[AreaFigure]
    total: float | None
    section_ids: dict[Key, list[int]] = field(default_factory=dict)


def places(session: Session) -> list[Place]:
    """Every section of today, by state and number."""
    rows = session.execute(text(_PLACES)).mappings()
    return [
        Place(
            row["id"], row["number"],
            {
                "section": (row["state"], row["number"]),
                "municipality": (row["state"], row["municipality_code"]),
                **{level: (row["state"], row[level]) if row[level] else None
                   for level in ("federal_district", "local_district")},
            },
            row["municipality"], row["nominal_list"], row["contacts"], row["consented"], row["pledges"],
        )
        for row in rows
    ]  # fmt: skip


def figures(
    session: Session,
    measure: str,
    level: str,
    *,
    within: tuple[str, Key] | None = None,
    found: list[Place] | None = None,
) -> Figures:
    """One measure at one level, of all areas or of those within one (its level and key).

    What is hidden is settled over the whole territory first, so that no two pages together tell what one hides."""
    everything = places(session) if found is None else found
    hidden = _hidden(everything, measure)
    chosen = [place for place in everything if within is None or place.keys[within[0]] == within[1]]
    members: dict[Key, list[Place]] = defaultdict(list)
    for place in chosen:
        if (key := place.keys[level]) is not None:
            members[key].append(place)
    names = _names(session, level, members)
    areas = [_figure(key, names[key], members[key], measure, hidden.values[level][key]) for key in sorted(members)]
    total = hidden.total if within is None else hidden.values[within[0]].get(within[1])
    if measure == "coverage" and total is not None:
        total = _share(total, _voters(chosen))  # type: ignore[assignment]
    ids = {key: [place.id for place in of] for key, of in members.items()}
    return Figures(level, measure, areas, total, ids)


def areas_to_choose(session: Session) -> dict[str, list[tuple[Key, str]]]:
    """By level above the section: the areas there are, with their names."""
    rows = session.execute(
        select(Section.state, Section.municipality_code, Section.federal_district, Section.local_district)
        .where(Section.valid_to.is_(None))
        .distinct()
    ).all()
    keys = {
        "municipality": {(row[0], row[1]) for row in rows},
        "federal_district": {(row[0], row[2]) for row in rows if row[2]},
        "local_district": {(row[0], row[3]) for row in rows if row[3]},
    }
    return {level: sorted(_names(session, level, found).items()) for level, found in keys.items()}


def of_section(section: Section, everything: list[Place]) -> dict[str, int | None]:
    """The section's figures by measure (coverage left out), as the map of all sections shows them."""
    key = (section.state, section.number)
    return {name: _hidden(everything, name).values["section"].get(key) for name in ("contacts", "consented", "pledges")}


def people_of(session: Session, section: Section, figures: dict[str, int | None]) -> dict[str, dict[str, int | None]]:
    """Our people of a section by consent, kind of line, sex and age band, each count hidden where it tells too much.

    `figures` are those of `of_section`: what the map hides stays hidden here."""
    if figures["contacts"] is None:
        return {}
    found = {
        "consent": _split(session, section.id, Contact.consent),
        "line_kind": _split(session, section.id, Contact.line_kind),
        "sex": _split(session, section.id, func.coalesce(Contact.sex, "")),
        "age": _split(session, section.id, age_band()),
    }
    if figures["consented"] is None:
        del found["consent"]
    return found


def age_words(band: str) -> str:
    """`18` → 18 to 29."""
    for least, most in AGES:
        if band == str(least):
            return str(
                _("%(least)s to %(most)s", least=least, most=most) if most else _("%(least)s and more", least=least)
            )
    return str(_("not known"))


def _split(session: Session, section_id: int, column: Any) -> dict[str, int | None]:
    rows = session.execute(select(column, func.count()).where(Contact.section_id == section_id).group_by(column))
    return small_counts.hide(
        {str(code): count for code, count in sorted(rows.all(), key=lambda pair: str(pair[0]))}
    ).values


def age_band() -> Any:
    """SQL: the band of AGES in which a person is, by its least age; empty where nobody knows."""
    return case(*((Contact.age.between(least, most or 130), str(least)) for least, most in AGES), else_="")


def _hidden(everything: Iterable[Place], measure: str) -> territory_hiding.Shown:
    """What may be shown of all areas of every level; None is who lives in none of them: part of the total, too."""
    is_part = measure in ("consented", "pledges")
    spots = [Spot(place.keys, _count(place, measure), place.contacts if is_part else None) for place in everything]
    return territory_hiding.hide(spots, [level for level in LEVELS if level != "section"])


def _count(place: Place, measure: str) -> int:
    return {"consented": place.consented, "pledges": place.pledges}.get(measure, place.contacts)


def _figure(key: Key, label: str, members: list[Place], measure: str, count: int | None) -> AreaFigure:
    voters = _voters(members)
    value = _share(count, voters) if measure == "coverage" and count is not None else count
    return AreaFigure(key, label, len(members), voters, value, count is None)


def _voters(members: Iterable[Place]) -> int | None:
    """The nominal list of all sections; None when one of them has none: a sum without it would be too small."""
    lists = [place.nominal_list for place in members]
    return sum(one for one in lists if one is not None) if lists and None not in lists else None


def _share(count: int, voters: int | None) -> float | None:
    return count / voters if voters else None


def _names(session: Session, level: str, keys: Iterable[Key]) -> dict[Key, str]:
    """What a page calls each area."""
    if level == "section":
        return {key: _("Section %(number)s", number=key[1]) for key in keys}
    if level == "municipality":
        said = _municipality_names(session)
        return {key: said.get(key) or _("Municipality %(number)s", number=key[1]) for key in keys}
    said = _district_names(session, level.removesuffix("_district"))
    return {key: f"{key[1]} {said.get(key) or ''}".strip() for key in keys}


def _municipality_names(session: Session) -> dict[Key, str | None]:
    """As the municipalities' own file says, else as the sections' does."""
    of_sections = select(Section.state, Section.municipality_code, func.max(Section.municipality)).where(
        Section.valid_to.is_(None)
    )
    own = select(Municipality.state, Municipality.ine_code, Municipality.name).where(Municipality.valid_to.is_(None))
    rows = session.execute(of_sections.group_by(Section.state, Section.municipality_code)).all()
    return {(row[0], row[1]): row[2] for row in (*rows, *session.execute(own))}


def _district_names(session: Session, kind: str) -> dict[Key, str | None]:
    rows = session.execute(
        select(District.state, District.number, District.name).where(District.kind == kind, District.valid_to.is_(None))
    )
    return {(row[0], row[1]): row[2] for row in rows}


_PLACES = """
    SELECT s.id, s.state, s.number, s.municipality_code, s.municipality, s.federal_district, s.local_district,
        s.nominal_list, COALESCE(c.contacts, 0) AS contacts, COALESCE(c.consented, 0) AS consented,
        COALESCE(p.people, 0) AS pledges
    FROM sections s
    LEFT JOIN (SELECT section_id, count(*) AS contacts, count(*) FILTER (WHERE consent = 'opted_in') AS consented
        FROM contacts WHERE section_id IS NOT NULL GROUP BY section_id) c ON c.section_id = s.id
    LEFT JOIN (SELECT c.section_id, count(DISTINCT p.contact_id) AS people
        FROM pledges p JOIN contacts c ON c.id = p.contact_id GROUP BY c.section_id) p ON p.section_id = s.id
    WHERE s.valid_to IS NULL ORDER BY s.state, s.number"""
