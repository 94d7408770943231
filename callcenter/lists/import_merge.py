# ruff: noqa: S608  # what is put into the statements are names and statements of this module
"""From staged rows to people: a few set-based statements in the caller's one transaction.

A row is *plain* when it is its person's only one and nobody known: those are written without looking anything up. The
others stand in `import_special`, with the person they are of.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, column, insert, literal_column, select, table, text
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.lists import import_policies, import_references, import_staging
from callcenter.lists import import_statements as sql
from callcenter.lists.import_batches import Watch, unwatched
from callcenter.lists.import_keys import REPEATS, Keys, of_staged
from callcenter.people import pledges
from callcenter.suppressions import Suppression

MANY = 20_000  # staged rows
ROWS_AT_ONCE = 150_000  # of one INSERT: between two of them a cancellation is seen


@dataclass(frozen=True)
class Merging:
    """One list to be merged. `fields`: of its mapping. `watch` is called between statements; it may raise, to stop."""

    import_id: int
    source: str
    notice_version: str | None
    now: datetime
    said_at: datetime
    fields: frozenset[str]
    policies: Mapping[str, str]
    watch: Watch = unwatched

    @property
    def bound(self) -> dict[str, Any]:
        return {
            "import_id": self.import_id, "source": self.source, "notice": self.notice_version, "now": self.now,
            "said_at": self.said_at, "proof": f"import/{self.import_id} row ",
        }  # fmt: skip


def merge(session: Session, merging: Merging, keys: Keys, *, is_dry: bool = False, written: int = 0) -> dict[str, Any]:
    """Staged rows → people, extra phones, evidence, pledges. Returns created, updated, unchanged, duplicates,
    household_members, opted_in, opted_out and by_section. A person's first row counts.

    `written`: how many people of this import are there already, by their first row (import_direct): staged rows of
    theirs are further ones, and what these say of opted_in and opted_out is a difference. `is_dry`: only says so.
    Raises sqlalchemy's IntegrityError when somebody else made one of the people meanwhile."""
    work = _Work(session, merging)
    work.prepare(keys)
    work.choose_joins(written)
    counts = work.count()
    changed = work.find_changes()
    if not is_dry:
        work.create()
        work.run(sql.KEEP_BEFORE, import_policies.UPDATE_PEOPLE, sql.UPDATE_OWN)
        work.add_what_follows()
    return counts | {"updated": changed, "unchanged": counts.pop("known") - changed}


@dataclass(frozen=True)
class _Work:
    session: Session
    merging: Merging

    def run(self, *statements: str) -> None:
        """Run statements, and let the caller look up between them."""
        for statement in statements:
            self.merging.watch()
            self.execute(statement)

    def execute(self, statement: str, **bound: Any) -> Any:
        return self.session.execute(text(statement), self.merging.bound | bound)

    def prepare(self, keys: Keys) -> None:
        """Who is who: `import_special`, promoters and organisations, the phones that may not be contacted."""
        self.run(
            *sql.SETTINGS, "ANALYZE import_stage (row_number, phone, name_key, contact_id)", "ANALYZE import_phones"
        )
        if "do_not_contact" in self.merging.fields:
            self._suppress_refused()
        if self.session.scalar(text("SELECT EXISTS (SELECT FROM contact_aliases)")):
            self.run(sql.RESOLVE_ALIASES)
            keys = of_staged(self.session)
        self.run(sql.DROP_TEMPORARY, *sql.CREATE_TEMPORARY)
        import_staging.copy(
            self.session, f"import_repeats ({', '.join(REPEATS)})", import_staging.lines_of(keys.repeats())
        )
        self.run("ANALYZE import_repeats", sql.SPECIAL, "ANALYZE import_special", sql.ALONE, "ANALYZE import_alone")
        for field, names in import_references.NAMED.items():
            if field in self.merging.fields:
                self.run(sql.INSERT_NAMES.format(table=names, field=field))
            who = import_references.WHO[names]
            self.run(f"INSERT INTO import_{names} SELECT {who}, name_key FROM {names}", f"ANALYZE import_{names}")
        self._find_suppressed()

    def choose_joins(self, written: int) -> None:
        """Of many staged rows everything is joined whole, whatever the statistics of tables that grow meanwhile say."""
        staged = self.execute("SELECT reltuples FROM pg_class WHERE oid = 'import_stage'::regclass").scalar()
        if staged > max(MANY, written // 20):
            self.execute("SET LOCAL enable_nestloop = off")

    def _suppress_refused(self) -> None:
        """A yes under «no llamar» is an opposition: the phones of the row stay off every later list, too."""
        phone: Any = column("phone", Text())
        refused = text(sql.REFUSED_PHONES).columns(phone).subquery()
        suppressions.add_all(
            self.session, select(refused.c.phone), reason="import", source=f"import/{self.merging.import_id}",
            at=self.merging.said_at,
        )  # fmt: skip

    def _find_suppressed(self) -> None:
        if self.session.scalar(select(Suppression.phone_hash).limit(1)) is not None:
            phone: Any = literal_column("s.phone", Text())
            listed = select(phone).distinct().select_from(text("import_stage s"))
            self.session.execute(
                insert(table("import_suppressed", column("phone"))).from_select(
                    ["phone"], listed.where(suppressions.is_suppressed(phone))
                )
            )

    def count(self) -> dict[str, Any]:
        """What will become of the rows."""
        self.merging.watch()
        counts = dict(self.execute(sql.COUNTS).mappings().one())
        counts["household_members"] = counts["created"] - self.execute(sql.NEW_PHONES).scalar()
        counts["by_section"] = dict(self.execute(sql.BY_SECTION).all())
        self.run(sql.OWN_ANSWERS, "ANALYZE import_own")
        for before, after, people in self.execute(sql.OWN_COUNTS):
            counts[after] += people
            if before != "unknown":
                counts[before] -= people
        return counts

    def find_changes(self) -> int:
        """`import_new`: the known people whose data the list changes, with their values now and then."""
        self.execute(import_policies.find_changes(self.merging.policies, self.merging.fields))
        return int(self.execute("SELECT count(*) FROM import_new").scalar())

    def create(self) -> None:
        """Write the new people and what belongs to the plain ones, some pages of the staging table at a time."""
        trusts = import_references.hold(self.session, self.merging.import_id)
        with import_references.unchecked(self.session, trusts=trusts):
            for first, last in self._pages():
                for statement in (sql.INSERT_PEOPLE, sql.INSERT_PLAIN_EVIDENCE, sql.INSERT_PLAIN_PHONES):
                    self.merging.watch()
                    self.execute(statement, first=first, last=last)

    def _pages(self) -> Iterator[tuple[str, str]]:
        pages, rows = self.execute(
            "SELECT relpages, reltuples FROM pg_class WHERE oid = 'import_stage'::regclass"
        ).one()
        step = max(1, int(pages * ROWS_AT_ONCE / max(rows, 1)))
        for page in range(0, pages + 1, step):
            yield f"({page},0)", f"({min(page + step, 4_294_967_295)},0)"

    def add_what_follows(self) -> None:
        """Phones, evidence and pledges of the people who are not plain."""
        self.run(sql.INSERT_PHONES, sql.INSERT_EVIDENCE, sql.REFUSALS_LAST, sql.KEEP_REFUSALS)
        if "folio_compromiso" in self.merging.fields:
            self.merging.watch()
            pledges.insert_from(self.session, sql.PLEDGES, self.merging.bound)
