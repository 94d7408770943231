"""What the gate must know of people to judge them, for a whole batch in one SELECT."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.attempts import COUNTED
from callcenter.gate_rules import MOMENT, WEEK, Facts


def read(
    session: Session, people: Sequence[tuple[int, str]], channel: str, *, now: datetime, own: Collection[UUID] = ()
) -> list[Facts]:
    """The facts of each (contact id, phone). `own`: tries that do not count."""
    question = {
        # One text each, because a list of a thousand costs the driver more than the server needs to answer.
        "ids": "\n".join(str(contact_id) for contact_id, _ in people),
        "phones": "\n".join(phone for _, phone in people),
        "hashes": "\n".join(suppressions.phone_hash(phone).hex() for _, phone in people),
        "week_ago": now - WEEK, "moment_ago": now - MOMENT, "own": list(own), "channel": channel,
    }  # fmt: skip
    return [Facts(*row) for row in session.execute(_FACTS, question)]


# Set by set, because a subquery for each person costs ten times as much. `COUNTED` stands in the words of the partial
# indexes, which the planner has to know again: closed tries are read from the index alone. Of the two lists of hashes
# scalar subqueries are asked, so that none is ever read whole into a table of hashes.
_TRIES = """{name} AS (
        SELECT {key}, count(*) AS total, array_agg(at) FILTER (WHERE at > :week_ago) AS recent
        FROM (
            SELECT {key}, at FROM attempts WHERE {key} = ANY({values}) AND {counted}
            UNION ALL
            SELECT {key}, at FROM attempts WHERE {key} = ANY({values}) AND closed_at IS NULL AND id <> ALL(:own)
        ) AS tries GROUP BY {key}
    )"""
_OPEN = """open_now AS (
        SELECT asked.contact_id, asked.phone, bool_or(a.channel = 'call') AS is_called,
            bool_or(a.channel = 'call' AND a.contact_id IS DISTINCT FROM asked.contact_id) AS is_other_called,
            max(a.at) FILTER (WHERE a.channel <> 'call' AND a.at > :moment_ago
                AND a.contact_id IS DISTINCT FROM asked.contact_id) AS other_written_at
        FROM attempts a JOIN asked ON asked.phone = a.phone
        WHERE a.phone = ANY({phones}) AND a.closed_at IS NULL AND a.id <> ALL(:own)
        GROUP BY asked.contact_id, asked.phone
    )"""
_PEOPLE = """
    SELECT asked.contact_id, asked.phone,
        CASE WHEN narrow.kind IS NULL THEN c.consent WHEN EXISTS (
            SELECT FROM consents wide WHERE wide.contact_id = c.id AND wide.channel = 'all'
                AND (wide.at, wide.id) > (narrow.at, narrow.id)
        ) THEN c.consent ELSE narrow.kind END,
        c.invented, c.blocked_at IS NOT NULL, c.is_member, c.holds_post, c.state, c.municipality,
        (SELECT true FROM suppressions s WHERE s.phone_hash = asked.hash),
        (SELECT true FROM do_not_call_phones d WHERE d.phone_hash = asked.hash),
        open_now.is_called, open_now.is_other_called, open_now.other_written_at,
        COALESCE(at_phone.total, 0), at_phone.recent, COALESCE(of_person.total, 0), of_person.recent
    FROM asked
    LEFT JOIN contacts c ON c.id = asked.contact_id
    LEFT JOIN at_phone ON at_phone.phone = asked.phone
    LEFT JOIN of_person ON of_person.contact_id = asked.contact_id
    LEFT JOIN open_now ON open_now.contact_id = asked.contact_id AND open_now.phone = asked.phone
    LEFT JOIN narrow ON narrow.contact_id = asked.contact_id"""
_NARROW = """narrow AS (
        SELECT DISTINCT ON (contact_id) contact_id, kind, at, id FROM consents
        WHERE contact_id = ANY({ids}) AND channel = :channel AND channel <> 'all'
        ORDER BY contact_id, at DESC, id DESC
    )"""
_IDS = "CAST(string_to_array(:ids, chr(10)) AS bigint[])"
_PHONES = "string_to_array(:phones, chr(10))"
_ASKED = """asked AS MATERIALIZED (
        SELECT contact_id, phone, decode(hash, 'hex') AS hash
        FROM unnest({ids}, {phones}, string_to_array(:hashes, chr(10))) AS given (contact_id, phone, hash)
    )"""


def _tries(name: str, key: str, values: str) -> str:
    return _TRIES.format(name=name, key=key, values=values, counted=COUNTED)


_PARTS = (
    _ASKED.format(ids=_IDS, phones=_PHONES),
    _OPEN.format(phones=_PHONES),
    _NARROW.format(ids=_IDS),
    _tries("at_phone", "phone", _PHONES),
    _tries("of_person", "contact_id", _IDS),
)
_FACTS = text(f"WITH {', '.join(_PARTS)} {_PEOPLE}")
