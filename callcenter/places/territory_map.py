"""The map of the territory: areas coloured by a figure, as SVG made here from our own outlines. No tiles, no script.

Every area says its figure in words (title), and is a link where there is a page of it; colours are classes of
territory.css, so that the dark theme has its own. A map never stands alone: its page has the table, too.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flask import url_for
from flask_babel import format_decimal, format_percent
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.tables.small_counts import FEWEST
from callcenter.territory import District, Municipality, Section

Key = tuple[int, int]  # the state, and the number of an area in it

CLASSES = 5  # shades; more are not told apart
WIDTH, TALLEST = 1000, 1400  # of the drawing's own units
MOST_JOINED = 6000  # sections
MOST_LINKS = 400  # of more areas than these, the keyboard's way is the table


@dataclass(frozen=True)
class Area:
    """One area of the map. `geometry`: GeoJSON in EPSG:4326. `value` None: `is_hidden`, for it is of few people; or
    else not known."""

    label: str
    value: float | None
    geometry: Mapping[str, Any] | None
    url: str = ""
    is_hidden: bool = True


def draw(session: Session, values: Mapping[int, int | None], *, title: str) -> Markup:
    """The sections of `values` (section id → count, None: hidden) as a map; empty where no outline is known."""
    rows = session.execute(
        select(Section.id, Section.state, Section.number, Section.geometry)
        .where(Section.id.in_(list(values)), Section.geometry.is_not(None))
        .order_by(Section.state, Section.number)
    )
    areas = [
        Area(
            _("Section %(number)s", number=row.number),
            values[row.id],
            row.geometry,
            url_for("territory.section", state=row.state, number=row.number),
        )
        for row in rows
    ]
    return paint(areas, title=title)


def outlines(session: Session, level: str, section_ids: Mapping[Key, list[int]]) -> dict[Key, Any]:
    """Of each area (its key: state and number) the outline: its own, or that of its sections together, if they are
    few enough to be put together while somebody waits."""
    found = {} if level == "section" else _own_outlines(session, level)
    ids = [one for key, of in section_ids.items() if key not in found for one in of]
    if len(ids) > MOST_JOINED:
        return found
    rows = session.execute(
        select(Section.id, Section.geometry).where(Section.id.in_(ids), Section.geometry.is_not(None))
    )
    of_section = {row.id: row.geometry for row in rows}
    if level == "section":
        return {key: of_section.get(one) for key, (one, *_more) in section_ids.items()}
    together = {
        key: _together([of_section[one] for one in of if one in of_section])
        for key, of in section_ids.items()
        if key not in found
    }
    return found | together


def _own_outlines(session: Session, level: str) -> dict[Key, Any]:
    if level == "municipality":
        rows = session.execute(
            select(Municipality.state, Municipality.ine_code, Municipality.geometry).where(
                Municipality.valid_to.is_(None), Municipality.geometry.is_not(None)
            )
        )
    else:
        rows = session.execute(
            select(District.state, District.number, District.geometry).where(
                District.kind == level.removesuffix("_district"),
                District.valid_to.is_(None),
                District.geometry.is_not(None),
            )
        )
    return {(row[0], row[1]): row[2] for row in rows}


def _together(geometries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Sections as one outline; None when there is none."""
    import shapely
    from shapely.geometry import mapping, shape

    polygons = [shape(one) for one in geometries]
    whole = shapely.union_all([one if one.is_valid else one.buffer(0) for one in polygons])
    if whole.geom_type not in ("Polygon", "MultiPolygon") or whole.is_empty:
        return None
    merged: dict[str, Any] = mapping(whole)
    return merged


def paint(areas: Sequence[Area], *, title: str, as_share: bool = False, fewest: int = FEWEST) -> Markup:
    """The SVG and its legend. `as_share`: values are shares, written as percentages; `fewest`: people below whom an
    area is hidden, for the legend. Areas without outline are left."""
    drawn = [area for area in areas if area.geometry]
    if not drawn:
        return Markup("")
    frame = _Frame.around(point for area in drawn for ring in _rings(area.geometry) for point in ring)
    limits = class_limits([area.value for area in drawn if area.value])
    with_links = len(drawn) <= MOST_LINKS
    shapes = Markup("").join(_shape(area, frame, limits, as_share=as_share, with_link=with_links) for area in drawn)
    return Markup(
        '<figure class="territory-map"><svg viewBox="0 0 {width} {height}" role="{role}" aria-label="{title}">'
        '<defs><pattern id="map-few" width="12" height="12" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)">'
        '<rect class="map-few-ground" width="12" height="12"/><rect class="map-few-line" width="4" height="12"/>'
        "</pattern></defs>{shapes}</svg>{legend}</figure>"
    ).format(
        width=frame.width, height=frame.height, role="group" if with_links else "img", title=title, shapes=shapes,
        legend=_legend(drawn, limits, as_share=as_share, fewest=fewest),
    )  # fmt: skip


