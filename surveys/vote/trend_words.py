"""A trend in the reader's words: its pictures with their alternative, and what became of each candidate."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import format_decimal
from flask_babel import gettext as _

from surveys import charts
from surveys.vote import vote_options, wave_charts
from surveys.vote.trends import Period, Series


@dataclass(frozen=True)
class Change:
    """What became of one option between two periods (0–1); `margin` at 95 %, of two samples of different people."""

    option: vote_options.Option
    before: float
    after: float
    difference: float
    margin: float

    @property
    def is_clear(self) -> bool:
        return abs(self.difference) > self.margin


def changes(series: Series, before: Period, after: Period, kind: str) -> list[Change]:
    """One row an option of which both periods have figures, the largest now first."""
    from surveys.vote import vote_chain

    one, other = before.shares(kind), after.shares(kind)
    if one is None or other is None:
        return []
    found = []
    for option in series.options:
        if option.code in one.of and option.code in other.of:
            difference, margin = vote_chain.change(one, other, option.code)
            shares = one.of[option.code].share, other.of[option.code].share
            found.append(Change(option, *shares, difference, margin))
    return sorted(found, key=lambda change: -change.after)


def signed(series: Series, difference: float) -> str:
    """`+2.3`, `−1.0` or `0.0` points."""
    written = series.recipe.writes.points(abs(difference))
    return f"{'+' if difference > 0 else '−'}{written}" if abs(difference) >= 5e-5 else written


def trend_picture(series: Series, title: str, kind: str) -> wave_charts.Trend:
    """The lines of the candidates with most votes now; all options stand in the table."""
    labels = labels_of(series.periods)
    segments = _segments(series.periods)
    lines = []
    for option in _shown(series, kind):
        points = []
        for period, label, segment in zip(series.periods, labels, segments, strict=True):
            shares = period.shares(kind)
            if shares is not None:
                found = shares.of[option.code]
                points.append(wave_charts.Point(label, found.share, found.low, found.high, segment))
        lines.append((option.words(), tuple(points)))
    broken = tuple(label for period, label in zip(series.periods, labels, strict=True) if period.breaks)
    known = str(_("Uprights: intervals at 95 percent; ≠: not to be compared with the period before"))
    return wave_charts.Trend(
        title=title,
        subtitle=(known,),
        periods=tuple(labels),
        lines=tuple(lines),
        broken=broken,
        axis=str(_("share")),
        description=_description(series, title, lines),
        mark=str(_("INTERNAL USE")),
    )


def change_picture(series: Series, title: str, before: Period, after: Period, kind: str) -> wave_charts.Dumbbell:
    """The candidates before and after."""
    found = [change for change in changes(series, before, after, kind) if change.option.role == "candidate"]
    margin = series.recipe.writes.margin
    pairs = tuple(
        wave_charts.Pair(change.option.words(), change.before, change.after,
                         f"{signed(series, change.difference)} ({margin(change.margin)})")
        for change in found
    )  # fmt: skip
    lines = [f"{pair.label} {pair.words}" for pair in pairs]
    names = labels_of((before, after))
    return wave_charts.Dumbbell(
        title=title,
        subtitle=(str(_("The change in points, with its margin at 95 percent")),),
        names=(names[0], names[1]),
        pairs=pairs,
        axis=str(_("share")),
        description=charts.alternative(f"{title}. {names[0]}, {names[1]}", lines),
        mark=str(_("INTERNAL USE")),
    )


def labels_of(periods: Sequence[Period]) -> list[str]:
    """The periods' labels, told apart by their codes where two are called alike."""
    labels = [period.label for period in periods]
    return [f"{period.label} ({period.code})" if labels.count(period.label) > 1 else period.label for period in periods]


def base_words(period: Period) -> str:
    """`n = 812`, or that there are too few."""
    if period.cell == "hidden":
        return "n < 10"
    return f"n = {format_decimal(period.base)}"


def _shown(series: Series, kind: str) -> list[vote_options.Option]:
    candidates = [option for option in series.options if option.role == "candidate"]
    newest = next((found for period in reversed(series.periods) if (found := period.shares(kind)) is not None), None)
    if newest is not None:
        candidates.sort(key=lambda option: -newest.of[option.code].share)
    return candidates[: wave_charts.MOST_LINES]


def _segments(periods: Sequence[Period]) -> list[int]:
    """The number of the unbroken stretch that each period is in."""
    numbers, number = [], 0
    for period in periods:
        number += bool(period.breaks)
        numbers.append(number)
    return numbers


def _description(
    series: Series, title: str, lines: Sequence[tuple[str, Sequence[wave_charts.Point]]]
) -> str:  # fmt: skip
    told = [
        f"{name}: " + ", ".join(f"{point.period} {series.recipe.writes.write(point.share)}" for point in points)
        for name, points in lines
    ]
    return charts.alternative(title, told)
