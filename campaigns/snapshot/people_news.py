"""What the database says to a copy of people: whole tables column by column, or what changed since the copy was made.

PostgreSQL hands out columns, not rows: one bytea a column (string_agg of int4send and its like), so that a hundred
thousand rows cost a numpy array and no Python object each. One statement is one snapshot: the changes, the deletions
and whatever only SQL can answer of a rule belong together.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, LargeBinary, Select, String, Subquery, column, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from campaigns.segmenting.segment_fields import sql_text_key
from campaigns.snapshot.people_columns import ATTEMPTS, OTHER, UNKNOWN, Column

Array = NDArray[Any]

# `database` changes with the server, the database, and whenever a table is restored, truncated or written anew.
_NOW = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS low,
        greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
                 COALESCE(pg_current_xact_id_if_assigned()::text::bigint + 1, 0)) AS high,
        concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
            (SELECT oid FROM pg_database WHERE datname = current_database()),
            pg_relation_filenode('contacts'), pg_relation_filenode('attempts')) AS database"""
_PEOPLE = "SELECT c.* FROM contacts c WHERE {rows}"
_ATTEMPTS = "SELECT a.* FROM attempts a WHERE {rows}"
# The upper bound leaves out ids of a later time, which a restored database may hold: the copy has had those rows.
_CHANGED = "{c}.change_id >= :since AND {c}.change_id < (SELECT high FROM now) LIMIT :most"
_GONE = (
    "SELECT COALESCE(string_agg({send}({key}), ''::bytea), ''::bytea) AS {name} FROM {table} WHERE change_id >= :since"
)


@dataclass(frozen=True)
class News:
    """What changed since `low` was `since`. `people`, `attempts`: arrays by column (words: lists of texts); `…_gone`:
    keys of what was deleted, perhaps to come again. `answers`: contact ids, one array for each question."""

    low: int
    database: str
    people: Mapping[str, Any]
    attempts: Mapping[str, Any]
    people_gone: Array
    attempts_gone: Array
    answers: Sequence[Array]


def changed(
    connection: Connection,
    since: int,
    most: int,
    people: Sequence[Column],
    attempts: Sequence[Column] = (),
    questions: Sequence[Select[Any]] = (),
) -> News | None:
    """What transactions from `since` on did in these columns (no attempts at all without columns of theirs), and the
    answers to `questions` (SELECTs of one id), in one snapshot. None when more than `most` rows changed."""
    asked = [_ids_of(question).label(f"answer_{n}") for n, question in enumerate(questions)]
    row = connection.execute(select(_statement(since, most, people, attempts), *asked)).one()._mapping
    if max(row["p_n"], row["a_n"] if attempts else 0) > most:
        return None
    return News(
        low=row["low"],
        database=row["database"],
        people=_decoded(people, [row[f"p_{n}"] for n in range(len(people))]),
        attempts=_decoded(attempts, [row[f"a_{n}"] for n in range(len(attempts))]),
        people_gone=np.frombuffer(row["p_gone"], ">i8").astype(np.int64),
        attempts_gone=np.frombuffer(row["a_gone"] if attempts else b"", "S16"),
        answers=[np.frombuffer(row[f"answer_{n}"] or b"", ">i8") for n in range(len(questions))],
    )


def _statement(since: int, most: int, people: Sequence[Column], attempts: Sequence[Column]) -> Subquery:
    parts = [
        f"({_whole(people, _PEOPLE.format(rows=_CHANGED.format(c='c')), 'c', 'p')}) people",
        f"({_GONE.format(send='int8send', key='contact_id', name='p_gone', table='removed_people')}) people_gone",
    ]
    named = ["low", "high", "database", "p_n", *(f"p_{n}" for n in range(len(people))), "p_gone"]
    if attempts:
        parts += [
            f"({_whole(attempts, _ATTEMPTS.format(rows=_CHANGED.format(c='a')), 'a', 'a')}) attempts",
            f"({_GONE.format(send='uuid_send', key='attempt_id', name='a_gone', table='removed_attempts')}) tries_gone",
        ]
        named += ["a_n", *(f"a_{n}" for n in range(len(attempts))), "a_gone"]
    statement = f"WITH now AS MATERIALIZED ({_NOW}) SELECT * FROM now, {', '.join(parts)}"  # noqa: S608  # our own words
    return text(statement).bindparams(since=since, most=most + 1).columns(*map(column, named)).subquery("news")


