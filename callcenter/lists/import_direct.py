"""The millions of a long list: rows of people whom nobody knows yet go straight into the tables of people.

Rows of people who are known, or whom the list named before, are left to the staging table and its merge. So is a whole
list that says «no llamar» or brings pledges, and a trial, which must write nothing.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.lists import import_references, import_staging
from callcenter.lists.import_frames import Frame
from callcenter.lists.import_keys import Phones, Seen, hashes
from callcenter.lists.import_merge import Merging
from callcenter.lists.import_references import Names, Sections
from callcenter.lists.import_staging import Behind

LONG = 20_000  # rows; what fewer cost is less than finding out who is known
KNOWN_AT_MOST = 3  # times as many people as the list has rows
STAGED_FIELDS = frozenset(("do_not_contact", "folio_compromiso"))
# The numbers of a whole list at once: `nextval` for each would cost as much as a column. Between the two functions
# somebody may take a few by hand; where more do than are left out, the key is not unique and the list is staged.
_TAKE_IDS = "SELECT setval(name, nextval(name) + :n) FROM (SELECT pg_get_serial_sequence('contacts', 'id') AS name) s"
_LEFT_OUT = 1_000
_MORE = 1.05  # of the rows that the first block foretells
_KNOWN = "SELECT phone, name_key FROM contacts"
_ALIASES = "SELECT phone, name_key FROM contact_aliases"
_KEY = {"phone": pl.String, "name_key": pl.String}
_TAKEN = (
    "id", "name", "given_names", "name_key", "sex", "age", "phone", "phone_raw", "extension", "line_kind",
    "line_kind_source", "neighborhood", "municipality", "state", "section_number", "section_id", "promoter",
    "promoter_id", "organization_id",
)  # fmt: skip
_WITH_DEFAULT = {"is_member": False, "holds_post": False, "attributes": "{}", "suppressed": False}


def is_worth_it(session: Session, merging: Merging, rows: int) -> bool:
    """Shall a list of about so many rows be written directly?"""
    if rows < LONG or merging.fields & STAGED_FIELDS:
        return False
    known = session.scalar(text("SELECT reltuples FROM pg_class WHERE oid = 'contacts'::regclass")) or 0
    return bool(known <= KNOWN_AT_MOST * rows)


class Writer:
    """Prepares and writes the new people of one list of about so many `rows`, in the caller's transaction, which holds
    the lock of merges. `ids`: the first and the last number taken for them."""

    def __init__(self, behind: Behind, merging: Merging, rows: int) -> None:
        session = behind.session()
        self._session, self._merging = behind.session, merging
        self.ids = self._take_ids(int(rows * _MORE))
        self._next_id, self._last_id = self.ids
        self._trusts = import_references.hold(session, merging.import_id)
        self.change_id: int = session.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one()
        self._sections = Sections(session)
        self._names = [Names(behind.session, field) for field in import_references.NAMED]
        self._listed = _Listed(session)
        self._seen, self._known, self._phones = Seen(), Phones(), Phones()
        for people in (_KNOWN, _ALIASES):
            for some in import_staging.copied_blocks(session, people, _KEY):
                self._seen.add(hashes(some))
                if people == _KNOWN:
                    self._known.add(some["phone"])
        self._counts: Counter[str] = Counter()
        self._by_section: Counter[int] = Counter()

    def take(self, frame: Frame) -> tuple[Frame, dict[str, bytes]]:
        """What is left of a block for the staging table, and the lines of who is new, for `write`."""
        people = frame.people.with_columns(*(names.numbered(frame.people) for names in self._names))
        is_new = self._seen.add(hashes(people))
        new = people.filter(is_new)
        staged = frame.people.filter(~is_new)
        phones = frame.phones.join(staged.select("row_number"), on="row_number", how="semi")
        rest = Frame(staged, phones, frame.refused, frame.letters, frame.bad)
        return rest, self._lines(new, frame.phones) if new.height else {}

    def write(self, session: Session, lines: Mapping[str, bytes]) -> None:
        """Write some of them. Raises psycopg's IntegrityError when somebody made one of them by hand meanwhile."""
        with import_references.unchecked(session, trusts=self._trusts):
            for target, some in lines.items():
                import_staging.copy(session, target, some)

    def counts(self) -> dict[str, Any]:
        """What became of those rows: created, household_members, opted_in, opted_out, by_section."""
        shared = self._counts["created"] - self._phones.count_beside(self._known)
        return {
            "created": self._counts["created"], "household_members": shared, "opted_in": self._counts["opted_in"],
            "opted_out": self._counts["opted_out"], "by_section": self._by_section,
        }  # fmt: skip

    def _lines(self, new: pl.DataFrame, phones: pl.DataFrame) -> dict[str, bytes]:
        if self._next_id + new.height > self._last_id:
            self._next_id, self._last_id = self._take_ids(10 * new.height)
        ids = pl.int_range(self._next_id, self._next_id + new.height, eager=True)
        self._next_id += new.height
        # In the order of the index that is dearest to keep.
        new = self._sections.placed(new.sort("phone", "name_key")).with_columns(id=ids)
        self._count(new)
        people = self._rows(new)
        rows = {
            f"contacts ({', '.join(people.columns)})": people,
            "consents (contact_id, kind, channel, text_version, proof, at, source)": self._evidence(new),
            "contact_phones (contact_id, position, phone, extension, line_kind)": _further(new, phones),
        }
        return {target: import_staging.lines_of(some) for target, some in rows.items()}

    def _take_ids(self, count: int) -> tuple[int, int]:
        last: int = self._session().execute(text(_TAKE_IDS), {"n": count + _LEFT_OUT}).scalar_one()
        return last - count, last

    def _rows(self, new: pl.DataFrame) -> pl.DataFrame:
        said = {name: pl.col(name) for name in _TAKEN}
        new = new.with_columns(suppressed=self._listed.among(new["phone"]))
        # What nobody says is left to the columns' defaults, which cost nothing.
        said |= {
            name: pl.col(name).fill_null(default)
            for name, default in _WITH_DEFAULT.items()
            if (new[name] != default).any()
        }
        return new.select(
            **said, language=pl.lit("es"), source=pl.lit(self._merging.source), import_id=self._merging.import_id,
            consent=pl.col("answer").fill_null("unknown"), change_id=pl.lit(self.change_id),
        )  # fmt: skip

    def _evidence(self, new: pl.DataFrame) -> pl.DataFrame:
        bound = self._merging.bound
        return new.filter(pl.col("answer").is_not_null()).select(
            "id", "answer", channel=pl.lit("all"), text_version=pl.lit(bound["notice"], pl.String),
            proof=pl.concat_str(pl.lit(bound["proof"]), "row_number"), at=pl.lit(bound["said_at"].isoformat()),
            source=pl.lit(bound["source"]),
        )  # fmt: skip

    def _count(self, new: pl.DataFrame) -> None:
        self._counts["created"] += new.height
        for answer in ("opted_in", "opted_out"):
            self._counts[answer] += int((new["answer"] == answer).sum())
        sections = new["section_number"].drop_nulls().value_counts()
        self._by_section.update(dict(sections.iter_rows()))
        self._phones.add(new["phone"])


