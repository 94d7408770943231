"""The register of what is kept of a person: each floor says how it shows and how it erases what it holds.

The floors above register at the composition root, so that this module imports none of them. A table whose rows carry
`contact_id` and go with the person (ON DELETE CASCADE) needs one line (`keep_rows`); any other needs a keeper."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from sqlalchemy import ColumnElement, and_, false, func, or_, select, text
from sqlalchemy.orm import Session

from callcenter.base.db import Base
from callcenter.contacts import name_key


@dataclass(frozen=True)
class Attachment:
    """A file that goes with an export. `read` may ask a provider: it is called while no transaction is open."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Sheet:
    """One table of a person's export: `name` is its file's, `columns` are headings, a row has a value for each."""

    name: str
    title: LazyString
    columns: Sequence[LazyString]
    rows: Sequence[Sequence[Any]]
    files: Sequence[Attachment] = ()


@dataclass(frozen=True)
class Gone:
    """People who are being erased. `phones`: theirs and nobody else's (E.164). `names`: by id, folded words of names;
    empty in a purge of everybody, where texts that might name them have rules of their own."""

    ids: Sequence[int]
    phones: Collection[str]
    names: Mapping[int, tuple[str, ...]]


Export = Callable[[Session, int], list[Sheet]]
Erase = Callable[[Session, Gone], dict[str, int]]
Block = Callable[[Session, int], int]
Codes = Mapping[str, LazyString]


@dataclass(frozen=True)
class _Keeper:
    export: Export
    erase: Erase
    block: Block | None
    tables: frozenset[str]


@dataclass(frozen=True)
class _Rows:
    title: LazyString
    columns: Mapping[str, LazyString]
    codes: Mapping[str, Codes]


_keepers: dict[str, _Keeper] = {}
_rows: dict[str, _Rows] = {}
_spared: dict[str, str] = {}


def register(kind: str, *, export: Export, erase: Erase, tables: Collection[str], block: Block | None = None) -> None:
    """A keeper of `tables`. `export(session, contact_id)` returns the person's sheets; `erase(session, gone)` leaves
    nothing that tells who they were and returns what it erased, by table; `block(session, contact_id)` takes the
    person out of what waits to be done and returns how much that was. The keepers of upper floors are asked first."""
    _keepers[kind] = _Keeper(export, erase, block, frozenset(tables))


def keep_rows(
    table: str, title: LazyString, columns: Mapping[str, LazyString], codes: Mapping[str, Codes] | None = None
) -> None:
    """A table whose rows belong to a person by `contact_id` and are deleted with them: shown with these columns.

    `codes`: the words for the codes in some columns."""
    _rows[table] = _Rows(title, columns, codes or {})


def spare(table: str, why: str) -> None:
    """A table that looks personal and is not: `why` is for whoever reads the list."""
    _spared[table] = why


def covered() -> dict[str, str]:
    """Table -> who looks after it, or why nobody needs to."""
    kept = {table: kind for kind, keeper in _keepers.items() for table in keeper.tables}
    return {**_spared, **dict.fromkeys(_rows, "rows"), **kept}


def export(session: Session, contact_id: int) -> list[Sheet]:
    """Everything that any floor holds of this person, sheet by sheet; sheets without rows are left out."""
    sheets = [sheet for keeper in _keepers.values() for sheet in keeper.export(session, contact_id)]
    sheets += [_sheet(session, table, rows, contact_id) for table, rows in _rows.items() if table in _tables()]
    return [sheet for sheet in sheets if sheet.rows]


def _tables() -> Mapping[str, Any]:
    return Base.metadata.tables


def _sheet(session: Session, table: str, rows: _Rows, contact_id: int) -> Sheet:
    columns = _tables()[table].c
    shown = {name: title for name, title in rows.columns.items() if name in columns}
    found = session.execute(select(*(columns[name] for name in shown)).where(columns.contact_id == contact_id))
    told = [tuple(in_words(rows.codes.get(name, {}), value) for name, value in zip(shown, row, strict=True))
            for row in found]  # fmt: skip
    return Sheet(table, rows.title, list(shown.values()), told)


def in_words(codes: Codes, value: Any) -> Any:
    """The words for a code in the reader's language; another value as it is."""
    return str(codes[value]) if isinstance(value, str) and value in codes else value


def block(session: Session, contact_id: int) -> int:
    """Take the person out of whatever waits on any floor; returns how many things waited."""
    return sum(keeper.block(session, contact_id) for keeper in _keepers.values() if keeper.block is not None)


def erase(session: Session, gone: Gone) -> dict[str, int]:
    """Erase the people on every floor, the upper ones first; returns how many rows of what."""
    counts: dict[str, int] = {}
    for keeper in reversed(_keepers.values()):
        for table, count in keeper.erase(session, gone).items():
            counts[table] = counts.get(table, 0) + count
    return {table: count for table, count in counts.items() if count}


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, folded, as `mentions` and `is_mentioned` look for them."""
    return tuple(re.findall(r"\w+", name_key(name)))


def mentions(written: ColumnElement[Any], gone: Gone) -> ColumnElement[bool]:
    """SQL: does this text hold a phone of theirs in any spelling, or all words of a name of theirs?"""
    digits = func.regexp_replace(written, r"\D", "", "g")
    folded = func.regexp_replace(func.normalize(func.lower(written), text("NFKD")), "[\u0300-\u036f]", "", "g")
    by_phone = [digits.contains(phone[-10:]) for phone in gone.phones]
    by_name = [
        and_(*(folded.op("~")(rf"\m{word}\M") for word in words)) for words in gone.names.values() if is_full(words)
    ]
    return or_(false(), *by_phone, *by_name)


def is_mentioned(written: str, words: Sequence[str], phones: Collection[str]) -> bool:
    """The same in Python, for one person."""
    digits = re.sub(r"\D", "", written)
    told = set(words_of(written))
    return any(phone[-10:] in digits for phone in phones) or (is_full(words) and told >= set(words))


def is_full(words: Sequence[str]) -> bool:
    """Does a name of these words tell one person from another? A lone given name does not."""
    return len(words) > 1
