"""A numbering plan as the regulator publishes it, read by the shape of its cells. Pure.

Column names are not believed: in a published file the data stood one column beside their header. A range is either two
neighbouring cells of ten digits, or four: area code, series, first and last four digits.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from callcenter.phones import is_person_line
from callcenter.tables.file_faults import N_, UnreadableFileError

HEAD = 500  # rows by which the columns are recognised
TITLES = 10  # rows above the first range that may hold anything
LARGEST = 1_000_000  # numbers of one range: what is larger is no range of a plan
MOST_FAULTS = 100  # kept and shown; of more there is the count
BEARABLE = 0.05  # share of rows at fault up to which a file is believed
SHORT_AREAS = frozenset({"33", "55", "56", "81"})  # area codes of two digits; all others have three
# Who pays tells the kind of line, and portability keeps it: https://sns.ift.org.mx:8081/sns-frontend/planes-numeracion/
KINDS = {"CPP": "mobile", "MPP": "mobile", "MOVIL": "mobile", "MÓVIL": "mobile", "FPP": "landline", "FIJO": "landline"}


class Range(NamedTuple):
    """Numbers of ten digits, both ends included; `kind`: mobile | landline | unknown."""

    first: int
    last: int
    kind: str

    @property
    def size(self) -> int:
        return self.last - self.first + 1


@dataclass
class Plan:
    """What a file says: ranges by number, joined where they touch. `counts`: rows, ranges, numbers, refused, repeated,
    not_people (ranges of numbers that no person has), mobile, landline, unknown (numbers of each kind)."""

    ranges: list[Range] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


Row = tuple[int, list[str]]
Ends = Callable[[Sequence[str]], tuple[int, int] | None]


def area_code(number: int) -> str:
    """The area code of a number of ten digits."""
    digits = f"{number:010}"
    return digits[:2] if digits[:2] in SHORT_AREAS else digits[:3]


def score(cells: list[str]) -> int:
    """How much a row looks like one of a plan: tells the delimiter and the sheet."""
    return max(sum(shape(cells, at) is not None for at in range(len(cells))) for shape in (_whole, _split))


def read(rows: Iterable[Row]) -> Plan:
    """The plan. Raises UnreadableFileError when no columns look like ranges, or too many rows are at fault."""
    source = iter(rows)
    head = [row for row, _place in zip(source, range(HEAD), strict=False)]
    ends, kind_at = _columns([cells for _number, cells in head])
    plan, counts = Plan(), Counter[str]()
    found: list[tuple[Range, int]] = []
    for number, cells in _chain(head, source):
        if not any(map(str.strip, cells)):
            continue
        is_heading = not found and ends(cells) is None
        if is_heading:  # titles and names of columns stand above the first range
            continue
        counts["rows"] += 1
        fault = _take(cells, ends, kind_at, number, found)
        if fault is not None:
            counts["refused"] += 1
            plan.faults += [{"row": number, **fault}] if len(plan.faults) < MOST_FAULTS else []
    _put_together(plan, found, counts)
    if counts["refused"] > BEARABLE * counts["rows"]:
        raise UnreadableFileError(
            N_("%(refused)s of %(rows)s rows cannot be read as ranges of numbers, the first in row %(row)s."
               " Export the plan again as CSV, with every number as text."),
            refused=counts["refused"], rows=counts["rows"], row=plan.faults[0]["row"],
        )  # fmt: skip
    plan.counts = {name: counts[name] for name in ("rows", "refused", "repeated", "not_people")} | plan.counts
    return plan


def _chain(head: list[Row], rest: Iterator[Row]) -> Iterator[Row]:
    yield from head
    yield from rest


def _columns(head: list[list[str]]) -> tuple[Ends, int | None]:
    """Where the ends and the kind of a range stand."""
    width = max(map(len, head), default=0)
    found = [(sum(shape(cells, at) is not None for cells in head), shape, at)
             for shape in (_whole, _split) for at in range(width)]  # fmt: skip
    hits, shape, at = max(found, key=lambda one: one[0], default=(0, _whole, 0))
    if not hits or hits * 2 < len(head) - TITLES:
        raise UnreadableFileError(
            N_("No columns of this file look like ranges of telephone numbers: two neighbouring ones with ten digits"
               " each, or area code, series, first and last number.")
        )  # fmt: skip
    kinds = [sum(_kind(cells, place) != "unknown" for cells in head) for place in range(width)]
    return partial(shape, at=at), kinds.index(max(kinds)) if any(kinds) else None


def _digits(cells: Sequence[str], at: int) -> str:
    """The digits of a cell that holds nothing else; '' for another. `2281230000.0` is a number of a spreadsheet."""
    said = cells[at].strip().strip("'\"").removesuffix(".0") if 0 <= at < len(cells) else ""
    return said if said.isascii() and said.isdecimal() else ""


def _whole(cells: Sequence[str], at: int) -> tuple[int, int] | None:
    first, last = _digits(cells, at), _digits(cells, at + 1)
    return (int(first), int(last)) if len(first) == len(last) == 10 and first[0] != "0" else None


def _split(cells: Sequence[str], at: int) -> tuple[int, int] | None:
    area, series, first, last = (_digits(cells, at + step) for step in range(4))
    is_range = len(area + series) == 6 and 2 <= len(area) <= 3 and 1 <= len(first) <= 4 and 1 <= len(last) <= 4
    if not is_range or (len(area) == 2) != (area in SHORT_AREAS):
        return None
    return int(area + series + first.zfill(4)), int(area + series + last.zfill(4))


def _kind(cells: Sequence[str], at: int) -> str:
    return KINDS.get(cells[at].strip().upper(), "unknown") if at < len(cells) else "unknown"


def _take(
    cells: list[str], ends: Ends, kind_at: int | None, row: int, found: list[tuple[Range, int]]
) -> dict[str, Any] | None:
    """Put the row's range to the others, or say what is wrong with it: {"message", "values"}."""
    both = ends(cells)
    if both is None:
        return {"message": N_("No range of numbers stands where the other rows have theirs."), "values": {}}
    first, last = both
    values = {"first": f"{first:010}", "last": f"{last:010}"}
    if last < first:
        return {"message": N_("The range ends before it begins: %(first)s – %(last)s."), "values": values}
    if last - first >= LARGEST or area_code(first) != area_code(last):
        return {"message": N_("The range is larger than any of a plan: %(first)s – %(last)s."), "values": values}
    found.append((Range(first, last, _kind(cells, kind_at) if kind_at is not None else "unknown"), row))
    return None


