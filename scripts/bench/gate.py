"""How long the gate takes for a thousand people, on whatever people and tries a database holds. Reads only."""

import random
import statistics
import time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.contacts import Contact
from scripts.bench import Figure

PEOPLE, TARGET_MS = 1_000, 20.0
CHANNEL, PURPOSE = "sms", "survey"  # the gate of a message asks every rule


def measure_gate(session: Session, *, seed: int = 1, batches: int = 40) -> Figure:
    """gate_1000_ms: `consent.refusals` for 1,000 people drawn anew each time, 95th percentile of `batches`.

    The database wants its statistics and its visibility map (VACUUM ANALYZE), as autovacuum keeps them."""
    dice = random.Random(seed)
    times = []
    for number in range(-5, batches):  # the first few warm the connection and the caches of the process
        people = _some_people(session, dice)
        begun = time.perf_counter()
        consent.refusals(session, people, CHANNEL, PURPOSE, simulated=True)
        if number >= 0:
            times.append((time.perf_counter() - begun) * 1000)
    return Figure("gate_1000_ms", round(_p95(times), 1), "ms", TARGET_MS)


def _some_people(session: Session, dice: random.Random) -> list[tuple[int, str]]:
    """People from all over the table, as a claim takes them: in stretches of ten."""
    first, last = session.execute(select(func.min(Contact.id), func.max(Contact.id))).one()
    people: dict[int, str] = {}
    for _ in range(20):  # deleted people leave holes
        if len(people) >= PEOPLE:
            break
        starts = [dice.randint(first, last) for _ in range(PEOPLE // 10)]
        wanted = [start + step for start in starts for step in range(10)]
        query = select(Contact.id, Contact.phone).where(Contact.id.in_(wanted))
        found = {row.id: row.phone for row in session.execute(query)}
        people |= found
    return list(people.items())[:PEOPLE]


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
