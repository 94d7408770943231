"""Making a copy of people and keeping it up to date: a job, one at a time on a host, in a connection of its own."""

import fcntl
import logging
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, select, text

from callcenter.base import db
from callcenter.base.clock import real_now
from callcenter.people.attributes import Attribute
from campaigns.snapshot import people_columns, people_copy, people_news
from campaigns.snapshot.people_columns import ATTEMPTS, Column, Meta
from campaigns.snapshot.people_copy import Copy, Wanted
from campaigns.snapshot.people_news import Array

log = logging.getLogger(__name__)
PAGES = 8_192  # of a table read at once: some 200,000 people
MOST_NEWS = 2_000_000  # rows; with more, everything is read anew

Columns = Mapping[str, Callable[[], Array]]


def refresh(*, anew: bool = False) -> bool:
    """Make this host's copy, or bring it up to date; `anew`: read everything. False when another process does it."""
    folder = people_columns.folder()
    if folder is None:
        return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(folder) as is_mine, _snapshot() as connection:
        if is_mine and (anew or not _brought_up_to_date(folder, connection)):
            _make(folder, connection)
    return is_mine


@contextmanager
def _only_one(folder: Path) -> Iterator[bool]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def _snapshot() -> Iterator[Connection]:
    """One snapshot for many statements, and nothing uncommitted of our own in it."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine().connect().execution_options(**options) as connection, connection.begin():
        # Cutting out some hundred thousand rows at a time leaves the planner nothing to gain.
        connection.execute(text("SET LOCAL jit = off"))
        yield connection


def _attributes(connection: Connection) -> dict[str, str]:
    return {row.key: row.kind for row in connection.execute(select(Attribute.key, Attribute.kind))}


def _make(folder: Path, connection: Connection) -> None:
    """Read both tables whole."""
    low, database = people_news.moment(connection)
    attributes = _attributes(connection)
    with _generation(folder) as new:
        people = _Table(new, "people", people_columns.people_columns(attributes))
        ids = people.read(connection, "contacts")
        attempts = _Table(new, "attempts", ATTEMPTS)
        attempts.read(connection, "attempts", place=lambda persons: people_copy.found(ids, persons))
        for name, words in people.words.items():
            keys = people_news.keys_of(connection, list(words))
            people_columns.write_json(
                new / f"words.{people_columns.file_name(name)}.json", list(zip(words, keys, strict=True))
            )
        _write_meta(new, database, low, people.rows, attempts.rows, attributes)


class _Table:
    """One table on its way into files: pieces are put down as they come, then put in order column by column."""

    def __init__(self, generation: Path, name: str, columns: Sequence[Column]) -> None:
        self.name, self.columns, self.rows = name, columns, 0
        self.words: dict[str, dict[str, int]] = {each.name: {} for each in columns if each.kind == "words"}
        self._generation = generation

    def read(self, connection: Connection, table: str, place: Callable[[Array], Array] | None = None) -> Array:
        """Write the columns in the order of the key; returns the keys. `place`: what a person's id is replaced by."""
        with ExitStack() as stack:
            files = {each.name: stack.enter_context(people_columns.private(self._path(each))) for each in self.columns}
            for first in range(0, people_news.pages(connection, table), PAGES):
                piece = people_news.part(connection, self.columns, first, first + PAGES)
                for each in self.columns:
                    self._coded(each, piece[each.name], place).tofile(files[each.name])
                self.rows += len(piece["id"])
        return self._in_order()

    def _coded(self, column: Column, values: Any, place: Callable[[Array], Array] | None) -> Array:
        if column.name == "person" and place is not None:
            return place(values).astype(np.int32)
        if column.kind != "words":
            return np.asarray(values)
        known = self.words[column.name]
        codes = (0 if word is None else known.setdefault(word, len(known) + 1) for word in values)
        return np.fromiter(codes, np.int32, len(values))

    def _in_order(self) -> Array:
        keys = self._read(self.columns[0])
        order = np.argsort(keys, kind="stable")
        for each in self.columns:
            values = self._read(each)[order]
            with people_columns.private(self._path(each)) as file:
                values.tofile(file)
        return keys[order]

    def _read(self, column: Column) -> Array:
        dtype = people_news.DTYPES["int32" if column.name == "person" else column.kind]
        return np.fromfile(self._path(column), dtype)

    def _path(self, column: Column) -> Path:
        return self._generation / f"{self.name}.{people_columns.file_name(column.name)}"


def _brought_up_to_date(folder: Path, connection: Connection) -> bool:
    """Write the newest generation again with the news in it. False when there is none to begin with."""
    attributes = _attributes(connection)
    people = frozenset(each.name for each in people_columns.people_columns(attributes))
    copy = people_copy.open_copy(connection, MOST_NEWS, Wanted(people, frozenset(each.name for each in ATTEMPTS)))
    if copy is None or dict(copy.meta.attributes) != attributes:
        return False
    order, moved = _new_places(copy)
    with _generation(folder) as new:
        for column in people_columns.people_columns(attributes):
            _write(new, "people", column, copy.column(column.name)[order])
            if column.kind == "words":
                words = copy.words(column.name)
                people_columns.write_json(new / f"words.{people_columns.file_name(column.name)}.json", words)
        rows = _write_attempts(new, copy, moved)
        _write_meta(new, copy.meta.database, copy.news.low, len(order), rows, attributes)
    return True


def _new_places(copy: Copy) -> tuple[Array, Array]:
    """(the old place of each new one, the new place of each old one, -1 for who is gone and at the end for nobody)"""
    places = np.arange(copy.size) if copy.alive is None else np.flatnonzero(copy.alive)
    order = places[np.argsort(copy.column("id")[places], kind="stable")]
    moved = np.full(copy.size + 1, -1, np.int32)
    moved[order] = np.arange(len(order), dtype=np.int32)
    return order, moved


def _write_attempts(new: Path, copy: Copy, moved: Array) -> int:
    old, fresh = copy.tries()
    standing = np.ones(len(old.person), bool)
    if old.stale is not None:
        standing[old.stale] = False
    keys = np.concatenate([old.column("id")[standing], fresh.column("id")])
    order = np.argsort(keys, kind="stable")
    for column in ATTEMPTS:
        if column.name == "person":
            values = moved[np.concatenate([old.person[standing], fresh.person])]
        else:
            values = np.concatenate([old.column(column.name)[standing], fresh.column(column.name)])
        _write(new, "attempts", column, values[order])
    return len(keys)


def _write(generation: Path, table: str, column: Column, values: Array) -> None:
    with people_columns.private(generation / f"{table}.{people_columns.file_name(column.name)}") as file:
        values.tofile(file)


def _write_meta(new: Path, database: str, low: int, people: int, attempts: int, attributes: Mapping[str, str]) -> None:
    meta = Meta(people_columns.form(), database, low, real_now(), people, attempts, attributes)
    people_columns.write_json(new / people_columns.META, asdict(meta))
    log.info("copy of people: %d people, %d attempts", people, attempts)


@contextmanager
def _generation(folder: Path) -> Iterator[Path]:
    """A new folder that becomes the current one when it is whole. The one before stays: somebody may be reading it."""
    before = people_columns.current()
    new = folder / f"g{secrets.token_hex(6)}"
    new.mkdir(mode=0o700)
    try:
        yield new
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    draft = folder / f"{people_columns.CURRENT}.new"
    with people_columns.private(draft) as file:
        file.write(new.name.encode())
    draft.replace(folder / people_columns.CURRENT)
    for each in folder.glob("g*"):
        if each not in (new, before):
            shutil.rmtree(each, ignore_errors=True)
