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
        work.run(_KEEP_BEFORE, _UPDATE_PEOPLE)
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
        names["references"] = _REFERENCES.format(**names)
        return self.session.execute(text(statement.format(**names)), self.merging.bound | bound)

    def _names(self) -> dict[str, str]:
        own = {name: name + self.suffix for name in _TEMPORARY}
        return own | {"stage": self.stage, "phones": import_staging.phones_table(self.merging.import_id)}

    def prepare(self, keys: Keys) -> None:
        """Who is who: `import_special`, promoters and organisations, the phones that may not be contacted."""
        self.run(*_SETTINGS, "ANALYZE {stage} (row_number, phone, name_key, contact_id)", "ANALYZE {phones}")
        if self.session.scalar(text("SELECT EXISTS (SELECT FROM contact_aliases)")):
            self.run(_RESOLVE_ALIASES)
            keys = of_staged(self.session, self.merging.import_id)
        self.run(_DROP_TEMPORARY, _REPEATS, *_CREATE_TEMPORARY)
        import_staging.copy(
            self.session, f"import_repeats ({', '.join(REPEATS)})", import_staging.lines_of(keys.repeats())
        )
        self.run("ANALYZE import_repeats", _SPECIAL, "ANALYZE import_special")
        for field, names in (("promoter", "promoters"), ("organization", "organizations")):
            if field in self.merging.fields:
                self.run(_INSERT_NAMES.replace("{table}", names).replace("{field}", field))
            # A spelling that was made one with a promoter stands for that promoter.
            who = "COALESCE(merged_into, id)" if names == "promoters" else "id"
            self.run(f"INSERT INTO import_{names} SELECT {who}, name_key FROM {names}", f"ANALYZE import_{names}")
        self._find_suppressed()
        if self.execute("SELECT reltuples FROM pg_class WHERE oid = '{stage}'::regclass").scalar() > MANY:
            # From here on everything is joined whole, whatever the statistics of tables that grow meanwhile say.
            self.execute("SET LOCAL enable_nestloop = off")

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
        counts = dict(self.execute(_COUNTS).mappings().one())
        counts["household_members"] = counts["created"] - self.execute(_NEW_PHONES).scalar()
        counts["by_section"] = {str(number): people for number, people in self.execute(_BY_SECTION)}
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
            self._write(pages[cut:], trusts=True, whose=_NOT_PLAIN)
            others = [helped.result()]
        else:
            self._write(pages, trusts=trusts)
            others = []
        return [self.session.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one(), *others]

    def _half(self, pages: list[tuple[str, str]]) -> Work:
        """What another connection needs to write these pages: it sees nothing of this transaction's own tables."""
        tables = {
            name: b"".join(import_staging.chunks_out(self.session, f"SELECT * FROM {name}")) for name in _TEMPORARY
        }

        # A transaction that is to be prepared may not have seen a temporary table.
        own = [
            f"CREATE UNLOGGED TABLE {name}_{self.merging.import_id} ({columns})" for name, columns in _TEMPORARY.items()
        ]

        def write(session: Session) -> None:
            half = _Work(session, self.merging, self.stage, f"_{self.merging.import_id}")
            for statement in (*_DROP_OWN, *own):
                half.execute(statement)
            for name, lines in tables.items():
                import_staging.copy(session, name + half.suffix, lines)
                half.execute(f"ANALYZE {name}{half.suffix}")
            session.commit()
            for statement in (*_SETTINGS, "SET LOCAL enable_nestloop = off"):
                half.execute(statement)
            half._write(pages, trusts=True, whose=_PLAIN)

        return write

    def _write(self, pages: list[tuple[str, str]], *, trusts: bool, whose: str = "true") -> None:
        """Write new people of these pages, and what belongs to the plain ones."""
        if trusts:
            self.execute("SET LOCAL session_replication_role = replica")
        what_follows = () if whose == _NOT_PLAIN else (_INSERT_PLAIN_EVIDENCE, _INSERT_PLAIN_PHONES)
        for first, last in pages:
            for statement in (_INSERT_PEOPLE.replace("{whose}", whose), *what_follows):
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
        self.run(_INSERT_PHONES, _INSERT_EVIDENCE)
        if "folio_compromiso" in self.merging.fields:
            self.merging.beat()
            pledges.insert_from(self.session, _PLEDGES.format(**self._names()), self.merging.bound)


# What the merge found out: tables and their columns.
_TEMPORARY = {
    "import_special": "row_number bigint, first_row bigint, held text, is_known boolean, contact_id bigint,"
    " consent_before text",
    "import_promoters": "id integer, name_key text",
    "import_organizations": "id integer, name_key text",
    "import_suppressed": "phone text PRIMARY KEY",
}
_CREATE_TEMPORARY = [
    f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP" for name, columns in _TEMPORARY.items()
]
_DROP_OWN = [f"DROP TABLE IF EXISTS {{{name}}}" for name in _TEMPORARY]
_REPEATS = "CREATE TEMPORARY TABLE import_repeats (row_number bigint, first_row bigint, held text) ON COMMIT DROP"
_DROP_TEMPORARY = "DROP TABLE IF EXISTS import_repeats, import_new, " + ", ".join(_TEMPORARY)
_SETTINGS = (
    "SET LOCAL work_mem = '192MB'",
    "SET LOCAL jit = off",
)

