"""A proposal of cells: the strata of a list in the proportions in which its people stand in it."""

from itertools import product
from math import floor

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput
from surveys.fieldwork import quota_entries, quota_table
from surveys.fieldwork.quota_cells import FIELDS, Cell, Dimension, QuotaPlan, Values
from surveys.quotas import MOST_CELLS, MOST_DIMENSIONS
from surveys.results import AGE_BANDS

STRATA = ("sex", "age", "section_kind", "municipality", "local_district")
BANDS = tuple(name for name, _low, _high in AGE_BANDS)


def propose(session: Session, queue_id: int, strata: list[str], total: int) -> str:
    """A table of cells with `total` interviews between them. Raises InvalidInput with what to do.

    People of whom the record does not know every stratum are in no proportion."""
    wanted = [name for name in STRATA if name in strata]
    if not 1 <= len(wanted) <= MOST_DIMENSIONS:
        raise InvalidInput({"strata": _("Choose from 1 to %(most)s strata.", most=MOST_DIMENSIONS)})
    if not 1 <= total <= 100_000:
        raise InvalidInput({"total": _("Write how many interviews you want, from 1 to 100,000.")})
    dimensions = tuple(Dimension(name, "", FIELDS[name]) for name in wanted)
    people = _people(session, queue_id, dimensions)
    if not people:
        raise InvalidInput({"strata": _("The record of nobody on the list knows these strata. Import them, or write "
                                        "the cells yourself.")})  # fmt: skip
    if len(people) > MOST_CELLS:
        raise InvalidInput({"strata": _("That would be %(n)s cells; there is room for %(most)s. Choose fewer strata.",
                                        n=len(people), most=MOST_CELLS)})  # fmt: skip
    shares = apportion(people, total)
    return quota_table.write(dimensions, [Cell(values, shares[values]) for values in sorted(people)])


def apportion(people: dict[Values, int], total: int) -> dict[Values, int]:
    """`total` shared out by the numbers of people, by the largest remainders; pure."""
    whole = sum(people.values())
    exact = {values: total * n / whole for values, n in people.items()}
    shares = {values: floor(share) for values, share in exact.items()}
    left = total - sum(shares.values())
    for values in sorted(exact, key=lambda one: (floor(exact[one]) - exact[one], one))[:left]:
        shares[values] += 1
    return shares


def _people(session: Session, queue_id: int, dimensions: tuple[Dimension, ...]) -> dict[Values, int]:
    """People of the list by cell."""
    known = [BANDS if one.field == "age" else ("",) for one in dimensions]
    bands = QuotaPlan(dimensions, tuple(Cell(values, None) for values in product(*known)))
    people: dict[Values, int] = {}
    spelt: dict[Values, Values] = {}  # one spelling of each
    for kind, n in quota_entries.people_by_kind(session, queue_id, bands).items():
        values = [_named(one, value) for one, value in zip(dimensions, quota_entries.known(kind), strict=True)]
        if None not in values:
            cell = tuple(value or "" for value in values)
            key = tuple(one.key(value) for one, value in zip(dimensions, cell, strict=True))
            cell = spelt.setdefault(key, cell)
            people[cell] = people.get(cell, 0) + n
    return people


def _named(one: Dimension, value: str | None) -> str | None:
    """The value as a table writes it: of an age its band, which the list tells by its first number."""
    if one.field != "age" or value is None:
        return value
    return next((name for name, low, _high in AGE_BANDS if str(low) == value), None)
