"""The copy of people and of tries to reach them, as files of columns: what is copied, how it is coded, where it stands.

A count over five million wide rows reads a gigabyte; over the two or three columns that its rule names, some megabytes.
The database stays the truth: a copy is as of one snapshot, and every count reads what has changed since then together
with what only the database knows, in one statement (snapshot.people_news). A copy that is missing, too old or of
another form is made anew by a job, and until then SQL counts. Each host has its own; it holds no name and no phone.

    <var>/people/current          the name of the newest generation
    <var>/people/<generation>/    meta.json, people.<column>, attempts.<column> (plain arrays), words.<column>.json
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from callcenter.base.clock import real_now
from callcenter.calendar import PURPOSES
from callcenter.consent import CHANNELS
from callcenter.contacts import CONSENTS, LINE_KINDS, SEXES
from callcenter.ledger.dispositions import DISPOSITIONS, OUTCOMES
from callcenter.people.removed_rows import KEPT_FOR
from campaigns.dispatch.message_states import FINAL

VERSION = 1
OLDEST = KEPT_FOR - timedelta(days=1)  # an older copy may have missed what was deleted
UNKNOWN = -(2**31)  # a number that is not known
OTHER = 255  # the code of a value that a list does not have
CURRENT, META = "current", "meta.json"


@dataclass(frozen=True)
class Column:
    """`kind`: int64 | int32 | uint32 | float64 | uuid | listed (a byte: 1 + the place among `values`, 0 for unknown) |
    words (1 + the place in the column's own dictionary). `sql`: an expression over `c` (contacts) or `a` (attempts)."""

    name: str
    kind: str
    sql: str
    values: tuple[str, ...] = ()


def _plain(kind: str, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, f"c.{name}") for name in names)


def _flag(name: str, sql: str = "") -> Column:
    return Column(name, "listed", f"({sql or f'c.{name}'})::text", ("false", "true"))


PEOPLE: tuple[Column, ...] = (
    Column("id", "int64", "c.id"),
    *_plain("int32", "section_number", "section_id", "state", "age", "promoter_id", "organization_id", "import_id"),
    Column("created", "int32", "(c.created_at AT TIME ZONE 'America/Mexico_City')::date - DATE '1970-01-01'"),
    Column("sex", "listed", "c.sex", tuple(SEXES)),
    Column("consent", "listed", "c.consent", tuple(CONSENTS)),
    Column("line_kind", "listed", "c.line_kind", tuple(LINE_KINDS)),
    _flag("is_member"), _flag("holds_post"), _flag("suppressed"), _flag("blocked", "c.blocked_at IS NOT NULL"),
    *_plain("words", "municipality", "neighborhood", "source", "promoter", "language"),
)  # fmt: skip
ATTEMPTS: tuple[Column, ...] = (
    Column("id", "uuid", "a.id"),
    Column("person", "int64", "a.contact_id"),  # in the file: the place of the person among people, an int32
    Column("at", "uint32", "floor(extract(epoch FROM a.at))::bigint"),
    Column("channel", "listed", "a.channel", CHANNELS),
    Column("purpose", "listed", "a.purpose", tuple(PURPOSES)),
    Column("outcome", "listed", "a.outcome", tuple(dict.fromkeys((*DISPOSITIONS, *OUTCOMES, *sorted(FINAL))))),
    # The queue of a call, the campaign of a message; looked up a row, because few rows are asked for at a time.
    Column(
        "place",
        "int32",
        "CASE a.channel WHEN 'call' THEN (SELECT queue_id FROM calls WHERE calls.id = a.id)"
        " ELSE (SELECT campaign_id FROM messages WHERE messages.id = a.id) END",
    ),
)
_ATTRIBUTES = {"text": "words", "choice": "words", "date": "words", "number": "float64", "yes_no": "listed"}


@dataclass(frozen=True)
class Meta:
    """What a generation is of. `low`: every transaction before this one was over: what they wrote, the copy has.

    `attributes`: key → kind of those that are copied."""

    form: str
    database: str
    low: int
    made_at: datetime
    people: int
    attempts: int
    attributes: Mapping[str, str]


def of_attribute(key: str, kind: str) -> Column:
    """The column `attr:<key>`. A value of another type than the attribute's is as good as unknown."""
    json_type = {"number": "number", "yes_no": "boolean"}.get(kind, "string")
    value = f"CASE WHEN jsonb_typeof(c.attributes -> '{key}') = '{json_type}' THEN c.attributes ->> '{key}' END"
    if kind == "number":
        value = f"({value})::float8"
    return Column(f"attr:{key}", _ATTRIBUTES[kind], value, ("false", "true") if kind == "yes_no" else ())


def people_columns(attributes: Mapping[str, str]) -> tuple[Column, ...]:
    """Every column of people, with those of the attributes `key → kind`."""
    return (*PEOPLE, *(of_attribute(key, kind) for key, kind in sorted(attributes.items())))


def form() -> str:
    """Changes whenever the files' form does: a copy of another form is made anew."""
    said = json.dumps([VERSION, [asdict(column) for column in (*PEOPLE, *ATTEMPTS)], _ATTRIBUTES])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


_folder: Path | None = None


def configure(var: Path | None) -> None:
    """Keep copies under the data folder `var`; None: keep none."""
    global _folder  # noqa: PLW0603  # one process, one data folder
    _folder = var / "people" if var is not None else None


def folder() -> Path | None:
    """Where the copies stand; None where none are kept."""
    return _folder


def current() -> Path | None:
    """The folder of the newest generation, if there is one."""
    if _folder is None:
        return None
    try:
        return _folder / (_folder / CURRENT).read_text()
    except OSError:
        return None


def read_meta(generation: Path) -> Meta | None:
    """What the generation is of; None when it is of another form, too old, or gone."""
    try:
        said = json.loads((generation / META).read_bytes())
        meta = Meta(**{**said, "made_at": datetime.fromisoformat(said["made_at"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return meta if meta.form == form() and real_now() - meta.made_at < OLDEST else None


def write_json(path: Path, said: Any) -> None:
    """A file that only its owner may read."""
    with private(path) as file:
        file.write(json.dumps(said, default=str).encode())


def private(path: Path) -> Any:
    """A new file, open for writing, that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def read_words(generation: Path, column: str) -> list[Sequence[str]]:
    """The dictionary of a column: [spelling, text key] by code - 1."""
    said: list[Sequence[str]] = json.loads((generation / f"words.{file_name(column)}.json").read_bytes())
    return said


def file_name(column: str) -> str:
    return column.replace(":", ".")