# A list may name a person by a spelling that was merged into another: it means the other.
_RESOLVE_ALIASES = """
    UPDATE {stage} s SET phone = c.phone, name_key = c.name_key
    FROM contact_aliases a JOIN contacts c ON c.id = a.contact_id
    WHERE a.phone = s.phone AND a.name_key = s.name_key
        AND NOT EXISTS (SELECT FROM contacts o WHERE o.phone = s.phone AND o.name_key = s.name_key)"""

# Rows of people who are known or have several rows: whose they are, and what all rows of the person answer.
_SPECIAL = """
    INSERT INTO {import_special}
    WITH firsts AS (
        SELECT s.row_number, s.contact_id, c.id AS known_id, c.consent, r.first_row
        FROM {stage} s LEFT JOIN contacts c ON c.phone = s.phone AND c.name_key = s.name_key
            LEFT JOIN import_repeats r ON r.row_number = s.row_number
        WHERE (c.id IS NOT NULL OR r.first_row IS NOT NULL)
    )
    SELECT f.row_number, COALESCE(f.first_row, f.row_number) AS first_row, r.held, f.known_id IS NOT NULL AS is_known,
        COALESCE(f.known_id, o.contact_id, f.contact_id) AS contact_id, f.consent AS consent_before
    FROM firsts f LEFT JOIN import_repeats r ON r.row_number = f.row_number
        LEFT JOIN firsts o ON o.row_number = f.first_row"""

_INSERT_NAMES = """
    INSERT INTO {table} (name, name_key)
    SELECT min({field}), {field}_key FROM {stage} WHERE {field}_key <> '' GROUP BY {field}_key
    ON CONFLICT (name_key) DO NOTHING"""

_PLAIN, _NOT_PLAIN = "x.row_number IS NULL", "x.row_number IS NOT NULL"
_IS_FIRST = "(x.row_number IS NULL OR x.first_row = s.row_number)"
_IS_NEW = "(x.row_number IS NULL OR (x.first_row = s.row_number AND NOT x.is_known))"

_COUNTS = f"""
    SELECT count(*) FILTER (WHERE {_IS_NEW}) AS created, count(*) FILTER (WHERE {_IS_FIRST} AND x.is_known) AS known,
        count(*) FILTER (WHERE NOT {_IS_FIRST}) AS duplicates,
        count(*) FILTER (WHERE {_IS_FIRST} AND COALESCE(x.held, s.answer) = 'opted_in') AS opted_in,
        count(*) FILTER (WHERE {_IS_FIRST} AND COALESCE(x.held, s.answer) = 'opted_out') AS opted_out
    FROM {{stage}} s LEFT JOIN {{import_special}} x USING (row_number)"""

_NEW_PHONES = f"""
    SELECT count(*) FROM (
        SELECT s.phone FROM {{stage}} s LEFT JOIN {{import_special}} x USING (row_number) WHERE {_IS_NEW} GROUP BY 1
    ) n WHERE NOT EXISTS (SELECT FROM contacts c WHERE c.phone = n.phone)"""

_BY_SECTION = f"""
    SELECT s.section_number, count(*) FROM {{stage}} s LEFT JOIN {{import_special}} x USING (row_number)
    WHERE {_IS_NEW} AND s.section_number IS NOT NULL GROUP BY 1 ORDER BY 1"""

# A list without its state is placed when its section's number exists once in the sections we have.
_REFERENCES = """
    LEFT JOIN sections c ON c.number = s.section_number AND c.state = s.state AND c.valid_to IS NULL
    LEFT JOIN (
        SELECT number, min(id) AS id, min(state) AS state FROM sections WHERE valid_to IS NULL
        GROUP BY number HAVING count(*) = 1
    ) t ON t.number = s.section_number AND s.state IS NULL
    LEFT JOIN {import_promoters} p ON p.name_key = s.promoter_key
    LEFT JOIN {import_organizations} o ON o.name_key = s.organization_key"""

_PAGES = "s.ctid >= CAST(:first AS tid) AND s.ctid < CAST(:last AS tid)"

