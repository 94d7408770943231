"""A floor on Twilio's protocol: operators and citizens at once, callbacks kept up with, and nothing lost on the way.

Operators take the demonstration's calls, as in the bench `console`; beside them `scripts.bench.twilio_load` places
calls that nobody answers, so many a second. What the carrier's journal says in the end must stand in the ledger. Where
CONVOCA_TWILIO_OPENAPI names Twilio's documents, every request and answer of the whole time is held against them."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from sqlalchemy import Engine

from scripts.bench import Figure, openapi, product
from scripts.bench.console import WARM_UP, NothingMeasured, waits
from scripts.bench.floor import database, floor_of, p95, rows
from scripts.bench.openapi import Documents, Exchange
from scripts.bench.product import Product, environment
from scripts.bench.twilio_turns import measure_turns

ABOUT = "20 operators and 100 citizens at once on Twilio's protocol: the card, callbacks, lost states, OpenAPI"
FULL = {"operators": 20, "citizens": 100, "calls_per_second": 30, "think_ms": 3000, "seconds": 180}
QUICK = {"operators": 20, "citizens": 100, "calls_per_second": 30, "think_ms": 3000, "seconds": 40}
SEED = 1
CALLBACKS = 3  # of a call that nobody answers: initiated, ringing, completed
LOOK = 2.0
SETTLED = 3.0
CALM = 12.0  # seconds after the last call in which the last callback must have been read
# What the ledger may say of a call that the carrier ended so; what an operator said of it counts as well.
MEANS = {
    "busy": {"busy"}, "failed": {"invalid_number", "failed"}, "no-answer": {"no_answer", "given_up"},
    "canceled": {"canceled", "given_up"},
}  # fmt: skip
SILENT = {outcome for outcomes in MEANS.values() for outcome in outcomes} - {"canceled"}
LEDGER = """
    SELECT c.id::text AS id, c.state, c.carrier_ref AS ref, a.outcome, extract(epoch FROM now() - a.created_at) AS age
    FROM calls c JOIN attempts a ON a.id = c.id WHERE c.placed_at IS NOT NULL AND a.created_at > :since
