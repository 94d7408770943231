"""From staged rows to people: COPY into an unlogged table of the batch's own, then a few set-based statements."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.import_rows import Person, Refused

_COLUMNS = (
    "row_number, name, given_names, name_key, phone, phone_raw, extension, line_kind, line_kind_source, extra_phones,"
    " sex, age, neighborhood, municipality, state, section_number, promoter, answer"
)


def _table(import_id: int) -> str:
    return f"import_stage_{int(import_id)}"  # an integer of ours: nothing from outside reaches the SQL


def create_table(session: Session, import_id: int) -> None:
    """An empty staging table; what an earlier try left in it is gone."""
    drop_table(session, import_id)
    session.execute(
        text(
            f"""
            CREATE UNLOGGED TABLE {_table(import_id)} (
                row_number integer NOT NULL, name text NOT NULL, given_names text NOT NULL, name_key text NOT NULL,
                phone text NOT NULL, phone_raw text, extension text, line_kind text NOT NULL, line_kind_source text,
                extra_phones jsonb, sex text, age integer, neighborhood text, municipality text, state integer,
                section_number integer, promoter text, answer text
            )"""
        )
    )


def drop_table(session: Session, import_id: int) -> None:
    session.execute(text(f"DROP TABLE IF EXISTS {_table(import_id)}"))


def copy_people(session: Session, import_id: int, people: Sequence[Person]) -> None:
    """Stage one chunk."""
    _copy(session, f"{_table(import_id)} ({_COLUMNS})", map(_staged, people))


def copy_refused(session: Session, import_id: int, rows: Sequence[Refused]) -> None:
    """Keep one chunk's refused rows."""
    _copy(
        session,
        "refused_rows (import_id, row_number, reason, cells)",
        ((import_id, row.row, row.reason, json.dumps(row.cells)) for row in rows),
    )


def _copy(session: Session, target: str, rows: Iterable[tuple[Any, ...]]) -> None:
    raw = session.connection().connection.driver_connection
    assert raw is not None
    with raw.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _staged(person: Person) -> tuple[Any, ...]:
    first, *others = person.phones
    extra = json.dumps([[one.e164, one.extension, one.line_kind] for one in others]) if others else None
    return (
        person.row, person.name, person.given_names, person.name_key, first.e164, person.phone_raw, first.extension,
        first.line_kind, person.line_kind_source, extra, person.sex, person.age, person.neighborhood,
        person.municipality, person.state, person.section, person.promoter, person.answer,
    )  # fmt: skip


def merge(
    session: Session, import_id: int, *, source: str, notice_version: str | None, now: datetime, said_at: datetime
) -> dict[str, Any]:
    """Staged rows → people, extra phones and evidence. Returns created, updated, unchanged, duplicates,
    household_members, opted_in, opted_out and by_section. Rows of one person are one person: the first one counts."""
    bound = {"import_id": import_id, "source": source, "notice": notice_version, "now": now, "said_at": said_at}
    bound["proof"] = f"import/{import_id} row "
    for statement in _PREPARE:
        session.execute(text(statement.format(stage=_table(import_id))))
    counts = dict(session.execute(text(_COUNTS)).mappings().one())
    by_section = session.execute(text(_BY_SECTION))
    counts["by_section"] = {str(number): people for number, people in by_section}
    session.execute(text(_INSERT_PEOPLE), bound)
    # The result of an UPDATE is a cursor's; SQLAlchemy's types know only the general one.
    counts["updated"] = session.execute(text(_UPDATE_PEOPLE), bound).rowcount  # type: ignore[attr-defined]
    counts["unchanged"] = counts.pop("known") - counts["updated"]
    for statement in (_FIND_CREATED, _INSERT_PHONES, _INSERT_EVIDENCE, _DROP_PEOPLE):
        session.execute(text(statement.format(stage=_table(import_id))), bound)
    return counts


# One row a person of the file: their first row, what all their rows answer together, and who they are if we know them.
_PREPARE = (
    "DROP TABLE IF EXISTS import_people",
    "ANALYZE {stage}",
    """
    CREATE TEMPORARY TABLE import_people AS
    WITH firsts AS (
        SELECT DISTINCT ON (phone, name_key) * FROM {stage} ORDER BY phone, name_key, row_number
    ), answers AS (
        SELECT phone, name_key, count(*) AS rows,
            CASE WHEN bool_or(answer = 'opted_out') THEN 'opted_out' WHEN bool_or(answer = 'opted_in') THEN 'opted_in'
            END AS held
        FROM {stage} GROUP BY phone, name_key
    ), territory AS (
        -- A list without its state is placed when its section's number exists once in the sections we have.
        SELECT number, min(id) AS id, min(state) AS state FROM sections WHERE valid_to IS NULL
        GROUP BY number HAVING count(*) = 1
    )
    SELECT f.*, a.rows, a.held, c.id AS contact_id, c.consent AS consent_before,
        COALESCE(s.id, CASE WHEN f.state IS NULL THEN t.id END) AS section_id,
        COALESCE(f.state, t.state) AS home_state
    FROM firsts f
    JOIN answers a USING (phone, name_key)
    LEFT JOIN contacts c USING (phone, name_key)
    LEFT JOIN sections s ON s.number = f.section_number AND s.state = f.state AND s.valid_to IS NULL
    LEFT JOIN territory t ON t.number = f.section_number
    """,
    "ANALYZE import_people",
)