_INSERT_PEOPLE = f"""
    INSERT INTO contacts (id, name, given_names, name_key, sex, age, phone, phone_raw, extension, line_kind,
        line_kind_source, neighborhood, municipality, state, section_number, section_id, promoter, promoter_id,
        organization_id, is_member, holds_post, language, source, attributes, consent, suppressed, import_id,
        created_at, updated_at, change_id)
    SELECT s.contact_id, s.name, s.given_names, s.name_key, s.sex, s.age, s.phone, s.phone_raw, s.extension,
        s.line_kind, s.line_kind_source, s.neighborhood, s.municipality, COALESCE(s.state, t.state), s.section_number,
        COALESCE(c.id, t.id), s.promoter, p.id, o.id, COALESCE(s.is_member, false), COALESCE(s.holds_post, false), 'es',
        :source, COALESCE(s.attributes, '{{{{}}}}'), COALESCE(x.held, s.answer, 'unknown'), u.phone IS NOT NULL,
        :import_id, :now, :now, (SELECT pg_current_xact_id()::text::bigint)
    FROM {{stage}} s LEFT JOIN {{import_special}} x USING (row_number) {{references}}
        LEFT JOIN {{import_suppressed}} u ON u.phone = s.phone
    WHERE {_IS_NEW} AND {{whose}} AND {_PAGES}"""

_INSERT_PLAIN_EVIDENCE = f"""
    INSERT INTO consents (contact_id, kind, channel, text_version, proof, at, source)
    SELECT s.contact_id, s.answer, 'all', CAST(:notice AS text), CAST(:proof AS text) || s.row_number, :said_at,
        CAST(:source AS text)
    FROM {{stage}} s LEFT JOIN {{import_special}} x USING (row_number)
    WHERE x.row_number IS NULL AND s.answer IS NOT NULL AND {_PAGES}"""

_INSERT_PLAIN_PHONES = f"""
    INSERT INTO contact_phones (contact_id, position, phone, extension, line_kind)
    SELECT s.contact_id, e.position, e.phone, e.extension, e.line_kind
    FROM {{phones}} e JOIN {{stage}} s USING (row_number) LEFT JOIN {{import_special}} x USING (row_number)
    WHERE x.row_number IS NULL AND {_PAGES}"""

_KEEP_BEFORE = """
    INSERT INTO import_changes (import_id, contact_id, before)
    SELECT :import_id, id, before FROM import_new
    ON CONFLICT (import_id, contact_id) DO NOTHING"""

_UPDATE_PEOPLE = import_policies.UPDATE_PEOPLE

_INSERT_PHONES = """
    WITH added AS (
        INSERT INTO contact_phones (contact_id, position, phone, extension, line_kind)
        SELECT DISTINCT ON (x.contact_id, e.phone) x.contact_id, e.position, e.phone, e.extension, e.line_kind
        FROM {phones} e JOIN {import_special} x USING (row_number)
        ORDER BY x.contact_id, e.phone, e.row_number
        ON CONFLICT (contact_id, phone) DO NOTHING
        RETURNING contact_id, phone
    )
    INSERT INTO import_changes (import_id, contact_id, phones)
    SELECT :import_id, contact_id, jsonb_agg(phone) FROM added
    WHERE contact_id IN (SELECT contact_id FROM {import_special} WHERE is_known) GROUP BY contact_id
    ON CONFLICT (import_id, contact_id) DO UPDATE SET phones = EXCLUDED.phones"""

# Evidence of each answer once a list, refusals last: the newest row of a person holds. An acceptance on paper does not
# follow a refusal that we knew before.
_INSERT_EVIDENCE = """
    INSERT INTO consents (contact_id, kind, channel, text_version, proof, at, source)
    SELECT contact_id, answer, 'all', CAST(:notice AS text), CAST(:proof AS text) || row_number, :said_at,
        CAST(:source AS text)
    FROM (
        SELECT DISTINCT ON (x.contact_id, s.answer) x.contact_id, s.answer, s.row_number
        FROM {stage} s JOIN {import_special} x USING (row_number)
        WHERE s.answer IS NOT NULL AND NOT (s.answer = 'opted_in' AND x.consent_before IS NOT DISTINCT FROM 'opted_out')
        ORDER BY x.contact_id, s.answer, s.row_number
    ) said
    WHERE NOT EXISTS (
        SELECT FROM consents c WHERE c.contact_id = said.contact_id AND c.kind = said.answer
            AND c.source = CAST(:source AS text) AND c.text_version IS NOT DISTINCT FROM CAST(:notice AS text))
    ORDER BY answer = 'opted_out', row_number"""

_PLEDGES = """
    SELECT COALESCE(x.contact_id, s.contact_id) AS contact_id, p.id AS promoter_id, o.id AS organization_id, s.form_id,
        s.signed_on, CAST(:source AS text) AS source, CAST(:import_id AS integer) AS import_id
    FROM {stage} s LEFT JOIN {import_special} x USING (row_number)
        LEFT JOIN {import_promoters} p ON p.name_key = s.promoter_key
        LEFT JOIN {import_organizations} o ON o.name_key = s.organization_key
    WHERE s.form_id IS NOT NULL"""