def _further(new: pl.DataFrame, phones: pl.DataFrame) -> pl.DataFrame:
    """Their further phones, in the order of the people."""
    found = phones.join(new.select("row_number", "id"), on="row_number").sort("id", "position")
    return found.select("id", "position", "phone", "extension", "line_kind")


class _Listed:
    """The suppression list: 32 bytes a phone, and by themselves the first eight, which are soon compared."""

    def __init__(self, session: Session) -> None:
        rows = session.scalars(select(suppressions.Suppression.phone_hash).execution_options(yield_per=50_000))
        self._hashes = np.frombuffer(b"".join(rows), "V32")
        self._starts = _starts(self._hashes)

    def among(self, phones: pl.Series) -> pl.Series:
        """Which of the phones are listed?"""
        found = np.zeros(len(phones), np.bool_)
        if self._starts.size:
            hashed = np.frombuffer(b"".join(map(suppressions.phone_hash, phones)), "V32")
            starts = _starts(hashed)
            maybe = np.flatnonzero(np.isin(starts, self._starts))
            listed = {one.tobytes() for one in self._hashes[np.isin(self._starts, starts[maybe])]}
            found[maybe] = [one.tobytes() in listed for one in hashed[maybe]]
        return pl.Series(found)


def _starts(hashes: NDArray[np.void]) -> NDArray[np.uint64]:
    return hashes.view(np.uint64)[::4]