_COUNTS = """
    SELECT count(*) FILTER (WHERE contact_id IS NULL) AS created,
        count(*) FILTER (WHERE contact_id IS NOT NULL) AS known,
        COALESCE(sum(rows - 1), 0)::bigint AS duplicates,
        count(*) FILTER (WHERE contact_id IS NULL)
            - count(DISTINCT phone) FILTER (WHERE contact_id IS NULL
                AND NOT EXISTS (SELECT FROM contacts c WHERE c.phone = p.phone)) AS household_members,
        count(*) FILTER (WHERE held = 'opted_in') AS opted_in,
        count(*) FILTER (WHERE held = 'opted_out') AS opted_out
    FROM import_people p"""

_BY_SECTION = """
    SELECT section_number, count(*) FROM import_people WHERE contact_id IS NULL AND section_number IS NOT NULL
    GROUP BY section_number ORDER BY section_number"""

_INSERT_PEOPLE = """
    INSERT INTO contacts (name, given_names, name_key, sex, age, phone, phone_raw, extension, line_kind,
        line_kind_source, neighborhood, municipality, state, section_number, section_id, promoter, language, source,
        consent, import_id, created_at, updated_at)
    SELECT name, given_names, name_key, sex, age, phone, phone_raw, extension, line_kind, line_kind_source,
        neighborhood, municipality, home_state, section_number, section_id, promoter, 'es', :source,
        COALESCE(held, 'unknown'), :import_id, :now, :now
    FROM import_people WHERE contact_id IS NULL ORDER BY row_number
    ON CONFLICT (phone, name_key) DO NOTHING"""

# What the newer list says replaces what we had, what it leaves blank stays; a refusal is never undone by a list.
_UPDATE_PEOPLE = """
    UPDATE contacts c SET sex = n.sex, age = n.age, extension = n.extension, line_kind = n.line_kind,
        line_kind_source = n.line_kind_source, neighborhood = n.neighborhood, municipality = n.municipality,
        state = n.state, section_number = n.section_number, section_id = n.section_id, promoter = n.promoter,
        consent = n.consent, updated_at = :now
    FROM (
        SELECT o.id, COALESCE(p.sex, o.sex) AS sex, COALESCE(p.age, o.age) AS age,
            COALESCE(p.extension, o.extension) AS extension,
            CASE WHEN p.line_kind = 'unknown' THEN o.line_kind ELSE p.line_kind END AS line_kind,
            CASE WHEN p.line_kind = 'unknown' THEN o.line_kind_source ELSE p.line_kind_source END AS line_kind_source,
            COALESCE(p.neighborhood, o.neighborhood) AS neighborhood,
            COALESCE(p.municipality, o.municipality) AS municipality,
            COALESCE(p.home_state, o.state) AS state,
            COALESCE(p.section_number, o.section_number) AS section_number,
            CASE WHEN p.section_number IS NULL THEN o.section_id ELSE p.section_id END AS section_id,
            COALESCE(p.promoter, o.promoter) AS promoter,
            CASE WHEN 'opted_out' IN (o.consent, p.held) THEN 'opted_out'
                ELSE COALESCE(p.held, o.consent) END AS consent
        FROM import_people p JOIN contacts o ON o.id = p.contact_id
    ) n
    WHERE c.id = n.id AND (c.sex, c.age, c.extension, c.line_kind, c.line_kind_source, c.neighborhood, c.municipality,
        c.state, c.section_number, c.section_id, c.promoter, c.consent)
        IS DISTINCT FROM (n.sex, n.age, n.extension, n.line_kind, n.line_kind_source, n.neighborhood, n.municipality,
        n.state, n.section_number, n.section_id, n.promoter, n.consent)"""

_FIND_CREATED = """
    UPDATE import_people p SET contact_id = c.id FROM contacts c
    WHERE p.contact_id IS NULL AND c.phone = p.phone AND c.name_key = p.name_key"""

_INSERT_PHONES = """
    INSERT INTO contact_phones (contact_id, position, phone, extension, line_kind)
    SELECT DISTINCT ON (p.contact_id, e.phone ->> 0) p.contact_id, e.position, e.phone ->> 0, e.phone ->> 1,
        e.phone ->> 2
    FROM {stage} s JOIN import_people p USING (phone, name_key),
        jsonb_array_elements(s.extra_phones) WITH ORDINALITY AS e (phone, position)
    WHERE s.extra_phones IS NOT NULL
    ORDER BY p.contact_id, e.phone ->> 0, s.row_number
    ON CONFLICT (contact_id, phone) DO NOTHING"""

# Evidence of each answer once a list, refusals last: the newest row of a person holds. An acceptance on paper does not
# follow a refusal that we knew before.
_INSERT_EVIDENCE = """
    INSERT INTO consents (contact_id, kind, channel, text_version, proof, at, source)
    SELECT contact_id, answer, 'all', CAST(:notice AS text), CAST(:proof AS text) || row_number, :said_at,
        CAST(:source AS text)
    FROM (
        SELECT DISTINCT ON (p.contact_id, s.answer) p.contact_id, s.answer, s.row_number
        FROM {stage} s JOIN import_people p USING (phone, name_key)
        WHERE s.answer IS NOT NULL AND NOT (s.answer = 'opted_in' AND p.consent_before IS NOT DISTINCT FROM 'opted_out')
        ORDER BY p.contact_id, s.answer, s.row_number
    ) said
    WHERE NOT EXISTS (
        SELECT FROM consents c WHERE c.contact_id = said.contact_id AND c.kind = said.answer
            AND c.source = CAST(:source AS text) AND c.text_version IS NOT DISTINCT FROM CAST(:notice AS text))
    ORDER BY answer = 'opted_out', row_number"""

_DROP_PEOPLE = "DROP TABLE import_people"