def class_limits(values: Sequence[float]) -> list[float]:
    """The least value of each shade, lightest first: as many areas in each as can be, equal values together."""
    ordered = sorted(values)
    if not ordered:
        return []
    steps = [ordered[len(ordered) * at // CLASSES] for at in range(CLASSES)]
    return sorted(set(steps))


def _shape(area: Area, frame: "_Frame", limits: Sequence[float], *, as_share: bool, with_link: bool) -> Markup:
    said = _("not known") if area.value is None and not area.is_hidden else _words(area.value, as_share=as_share)
    label = f"{area.label}: {said}"
    path = Markup('<path {shade} d="{outline}"><title>{words}</title></path>').format(
        shade=_fill(_shade(area, limits)), outline=frame.outline(area.geometry), words=label,
    )  # fmt: skip
    if not (area.url and with_link):
        return path
    return Markup('<a href="{url}" aria-label="{label}">{path}</a>').format(url=area.url, label=label, path=path)


def _shade(area: Area, limits: Sequence[float]) -> str:
    if area.value is None:
        return "map-few" if area.is_hidden else "map-unknown"
    return f"map-{sum(area.value >= limit for limit in limits)}" if area.value else "map-0"


def _fill(shade: str) -> Markup:
    """A pattern is named by an attribute: in a style sheet its address would be the sheet's own."""
    pattern = Markup(' fill="url(#map-few)"') if shade == "map-few" else ""
    return Markup('class="{}"{}').format(shade, pattern)


def _words(value: float | None, *, as_share: bool) -> str:
    if value is None:
        return str(_("not shown, few people"))
    return str(format_percent(value, "#,##0.#%") if as_share else format_decimal(value))


def _legend(areas: Sequence[Area], limits: Sequence[float], *, as_share: bool, fewest: int) -> Markup:
    entries = [("map-0", _words(0, as_share=as_share))] if any(area.value == 0 for area in areas) else []
    largest = max((area.value or 0 for area in areas), default=0)
    for at, (least, following) in enumerate(pairwise([*limits, math.inf]), start=1):
        most = max((area.value for area in areas if area.value and least <= area.value < following), default=largest)
        first, last = _words(least, as_share=as_share), _words(most, as_share=as_share)
        entries.append((f"map-{at}", first if first == last else f"{first} – {last}"))
    if any(area.value is None and not area.is_hidden for area in areas):
        entries.append(("map-unknown", _("not known")))
    if any(area.value is None and area.is_hidden for area in areas):
        entries.append(("map-few", _("not shown: it would tell of fewer than %(few)s people", few=fewest)))
    lines = Markup("").join(
        Markup(
            '<li><svg viewBox="0 0 24 24" aria-hidden="true"><rect {shade} width="24" height="24"/></svg>{words}</li>'
        ).format(shade=_fill(shade), words=words)
        for shade, words in entries
    )
    return Markup('<figcaption><ul class="map-legend">{}</ul></figcaption>').format(lines)


@dataclass(frozen=True)
class _Frame:
    """Where a point of the earth comes to lie in the drawing: degrees of longitude shrink with the latitude."""

    west: float
    north: float
    scale_x: float
    scale_y: float
    width: int
    height: int

    @classmethod
    def around(cls, points: Iterable[Sequence[float]]) -> "_Frame":
        listed = list(points)
        longitudes, latitudes = [point[0] for point in listed], [point[1] for point in listed]
        west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
        shrink = math.cos(math.radians((south + north) / 2))
        wide, high = max((east - west) * shrink, 1e-9), max(north - south, 1e-9)
        unit = min(WIDTH / wide, TALLEST / high)
        return cls(west, north, unit * shrink, unit, math.ceil(wide * unit) + 4, math.ceil(high * unit) + 4)

    def outline(self, geometry: Mapping[str, Any] | None) -> str:
        return "".join(
            "M" + "L".join(f"{self._x(point):.1f} {self._y(point):.1f}" for point in ring) + "Z"
            for ring in _rings(geometry)
        )

    def _x(self, point: Sequence[float]) -> float:
        return (point[0] - self.west) * self.scale_x + 2

    def _y(self, point: Sequence[float]) -> float:
        return (self.north - point[1]) * self.scale_y + 2


def _rings(geometry: Mapping[str, Any] | None) -> Iterator[Sequence[Sequence[float]]]:
    if geometry is None:
        return
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    for polygon in polygons:
        yield from polygon
