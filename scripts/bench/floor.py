"""A working floor for benches: the running product, its demonstration, and simulated operators in this process."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, create_engine, text

from scripts import embedded
from scripts.bench.product import Product
from scripts.demo import FLOOR, PASSWORD
from scripts.simulated_carrier.journal import read
from scripts.simulated_operators.operator import Habits, Operator
from scripts.simulated_operators.page import Addresses

CARRIER_SPEED = 4.0


Beside = Callable[["Floor"], Coroutine[Any, Any, None]]


@dataclass
class Floor:
    """`cards`: when each call's card first reached its operator (seconds since the epoch), by call id. `carrier`: how
    the simulated carrier is to behave (docs/simulation.md)."""

    product: Product
    addresses: Addresses
    operators: list[Operator]
    carrier: Mapping[str, float]
    cards: dict[str, float] = field(default_factory=dict)

    def run(self, seconds: float, beside: Beside) -> None:
        """Let everybody work for `seconds`, or until `beside`, which runs next to them, is over; then they leave."""
        asyncio.run(self._run(seconds, beside))

    async def _run(self, seconds: float, beside: Beside) -> None:
        working = [asyncio.create_task(operator.work()) for operator in self.operators]
        other = asyncio.create_task(beside(self))
        await asyncio.wait([other], timeout=seconds)
        other.cancel()
        with suppress(asyncio.CancelledError):
            await other
        for operator in self.operators:
            operator.stop()
        _, late = await asyncio.wait(working, timeout=20)
        for task in late:
            task.cancel()

    def journal(self) -> list[dict[str, Any]]:
        """What the carrier has noted."""
        return read(journal_of(self.product.var))

    def card_shown(self, call_id: str) -> None:
        self.cards.setdefault(call_id, time.time())


def floor_of(product: Product, count: int, think_ms: int, *, seed: int, **carrier: float) -> Floor:
    """`count` operators of the demonstration at the product's pages; its carrier in a hurry, so that there are calls.

    `think_ms`: what an operator needs for one question on average. `carrier`: settings beside its speed."""
    note = json.loads((product.var / "processes.json").read_text())
    addresses = Addresses(note["url"], note["live"], note["carrier"])
    floor = Floor(product, addresses, [], {"speed": CARRIER_SPEED, **carrier})
    hurry(floor)
    floor.operators = [
        Operator(login.username, PASSWORD, addresses, Habits(think_ms / 1000, seed), on_card=floor.card_shown)
        for login in FLOOR[:count]
    ]
    return floor


def hurry(floor: Floor) -> None:
    """Make citizens ring, talk and lose patience faster. A restarted carrier has forgotten it."""
    where = f"{floor.addresses.carrier}/control/settings"
    requests.post(where, json=dict(floor.carrier), timeout=5).raise_for_status()


def journal_of(var: Path) -> Path:
    return var / "simulated_carrier.jsonl"


@contextmanager
def database(product: Product) -> Iterator[Engine]:
    """The running product's own database."""
    url = embedded.make_places(product.var).database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, pool_size=1, pool_pre_ping=True, connect_args={"connect_timeout": 2})
    try:
        yield engine
    finally:
        engine.dispose()


def rows(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement), values))


def p95(values: list[float]) -> float:
    """The 95th percentile: the smallest value that at least 95 of 100 do not exceed."""
    ordered = sorted(values)
    return ordered[-(-95 * len(ordered) // 100) - 1]
