# ruff: noqa: S608  # what is put into the statements are names of this module
"""What new people point to: sections, promoters, organisations; found once a list, and held so that it stays."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
from sqlalchemy import text
from sqlalchemy.orm import Session

# References are checked row by row by triggers, which costs as much as the rows. An import takes them from the very
# tables they point to, locked, so where the database allows it the triggers are left out for new people.
_MAY_TRUST = "SELECT has_parameter_privilege(current_user, 'session_replication_role', 'SET')"
_SECTIONS = "SELECT id, number, state FROM sections WHERE valid_to IS NULL"
_SCHEMA = {"section_id": pl.Int64, "section_number": pl.Int32, "state": pl.Int32}
NAMED = {"promoter": "promoters", "organization": "organizations"}  # field -> table
# A spelling that was made one with a promoter stands for that promoter.
WHO = {"promoters": "COALESCE(merged_into, id)", "organizations": "id"}


def hold(session: Session, import_id: int) -> bool:
    """Keep what new people will point to until the transaction ends; False where references are checked anyhow."""
    if not session.scalar(text(_MAY_TRUST)):
        return False
    for pointed_to in ("sections", "promoters", "organizations"):
        session.execute(text(f"SELECT count(*) FROM (SELECT FROM {pointed_to} FOR KEY SHARE) AS held"))
    session.execute(text("SELECT FROM import_batches WHERE id = :id FOR KEY SHARE"), {"id": import_id})
    return True


@contextmanager
def unchecked(session: Session, *, trusts: bool) -> Iterator[None]:
    """Write rows whose references are held. When the block raises, the transaction is lost and the setting with it."""
    if trusts:
        session.execute(text("SET LOCAL session_replication_role = replica"))
    yield
    if trusts:
        session.execute(text("SET LOCAL session_replication_role = origin"))


class Sections:
    """The sections of today, for rows that say a number, perhaps with its state."""

    def __init__(self, session: Session) -> None:
        rows = [tuple(row) for row in session.execute(text(_SECTIONS))]
        self._stated = pl.DataFrame(rows, _SCHEMA, orient="row")
        alone = self._stated.filter(pl.col("section_number").is_unique())
        # A list without its state is placed when its section's number exists once in the sections we have.
        self._alone = alone.rename({"section_id": "alone_id", "state": "alone_state"})

    def placed(self, people: pl.DataFrame) -> pl.DataFrame:
        """The people with `section_id`, and the `state` of their section where they said none."""
        is_silent = pl.col("state").is_null()
        found = people.join(self._stated, on=["section_number", "state"], how="left", maintain_order="left")
        return (
            found.join(self._alone, on="section_number", how="left", maintain_order="left")
            .with_columns(
                section_id=pl.when(is_silent).then("alone_id").otherwise("section_id"),
                state=pl.when(is_silent).then("alone_state").otherwise("state"),
            )
            .drop("alone_id", "alone_state")
        )


class Names:
    """The promoters, or the organisations, that a list names: made when they are new, in the spelling of the first row
    that names them."""

    def __init__(self, session: Callable[[], Session], field: str) -> None:
        self._session, self._field, self._table = session, field, NAMED[field]
        self._ids: dict[str, int] = {}

    def numbered(self, people: pl.DataFrame) -> pl.Series:
        """The id for each person, null where the row names nobody."""
        key, name = f"{self._field}_key", f"{self._field}_id"
        if people[key].is_null().all():
            return pl.Series(name, [None], pl.Int64).new_from_index(0, people.height)
        named = people.filter(pl.col(key) != "").unique(key, keep="first", maintain_order=True)
        new = named.filter(~pl.col(key).is_in(list(self._ids)))
        if new.height:
            self._make(new[self._field].to_list(), new[key].to_list())
        ids = pl.DataFrame({key: list(self._ids), name: list(self._ids.values())}, {key: pl.String, name: pl.Int64})
        return people.select(key).join(ids, on=key, how="left", maintain_order="left")[name]

    def _make(self, names: list[str], keys: list[str]) -> None:
        bound: dict[str, Any] = {"names": names, "keys": keys}
        session = self._session()
        session.execute(
            text(
                f"INSERT INTO {self._table} (name, name_key) SELECT name, key"
                " FROM unnest(CAST(:names AS text[]), CAST(:keys AS text[])) AS new (name, key) ORDER BY key"
                " ON CONFLICT (name_key) DO NOTHING"
            ),
            bound,
        )
        made = text(
            f"SELECT name_key, {WHO[self._table]} FROM {self._table} WHERE name_key = ANY(CAST(:keys AS text[]))"
            " FOR KEY SHARE"
        )
        self._ids |= {row[0]: row[1] for row in session.execute(made, {"keys": keys})}
