"""Which rows of a list are people whom we know already, or have met in it before: found in memory, block by block.

What is found here is looked at again by SQL, where a person is a phone and a name and no number stands for them; so it
does no harm that two people may have one hash, nor that a place of `Seen` is shared. Nobody is missed.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from callcenter.lists import import_staging

_SEED = 20_270_606
_SCHEMA = {"row_number": pl.Int64, "phone": pl.String, "name_key": pl.String, "answer": pl.String}
REPEATS = {"row_number": pl.Int64, "first_row": pl.Int64, "held": pl.String}
_PLACES = 1 << 30  # bits: 128 MB; of five million people one in two hundred finds their place taken


def hashes(people: pl.DataFrame) -> pl.Series:
    """64 bits for each person's phone and name."""
    return people.select(pl.concat_str("phone", "name_key").hash(_SEED)).to_series()


class Seen:
    """The people met so far, one bit each."""

    def __init__(self, places: int = _PLACES) -> None:
        self._bytes = np.zeros(places // 8, np.uint8)

    def add(self, keys: pl.Series) -> pl.Series:
        """Remember some people; says of each whether it is certain that nobody of them was met before."""
        places = keys.to_numpy() & np.uint64(self._bytes.size * 8 - 1)
        at, bits = places >> np.uint64(3), np.uint8(1) << (places & np.uint64(7)).astype(np.uint8)
        is_new = pl.Series((self._bytes[at] & bits) == 0) & keys.is_first_distinct()
        np.bitwise_or.at(self._bytes, at, bits)
        return is_new


@dataclass
class Keys:
    """The keys of the rows staged so far: a person's phone and a 64-bit hash of their name's key. Two people would be
    taken for one only if they shared both the phone and the hash."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(self, people: pl.DataFrame) -> None:
        """Remember the rows of a block."""
        self.frames.append(
            people.select(
                pl.col("row_number").cast(pl.Int32),
                numbers_of(people["phone"]),
                pl.col("name_key").hash(_SEED).alias("name"),
                pl.col("answer").cast(pl.Enum(["opted_in", "opted_out"])),
            )
        )

    def repeats(self) -> pl.DataFrame:
        """The rows of people who have more than one: `row_number`, the person's `first_row`, and what all their rows
        answer together (`held`): a refusal holds."""
        found = [self._repeats(part) for part in range(8)] if self.frames else []
        return pl.concat(found) if found else pl.DataFrame(schema=REPEATS)

    def _repeats(self, part: int) -> pl.DataFrame:
        """An eighth of the phones at a time, so that memory stays small."""
        some = pl.concat([frame.filter(pl.col("phone") % 8 == part) for frame in self.frames])
        twice = some.filter(pl.struct("phone", "name").is_duplicated())
        person = ["phone", "name"]
        answer = pl.col("answer").cast(pl.String)
        return twice.select(
            pl.col("row_number").cast(pl.Int64),
            pl.col("row_number").min().over(person).cast(pl.Int64).alias("first_row"),
            answer.max().over(person).alias("held"),  # opted_out > opted_in
        )


def numbers_of(phones: pl.Series) -> pl.Series:
    """Phones (E.164) as integers."""
    return phones.str.slice(1).cast(pl.Int64, strict=False)


def of_staged(session: Session) -> Keys:
    """The keys, read back from the staging table, when rows there were found to mean somebody else."""
    keys = Keys()
    rows = f"SELECT {', '.join(_SCHEMA)} FROM {import_staging.PEOPLE_TABLE}"  # noqa: S608  # names of ours
    keys.add(import_staging.copied_out(session, rows, _SCHEMA))
    return keys


class Phones:
    """Phones met so far, as integers, to be counted once each."""

    def __init__(self) -> None:
        self._some: list[pl.Series] = []

    def add(self, phones: pl.Series) -> None:
        self._some.append(numbers_of(phones).drop_nulls())

    def all(self) -> pl.Series:
        """Each one once, in no order."""
        some = pl.concat(self._some).unique() if self._some else pl.Series(dtype=pl.Int64)
        self._some = [some]
        return some

    def count_beside(self, others: "Phones") -> int:
        """How many there are that are not among the others."""
        some = self.all()
        return some.len() - int(some.is_in(others.all().implode()).sum())
