"""The table of responses, made of what was streamed: each item a column of its own type. Pure (polars)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from surveys.analysis.response_items import Item
from surveys.analysis.response_stream import Streamed

if TYPE_CHECKING:
    import polars as pl

AGE_BANDS = (("18-29", 18, 29), ("30-44", 30, 44), ("45-59", 45, 59), ("60+", 60, 200))
SEXES = ("H", "M", "X")


def assemble(found: Streamed, items: Mapping[str, Item]) -> "pl.DataFrame":
    """One row an interview that is not void and has an answer; without `interview`, its number."""
    import polars as pl

    spent = found.answers.group_by("n").agg(
        pl.when(pl.col("seconds").is_not_null().any()).then(pl.col("seconds").sum()).alias("seconds")
    )
    frame = found.interviews.join(spent, on="n", how="inner")
    given = {str(key[0]): part for key, part in found.answers.partition_by("item", as_dict=True).items()}
    none = found.answers.clear()
    for item in items.values():
        answers = given.get(item.name, none)
        frame = frame.join(answers.select("n", *_columns(item)), on="n", how="left", maintain_order="left")
    return frame.with_columns(*_derived(items)).drop("n")


def ordered(frame: "pl.DataFrame") -> "pl.DataFrame":
    """In the order in which the interviews began, numbered from 1."""
    return frame.sort("started_at", "interview_id").with_row_index("interview", 1)


def _columns(item: Item) -> "Iterator[pl.Expr]":
    import polars as pl

    text = pl.when(pl.col("value") != "").then(pl.col("value"))
    if item.kind == "select_one":
        # A code that no version knows cannot have been accepted; a number where codes were asked before is not read.
        yield text.cast(pl.Enum(item.codes), strict=False).alias(item.column)
    elif item.is_multiple:
        yield text.str.split(" ").alias(item.column)
    elif item.is_number:
        yield text.cast(pl.Float64, strict=False).alias(item.column)
    else:
        yield text.alias(item.column)
    if item.is_randomised:
        yield pl.col("shown").str.json_decode(pl.List(pl.String)).alias(f"o_{item.name}")


def _derived(items: Mapping[str, Item]) -> "Iterator[pl.Expr]":
    import polars as pl

    sex, said = items.get("sex"), items.get("age")
    codes = dict.fromkeys((*SEXES, *(sex.codes if sex is not None and sex.kind == "select_one" else ())))
    told = [pl.col(sex.column).cast(pl.String)] if sex is not None and sex.kind == "select_one" else []
    yield pl.coalesce(*told, "h_sex").cast(pl.Enum(list(codes)), strict=False).alias("d_sex")
    ages = [pl.col(said.column)] if said is not None and said.is_number else []
    age = pl.coalesce(*ages, pl.col("h_age").cast(pl.Float64, strict=False)).floor()
    band = pl.coalesce(
        *(pl.when(age.is_between(low, high)).then(pl.lit(name)) for name, low, high in AGE_BANDS)
    )  # fmt: skip
    yield band.cast(pl.Enum([name for name, _low, _high in AGE_BANDS])).alias("d_age_band")
