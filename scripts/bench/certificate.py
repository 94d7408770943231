"""The zero-loss certificate: processes are killed, Redis forgets, PostgreSQL restarts, the carrier misbehaves."""

import contextlib
import csv
import io
import json
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import requests
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.base import db, outbox
from campaigns.mailings import message_campaigns as campaigns
from scripts.bench import Figure, message_stage, product
from scripts.bench.chaos import children
from scripts.bench.product import Product

ABOUT = "messages while everything fails: nobody gets one twice, everybody planned has an end"
FULL = {"recipients": 100_000}
QUICK = {"recipients": 4_000}
SEED = 1
# 1 % of the answers are a 500 after acceptance; a fifth of the callbacks never come, another fifth come twice.
CARRIER: Mapping[str, float] = {
    "unknown_share": 0.01, "lost_share": 0.2, "double_share": 0.2, "late_share": 0.1, "parts_per_second": 0,
}  # fmt: skip
PAUSES = (3.0, 7.0)  # seconds between two kills
KILLED = ("web", "dialer", "worker", "bulk", "messages")
LONGEST = 3_600.0  # seconds of sending, after which the bench gives up
RESOLVES_IN = 600.0  # seconds after the last message left
LOOK = 1.0
STATES = "SELECT state, count(*) AS number FROM messages WHERE campaign_id = :id GROUP BY state"
OPEN = ("planned", "sending")
UNSETTLED = (*OPEN, "accepted", "sent", "unknown")
_TO_WHOM = "SELECT phone, state FROM messages WHERE campaign_id = :id AND phone IS NOT NULL"


class NothingSent(Exception):
    """The campaign did not get to its end: the figures would mean nothing."""


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    with product.running(env={"CONVOCA_DEMO": "no"}, seconds=180) as running, message_stage.beside(running):
        trial = Trial(running, random.Random(seed), size["recipients"])
        trial.run()
        return trial.figures()


class Trial:
    """One campaign under attack."""

    def __init__(self, running: Product, dice: random.Random, recipients: int) -> None:
        self.running, self.dice, self.recipients = running, dice, recipients
        self.carrier = json.loads((running.var / "processes.json").read_text())["carrier"]
        self.kills: defaultdict[str, int] = defaultdict(int)
        self.most_unknown = 0
        self.sent_in = self.resolved_in = 0.0
        # Once each, when a third and two thirds have left; the carrier itself lives on, it is the witness.
        self._blows = [(1 / 3, self._forget), (2 / 3, self._restart_database)]

    def run(self) -> None:
        """Send everything under attack, then look on until everything is settled or RESOLVES_IN has passed."""
        message_stage.people(self.recipients)
        self.campaign_id = message_stage.campaign("Certificate")
        self._control("settings", dict(CARRIER))
        with db.open_session() as session:
            campaigns.launch(session, self.campaign_id, None, confirmed=True)
            session.commit()
        begun = time.monotonic()
        self._attack_until(begun + LONGEST)
        self.sent_in = time.monotonic() - begun
        self._await_end(time.monotonic() + RESOLVES_IN)
        self.resolved_in = time.monotonic() - begun - self.sent_in

    def figures(self) -> list[Figure]:
        counts, received = self._states(), self._received()
        planned = sum(counts.values())
        if planned != self.recipients or not received:
            raise NothingSent(f"{planned} of {self.recipients} were planned, {len(received)} phones got a message")
        missing = sum(counts.get(state, 0) for state in UNSETTLED if state != "unknown")
        wrong = self._wrong(received)
        return [
            Figure("received_twice", sum(number > 1 for number in received.values()), "phones", target=0),
            Figure("planned_without_state", missing, "messages", target=0),
            Figure("unknown_share", counts.get("unknown", 0) / planned, "of all", target=0.001),
            Figure("unknown_most", self.most_unknown / planned, "of all"),
            Figure("resolved_s", self.resolved_in, "s", target=RESOLVES_IN),
            Figure("received_not_known", wrong["received"], "phones", target=0),
            Figure("delivered_not_received", wrong["delivered"], "phones", target=0),
            Figure("certificate_send_s", self.sent_in, "s"),
            Figure("kills", sum(self.kills.values()), "processes"),
            *(Figure(f"messages_{state}", number, "messages") for state, number in sorted(counts.items())),
        ]

    def _attack_until(self, last: float) -> None:
        next_kill = time.monotonic() + self.dice.uniform(*PAUSES)
        while time.monotonic() < last:
            time.sleep(LOOK)
            counts = self._states()
            left = sum(counts.get(state, 0) for state in OPEN)
            if sum(counts.values()) >= self.recipients and not left:
                return
            self._strike((sum(counts.values()) - left) / self.recipients)
            if time.monotonic() > next_kill:
                next_kill = time.monotonic() + self.dice.uniform(*PAUSES)
                with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it is being started just now
                    self._kill_one()
        raise NothingSent(f"after {LONGEST:g} s: {self._states()}")

    def _strike(self, done: float) -> None:
        while self._blows and done >= self._blows[0][0]:
            _, blow = self._blows.pop(0)
            blow()

    def _kill_one(self) -> None:
        name = self.dice.choice([name for name in KILLED if name in self.running.pids()])
        pid = self.running.pids()[name]
        os.kill(self.dice.choice([pid, *children(pid)]), signal.SIGKILL)
        self.kills[name] += 1

    def _forget(self) -> None:
        with contextlib.suppress(RedisError):
            outbox.redis().flushall()
        self.kills["redis flushed"] += 1

    def _restart_database(self) -> None:
        os.kill(self.running.pids()["postgres"], signal.SIGINT)
        self.kills["postgres"] += 1

    def _await_end(self, until: float) -> None:
        while time.monotonic() < until and any(self._states().get(state) for state in UNSETTLED):
            time.sleep(LOOK)

    def _states(self) -> dict[str, int]:
        """How many messages are in which state; asked again while PostgreSQL starts."""
        while True:
            try:
                with db.engine().connect() as connection:
                    rows = connection.execute(text(STATES), {"id": self.campaign_id})
                    counts = {row.state: int(row.number) for row in rows}
            except DBAPIError:
                time.sleep(LOOK)
                continue
            self.most_unknown = max(self.most_unknown, counts.get("unknown", 0))
            return counts

    def _received(self) -> dict[str, int]:
        """By phone, how many messages the carrier really handed over."""
        answer = requests.get(f"{self.carrier}/control/received/phones", params={"least": 1}, timeout=60)
        answer.raise_for_status()
        return {
            row[0]: int(row[1]) for row in csv.reader(io.StringIO(answer.text)) if len(row) > 1 and row[1].isdigit()
        }

    def _wrong(self, received: Mapping[str, int]) -> dict[str, int]:
        """Where ledger and phones differ: got one that the ledger does not call delivered, and the other way round."""
        with db.engine().connect() as connection:
            rows = connection.execute(text(_TO_WHOM), {"id": self.campaign_id}).all()
        said = {row.phone for row in rows if row.state == "delivered"}
        return {"received": len(received.keys() - said), "delivered": len(said - received.keys())}

    def _control(self, what: str, order: dict[str, Any]) -> None:
        requests.post(f"{self.carrier}/control/{what}", json=order, timeout=10).raise_for_status()
