"""A whole column of phones at once: the common spellings through Polars, every other cell through `phones.normalise`.

`phones.normalise` says what a cell means. What is read here without it are cells of one number in plain digits, groups
and the usual prefixes, and only where it is certain that normalise would give that number; a property test holds the
two to the same answer for every cell.
"""

from functools import lru_cache

import polars as pl

from callcenter.phones import LADDERS, is_person_line, normalise

# One number: perhaps a word before it, perhaps Excel's quote; digits grouped by blanks, hyphens, parentheses.
_SHAPE = r"^(?i:(?:cel|tel)(?:\. ?| ))?'?\+?\(?[0-9][0-9 \u00a0()-]*(?:[0-9]{7}\.0)?$"
_MOBILE = r"^(?i:cel)"
_RUN = "|".join(f"{digit}{{8}}" for digit in range(10))
NUMBERS = {"cell": pl.Int64, "at": pl.Int64, "phone": pl.String, "extension": pl.String, "line_kind": pl.String}


def read_column(cells: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The numbers of a column and the reasons of cells that hold none.

    Numbers: `cell` (place in the column), `at` (its place in the cell), `phone` (E.164), `extension`, `line_kind` as
    spelled. Reasons: `cell`, `reason`; empty cells have neither."""
    frame = cells.alias("text").to_frame().with_row_index("cell").cast({"cell": pl.Int64})
    read = _common(frame.filter(pl.col("text") != ""))
    certain = read.filter("is_certain").select(
        "cell", pl.lit(0, pl.Int64).alias("at"), pl.concat_str(pl.lit("+52"), "national").alias("phone"),
        pl.lit(None, pl.String).alias("extension"), "line_kind",
    )  # fmt: skip
    others = read.filter(~pl.col("is_certain")).select("cell", "text")
    if others.is_empty():
        return certain, pl.DataFrame(schema={"cell": pl.Int64, "reason": pl.String})
    numbers, reasons = _through_normalise(others["text"].unique())
    numbers = others.join(numbers, on="text").select(*NUMBERS)
    return pl.concat([certain, numbers]), others.join(reasons, on="text").select("cell", "reason")


def _common(filled: pl.DataFrame) -> pl.DataFrame:
    """Adds `national` (ten digits), `line_kind`, and `is_certain`: normalise would give just this."""
    text, digits, size = pl.col("text"), pl.col("digits"), pl.col("size")
    plain = pl.when(text.str.ends_with(".0")).then(text.str.head(-2)).otherwise(text)
    prefix, national = pl.col("prefix"), pl.col("national")
    has_plus = pl.col("has_plus")
    return (
        filled.lazy()
        .with_columns(
            digits=plain.str.replace_all(r"[^0-9]", ""),
            has_plus=text.str.contains("+", literal=True),
            has_shape=text.str.contains(_SHAPE) & (text.str.len_bytes() <= 40),
        )
        .with_columns(size=digits.str.len_bytes())
        .with_columns(
            national=digits.str.tail(10), prefix=pl.when(size > 10).then(digits.str.head(-10)).otherwise(pl.lit(""))
        )
        .select(
            "cell", "text", "national",
            line_kind=pl.when(prefix.is_in(["044", "045"]) | text.str.contains(_MOBILE))
            .then(pl.lit("mobile"))
            .otherwise(pl.lit("unknown")),
            is_certain=pl.col("has_shape")
            & (size >= 10)
            & pl.when(has_plus)
            .then(prefix.is_in(["52", "521"]))
            .otherwise(
                prefix.is_in(["", "52", "521", "044", "045", "0052", "00521", "01152", "011521", "1"])
                | ((prefix == "01") & ~national.str.starts_with("1"))
            )
            & national.str.head(3).is_in(_area_codes())
            & ~digits.str.contains(_RUN)
            & ~national.is_in(list(LADDERS)),
        )
        .collect()
    )  # fmt: skip


def _through_normalise(texts: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    numbers, reasons = [], []
    for text in texts:
        reading = normalise(text)
        if reading.reason is not None:
            reasons.append((text, reading.reason))
        for at, one in enumerate(reading.numbers):
            numbers.append((text, at, one.e164, one.extension, one.line_kind))
    read = pl.DataFrame(numbers, {"text": pl.String, **{k: v for k, v in NUMBERS.items() if k != "cell"}}, orient="row")
    return read, pl.DataFrame(reasons, {"text": pl.String, "reason": pl.String}, orient="row")


@lru_cache(maxsize=1)
def _area_codes() -> list[str]:
    """The first three digits of ten that are a line a person may have, whatever the other seven are."""
    return [f"{code:03}" for code in range(1000) if is_person_line(f"{code:03}0000000")]
