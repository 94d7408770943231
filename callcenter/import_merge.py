# ruff: noqa: S608  # what is put into the statements are names and statements of this module
"""From staged rows to people: a few set-based statements in the caller's one transaction.

A row is *plain* when it is its person's only one and nobody known: those are the millions, and they are written without
looking anything up. The others stand in `import_special`, with the person they are of.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, column, insert, literal_column, select, table, text
from sqlalchemy.orm import Session

from callcenter import import_policies, import_staging, pledges, suppressions
from callcenter import import_statements as sql
from callcenter.import_helper import Helper, Work
from callcenter.import_keys import REPEATS, Keys, of_staged
from callcenter.suppressions import Suppression

MANY = 20_000  # staged rows
HELPED_FROM = 200_000  # new people
ROWS_AT_ONCE = 150_000  # of one INSERT: between two of them a cancellation is seen
# References are checked row by row by triggers, which costs as much as the rows. The merge takes them from the very
# tables they point to, locked, so where the database allows it the triggers are left out for new people.
_MAY_TRUST = "SELECT has_parameter_privilege(current_user, 'session_replication_role', 'SET')"


@dataclass(frozen=True)
class Merging:
    """One list to be merged. `fields`: of its mapping. `beat` is called between statements; it may raise, to stop."""

    import_id: int
    source: str
    notice_version: str | None
    now: datetime
    said_at: datetime
    fields: frozenset[str]
    policies: Mapping[str, str]
    beat: Callable[[], None] = lambda: None

    @property
    def bound(self) -> dict[str, Any]:
        return {
            "import_id": self.import_id, "source": self.source, "notice": self.notice_version, "now": self.now,
            "said_at": self.said_at, "proof": f"import/{self.import_id} row ",
        }  # fmt: skip


def merge(
    session: Session, merging: Merging, keys: Keys, *, is_dry: bool = False, helper: Helper | None = None
) -> dict[str, Any]:
    """Staged rows → people, extra phones, evidence, pledges. Returns created, updated, unchanged, duplicates,
    household_members, opted_in, opted_out, by_section and change_ids. A person's first row counts.

    `is_dry`: only says so. `helper`: writes half of a national list; whoever gives it commits it.
    Raises sqlalchemy's IntegrityError when somebody else made one of the people meanwhile."""
    work = _Work(session, merging, import_staging.table(merging.import_id))
    work.prepare(keys)
    counts = work.count()
    changed = work.find_changes()
    change_ids: list[int] = []
    if not is_dry:
        change_ids = work.create(helper if counts["created"] > HELPED_FROM else None)
        work.run(sql.KEEP_BEFORE, import_policies.UPDATE_PEOPLE)
        work.add_what_follows()
    return counts | {
        "updated": changed,
        "unchanged": counts.pop("known") - changed,
        "change_ids": change_ids,
    }


