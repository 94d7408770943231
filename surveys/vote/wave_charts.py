"""Charts over time as Vega-Lite specifications: shares from wave to wave, and two waves face to face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from surveys.charts import LABEL_LIMIT, LETTER_WIDTH, THEMES, config, watermark

# Told apart by people who do not see all colours, by their shapes as well; on paper and on dark ground.
COLOURS = {
    "light": ("#1f5f99", "#b5541c", "#2f7d4f", "#8a4a9e", "#7d6200", "#5c6670"),
    "dark": ("#6cb0ee", "#f09a63", "#6fce95", "#cf97e0", "#e0c04c", "#adb5bd"),
}
SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
MOST_LINES = len(SHAPES)
ROW_HEIGHT = 40


@dataclass(frozen=True)
class Point:
    """A share with its 95 % interval (0–1). Points of different `segment` are not joined: something broke between."""

    period: str
    share: float
    low: float
    high: float
    segment: int


@dataclass(frozen=True)
class Trend:
    """Lines over periods, in their order; `broken` are the periods that cannot be compared with the one before."""

    title: str
    subtitle: tuple[str, ...]
    periods: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Point, ...]], ...]
    broken: tuple[str, ...]
    axis: str
    description: str
    mark: str = ""


@dataclass(frozen=True)
class Pair:
    """One candidate before and after (0–1), and the words beside them: the change with its margin."""

    label: str
    before: float
    after: float
    words: str


@dataclass(frozen=True)
class Dumbbell:
    """Two waves face to face; `names` of the two."""

    title: str
    subtitle: tuple[str, ...]
    names: tuple[str, str]
    pairs: tuple[Pair, ...]
    axis: str
    description: str
    mark: str = ""


def trend(picture: Trend, theme: str = "light") -> dict[str, Any]:
    """Lines with the interval at each period; a dashed upright marks where the comparison breaks."""
    colours = THEMES[theme]
    names = [name for name, _points in picture.lines]
    rows: list[dict[str, Any]] = [
        {"series": name, "period": point.period, "share": point.share, "low": point.low, "high": point.high,
         "segment": point.segment}
        for name, points in picture.lines for point in points
    ]  # fmt: skip
    top = max([row["high"] for row in rows] or [1.0])
    angle = -35 if len(picture.periods) > 6 else 0
    axis = {"title": None, "labelAngle": angle, "labelLimit": 140, "grid": False}
    x = {"field": "period", "type": "ordinal", "scale": {"domain": list(picture.periods)}, "axis": axis}
    y = {"field": "share", "type": "quantitative", "title": picture.axis, "axis": {"format": ".0%", "tickCount": 6},
         "scale": {"domain": [0, min(1.0, top * 1.1 + 0.02)], "nice": False}}  # fmt: skip
    return _frame(picture, colours, rows) | {
        "width": 640,
        "height": 320,
        "layer": [*watermark(picture.mark, colours), *_breaks(picture, x, colours), *_lines(names, x, y, theme)],
    }


def dumbbell(picture: Dumbbell, theme: str = "light") -> dict[str, Any]:
    """For each candidate the share before (hollow) and after (full), joined, with the change in words."""
    colours = THEMES[theme]
    rows: list[dict[str, Any]] = [
        {"label": pair.label, "before": pair.before, "after": pair.after, "words": pair.words,
         "end": max(pair.before, pair.after)}
        for pair in picture.pairs
    ]  # fmt: skip
    order = [pair.label for pair in picture.pairs]
    room = min(LABEL_LIMIT, LETTER_WIDTH * max(map(len, order), default=0))
    y = {"field": "label", "type": "nominal", "sort": order, "title": None,
         "axis": {"labelLimit": LABEL_LIMIT, "minExtent": room, "ticks": False, "labelPadding": 14}}  # fmt: skip
    top = max([row["end"] for row in rows] or [1.0])
    x = {"field": "before", "type": "quantitative", "title": picture.axis, "axis": {"format": ".0%", "tickCount": 6},
         "scale": {"domain": [0, min(1.15, top * 1.3 + 0.04)], "nice": False}}  # fmt: skip
    return _frame(picture, colours, rows) | {
        "width": 560,
        "height": {"step": ROW_HEIGHT},
        "layer": [*watermark(picture.mark, colours), *_dumbbells(picture.names, x, y, colours)],
    }


def _frame(picture: Trend | Dumbbell, colours: dict[str, str], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": picture.description,
        "title": {"text": picture.title, "subtitle": list(picture.subtitle), "anchor": "start"},
        "data": {"values": list(rows)},
        "config": config(colours),
    }


def _lines(names: Sequence[str], x: dict[str, Any], y: dict[str, Any], theme: str) -> list[dict[str, Any]]:
    legend = {"title": None, "orient": "bottom", "columns": 2}
    colour = {"field": "series", "type": "nominal", "legend": legend,
              "scale": {"domain": list(names), "range": list(COLOURS[theme][: len(names)])}}  # fmt: skip
    shape = colour | {"scale": {"domain": list(names), "range": list(SHAPES[: len(names)])}}
    detail = {"field": "segment", "type": "nominal"}
    ends = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": colour}
    both = {"x": x, "y": y, "color": colour}
    return [
        {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.35}, "encoding": ends},
        {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": both | {"detail": detail}},
        {"mark": {"type": "point", "filled": True, "size": 90, "opacity": 1}, "encoding": both | {"shape": shape}},
    ]


def _breaks(picture: Trend, x: dict[str, Any], colours: dict[str, str]) -> list[dict[str, Any]]:
    if not picture.broken:
        return []
    data = {"values": [{"period": period} for period in picture.broken]}
    rule = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": colours["quiet"], "xOffset": -14}
    sign = {
        "type": "text",
        "text": "≠",
        "fontSize": 18,
        "color": colours["quiet"],
        "y": 0,
        "dx": -24,
        "baseline": "top",
    }
    return [{"data": data, "mark": mark, "encoding": {"x": x}} for mark in (rule, sign)]


def _dumbbells(
    names: tuple[str, str], x: dict[str, Any], y: dict[str, Any], colours: dict[str, str]
) -> list[dict[str, Any]]:
    line = {"type": "rule", "strokeWidth": 4, "color": colours["other"], "opacity": 0.7}
    words = {"type": "text", "align": "left", "dx": 12, "fontSize": 13, "fontWeight": "bold", "color": colours["ink"]}
    legend = {"title": None, "orient": "top"}
    filled = {"domain": list(names), "range": [colours["paper"], colours["main"]]}
    layers = [
        {"mark": line, "encoding": {"x": x, "x2": {"field": "after"}, "y": y}},
        {"mark": words, "encoding": {"x": x | {"field": "end"}, "y": y, "text": {"field": "words"}}},
    ]
    for name, field in zip(names, ("before", "after"), strict=True):
        point = {
            "type": "point",
            "size": 150,
            "opacity": 1,
            "filled": True,
            "stroke": colours["main"],
            "strokeWidth": 2,
        }
        fill = {"datum": name, "type": "nominal", "scale": filled, "legend": legend}
        layers.append({"mark": point, "encoding": {"x": x | {"field": field}, "y": y, "fill": fill}})
    return layers
