"""How long the dialer takes to look at every campaign, and how soon it has people to call out of a long list; with an
empty ledger and with a long one."""

import random
import statistics
import time
from collections.abc import Mapping

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from callcenter import calls, queues
from callcenter.base import db, leases
from callcenter.base.db import open_session
from callcenter.calls import Event
from callcenter.ledger.call_ledger import Call
from scripts.bench import Figure
from scripts.bench.database import database
from scripts.bench.dialer_ledger import fill_ledger, fill_lists, hire
from scripts.bench.floor import p95
from scripts.dialer import NAME, Dialer

ABOUT = "a turn of the dialer over running campaigns with a crew at work, and claiming people, with a long ledger"
FULL = {"rows": 1_500_000, "calls": 5_000_000, "queues": 50, "operators": 200, "ticks": 150, "claims": 40}
QUICK = {"rows": 60_000, "calls": 100_000, "queues": 50, "operators": 200, "ticks": 30, "claims": 10}
SEED = 5
TICK_MS, CLAIM_MS, CLAIMED = 100.0, 50.0, 500
ANSWERED, TALKS_END = 0.3, 0.02  # of the phones that ring, and of the talks, between two turns
LIST = 1  # the campaign with the long list


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    sized = {**size, "seed": seed}
    with database():
        fill_lists(db.engine(), sized)
        with open_session() as session:
            hire(session, size)
        short_tick, _ = _ticks(size, seed)
        short_claim = _claims(size)
        fill_ledger(db.engine(), sized, hours=1)
        tick, first = _ticks(size, seed)
        claim = _claims(size)
    return [
        Figure("tick_ms", tick, "ms", TICK_MS, "the same with a ledger of some hundred calls", tick / short_tick),
        Figure("tick_first_ms", first, "ms"),
        Figure("claim_ms", claim, "ms", CLAIM_MS, "the same with a ledger of some hundred calls", claim / short_claim),
    ]


def _ticks(size: Mapping[str, int], seed: int) -> tuple[float, float]:
    """(p95 of the milliseconds of a turn once every campaign's history is read, the longest of those before). Between
    two turns, and not counted, phones are answered and talks end."""
    dice, dialer = random.Random(seed), Dialer()
    first: list[float] = []
    taken: list[float] = []
    for number in range(-size["queues"], size["ticks"]):
        begun = time.perf_counter()
        with open_session() as session:
            token = leases.take(session, NAME, "bench", 600)
            session.commit()
        assert token is not None
        dialer.turn(token)
        (first if number < 0 else taken).append((time.perf_counter() - begun) * 1000)
        with open_session() as session:
            _go_on(session, dice)
            session.commit()
    return p95(taken), max(first)


def _go_on(session: Session, dice: random.Random) -> None:
    """What happens on the floor: planned calls ring, some of those that rang end one way or another, some talks do."""
    waiting = session.scalars(select(Call.id).where(Call.state == "answered").order_by(Call.id)).all()
    ringing = session.scalars(select(Call.id).where(Call.state == "ringing").order_by(Call.id)).all()
    talking = session.scalars(select(Call).where(Call.state == "connected").order_by(Call.id)).all()
    for call_id in waiting:
        calls.answer(session, call_id, Event("answered", "answer"))
    for call_id in ringing:
        if dice.random() < ANSWERED / 3:
            calls.answer(session, call_id, Event("answered", "answer"))
        elif dice.random() < ANSWERED:
            calls.record_event(session, call_id, Event("no_answer", "status"))
    for call in talking:
        if dice.random() < TALKS_END and call.operator_id is not None:
            calls.record_event(session, call.id, Event("hung_up", "status"))
            calls.dispose(session, call.id, call.operator_id, "completed")
    session.execute(text("UPDATE calls SET state = 'ringing', placed_at = now(), ringing_at = now()"
                         " WHERE state = 'planned'"))  # fmt: skip


def _claims(size: Mapping[str, int]) -> float:
    """p95 of the milliseconds of claiming so many people; each claim is kept, so that the next one finds others."""
    taken = []
    for number in range(-2, size["claims"]):
        with open_session() as session:
            begun = time.perf_counter()
            claimed = queues.claim(session, LIST, CLAIMED)
            if number >= 0:
                taken.append((time.perf_counter() - begun) * 1000)
            session.commit()
        assert len(claimed) == CLAIMED, "the list of the bench is too short"
    return p95(taken) if len(taken) > 1 else statistics.fmean(taken)