def _put_together(plan: Plan, found: list[tuple[Range, int]], counts: Counter[str]) -> None:
    """In order, each number once, neighbours of one kind and area joined."""
    for one, row in sorted(found):
        if not (is_person_line(f"{one.first:010}") or is_person_line(f"{one.last:010}")):
            counts["not_people"] += 1
            continue
        last = plan.ranges[-1] if plan.ranges else None
        if last is not None and one.first <= last.last:
            repeats = one.last <= last.last
            counts["repeated" if repeats else "refused"] += 1
            if not repeats and len(plan.faults) < MOST_FAULTS:
                values = {"first": f"{one.first:010}", "last": f"{one.last:010}"}
                message = N_("The range overlaps with another one: %(first)s – %(last)s.")
                plan.faults.append({"row": row, "message": message, "values": values})
            continue
        touches = last is not None and (last.last + 1, last.kind) == (one.first, one.kind)
        if touches and last is not None and area_code(last.first) == area_code(one.first):
            plan.ranges[-1] = Range(last.first, one.last, one.kind)
        else:
            plan.ranges.append(one)
    assert all(one.last < other.first for one, other in pairwise(plan.ranges))
    plan.counts = {"ranges": len(plan.ranges), "numbers": sum(one.size for one in plan.ranges)}
    for kind in ("mobile", "landline", "unknown"):
        plan.counts[kind] = sum(one.size for one in plan.ranges if one.kind == kind)
