"""Which rows of a list are the same person: found in memory, while PostgreSQL is busy with the rows themselves.

A person's key is their phone and a 64-bit hash of their name's key: two people would be taken for one only if they
shared both the phone and the hash.
"""

from dataclasses import dataclass, field

import polars as pl
from sqlalchemy.orm import Session

from callcenter import import_staging

_SEED = 20_270_606
_SCHEMA = {"row_number": pl.Int64, "phone": pl.String, "name_key": pl.String, "answer": pl.String}
REPEATS = {"row_number": pl.Int64, "first_row": pl.Int64, "held": pl.String}


@dataclass
class Keys:
    """The keys of the rows staged so far."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(self, people: pl.DataFrame) -> None:
        """Remember the rows of a block."""
        self.frames.append(
            people.select(
                pl.col("row_number").cast(pl.Int32),
                pl.col("phone").str.slice(1).cast(pl.Int64),
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


def of_staged(session: Session, import_id: int) -> Keys:
    """The keys, read back from the staging table: for a worker that did not stage it all by itself."""
    keys = Keys()
    rows = f"SELECT {', '.join(_SCHEMA)} FROM {import_staging.table(import_id)}"  # noqa: S608  # names of ours
    keys.add(import_staging.copied_out(session, rows, _SCHEMA))
    return keys
