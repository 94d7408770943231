"""Tables of responses made by hand, without a database."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from surveys.analysis.response_items import CODED, Choice, Item
from surveys.analysis.table_variables import FACTS
from surveys.responses import AGE_BANDS, SEXES, Responses

AS_OF = datetime(2027, 5, 10, 16, 0, tzinfo=UTC)


def item(name: str, *codes: str, kind: str = "select_one", **roles: str) -> Item:
    """A question whose answers are called like their codes; `roles` by code."""
    choices = tuple(Choice(code, roles.get(code), {"es": code.title()}) for code in codes)
    return Item(name, kind, {"es": f"¿{name}?"}, choices)


def responses(items: Sequence[Item], columns: Mapping[str, Sequence[Any]]) -> Responses:
    """Interviews with these answers (by item) and facts (by column); what is not said is not known."""
    people = len(next(iter(columns.values())))
    given = {name: pl.Series(name, values, strict=False) for name, values in columns.items()}
    for one in items:
        given[one.column] = pl.Series(one.column, columns.get(one.name, [None] * people), dtype=_dtype(one))
    for name in FACTS:
        given.setdefault(name, pl.Series(name, [None] * people, dtype=pl.String))
    given["d_sex"] = given["d_sex"].cast(pl.Enum(SEXES))
    given["d_age_band"] = given["d_age_band"].cast(pl.Enum([name for name, _low, _high in AGE_BANDS]))
    for name in ("h_state", "h_section"):
        given.setdefault(name, pl.Series(name, [None] * people, dtype=pl.String))
    given.setdefault("interview_id", pl.Series("interview_id", [f"i{number}" for number in range(people)]))
    return Responses(1, pl.DataFrame(list(given.values())), {one.name: one for one in items}, AS_OF)


def _dtype(one: Item) -> Any:
    if one.kind == "select_one":
        return pl.Enum(one.codes)
    if one.kind in CODED:
        return pl.List(pl.String)
    return pl.Float64 if one.is_number else pl.String
