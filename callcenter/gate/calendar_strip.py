"""A year as a strip: where the phases of an election stand in it, in days from its first. Pure."""

from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from callcenter.calendar import Stretch


@dataclass(frozen=True)
class Bar:
    """One phase within the year: from day `at` (0: 1 January) on, `days` long."""

    at: int
    days: int
    stretch: Stretch


def bars(stretches: Iterable[Stretch], year: int) -> list[Bar]:
    """The phases that touch the year, cut to it."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    found = []
    for stretch in stretches:
        starts, ends = max(stretch.starts, first), min(stretch.ends, last)
        if starts <= ends:
            found.append(Bar((starts - first).days, (ends - starts).days + 1, stretch))
    return found


def months(year: int) -> list[tuple[int, date]]:
    """Where each month begins."""
    return [((date(year, month, 1) - date(year, 1, 1)).days, date(year, month, 1)) for month in range(1, 13)]


def length(year: int) -> int:
    """Days of the year."""
    return 366 if isleap(year) else 365


def years(stretches: Iterable[Stretch], today: date) -> list[int]:
    """The years worth a strip: those of the phases, and this one."""
    found = {year for stretch in stretches for year in range(stretch.starts.year, stretch.ends.year + 1)}
    return sorted(found | {today.year})
