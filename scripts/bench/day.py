"""A whole calling day in a twelfth of its time: a predictive campaign, a full floor, a network that loses and doubles
its news, and every few minutes of the day a kill -9 of any one process. What must still hold is looked for in the
ledger and in the carrier's own journal."""

import random
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, text

from scripts.bench import Figure, product
from scripts.bench.chaos import CALM, NothingHappened, Watch, doubles
from scripts.bench.floor import Floor, database, floor_of, rows

ABOUT = (
    "six hours of calling, compressed: kills, lost and doubled news; stuck calls, double dials, the gate, abandonment"
)
COMPRESSION = 12
# Ten operators make the news of 120 at this compression, which two cores bear with room to spare. With twenty every
# process waits for its turn, and the share of abandoned calls tells of the machine instead of how we dial.
FULL = {"operators": 10, "think_ms": 400, "seconds": 1800}
QUICK = {"operators": 10, "think_ms": 400, "seconds": 90}
SEED = 1
# Seconds between two kills: five to ten minutes of the day, so that every process dies a few times in it. More often,
# and the share of abandoned calls would tell how long processes are away (a second is twelve here), not how we dial.
PAUSES = (25.0, 50.0)
LIMIT = 0.03  # of the campaign: the most that one may allow
# A citizen's share of trouble on the wire; every callback is sent once, as providers do.
NETWORK = {"speed": float(COMPRESSION), "lost_share": 0.02, "double_share": 0.05, "late_share": 0.02}
LEAST = 30  # answered calls below which a share says nothing
PREDICTIVE = "UPDATE call_queues SET mode = 'predictive', abandon_limit = :limit WHERE state = 'running'"
SAID = """
    SELECT count(*) FILTER (WHERE c.answered_at IS NOT NULL) AS answered,
           count(*) FILTER (WHERE a.outcome = 'abandoned') AS abandoned,
           count(*) FILTER (WHERE c.connected_at IS NOT NULL) AS connected
    FROM calls c JOIN attempts a ON a.id = c.id WHERE c.direction = 'out' AND a.created_at > :since
"""
# The rule holds for a campaign to date: what the demonstration's calls had earned before may be lost in the day.
TO_DATE = """
    SELECT max(share) FROM (
        SELECT count(*) FILTER (WHERE a.outcome = 'abandoned')::float / count(*) AS share
        FROM calls c JOIN attempts a ON a.id = c.id JOIN call_queues q ON q.id = c.queue_id
        WHERE c.direction = 'out' AND c.answered_at IS NOT NULL AND q.mode = 'predictive' GROUP BY c.queue_id
    ) campaigns
"""
# Whom the carrier was asked to call, and who had said no before, was rung outside the hours, too often, or beside
# another open try of the same phone. The clock of `at` is the campaign's; nine to nine is the law's widest day.
BREACHES = """
    WITH dialled AS (
        SELECT a.* FROM attempts a JOIN calls c ON c.id = a.id
        WHERE c.placed_at IS NOT NULL AND c.direction = 'out' AND a.created_at > :since
    )
    SELECT 'refused' AS why, d.id FROM dialled d CROSS JOIN LATERAL (
        SELECT k.kind FROM consents k
        WHERE k.contact_id = d.contact_id AND k.channel IN ('all', 'call') AND k.at < d.at ORDER BY k.at DESC LIMIT 1
    ) last WHERE last.kind = 'opted_out'
    UNION ALL
    SELECT 'hours', d.id FROM dialled d
    WHERE (d.at AT TIME ZONE 'America/Mexico_City')::time NOT BETWEEN '09:00' AND '21:00'
    UNION ALL
    SELECT 'caps', d.id FROM dialled d WHERE (
        SELECT count(*) FROM attempts e
        WHERE e.phone = d.phone AND e.at > d.at - interval '7 days' AND e.at < d.at AND e.outcome = ANY(:counted)
    ) >= 3
    UNION ALL
    SELECT 'beside', d.id FROM dialled d WHERE EXISTS (
        SELECT FROM attempts e WHERE e.phone = d.phone AND e.id <> d.id AND e.channel = 'call'
        AND tstzrange(e.created_at, e.closed_at) && tstzrange(d.created_at, d.closed_at)
    )
    UNION ALL
    SELECT 'unasked', d.id FROM dialled d WHERE EXISTS (
        SELECT FROM call_events v WHERE v.call_id = d.id AND v.kind = 'refused_by_gate'
    )
"""
COUNTED = ["busy", "no_answer", "given_up", "abandoned", "machine", "failed", "invalid_number", "not_coded", "refused",
           "completed", "voicemail", "not_available", "no_reply", "callback"]  # fmt: skip


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    with product.running() as running, database(running) as engine:
        (since,) = rows(engine, "SELECT now()")[0]
        with engine.begin() as connection:
            connection.execute(text(PREDICTIVE), {"limit": LIMIT})
        floor = floor_of(running, size["operators"], size["think_ms"], seed=seed, **NETWORK)
        watch = Watch(floor, engine, random.Random(seed), PAUSES)
        floor.run(size["seconds"] + CALM, lambda _: watch.over(size["seconds"]))
        return _figures(floor, engine, watch, since)


def _figures(floor: Floor, engine: Engine, watch: Watch, since: Any) -> list[Figure]:
    calls = [entry for entry in floor.journal() if entry["kind"] == "call" and entry["to"].startswith("+")]
    told = rows(engine, SAID, since=since)[0]
    if told.answered < LEAST:
        raise NothingHappened(f"only {told.answered} calls were answered")
    breaches = rows(engine, BREACHES, since=since, counted=COUNTED)
    return [
        Figure("stuck", len(watch.stuck), "calls", target=0),
        Figure("double_dials", doubles((entry["to"], entry["at"]) for entry in calls), "pairs", target=0),
        Figure("gate_breaches", len(breaches) + _unknown(engine, calls), "calls", target=0),
        Figure("day_abandoned", 100 * told.abandoned / told.answered, "%", target=100 * LIMIT),
        Figure("day_abandoned_to_date", 100 * rows(engine, TO_DATE)[0][0], "%", target=100 * LIMIT),
        Figure("day_calls", len(calls), "calls"),
        Figure("day_connected", told.connected, "calls"),
        Figure("day_kills", sum(watch.kills.values()), "processes"),
        Figure("day_compression", COMPRESSION, "times"),
        Figure("day_operators", len(floor.operators), "people"),
    ]


def _unknown(engine: Engine, calls: list[dict[str, Any]]) -> int:
    """Calls that the carrier placed and the ledger has never heard of."""
    ours = {str(row.id) for row in rows(engine, "SELECT id FROM calls")}
    return sum(bool(entry["id"]) and entry["id"] not in ours for entry in calls)
