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
    return [Facts(*row) for row in session.execute(_FACTS, question).all()]


# Set by set, because a subquery for each person costs ten times as much; joined to those asked about rather than
# compared with an array, because the planner looks at every member of one. `COUNTED` stands in the words of the partial
# indexes, so that closed tries are read from the index alone. Of the two lists of hashes scalar subqueries are asked,
# so that none is ever read whole into a table of hashes.
_ASKED = """asked AS MATERIALIZED (
        SELECT contact_id, phone, decode(hash, 'hex') AS hash
        FROM unnest(
            CAST(string_to_array(:ids, chr(10)) AS bigint[]), string_to_array(:phones, chr(10)),
            string_to_array(:hashes, chr(10))
        ) AS given (contact_id, phone, hash)
    )"""
_OPEN = """open_now AS (
        SELECT asked.contact_id, asked.phone, bool_or(a.channel = 'call') AS is_called,
            bool_or(a.channel = 'call' AND a.contact_id IS DISTINCT FROM asked.contact_id) AS is_other_called,
            max(a.at) FILTER (WHERE a.channel <> 'call' AND a.at > :moment_ago
                AND a.contact_id IS DISTINCT FROM asked.contact_id) AS other_written_at
        FROM asked JOIN attempts a ON a.phone = asked.phone
        WHERE a.closed_at IS NULL AND a.id <> ALL(:own)
        GROUP BY asked.contact_id, asked.phone
    )"""
# A message whose receipt is there already has left no longer ago.
_WRITTEN = f"""written AS (
        SELECT asked.contact_id, asked.phone, max(a.at) AS at
        FROM asked JOIN attempts a ON a.phone = asked.phone AND a.at > :moment_ago AND a.{COUNTED}
        WHERE a.channel <> 'call' AND a.contact_id IS DISTINCT FROM asked.contact_id
        GROUP BY asked.contact_id, asked.phone
    )"""  # noqa: S608  # our own words only
_NARROW = """narrow AS (
        SELECT DISTINCT ON (said.contact_id) said.contact_id, said.kind, said.at, said.id
        FROM asked JOIN consents said ON said.contact_id = asked.contact_id
        WHERE said.channel = :channel AND said.channel <> 'all'
        ORDER BY said.contact_id, said.at DESC, said.id DESC
    )"""
_TRIES = """{name} AS (
        SELECT {key}, count(*) AS total, array_agg(at) FILTER (WHERE at > :week_ago) AS recent
        FROM (
            SELECT a.{key}, a.at FROM wanted JOIN attempts a ON a.{key} = wanted.{key} AND a.{counted}
            UNION ALL
            SELECT a.{key}, a.at FROM wanted JOIN attempts a ON a.{key} = wanted.{key}
                AND a.closed_at IS NULL AND a.id <> ALL(:own)
        ) AS tries GROUP BY {key}
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
        open_now.is_called, open_now.is_other_called, GREATEST(open_now.other_written_at, written.at),
        COALESCE(at_phone.total, 0), at_phone.recent, COALESCE(of_person.total, 0), of_person.recent
    FROM asked
    LEFT JOIN contacts c ON c.id = asked.contact_id
    LEFT JOIN at_phone ON at_phone.phone = asked.phone
    LEFT JOIN of_person ON of_person.contact_id = asked.contact_id
    LEFT JOIN open_now ON open_now.contact_id = asked.contact_id AND open_now.phone = asked.phone
    LEFT JOIN written ON written.contact_id = asked.contact_id AND written.phone = asked.phone
    LEFT JOIN narrow ON narrow.contact_id = asked.contact_id"""


def _tries(name: str, key: str) -> str:
    # Two people of one phone must not count its tries twice.
    once = f"(SELECT DISTINCT {key} FROM asked) AS wanted"  # noqa: S608  # our own words only
    return _TRIES.format(name=name, key=key, counted=COUNTED).replace("FROM wanted", f"FROM {once}")


_PARTS = (_ASKED, _OPEN, _WRITTEN, _NARROW, _tries("at_phone", "phone"), _tries("of_person", "contact_id"))
_FACTS = text(f"WITH {', '.join(_PARTS)} {_PEOPLE}")
