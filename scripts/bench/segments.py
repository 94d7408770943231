"""How soon a strategist sees how many people a rule means, with all that happened to them; and the raw limits."""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from callcenter.base import db
from callcenter.base.settings import Settings
from campaigns import segments
from campaigns.snapshot import people_building, people_jobs
from scripts.bench import Figure
from scripts.bench.database import database
from scripts.bench.floor import p95
from scripts.bench.gate import measure_gate
from scripts.bench.segment_people import fill
from scripts.service_user import own

ABOUT = "live counts, estimates and freezing of segments over people with a history of calls and messages"
FULL, QUICK = {"rows": 5_570_000, "counts": 60}, {"rows": 200_000, "counts": 30}
SEED = 3
WRITES = 20  # rows written between two counts: the floor and its messages go on

_WOMEN = {"field": "sex", "op": "is", "value": "M"}
_YOUNG = {"field": "age", "op": "between", "value": [18, 29]}
_URBAN = {"field": "section_kind", "op": "is", "value": "U"}
OWN: tuple[dict[str, Any], ...] = (
    {"all": [_WOMEN, _YOUNG, _URBAN]},
    {"all": [_WOMEN, {"field": "municipality", "op": "in", "value": ["municipio 7", "MUNICIPIO 12"]}, _YOUNG]},
    {"all": [{"field": "section", "op": "between", "value": [5, 900]}, {"field": "state", "op": "is", "value": 9},
             {"not": [{"field": "neighborhood", "op": "is", "value": "centro 12"}]}]},
    {"any": [{"field": "promoter", "op": "in", "value": ["promotor 1", "Promotor 22"]},
             {"field": "attr:score", "op": "at_least", "value": 90},
             {"field": "consent", "op": "is", "value": "opted_in"}]},
    {"all": [{"field": "source", "op": "is", "value": "lista-1"},
             {"field": "created", "op": "within_days", "value": 90},
             {"field": "line_kind", "op": "is_not", "value": "landline"}]},
    {"all": [{"field": "attr:team", "op": "is", "value": "equipo 7"}, {"field": "federal_district", "op": "in",
             "value": [3, 4, 5]}, {"field": "age", "op": "at_least", "value": 40}]},
    {"all": [{"field": "has_pledge", "op": "is", "value": True}, _WOMEN, _URBAN]},
)  # fmt: skip
BEHAVIOUR: tuple[dict[str, Any], ...] = (
    {"all": [_WOMEN, _YOUNG, {"did_not": "called", "within_days": 7}]},
    {"all": [_YOUNG, _URBAN, {"did": "reached", "queue": [1, 2]}]},
    {"all": [_WOMEN, {"field": "state", "op": "is", "value": 9}, {"did": "outcome", "value": ["no_answer", "busy"],
             "at_least": 2}]},
    {"all": [_WOMEN, _YOUNG, {"did": "received", "campaign": 2, "within_days": 30}]},
)  # fmt: skip
# At full size it has 1,475,000 people.
FROZEN = {"all": [{"field": "source", "op": "is", "value": "lista-1"}]}


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    with database() as settings:
        engine = db.engine()
        fill(engine, size["rows"], seed)
        begun = time.perf_counter()
        people_building.refresh()
        built = time.perf_counter() - begun
        writes = _writes(engine, size["rows"], seed)
        for _ in range(people_jobs.FEW // 2 // WRITES):  # as far behind as the clock lets a copy fall, on the way
            next(writes)
        fields = _timed(OWN, size["counts"], writes, segments.count)
        behaviour = _timed(BEHAVIOUR, size["counts"], writes, segments.count)
        estimate = _timed((*OWN, *BEHAVIOUR), size["counts"], writes, segments.estimate)
        frozen = _frozen()
        scan, raw_freeze = _scan(engine), _raw_freeze(engine)
        with db.open_session() as session:
            gate = measure_gate(session, seed=seed)
        return [
            Figure("segment_count_p95_ms", fields, "ms", 500, "a bare count by scanning", fields / scan),
            Figure("segment_behaviour_p95_ms", behaviour, "ms", 1_000, "a bare count by scanning", behaviour / scan),
            Figure("segment_estimate_p95_ms", estimate, "ms", 150, "a bare count by scanning", estimate / scan),
            Figure("segment_freeze_s", frozen, "s", 8, "a bare CREATE TABLE AS", frozen / raw_freeze),
            gate,
            Figure("segment_copy_s", built, "s"),
            Figure("segment_command_ms", _command(settings), "ms", 1_000),
        ]


def _timed(
    rules: tuple[dict[str, Any], ...], times: int, writes: Iterator[None], ask: Callable[[Session, Any], segments.Count]
) -> float:
    """p95 of milliseconds of a question in a new session, with others writing between two questions."""
    taken = []
    for number, rule in zip(range(-len(rules), times), cycle(rules), strict=False):
        next(writes)
        with db.open_session() as session:
            begun = time.perf_counter()
            ask(session, rule)
            if number >= 0:  # each rule once unmeasured: the files come into memory
                taken.append((time.perf_counter() - begun) * 1000)
    return p95(taken)


def _writes(engine: Engine, people: int, seed: int) -> Iterator[None]:
    """What goes on meanwhile: people change, calls are made and end."""
    dice = random.Random(seed)
    while True:
        some = {"ids": [dice.randint(1, people) for _ in range(WRITES)]}
        with engine.begin() as connection:
            connection.execute(text("UPDATE contacts SET age = age + 1 WHERE id = ANY(:ids)"), some)
            connection.execute(
                text("INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at,"
                     " closed_at, outcome) SELECT gen_random_uuid(), 'call', 'survey', id, phone, now(), now(), now(),"
                     " now(), 'completed' FROM contacts WHERE id = ANY(:ids)"), some)  # fmt: skip
        yield


def _frozen() -> float:
    with db.open_session() as session:
        segment = segments.save(session, None, "Frozen", FROZEN, None)
        session.commit()
        begun = time.perf_counter()
        segments.freeze(session, segment.id, None)
        session.commit()
        return time.perf_counter() - begun


def _scan(engine: Engine) -> float:
    """Milliseconds of PostgreSQL's own count of three conditions over the wide rows, the best of three."""
    bare = (
        "SELECT count(*) FROM contacts WHERE sex = 'M' AND age BETWEEN 18 AND 29 AND section_number BETWEEN 5 AND 900"
    )
    taken = []
    for _ in range(3):
        with engine.connect() as connection:
            begun = time.perf_counter()
            connection.execute(text(bare))
            taken.append((time.perf_counter() - begun) * 1000)
    return min(taken)


def _raw_freeze(engine: Engine) -> float:
    bare = "CREATE TABLE bare AS SELECT 1 AS frozen_id, id FROM contacts WHERE source = 'lista-1'"
    begun = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(text(bare))
    return time.perf_counter() - begun


def _command(settings: Settings) -> float:
    """Milliseconds that `flask segments count` says it took, in a process of its own."""
    import json
    import os

    var = settings.var
    rule = var.parent / "rule.json"
    rule.write_text(json.dumps(BEHAVIOUR[0]))
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "segments", "count", str(rule), "--json"]
    # A data folder of its own with this copy in it: the services in `var` are ours, not the command's to tidy.
    other = var.parent / "other"
    for name in ("keys", "people"):
        shutil.copytree(var / name, other / name)
    for path in (other, *other.rglob("*")):
        own(path)
    addresses = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    env = {**os.environ, **addresses, "CONVOCA_VAR": str(other)}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["ms"])