"""


@dataclass
class Watch:
    """What is looked at while the floor works. `busy`: calls up at each look; `told`: callbacks sent, with the time."""

    carrier: str
    exchanges: list[Exchange] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    told: list[tuple[float, int]] = field(default_factory=list)
    load: dict[str, float] = field(default_factory=dict)  # what the load said at its end
    refused: int = 0
    _after: int = 0

    async def look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        state = requests.get(f"{self.carrier}/control/state", timeout=5).json()
        self.busy.append(sum(call["to"].startswith("+") for call in state["open_calls"]))
        self.told.append((time.monotonic(), state["counts"]["webhooks sent"] - state["counts"]["webhooks waiting"]))
        self.look_last()
        self.refused = state["counts"]["callbacks lost"]

    def look_last(self) -> None:
        """Take what was exchanged since the last look."""
        heard = requests.get(f"{self.carrier}/control/exchanges", {"after": self._after}, timeout=5).json()
        for one in heard:
            self._after = one["n"]
            self.exchanges.append(read(one))

    def rate(self) -> float:
        """Callbacks a second between the first and the last look."""
        (begun, before), (ended, after) = self.told[0], self.told[-1]
        return (after - before) / (ended - begun)


def read(told: Mapping[str, Any]) -> Exchange:
    """An exchange as /control/exchanges tells it."""
    return Exchange(told["method"], told["path"], told["status"], told["body"], told["query"], told["form"])


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    with product.running(env=product.SIGNED) as running, database(running) as engine:
        time.sleep(WARM_UP)  # a product that has just begun looks through everything once
        turns = measure_turns(running, product.TOKEN, seed)
        since = time.time()  # the carrier never had the calls of the recorded interviews
        floor = floor_of(running, size["operators"], size["think_ms"], seed=seed, calls_per_second=0.0)
        watch = Watch(floor.addresses.carrier)
        with _load(running, watch.carrier, size) as load:
            # Twice the time: a machine that cannot keep up must say so, not break off.
            floor.run(WARM_UP + 2 * size["seconds"] + CALM, lambda _: _beside(load, watch))
        cards, told, journal = waits(floor), watch.load, floor.journal()
        time.sleep(SETTLED)  # what the journal has, the ledger had time to hear of
        lost = lost_states(journal, _ledger(engine, since))
    if not cards or not told:
        raise NothingMeasured(f"{len(cards)} cards and {told} calls of the load")
    for name, number in lost.items():
        print(f"lost: {number} x {name}", file=sys.stderr)
    return [*_figures(size, watch, cards), Figure("lost_state", lost.total(), "calls", target=0), *turns,
            *_openapi_figures(watch.exchanges)]  # fmt: skip


@contextmanager
def _load(running: Product, carrier: str, size: Mapping[str, int]) -> Iterator["subprocess.Popen[str]"]:
    """scripts.bench.twilio_load with its people in the database; it begins at a line of input."""
    command = [
        sys.executable, "-m", "scripts.bench.twilio_load", "--rate", str(size["calls_per_second"]),
        "--seconds", str(size["seconds"]), "--lines", str(size["citizens"]),
    ]  # fmt: skip
    own = {"CONVOCA_PUBLIC_URL": running.url, "CONVOCA_SIMULATED_URL": carrier, **product.SIGNED}
    env = environment(running.var, own)
    process = subprocess.Popen(
        command, cwd=product.ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()


async def _beside(load: "subprocess.Popen[str]", watch: Watch) -> None:
    """Ends when the load is over and every callback had its time; the floor then leaves."""
    assert load.stdin is not None
    assert load.stdout is not None
    await asyncio.sleep(WARM_UP)
    print(file=load.stdin, flush=True)
    looking = asyncio.create_task(watch.look_on())
    watch.load = json.loads(await asyncio.to_thread(load.stdout.readline) or "{}")
    looking.cancel()
    await asyncio.sleep(CALM)
    await asyncio.to_thread(watch.look_last)


def lost_states(journal: Sequence[Mapping[str, Any]], ledger: Iterable[Any]) -> Counter[str]:
    """How many calls stand otherwise in the ledger than in the carrier's journal, by what is wrong with them."""
    called = {entry["id"]: entry["sid"] for entry in journal if entry["kind"] == "call" and entry["id"]}
    ended = {entry["sid"]: entry["status"] for entry in journal if entry["kind"] == "end"}
    known = {row.id: row for row in ledger}
    lost = Counter(
        f"{fault} (the carrier says {ended.get(row.ref, 'nothing')})"
        for row in known.values()
        if (fault := _fault(row, called, ended))
    )
    strangers = [sid for call_id, sid in called.items() if call_id not in known and ended.get(sid) in MEANS]
    return lost + Counter({"unknown to the ledger": len(strangers)})


def _fault(row: Any, called: Mapping[str, str], ended: Mapping[str, str]) -> str | None:
    """What is wrong with one call of the ledger; None for nothing."""
    said = ended.get(row.ref)
    if row.outcome == "lost":
        return "lost"
    if row.id not in called:
        return "the carrier never had it"
    if said is None:
        return None if row.state != "ended" or row.outcome not in SILENT else f"{row.outcome} while it lasts"
    if row.state in ("ringing", "placing", "unknown", "answered", "connected"):
        return f"still {row.state}"
    if said in MEANS:
        return None if row.outcome in MEANS[said] else f"{row.outcome}"
    return f"{row.outcome}" if row.outcome in SILENT else None


def _ledger(engine: Engine, since: float) -> list[Any]:
    return rows(engine, LEDGER, since=datetime.fromtimestamp(since, UTC))


def _figures(size: Mapping[str, int], watch: Watch, cards: list[float]) -> list[Figure]:
    rate, calls = size["calls_per_second"], watch.load
    return [
        Figure("twilio_card_p95_ms", p95(cards), "ms", target=400),
        Figure("twilio_card_median_ms", statistics.median(cards), "ms"),
        Figure("twilio_cards", len(cards), "cards"),
        Figure("twilio_calls_per_s", calls["calls"] / calls["seconds"], "calls/s", target=rate),
        Figure("twilio_callbacks_per_s", watch.rate(), "callbacks/s", target=rate * CALLBACKS),
        Figure("twilio_callbacks_refused", watch.refused, "callbacks", target=0),
        Figure("twilio_citizens", statistics.median(watch.busy), "citizens at once", target=size["citizens"]),
    ]


def _openapi_figures(exchanges: list[Exchange]) -> list[Figure]:
    where = openapi.folder()
    judged, faults = openapi.judge(Documents.read(where), exchanges) if where else (0, [])
    for fault in sorted(set(faults))[:20]:
        print(fault, file=sys.stderr)
    return [Figure("openapi_exchanges", judged, "exchanges"), Figure("openapi_faults", len(faults), "faults", target=0)]
