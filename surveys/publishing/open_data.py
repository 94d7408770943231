"""The data of a study as they may leave the house: no name, no phone, no clock, no words of anybody.

What could point at a person is left out and named: identities of the call, texts, dates, exact ages and sections. The
order is drawn from the interviews' random ids, so that it says nothing of when somebody was interviewed.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from surveys.analysis.response_items import Item
from surveys.responses import Responses

if TYPE_CHECKING:
    import polars as pl

# Facts of the call that say enough about a person's surroundings and too little to find them.
KEPT_FACTS = ("h_section_kind", "h_municipality", "h_sex", "h_state")
FEWEST = 10  # interviews in a municipality, or it is not named
WHY: Mapping[str, str] = {
    "text": "open answer: may name somebody",
    "date": "a date may say who somebody is",
    "age": "exact age: d_age_band stands in its place",
    "fact": "fact of the call that may say who somebody is",
    "clock": "time of the interview: day stands in its place",
    "identity": "number of the interview in the house's own records",
}


@dataclass(frozen=True)
class LeftOut:
    """A column that stays in the house, and why (a key of WHY)."""

    column: str
    why: str


@dataclass(frozen=True)
class OpenData:
    """`responses`: as surveys.responses says, with `day` (ISO) for every time, `interviewer` numbered anew, and without
    what was left out."""

    responses: Responses
    left_out: tuple[LeftOut, ...]


def open_data(responses: Responses, needed: Collection[str] = ()) -> OpenData:
    """What may leave. `needed`: columns that a recipe reads; a fact among them stays as it is."""
    import polars as pl

    from callcenter.base.clock import ZONE

    items = {name: item for name, item in responses.items.items() if _why_item(item, needed) is None}
    left_out = tuple(_left_out(responses, needed))
    frame = responses.frame.sort("interview_id")
    people = frame["interviewer"].drop_nulls().unique().sort()
    numbers = pl.DataFrame({"interviewer": people, "number": range(1, len(people) + 1)}, schema_overrides={
        "interviewer": frame["interviewer"].dtype, "number": pl.Int64})  # fmt: skip
    frame = frame.join(numbers, on="interviewer", how="left", maintain_order="left").with_columns(
        pl.col("number").alias("interviewer"),
        pl.col("at").dt.convert_time_zone(ZONE.key).dt.date().cast(pl.String).alias("day"),
        pl.int_range(1, pl.len() + 1).alias("interview"),
    )
    gone = {one.column for one in left_out} | {"number"}
    frame = frame.select([name for name in frame.columns if name not in gone])
    return OpenData(replace(responses, frame=_coarse(frame, needed), items=items), left_out)


def _why_item(item: Item, needed: Collection[str]) -> str | None:
    if item.column in needed:
        return None
    if item.name == "age":
        return "age"
    return item.kind if item.kind in ("text", "date") else None


def _left_out(responses: Responses, needed: Collection[str]) -> Iterator[LeftOut]:
    yield LeftOut("interview_id", "identity")
    yield LeftOut("at", "clock")
    yield LeftOut("started_at", "clock")
    for column in responses.frame.columns:
        if column.startswith("h_") and column not in KEPT_FACTS and column not in needed:
            yield LeftOut(column, "fact")
    for item in responses.items.values():
        if (why := _why_item(item, needed)) is not None:
            yield LeftOut(item.column, why)


def _coarse(frame: "pl.DataFrame", needed: Collection[str]) -> "pl.DataFrame":
    """A municipality of few interviews is not named, unless the weights were made with it."""
    import polars as pl

    name = "h_municipality"
    if name not in frame.columns or name in needed:
        return frame
    several = pl.len().over(name) >= FEWEST
    return frame.with_columns(pl.when(several).then(pl.col(name)).alias(name))
