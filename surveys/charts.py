"""Charts as Vega-Lite specifications, made here and nowhere else, drawn as SVG or PNG by vl-convert on the server.

Page, download and PDF are thereby the same picture. Numbers come as finished words (flask_babel), so the drawing knows
no language; only fonts that the reader's system has are used.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

THEMES: dict[str, dict[str, str]] = {
    "light": {"ink": "#212529", "quiet": "#565e64", "grid": "#dee2e6", "paper": "#ffffff", "main": "#2b5c8a",
              "other": "#8a929a", "error": "#111827"},
    "dark": {"ink": "#dee2e6", "quiet": "#adb5bd", "grid": "#495057", "paper": "#212529", "main": "#3d7ab5",
             "other": "#868e96", "error": "#f8f9fa"},
}  # fmt: skip
FONT = "Arial, 'Liberation Sans', 'Helvetica Neue', Helvetica, sans-serif"
FORMATS = {"svg": "image/svg+xml", "png": "image/png"}
BAR_HEIGHT, LABEL_LIMIT, LETTER_WIDTH = 34, 280, 8


@dataclass(frozen=True)
class Bar:
    """One answer: its share with the ends of its 95 % interval (all 0–1) and the words written at its end."""

    label: str
    share: float
    low: float
    high: float
    words: str
    is_candidate: bool


@dataclass(frozen=True)
class Picture:
    """A chart's data and words. `description` is its alternative text; `mark` is written across it («uso interno»)."""

    title: str
    subtitle: tuple[str, ...]
    bars: tuple[Bar, ...]
    axis: str
    description: str
    mark: str = ""


def bars(picture: Picture, theme: str = "light") -> dict[str, Any]:
    """The Vega-Lite specification: horizontal bars in the given order with their intervals."""
    colours = THEMES[theme]
    top = max([bar.high for bar in picture.bars if bar.high == bar.high] or [1.0])
    order = [bar.label for bar in picture.bars]
    # The reader's font may be wider than the one measured here: room for the longest label is kept in any case.
    room = min(LABEL_LIMIT, LETTER_WIDTH * max(map(len, order), default=0))
    axis = {"labelLimit": LABEL_LIMIT, "minExtent": room, "ticks": False}
    y = {"field": "label", "type": "nominal", "sort": order, "title": None, "axis": axis}
    scale = {"domain": [0, min(1.0, top * 1.18 + 0.02)], "nice": False}
    x = {
        "field": "share",
        "type": "quantitative",
        "scale": scale,
        "title": picture.axis,
        "axis": {"format": ".0%", "tickCount": 6},
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": picture.description,
        "title": {"text": picture.title, "subtitle": list(picture.subtitle), "anchor": "start"},
        "width": 520,
        "height": {"step": BAR_HEIGHT},
        "data": {"values": [_row(bar) for bar in picture.bars if bar.share == bar.share]},
        "layer": [*watermark(picture.mark, colours), _bars(x, y, colours), _interval(y, colours), _words(y, colours)],
        "config": config(colours),
    }


def draw(spec: dict[str, Any], kind: str) -> bytes:
    """The picture as bytes; `kind` is svg or png. Kept by content: the same numbers are drawn once."""
    return _drawn(json.dumps(spec, sort_keys=True, ensure_ascii=False), kind)


@lru_cache(maxsize=128)
def _drawn(spec: str, kind: str) -> bytes:
    import vl_convert

    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    return bytes(vl_convert.vegalite_to_png(spec, scale=2))


def alternative(title: str, lines: Sequence[str]) -> str:
    """The picture in words: its title and each bar."""
    return f"{title}. " + "; ".join(lines) + "."


def _row(bar: Bar) -> dict[str, Any]:
    kind = "main" if bar.is_candidate else "other"
    return {"label": bar.label, "share": bar.share, "low": bar.low, "high": bar.high, "words": bar.words, "kind": kind}


def _bars(x: dict[str, Any], y: dict[str, Any], colours: dict[str, str]) -> dict[str, Any]:
    scale = {"domain": ["main", "other"], "range": [colours["main"], colours["other"]]}
    colour = {"field": "kind", "type": "nominal", "scale": scale, "legend": None}
    return {"mark": {"type": "bar", "height": {"band": 0.62}}, "encoding": {"x": x, "y": y, "color": colour}}


def _interval(y: dict[str, Any], colours: dict[str, str]) -> dict[str, Any]:
    ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}, "y": y}
    return {"mark": {"type": "rule", "color": colours["error"], "strokeWidth": 2, "opacity": 0.75}, "encoding": ends}


def _words(y: dict[str, Any], colours: dict[str, str]) -> dict[str, Any]:
    text = {"type": "text", "align": "left", "dx": 8, "fontSize": 14, "fontWeight": "bold", "color": colours["ink"]}
    return {
        "mark": text,
        "encoding": {"x": {"field": "high", "type": "quantitative"}, "y": y, "text": {"field": "words"}},
    }


def watermark(words: str, colours: dict[str, str]) -> list[dict[str, Any]]:
    """The layer that writes these words across a picture; none without words."""
    if not words:
        return []
    mark = {
        "type": "text", "text": words, "fontSize": 54, "fontWeight": "bold", "color": colours["quiet"],
        "opacity": 0.13, "angle": -18, "x": {"expr": "width / 2"}, "y": {"expr": "height / 2"},
    }  # fmt: skip
    return [{"data": {"values": [{}]}, "mark": mark}]


def config(colours: dict[str, str]) -> dict[str, Any]:
    """What every chart of a theme looks like."""
    axis = {"labelColor": colours["ink"], "titleColor": colours["quiet"], "gridColor": colours["grid"],
            "domainColor": colours["grid"], "tickColor": colours["grid"], "labelFontSize": 13, "titleFontSize": 12,
            "titleFontWeight": "normal"}  # fmt: skip
    title = {"color": colours["ink"], "subtitleColor": colours["quiet"], "fontSize": 17, "subtitleFontSize": 12,
             "subtitlePadding": 4, "offset": 14}  # fmt: skip
    legend = {"labelColor": colours["ink"], "labelFontSize": 13, "labelLimit": LABEL_LIMIT, "symbolSize": 110,
              "symbolOpacity": 1}  # fmt: skip
    return {"font": FONT, "background": colours["paper"], "axis": axis, "title": title, "legend": legend,
            "view": {"stroke": None}}  # fmt: skip
