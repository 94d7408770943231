"""Codes of people -> small integers, a million a tenth of a second: what weights and their variances count with."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

MISSING, STRANGE = -1, -2  # no answer at all (null or empty); a code that is none of the known ones
CROSS = "*"  # between the names of variables that are crossed, and between their codes: sex*age_band, H*18-29
Column = Any  # a polars Series, a numpy array, or any sequence of codes
Indexes = NDArray[np.int64]


def series(column: Column) -> "pl.Series":
    """A column as strings, whatever it was; empty answers are null."""
    import polars as pl

    if not isinstance(column, pl.Series):
        values = column.tolist() if isinstance(column, np.ndarray) else list(column)
        column = pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
    text: pl.Series = column if column.dtype == pl.String else column.cast(pl.String)
    return text.set(text == "", None) if (text == "").any() else text


def indexes(column: Column, known: Mapping[str, int]) -> Indexes:
    """The number of each code; MISSING for none, STRANGE for one that is not in `known`."""
    import polars as pl

    if isinstance(column, pl.Series) and isinstance(column.dtype, pl.Enum):
        return _of_enum(column, known)
    text = series(column)
    if not known:
        return np.where(text.is_null().to_numpy(), MISSING, STRANGE)
    places = text.cast(pl.Enum(list(known)), strict=False).to_physical().cast(pl.Int64)
    table = np.array([*known.values(), STRANGE, MISSING], dtype=np.int64)
    found = places.fill_null(len(known)).to_numpy()
    if places.null_count():
        found = np.where(text.is_null().to_numpy(), len(known) + 1, found)
    return np.asarray(table[found], dtype=np.int64)


def _of_enum(column: "pl.Series", known: Mapping[str, int]) -> Indexes:
    """Codes that are numbered already need a table of their numbers only."""
    import polars as pl

    categories = column.dtype.categories.to_list()  # type: ignore[attr-defined]  # its dtype is an Enum
    table = np.array([known.get(code, STRANGE) if code else MISSING for code in [*categories, ""]], dtype=np.int64)
    numbers = column.to_physical().cast(pl.UInt32).fill_null(len(categories)).to_numpy()
    return np.asarray(table[numbers], dtype=np.int64)


def counts(column: Column) -> dict[str, int]:
    """Code -> how many have it, the most frequent first; people without one are left out."""
    counted = series(column).drop_nulls().value_counts(sort=True)
    return dict(counted.iter_rows())


def crossed(columns: Mapping[str, Column], variable: str) -> Column:
    """A column by name; `a*b` is made of the columns a and b, and missing where one of them is. Raises KeyError."""
    import polars as pl

    if variable in columns:
        return columns[variable]
    parts: Sequence[str] = variable.split(CROSS)
    if len(parts) < 2:
        raise KeyError(variable)
    frame = pl.DataFrame({str(place): series(columns[part.strip()]) for place, part in enumerate(parts)})
    return frame.select(pl.concat_str(pl.all(), separator=CROSS).alias(variable)).to_series()