@dataclass(frozen=True)
class _Work:
    session: Session
    merging: Merging
    stage: str
    suffix: str = ""  # of the names of the tables in which it is kept who is who

    def run(self, *statements: str) -> int:
        """Run statements, and let the caller look up between them; returns the rows of the last."""
        rows = 0
        for statement in statements:
            self.merging.beat()
            rows = self.execute(statement).rowcount
        return rows

    def execute(self, statement: str, **bound: Any) -> Any:
        names = self._names()
        names["references"] = sql.REFERENCES.format(**names)
        return self.session.execute(text(statement.format(**names)), self.merging.bound | bound)

    def _names(self) -> dict[str, str]:
        own = {name: name + self.suffix for name in sql.TEMPORARY}
        return own | {"stage": self.stage, "phones": import_staging.phones_table(self.merging.import_id)}

    def prepare(self, keys: Keys) -> None:
        """Who is who: `import_special`, promoters and organisations, the phones that may not be contacted."""
        self.run(*sql.SETTINGS, "ANALYZE {stage} (row_number, phone, name_key, contact_id)", "ANALYZE {phones}")
        if "do_not_contact" in self.merging.fields:
            self._suppress_refused()
        if self.session.scalar(text("SELECT EXISTS (SELECT FROM contact_aliases)")):
            self.run(sql.RESOLVE_ALIASES)
            keys = of_staged(self.session, self.merging.import_id)
        self.run(sql.DROP_TEMPORARY, sql.REPEATS, *sql.CREATE_TEMPORARY)
        import_staging.copy(
            self.session, f"import_repeats ({', '.join(REPEATS)})", import_staging.lines_of(keys.repeats())
        )
        self.run("ANALYZE import_repeats", sql.SPECIAL, "ANALYZE import_special")
        for field, names in (("promoter", "promoters"), ("organization", "organizations")):
            if field in self.merging.fields:
                self.run(sql.INSERT_NAMES.replace("{table}", names).replace("{field}", field))
            # A spelling that was made one with a promoter stands for that promoter.
            who = "COALESCE(merged_into, id)" if names == "promoters" else "id"
            self.run(f"INSERT INTO import_{names} SELECT {who}, name_key FROM {names}", f"ANALYZE import_{names}")
        self._find_suppressed()
        if self.execute("SELECT reltuples FROM pg_class WHERE oid = '{stage}'::regclass").scalar() > MANY:
            # From here on everything is joined whole, whatever the statistics of tables that grow meanwhile say.
            self.execute("SET LOCAL enable_nestloop = off")

    def _suppress_refused(self) -> None:
        """A yes under «no llamar» is an opposition: the phones of the row stay off every later list, too."""
        phone: Any = column("phone", Text())
        refused = text(sql.REFUSED_PHONES.format(**self._names())).columns(phone).subquery()
        suppressions.add_all(
            self.session, select(refused.c.phone), reason="import", source=f"import/{self.merging.import_id}",
            at=self.merging.said_at,
        )  # fmt: skip

    def _find_suppressed(self) -> None:
        if self.session.scalar(select(Suppression.phone_hash).limit(1)) is not None:
            phone: Any = literal_column("s.phone", Text())
            listed = select(phone).distinct().select_from(text(f"{self.stage} s"))
            self.session.execute(
                insert(table("import_suppressed", column("phone"))).from_select(
                    ["phone"], listed.where(suppressions.is_suppressed(phone))
                )
            )

    def count(self) -> dict[str, Any]:
        """What will become of the rows."""
        self.merging.beat()
        counts = dict(self.execute(sql.COUNTS).mappings().one())
        counts["household_members"] = counts["created"] - self.execute(sql.NEW_PHONES).scalar()
        counts["by_section"] = {str(number): people for number, people in self.execute(sql.BY_SECTION)}
        return counts

    def find_changes(self) -> int:
        """`import_new`: the known people whose data the list changes, with their values now and then."""
        self.execute(import_policies.find_changes(self.merging.policies, self.merging.fields))
        return int(self.execute("SELECT count(*) FROM import_new").scalar())

    def create(self, helper: Helper | None) -> list[int]:
        """Write the new people, some pages of the staging table at a time; returns the numbers of the transactions."""
        pages = list(self._pages())
        trusts = bool(self.session.scalar(text(_MAY_TRUST)))
        if trusts:
            for pointed_to in ("sections", "promoters", "organizations"):
                self.execute(f"SELECT count(*) FROM (SELECT FROM {pointed_to} FOR KEY SHARE) AS held")
            self.execute("SELECT FROM import_batches WHERE id = :import_id FOR KEY SHARE")
        if trusts and helper is not None and "folio_compromiso" not in self.merging.fields:
            cut = (len(pages) + 1) // 2
            helped = helper.start(self._half(pages[cut:]))
            self._write(pages[:cut], trusts=True)
            # Evidence and phones of people with several rows are written here: so are these people.
            self._write(pages[cut:], trusts=True, whose=sql.NOT_PLAIN)
            others = [helped.result()]
        else:
            self._write(pages, trusts=trusts)
            others = []
        return [self.session.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one(), *others]

    def _half(self, pages: list[tuple[str, str]]) -> Work:
        """What another connection needs to write these pages: it sees nothing of this transaction's own tables."""
        tables = {
            name: b"".join(import_staging.chunks_out(self.session, f"SELECT * FROM {name}")) for name in sql.TEMPORARY
        }

        # A transaction that is to be prepared may not have seen a temporary table.
        own = [
            f"CREATE UNLOGGED TABLE {name}_{self.merging.import_id} ({columns})"
            for name, columns in sql.TEMPORARY.items()
        ]

        def write(session: Session) -> None:
            half = _Work(session, self.merging, self.stage, f"_{self.merging.import_id}")
            for statement in (*sql.DROP_OWN, *own):
                half.execute(statement)
            for name, lines in tables.items():
                import_staging.copy(session, name + half.suffix, lines)
                half.execute(f"ANALYZE {name}{half.suffix}")
            session.commit()
            for statement in (*sql.SETTINGS, "SET LOCAL enable_nestloop = off"):
                half.execute(statement)
            half._write(pages, trusts=True, whose=sql.PLAIN)

        return write

    def _write(self, pages: list[tuple[str, str]], *, trusts: bool, whose: str = "true") -> None:
        """Write new people of these pages, and what belongs to the plain ones."""
        if trusts:
            self.execute("SET LOCAL session_replication_role = replica")
        what_follows = () if whose == sql.NOT_PLAIN else (sql.INSERT_PLAIN_EVIDENCE, sql.INSERT_PLAIN_PHONES)
        for first, last in pages:
            for statement in (sql.INSERT_PEOPLE.replace("{whose}", whose), *what_follows):
                self.merging.beat()
                self.execute(statement, first=first, last=last)
        if trusts:
            self.execute("SET LOCAL session_replication_role = origin")

    def _pages(self) -> Iterator[tuple[str, str]]:
        pages, rows = self.execute("SELECT relpages, reltuples FROM pg_class WHERE oid = '{stage}'::regclass").one()
        step = max(1, int(pages * ROWS_AT_ONCE / max(rows, 1)))
        for page in range(0, pages + 1, step):
            yield f"({page},0)", f"({min(page + step, 4_294_967_295)},0)"

    def add_what_follows(self) -> None:
        """Phones, evidence and pledges of the people who are not plain."""
        self.run(sql.INSERT_PHONES, sql.INSERT_EVIDENCE, sql.KEEP_REFUSALS)
        if "folio_compromiso" in self.merging.fields:
            self.merging.beat()
            pledges.insert_from(self.session, sql.PLEDGES.format(**self._names()), self.merging.bound)
