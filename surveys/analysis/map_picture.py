"""The map of an answer as a picture of its own: title, map, legend and where it comes from, as SVG or PNG.

The page's drawing takes its colours from a style sheet; a file brings its own. Text is never broken into lines by SVG,
so it is broken here by the letter.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from markupsafe import Markup

from callcenter.places.territory_map import WIDTH
from surveys.charts import FONT, FORMATS

__all__ = ["FORMATS", "MapPicture", "draw"]
# The light colours of territory.css.
SHADES = {
    "map-0": "#e6e9f3", "map-1": "#d5dbf7", "map-2": "#a9b5ee", "map-3": "#7b86de", "map-4": "#5350c4",
    "map-5": "#312e81", "map-unknown": "#ffffff", "map-few-ground": "#e9e9ec", "map-few-line": "#9a9fb0",
}  # fmt: skip
INK, QUIET, PAPER = "#212529", "#565e64", "#ffffff"
MARGIN, LINE, LETTERS = 24, 30, 88  # of the drawing's own units; letters of a line
LEGEND_COLUMNS = 2
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class MapPicture:
    """`drawing`: of territory_map.paint; `notes`: base, weights, as-of; `mark` is written across it."""

    title: str
    drawing: Markup
    notes: Sequence[str]
    mark: str


def draw(picture: MapPicture, kind: str) -> bytes:
    """The picture as bytes; `kind` is svg or png. Empty where no outline was drawn."""
    if not picture.drawing:
        return b""
    svg = _svg(picture)
    if kind == "svg":
        return svg.encode()
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=1.5))


def _svg(picture: MapPicture) -> str:
    figure = Xml.fromstring(str(picture.drawing))  # noqa: S314 - our own drawing
    drawn = figure.find("svg")
    assert drawn is not None
    _left, _top, _width, height = map(float, drawn.attrib["viewBox"].split())
    title = textwrap.wrap(picture.title, 60) or [""]
    top = 2 * MARGIN + len(title) * (LINE + 8)
    legend = list(_entries(figure))
    rows = -(-len(legend) // LEGEND_COLUMNS)
    notes = [line for note in picture.notes for line in textwrap.wrap(note, LETTERS)]
    whole = top + height + MARGIN + rows * LINE + len(notes) * LINE + MARGIN
    parts = [
        *(Xml.tostring(defined, encoding="unicode") for defined in drawn.iter("defs")),
        *_texts(title, MARGIN + LINE, size=30, weight="bold", step=LINE + 8),
        f'<g transform="translate({MARGIN} {top})" stroke="{PAPER}" stroke-width="1.5" fill-rule="evenodd">'
        f"{''.join(_inner(drawn))}</g>",
        *_legend(legend, top + height + MARGIN),
        *_texts(notes, top + height + MARGIN + rows * LINE + LINE, size=20, fill=QUIET),
        f'<text x="{WIDTH / 2}" y="{top + height / 2}" font-size="72" font-weight="bold" fill="{QUIET}" opacity="0.13" '
        f'text-anchor="middle" transform="rotate(-18 {WIDTH / 2} {top + height / 2})">{_plain(picture.mark)}</text>',
    ]
    width = WIDTH + 2 * MARGIN
    styles = "".join(f".{name}{{fill:{colour}}}" for name, colour in SHADES.items())
    return (
        f'<svg xmlns="{SVG}" viewBox="0 0 {width} {whole}" width="{width}" height="{whole}" font-family="{FONT}" '
        f'role="img" aria-label="{_plain(picture.title)}"><style>{styles}</style>'
        f'<rect width="{width}" height="{whole}" fill="{PAPER}"/>{"".join(parts)}</svg>'
    )


def _inner(drawn: Xml.Element) -> Iterator[str]:
    """The shapes, without the links of the page; what is not known keeps an outline."""
    for path in drawn.iter("path"):
        if path.get("class") == "map-unknown":
            path.set("stroke", QUIET)
        yield Xml.tostring(path, encoding="unicode")


def _entries(figure: Xml.Element) -> Iterator[tuple[Xml.Element, str]]:
    """(the legend's little square, its words)"""
    for line in figure.iter("li"):
        square = line.find("svg/rect")
        assert square is not None
        yield square, "".join(line.itertext()).strip()


def _legend(entries: Sequence[tuple[Xml.Element, str]], top: float) -> Iterator[str]:
    step = WIDTH / LEGEND_COLUMNS
    for place, (square, words) in enumerate(entries):
        x, y = MARGIN + place % LEGEND_COLUMNS * step, top + place // LEGEND_COLUMNS * LINE
        fill = f'fill="{square.get("fill")}"' if square.get("fill") else f'class="{square.get("class")}"'
        yield f'<rect x="{x}" y="{y}" width="22" height="22" {fill} stroke="{QUIET}" stroke-width="0.5"/>'
        yield f'<text x="{x + 32}" y="{y + 18}" font-size="20" fill="{INK}">{_plain(words)}</text>'


def _texts(
    lines: Sequence[str], top: float, *, size: int, weight: str = "normal", fill: str = INK, step: int = LINE
) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield (
            f'<text x="{MARGIN}" y="{top + place * step}" font-size="{size}" font-weight="{weight}" fill="{fill}">'
            f"{_plain(line)}</text>"
        )


def _plain(text: str) -> str:
    return str(Markup.escape(text))
