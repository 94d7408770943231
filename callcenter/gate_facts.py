"""What the gate must know of people to judge them, for a whole batch in one SELECT."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.gate_rules import MOMENT, WEEK

# A try that never left the house does not count.
UNCOUNTED = ("refused_by_gate", "not_placed", "excluded", "cancelled", "canceled")


def read(
    session: Session,
    people: Sequence[tuple[int, str]],
    channel: str,
    *,
    now: datetime,
    per_week: int,
    own: Collection[UUID] = (),
) -> Sequence[Row[Any]]:
    """A row for each (contact id, phone). `own`: tries that do not count. `per_week`: the cap of seven days.

    columns: contact_id, phone, consent (for the channel; NULL: no such person), invented, is_blocked, is_member,
    holds_post, state, municipality, is_suppressed, is_in_register, is_being_called (a call is open at the phone),
    is_other_called (with somebody else), other_written_at (a message to somebody else that just left), and for phone
    and person: …_total and …_recent (tries), …_freed (the try whose seventh day makes room for the next)"""
    hashes = [suppressions.phone_hash(phone) for _, phone in people]
    question = {
        "ids": [contact_id for contact_id, _ in people], "phones": [phone for _, phone in people], "hashes": hashes,
        "week_ago": now - WEEK, "moment_ago": now - MOMENT, "per_week": per_week, "uncounted": list(UNCOUNTED),
        "own": list(own), "channel": channel,
    }  # fmt: skip
    return session.execute(_FACTS, question).all()


_TRIES = """
    LEFT JOIN LATERAL (
        SELECT count(*) AS total, count(*) FILTER (WHERE at > :week_ago) AS recent,
            (array_agg(at ORDER BY at DESC))[:per_week] AS freed {more}
        FROM attempts WHERE {by} AND (outcome IS NULL OR outcome <> ALL(:uncounted)) AND id <> ALL(:own)
    ) AS {name} ON true"""
_OPEN = """,
            bool_or(closed_at IS NULL AND channel = 'call') AS is_called,
            bool_or(closed_at IS NULL AND channel = 'call' AND contact_id IS DISTINCT FROM asked.contact_id)
                AS is_other_called,
            max(at) FILTER (WHERE closed_at IS NULL AND channel <> 'call' AND at > :moment_ago
                AND contact_id IS DISTINCT FROM asked.contact_id) AS other_written_at"""
_PEOPLE = """
    SELECT asked.contact_id, asked.phone,
        CASE WHEN narrow.kind IS NULL THEN c.consent WHEN EXISTS (
            SELECT FROM consents wide WHERE wide.contact_id = c.id AND wide.channel = 'all'
                AND (wide.at, wide.id) > (narrow.at, narrow.id)
        ) THEN c.consent ELSE narrow.kind END AS consent,
        c.invented, c.blocked_at IS NOT NULL AS is_blocked, c.is_member, c.holds_post, c.state, c.municipality,
        EXISTS (SELECT FROM suppressions s WHERE s.phone_hash = asked.hash) AS is_suppressed,
        EXISTS (SELECT FROM do_not_call_phones d WHERE d.phone_hash = asked.hash) AS is_in_register,
        COALESCE(at_phone.is_called, false) AS is_being_called,
        COALESCE(at_phone.is_other_called, false) AS is_other_called, at_phone.other_written_at,
        at_phone.total AS phone_total, at_phone.recent AS phone_recent, at_phone.freed AS phone_freed,
        of_person.total AS person_total, of_person.recent AS person_recent, of_person.freed AS person_freed
    FROM unnest(CAST(:ids AS bigint[]), CAST(:phones AS text[]), CAST(:hashes AS bytea[]))
        AS asked (contact_id, phone, hash)
    LEFT JOIN contacts c ON c.id = asked.contact_id
    LEFT JOIN LATERAL (
        SELECT kind, at, id FROM consents WHERE contact_id = c.id AND channel = :channel AND channel <> 'all'
        ORDER BY at DESC, id DESC LIMIT 1
    ) AS narrow ON true"""
_FACTS = text(
    "".join(
        (
            _PEOPLE,
            _TRIES.format(by="phone = asked.phone", name="at_phone", more=_OPEN),
            _TRIES.format(by="contact_id = asked.contact_id", name="of_person", more=""),
        )
    )
)
