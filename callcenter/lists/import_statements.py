# ruff: noqa: S608  # what is put into the statements are names and statements of this module
"""The statements of a merge: from `import_stage` and `import_phones`, the staged rows, through
`import_special`, which says who is who."""

# What the merge found out: tables and their columns.
_TEMPORARY = {
    "import_repeats": "row_number bigint, first_row bigint, held text",
    "import_special": "row_number bigint, first_row bigint, held text, is_known boolean, is_own boolean,"
    " contact_id bigint, consent_before text",
    "import_own": "contact_id bigint, before text, after text",
    "import_alone": "number integer, id bigint, state integer",
    "import_promoters": "id integer, name_key text",
    "import_organizations": "id integer, name_key text",
    "import_suppressed": "phone text PRIMARY KEY",
}
CREATE_TEMPORARY = [f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP" for name, columns in _TEMPORARY.items()]
DROP_TEMPORARY = "DROP TABLE IF EXISTS import_new, " + ", ".join(_TEMPORARY)
SETTINGS = (
    "SET LOCAL work_mem = '192MB'",
    "SET LOCAL jit = off",
)

# A list may name a person by a spelling that was merged into another: it means the other.
RESOLVE_ALIASES = """
    UPDATE import_stage s SET phone = c.phone, name_key = c.name_key
    FROM contact_aliases a JOIN contacts c ON c.id = a.contact_id
    WHERE a.phone = s.phone AND a.name_key = s.name_key
        AND NOT EXISTS (SELECT FROM contacts o WHERE o.phone = s.phone AND o.name_key = s.name_key)"""

# Rows of people who are known or have several rows: whose they are, and what all rows of the person answer. Of *own*
# people, whom this import has written already by their first row (import_direct), no staged row is the first.
SPECIAL = """
    INSERT INTO import_special
    WITH firsts AS (
        SELECT s.row_number, s.contact_id, c.id AS found_id, c.consent, r.first_row, r.held,
            COALESCE(c.import_id = :import_id, false) AS is_own
        FROM import_stage s LEFT JOIN contacts c ON c.phone = s.phone AND c.name_key = s.name_key
            LEFT JOIN import_repeats r ON r.row_number = s.row_number
        WHERE (c.id IS NOT NULL OR r.first_row IS NOT NULL)
    )
    SELECT f.row_number, CASE WHEN f.is_own THEN 0 ELSE COALESCE(f.first_row, f.row_number) END AS first_row, f.held,
        f.found_id IS NOT NULL AND NOT f.is_own AS is_known, f.is_own,
        COALESCE(f.found_id, o.contact_id, f.contact_id) AS contact_id,
        f.consent AS consent_before
    FROM firsts f LEFT JOIN firsts o ON o.row_number = f.first_row"""

# What later rows of own people answer, where it is news: a refusal holds.
OWN_ANSWERS = """
    INSERT INTO import_own
    SELECT x.contact_id, x.consent_before, max(s.answer)
    FROM import_stage s JOIN import_special x USING (row_number)
    WHERE x.is_own AND s.answer IS NOT NULL GROUP BY x.contact_id, x.consent_before
    HAVING x.consent_before = 'unknown' OR (x.consent_before = 'opted_in' AND max(s.answer) = 'opted_out')"""
OWN_COUNTS = "SELECT before, after, count(*) FROM import_own GROUP BY 1, 2"
UPDATE_OWN = "UPDATE contacts c SET consent = o.after FROM import_own o WHERE c.id = o.contact_id"
# The refusal of their first row comes after the acceptances of later ones: the newest evidence holds.
REFUSALS_LAST = """
    UPDATE consents e SET id = DEFAULT
    WHERE e.kind = 'opted_out' AND e.contact_id IN (
        SELECT x.contact_id FROM import_stage s JOIN import_special x USING (row_number)
        WHERE x.is_own AND x.consent_before = 'opted_out' AND s.answer = 'opted_in')"""

INSERT_NAMES = """
    INSERT INTO {table} (name, name_key)
    SELECT DISTINCT ON ({field}_key) {field}, {field}_key FROM import_stage
    WHERE {field}_key <> '' ORDER BY {field}_key, row_number
    ON CONFLICT (name_key) DO NOTHING"""

# Every phone of the rows that a column «no llamar» says yes of.
REFUSED_PHONES = """
    SELECT phone FROM import_stage WHERE do_not_contact
    UNION SELECT e.phone FROM import_phones e JOIN import_stage s USING (row_number) WHERE s.do_not_contact"""

IS_FIRST = "(x.row_number IS NULL OR x.first_row = s.row_number)"
IS_NEW = "(x.row_number IS NULL OR (x.first_row = s.row_number AND NOT x.is_known))"

COUNTS = f"""
    SELECT count(*) FILTER (WHERE {IS_NEW}) AS created, count(*) FILTER (WHERE {IS_FIRST} AND x.is_known) AS known,
        count(*) FILTER (WHERE NOT {IS_FIRST}) AS duplicates,
        count(*) FILTER (WHERE {IS_FIRST} AND COALESCE(x.held, s.answer) = 'opted_in') AS opted_in,
        count(*) FILTER (WHERE {IS_FIRST} AND COALESCE(x.held, s.answer) = 'opted_out') AS opted_out
    FROM import_stage s LEFT JOIN import_special x USING (row_number)"""

NEW_PHONES = f"""
    SELECT count(*) FROM (
        SELECT s.phone FROM import_stage s LEFT JOIN import_special x USING (row_number) WHERE {IS_NEW} GROUP BY 1
    ) n WHERE NOT EXISTS (SELECT FROM contacts c WHERE c.phone = n.phone)"""

BY_SECTION = f"""
    SELECT s.section_number, count(*) FROM import_stage s LEFT JOIN import_special x USING (row_number)
    WHERE {IS_NEW} AND s.section_number IS NOT NULL GROUP BY 1 ORDER BY 1"""

# A list without its state is placed when its section's number exists once in the sections we have.
ALONE = """
    INSERT INTO import_alone
    SELECT number, min(id), min(state) FROM sections WHERE valid_to IS NULL GROUP BY number HAVING count(*) = 1"""

REFERENCES = """
    LEFT JOIN sections c ON c.number = s.section_number AND c.state = s.state AND c.valid_to IS NULL
    LEFT JOIN import_alone t ON t.number = s.section_number AND s.state IS NULL
    LEFT JOIN import_promoters p ON p.name_key = s.promoter_key
    LEFT JOIN import_organizations o ON o.name_key = s.organization_key"""

PAGES = "s.ctid >= CAST(:first AS tid) AND s.ctid < CAST(:last AS tid)"

INSERT_PEOPLE = f"""
    INSERT INTO contacts (id, name, given_names, name_key, sex, age, phone, phone_raw, extension, line_kind,
        line_kind_source, neighborhood, municipality, state, section_number, section_id, promoter, promoter_id,
        organization_id, is_member, holds_post, language, source, attributes, consent, suppressed, import_id,
        created_at, updated_at, change_id)
    SELECT s.contact_id, s.name, s.given_names, s.name_key, s.sex, s.age, s.phone, s.phone_raw, s.extension,
        s.line_kind, s.line_kind_source, s.neighborhood, s.municipality, COALESCE(s.state, t.state), s.section_number,
        COALESCE(c.id, t.id), s.promoter, p.id, o.id, COALESCE(s.is_member, false), COALESCE(s.holds_post, false), 'es',
        :source, COALESCE(s.attributes, '{{}}'), COALESCE(x.held, s.answer, 'unknown'), u.phone IS NOT NULL,
        :import_id, :now, :now, (SELECT pg_current_xact_id()::text::bigint)
    FROM import_stage s LEFT JOIN import_special x USING (row_number) {REFERENCES}
        LEFT JOIN import_suppressed u ON u.phone = s.phone
    WHERE {IS_NEW} AND {PAGES}"""

INSERT_PLAIN_EVIDENCE = f"""
    INSERT INTO consents (contact_id, kind, channel, text_version, proof, at, source)
    SELECT s.contact_id, s.answer, 'all', CAST(:notice AS text), CAST(:proof AS text) || s.row_number, :said_at,
        CAST(:source AS text)
    FROM import_stage s LEFT JOIN import_special x USING (row_number)
    WHERE x.row_number IS NULL AND s.answer IS NOT NULL AND {PAGES}"""

INSERT_PLAIN_PHONES = f"""
    INSERT INTO contact_phones (contact_id, position, phone, extension, line_kind)
    SELECT s.contact_id, e.position, e.phone, e.extension, e.line_kind
    FROM import_phones e JOIN import_stage s USING (row_number) LEFT JOIN import_special x USING (row_number)
    WHERE x.row_number IS NULL AND {PAGES}"""

KEEP_BEFORE = """
    INSERT INTO import_changes (import_id, contact_id, before)
    SELECT :import_id, id, before FROM import_new
    ON CONFLICT (import_id, contact_id) DO NOTHING"""

INSERT_PHONES = """
    WITH added AS (
        INSERT INTO contact_phones (contact_id, position, phone, extension, line_kind)
        SELECT DISTINCT ON (x.contact_id, e.phone) x.contact_id, e.position, e.phone, e.extension, e.line_kind
        FROM import_phones e JOIN import_special x USING (row_number)
        ORDER BY x.contact_id, e.phone, e.row_number
        ON CONFLICT (contact_id, phone) DO NOTHING
        RETURNING contact_id, phone
    )
    INSERT INTO import_changes (import_id, contact_id, phones)
    SELECT :import_id, contact_id, jsonb_agg(phone) FROM added
    WHERE contact_id IN (SELECT contact_id FROM import_special WHERE is_known) GROUP BY contact_id
    ON CONFLICT (import_id, contact_id) DO UPDATE SET phones = EXCLUDED.phones"""

# Evidence of each answer once a list, refusals last: the newest row of a person holds. An acceptance on paper does not
# follow a refusal that we knew before. Own people have the evidence of their first row. OFFSET 0: the evidence there
# is looked up for each answer; as a join it would be read whole, for what PostgreSQL has not counted yet looks small.
INSERT_EVIDENCE = """
    INSERT INTO consents (contact_id, kind, channel, text_version, proof, at, source)
    SELECT contact_id, answer, 'all', CAST(:notice AS text), CAST(:proof AS text) || row_number, :said_at,
        CAST(:source AS text)
    FROM (
        SELECT DISTINCT ON (x.contact_id, s.answer) x.contact_id, s.answer, s.row_number
        FROM import_stage s JOIN import_special x USING (row_number)
        WHERE s.answer IS NOT NULL AND CASE WHEN x.is_own THEN s.answer <> x.consent_before
            ELSE s.answer <> 'opted_in' OR x.consent_before IS DISTINCT FROM 'opted_out' END
        ORDER BY x.contact_id, s.answer, s.row_number
    ) said
    WHERE NOT EXISTS (
        SELECT FROM consents c WHERE c.contact_id = said.contact_id AND c.kind = said.answer
            AND c.source = CAST(:source AS text) AND c.text_version IS NOT DISTINCT FROM CAST(:notice AS text) OFFSET 0)
    ORDER BY answer = 'opted_out', row_number"""

# An acceptance in a list is of everything, and newer than the refusal of one channel that it must not lift.
KEEP_REFUSALS = """
    INSERT INTO consents (contact_id, kind, channel, text_version, proof, at, source)
    SELECT last.contact_id, 'opted_out', last.channel, last.text_version, said.proof, :said_at, CAST(:source AS text)
    FROM (
        SELECT DISTINCT ON (r.contact_id, r.channel) r.*
        FROM consents r WHERE r.channel <> 'all'
            AND r.contact_id IN (SELECT contact_id FROM import_special WHERE is_known)
        ORDER BY r.contact_id, r.channel, r.at DESC, r.id DESC
    ) last CROSS JOIN LATERAL (
        SELECT min(a.proof) AS proof, bool_and(starts_with(a.proof, CAST(:proof AS text))) AS by_the_list
        FROM consents a WHERE a.contact_id = last.contact_id AND a.channel = 'all' AND a.kind = 'opted_in'
            AND (a.at, a.id) > (last.at, last.id)
    ) said
    WHERE last.kind = 'opted_out' AND said.by_the_list"""

PLEDGES = """
    SELECT COALESCE(x.contact_id, s.contact_id) AS contact_id, p.id AS promoter_id, o.id AS organization_id, s.form_id,
        s.signed_on, CAST(:source AS text) AS source, CAST(:import_id AS integer) AS import_id
    FROM import_stage s LEFT JOIN import_special x USING (row_number)
        LEFT JOIN import_promoters p ON p.name_key = s.promoter_key
        LEFT JOIN import_organizations o ON o.name_key = s.organization_key
    WHERE s.form_id IS NOT NULL"""
