"""A copy of people in memory, brought up to date: its columns as they are in one snapshot of the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select

from campaigns.snapshot import people_columns, people_news
from campaigns.snapshot.people_columns import ATTEMPTS, Column, Meta
from campaigns.snapshot.people_news import Array, News

Mask = NDArray[np.bool_]
Words = list[Sequence[str]]


@dataclass(frozen=True)
class Tries:
    """Some attempts: `column` gives a column of them, `person` the places of their people (-1: nobody we know), `stale`
    the places among them that no longer count."""

    column: Callable[[str], Array]
    person: Array
    stale: Array | None = None


class Copy:
    """The files of one generation with the news since then laid over them.

    People have places: those of the file, then whoever is new. `alive` says who of them there is."""

    def __init__(self, generation: Path, meta: Meta, news: News, connection: Connection) -> None:
        self.meta, self.news = meta, news
        self._generation, self._connection = generation, connection
        self._words: dict[str, Words] = {}
        self._columns = {each.name: each for each in people_columns.people_columns(meta.attributes)}
        ids = news.people["id"]
        self._order = np.argsort(ids, kind="stable")
        place = self._in_file(ids)
        is_new = place < 0
        self.size = meta.people + int(is_new.sum())
        self._new_ids = np.sort(ids[is_new])
        place[is_new] = meta.people + np.searchsorted(self._new_ids, ids[is_new])
        self._changed = place

    def column(self, name: str) -> Array:
        """A column of people, by place. Words are codes of `words(name)`."""
        column = self._columns[name]
        base = self.file("people", column, self.meta.people)
        fresh = self.news.people[name]
        if not len(self._changed):
            return base
        values = np.empty(self.size, base.dtype)
        values[: self.meta.people] = base
        values[self._changed] = self._codes(name, fresh) if column.kind == "words" else fresh
        return values

    def kind(self, name: str) -> Column:
        """How a column is coded."""
        return self._columns[name]

    @cached_property
    def alive(self) -> Mask | None:
        """Who is there; None: everybody."""
        gone = self._in_file(self.news.people_gone)
        if not (gone >= 0).any():
            return None
        alive = np.ones(self.size, bool)
        alive[gone[gone >= 0]] = False
        alive[self._changed] = True  # who was deleted and came again
        return alive

    def places(self, ids: Array) -> Array:
        """The places of people by id; -1 for nobody."""
        place = self._in_file(ids)
        if len(self._new_ids):
            place = np.where(place < 0, found(self._new_ids, ids, self.meta.people), place)
        return place

    def _in_file(self, ids: Array) -> Array:
        return found(self._ids, ids)

    @cached_property
    def _ids(self) -> Array:
        return self.file("people", people_columns.PEOPLE[0], self.meta.people)

    def file(self, table: str, column: Column, rows: int) -> Array:
        """A column of the generation as it stands in its file."""
        dtype = people_news.DTYPES["int32" if column.name == "person" else column.kind]
        if not rows:
            return np.empty(0, dtype)
        path = self._generation / f"{table}.{people_columns.file_name(column.name)}"
        return np.memmap(path, dtype, "r", shape=(rows,))

    def words(self, name: str) -> Words:
        """[spelling, text key] of each code - 1, with what is new."""
        if name not in self._words:
            known = people_columns.read_words(self._generation, name)
            spellings = {word[0] for word in known}
            new = [word for word in dict.fromkeys(self.news.people[name]) if word is not None and word not in spellings]
            keys = people_news.keys_of(self._connection, new)
            self._words[name] = [*known, *zip(new, keys, strict=True)]
        return self._words[name]

    def _codes(self, name: str, fresh: Sequence[str | None]) -> Array:
        wanted = set(fresh)
        codes = {word[0]: code for code, word in enumerate(self.words(name), 1) if word[0] in wanted}
        return np.fromiter((0 if word is None else codes[word] for word in fresh), np.int32, len(fresh))

    def tries(self) -> list[Tries]:
        """The attempts of the file, then those that are new or have changed."""
        key = self.file("attempts", ATTEMPTS[0], self.meta.attempts)
        fresh = self.news.attempts
        stale = found(key, np.concatenate([fresh["id"], self.news.attempts_gone]), 0)
        by_name = {column.name: column for column in ATTEMPTS}
        old = Tries(
            lambda name: self.file("attempts", by_name[name], self.meta.attempts),
            self.file("attempts", by_name["person"], self.meta.attempts),
            np.unique(stale[stale >= 0]),
        )
        return [old, Tries(lambda name: fresh[name], self.places(fresh["person"]))]


def found(known: Array, wanted: Array, first: int = 0) -> Array:
    """The places of `wanted` among the sorted `known`, counted from `first`; -1 for what is not there."""
    if not len(known) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(wanted, kind="stable") if len(wanted) > 1000 else np.arange(len(wanted))
    place = np.empty(len(wanted), np.int64)
    place[order] = np.searchsorted(known, wanted[order])  # sorted, the search runs through the memory in order
    place[place == len(known)] = 0
    return np.where(known[place] == wanted, place + first, -1)


@dataclass(frozen=True)
class Wanted:
    """What is asked of a copy: columns of people and of attempts (none: attempts are left alone), and `questions` that
    only SQL can answer: SELECTs of one id."""

    people: frozenset[str] = frozenset()
    attempts: frozenset[str] = frozenset()
    questions: Sequence[Select[Any]] = ()


def open_copy(connection: Connection, most: int, wanted: Wanted) -> Copy | None:
    """The copy as of now; None when there is none that can be used: no file, another database's, without one of the
    columns, or behind by more than `most` rows."""
    generation = people_columns.current()
    meta = people_columns.read_meta(generation) if generation else None
    if generation is None or meta is None:
        return None
    known = {each.name: each for each in people_columns.people_columns(meta.attributes)}
    if wanted.people - set(known):
        return None
    people = [each for name, each in known.items() if name in {"id", *wanted.people}]
    attempts = [each for each in ATTEMPTS if each.name in wanted.attempts]
    news = people_news.changed(connection, meta.low, most, people, attempts, wanted.questions)
    if news is None or news.database != meta.database or news.low < meta.low:
        return None
    try:
        return Copy(generation, meta, news, connection)
    except FileNotFoundError:
        return None  # replaced by a newer generation this very moment
