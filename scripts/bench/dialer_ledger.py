"""A seeded campaign office for the bench of the dialer: a long list, many running campaigns, a crew at work, and a long
ledger; made inside PostgreSQL."""

# ruff: noqa: S608  # the statements are put together of the words below, by nobody else

from collections.abc import Mapping
from uuid import uuid4

from sqlalchemy import Engine, insert, select, text, update
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.operators import Operator, operator_queues
from callcenter.queues import CallQueue
from scripts.bench.database import loading

SHARED = 4  # campaigns that each operator serves
PEOPLE = ("contacts", "queue_entries")
LEDGER = ("attempts", "calls")


def fill_lists(engine: Engine, size: Mapping[str, int]) -> None:
    """Everybody waits, rests, or is done with, in the first campaign; the other ones have two thousand each."""
    with Session(engine) as session:
        for number in range(size["queues"]):
            session.add(CallQueue(name=f"Campaign {number}", purpose="survey", carrier="simulated", caller_id="x",
                                  on_behalf_of="x", privacy_notice_url="x", state="running", mode="predictive",
                                  abandon_limit=0.03))  # fmt: skip
        session.commit()
    with loading(engine, PEOPLE) as connection:
        for statement in _LISTS:
            connection.execute(text(statement), _bound(statement, size))


def fill_ledger(engine: Engine, size: Mapping[str, int], *, hours: int) -> None:
    """`size["calls"]` calls of two months, spread over all campaigns, with the last hours as busy as the crew is."""
    with loading(engine, LEDGER) as connection:
        for statement in _LEDGER:
            connection.execute(text(statement), _bound(statement, {**size, "hours": hours}))


def hire(session: Session, size: Mapping[str, int]) -> None:
    """Operators in open rooms, each of whom serves a few of the campaigns."""
    queue_ids = session.scalars(select(CallQueue.id).order_by(CallQueue.id)).all()
    for number in range(size["operators"]):
        name = {"username": f"op{number}", "full_name": f"Operator {number}"}
        user = User(**name, password="!", fs_uniquifier=uuid4().hex)  # noqa: S106  # nobody signs in with it
        session.add(user)
        session.flush()
        operator = Operator(user_id=user.id, state="available", room_ref=f"CA{number}")
        session.add(operator)
        session.flush()
        served = [queue_ids[(number + step) % len(queue_ids)] for step in range(SHARED)]
        rows = [{"operator_id": operator.id, "queue_id": queue_id} for queue_id in served]
        session.execute(insert(operator_queues), rows)
    tomorrow = text("now() + interval '1 day'")  # nobody's page goes away here
    session.execute(update(Operator).values(room_opened_at=text("now()"), last_seen_at=tomorrow))
    session.commit()


def _bound(statement: str, size: Mapping[str, int]) -> dict[str, int]:
    return {name: value for name, value in size.items() if f":{name}" in statement}


def _dice(sides: int, salt: int) -> str:
    return f"((hashint8extended(g, :seed * 100 + {salt}) & 2147483647) % {sides})::int"


_LISTS = (
    f"""INSERT INTO contacts (id, name, given_names, name_key, phone, phone_raw, line_kind, municipality, state,
            language, source, attributes, consent, suppressed, created_at, updated_at)
        OVERRIDING SYSTEM VALUE
        SELECT g, 'Persona Inventada ' || g, 'Persona', 'persona inventada ' || g, '+52' || 1000000000 + g,
            (1000000000 + g)::text, 'mobile', 'Municipio ' || {_dice(200, 1)}, 1 + g % 32, 'es', 'lista', '{{}}',
            'opted_in', false, now(), now()
        FROM generate_series(1, :rows) g""",
    "SELECT setval(pg_get_serial_sequence('contacts', 'id'), :rows)",
    # Of ten people four wait for the first time, two rest, and four are done.
    f"""INSERT INTO queue_entries (queue_id, contact_id, state, reason, attempts, not_before, priority)
        SELECT 1, g, CASE WHEN dice.n < 6 THEN 'waiting' ELSE 'done' END,
            CASE WHEN dice.n < 4 THEN NULL WHEN dice.n < 6 THEN 'no_answer' ELSE 'completed' END,
            CASE WHEN dice.n < 4 THEN 0 ELSE 1 END,
            CASE WHEN dice.n IN (4, 5) THEN now() + interval '1 day' END, {_dice(5, 3)}
        FROM generate_series(1, :rows) g, LATERAL (SELECT {_dice(10, 2)} AS n) dice""",
    """INSERT INTO queue_entries (queue_id, contact_id)
        SELECT q, 1 + (q * 2000 + g) % :rows FROM generate_series(2, :queues) q, generate_series(1, 2000) g""",
)
# A fifth was answered after ten seconds; of a hundred answers one found nobody. `hours` of work end now, before them
# lie two months: an hour of a crew of 200 has some ten thousand calls.
_LEDGER = (
    f"""INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at, closed_at, outcome)
        SELECT md5('call' || :seed + g)::uuid, 'call', 'survey', 1 + (g::bigint * 7919) % :rows,
            '+52' || 1000000000 + 1 + (g::bigint * 7919) % :rows, moment.at, moment.at, moment.at, moment.at,
            CASE WHEN dice.n >= 200 THEN 'no_answer' WHEN dice.n < 2 THEN 'abandoned' ELSE 'completed' END
        FROM generate_series(1, :calls) g, LATERAL (SELECT {_dice(1000, 4)} AS n) dice,
            LATERAL (SELECT now() - interval '2 minutes' - CASE WHEN g <= 10000 * :hours
                THEN (g::float / 10000) * interval '1 hour'
                ELSE :hours * interval '1 hour' + {_dice(5_184_000, 5)} * interval '1 second' END AS at) moment""",
    """INSERT INTO calls (id, queue_id, script, carrier, caller_id, state, placed_at, ringing_at, answered_at,
            connected_at, hung_up_at, ended_at)
        SELECT id, 1 + (hashtextextended(id::text, 0) & 2147483647) % :queues, 'operator', 'simulated', 'x', 'ended',
            at, at,
            CASE WHEN outcome <> 'no_answer' THEN at + interval '10 seconds' END,
            CASE WHEN outcome = 'completed' THEN at + interval '10 seconds' END,
            at + interval '25 seconds', at + interval '40 seconds'
        FROM attempts WHERE NOT EXISTS (SELECT FROM calls one WHERE one.id = attempts.id)""",
)