def moment(connection: Connection) -> tuple[int, str]:
    """(low, database) of the connection's snapshot."""
    row = connection.execute(text(_NOW)).one()
    return row.low, row.database


def pages(connection: Connection, table: str) -> int:
    """How many pages of a table there are to read."""
    return int(connection.scalar(text("SELECT pg_relation_size(CAST(:name AS regclass)) / 8192"), {"name": table}) or 0)


def part(connection: Connection, columns: Sequence[Column], first: int, end: int) -> Mapping[str, Any]:
    """The people (or, with ATTEMPTS, the attempts) of the table's pages from `first` to before `end`."""
    source, alias = (_ATTEMPTS, "a") if columns is ATTEMPTS else (_PEOPLE, "c")
    rows = f"{alias}.ctid >= CAST(:first AS tid) AND {alias}.ctid < CAST(:end AS tid)"
    whole = text(_whole(columns, source.format(rows=rows), alias, "x"))
    row = connection.execute(whole, {"first": f"({first},0)", "end": f"({end},0)"}).one()
    return _decoded(columns, row[1:])


def keys_of(connection: Connection, spellings: Sequence[str]) -> list[str]:
    """The text key of each spelling, as SQL has it."""
    if not spellings:
        return []
    words = func.unnest(literal(list(spellings), ARRAY(String)))
    each = words.table_valued("word", with_ordinality="place").render_derived()
    return list(connection.scalars(select(sql_text_key(each.c.word)).order_by(each.c.place)))


def _ids_of(question: Select[Any]) -> Any:
    rows = question.subquery()
    nothing = literal(b"", LargeBinary)
    return select(func.string_agg(func.int8send(next(iter(rows.c))), nothing)).scalar_subquery()


_SENT = {
    "int64": "string_agg(int8send(COALESCE({sql}, -1)), ''::bytea)",
    "int32": f"string_agg(int4send(COALESCE({{sql}}, {UNKNOWN})), ''::bytea)",
    "uint32": "string_agg(int8send({sql}), ''::bytea)",
    "float64": "string_agg(float8send(COALESCE({sql}, 'NaN')), ''::bytea)",
    "uuid": "string_agg(uuid_send({sql}), ''::bytea)",
    "words": "json_agg({sql})::text",
}  # fmt: skip
_READ = {"int64": ">i8", "int32": ">i4", "uint32": ">i8", "float64": ">f8", "uuid": "S16", "listed": ">i2"}
DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(kind)
    for name, kind in (("int64", "i8"), ("int32", "i4"), ("uint32", "u4"), ("float64", "f8"), ("uuid", "S16"),
                       ("listed", "u1"), ("words", "i4"))
}  # fmt: skip


def _whole(columns: Sequence[Column], source: str, alias: str, name: str) -> str:
    """SELECT of one row: how many rows, and each column of them as one value, all in the same order."""
    sent = ", ".join(f"{_sent(column)} AS {name}_{n}" for n, column in enumerate(columns))
    return f"SELECT count(*) AS {name}_n, {sent} FROM ({source}) {alias}"  # noqa: S608  # our own words


def _sent(column: Column) -> str:
    if column.kind == "listed":
        words = ", ".join(f"'{value}'" for value in column.values)
        other = f"CASE WHEN {column.sql} IS NULL THEN 0 ELSE {OTHER} END"
        place = f"COALESCE(array_position(ARRAY[{words}], {column.sql}), {other})"
        return f"string_agg(int2send({place}::int2), ''::bytea)"
    return _SENT[column.kind].format(sql=column.sql)


def _decoded(columns: Sequence[Column], sent: Sequence[Any]) -> dict[str, Any]:
    return {column.name: _array(column, value) for column, value in zip(columns, sent, strict=True)}


def _array(column: Column, sent: Any) -> Any:
    if column.kind == "words":
        return json.loads(sent or "[]")
    return np.frombuffer(sent or b"", _READ[column.kind]).astype(DTYPES[column.kind])
