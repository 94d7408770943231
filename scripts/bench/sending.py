"""A national list from «send» to its receipts: planned, first message, speed with every law on, pause, memory."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

from callcenter.base import db
from campaigns.mailings import message_campaigns as campaigns
from scripts.bench import Figure, carrier_capacity, message_stage, product
from scripts.bench.database import loading
from scripts.bench.product import Product
from scripts.simulated_carrier.options import ACCOUNT_SID

ABOUT = "a message campaign: planning a national list, its first message, speed with receipts, pause, a worker's memory"
FULL = {"recipients": 1_475_000, "seconds": 60, "bare": 20_000}
QUICK = {"recipients": 20_000, "seconds": 8, "bare": 4_000}
SEED = 6
PLAN_S, FIRST_S, PAUSE_S, PER_SECOND, RATIO, WORKER_MB = 40.0, 2.0, 1.0, 600.0, 0.35, 250.0
FIRST_CODE, SENDERS, SLOW, FAST = (
    26_001,
    20,
    2.5,
    500.0,
)  # short codes of one pool; parts a second of each while planning, and after
WARM = 3.0  # seconds of sending that are not counted
LOOK = 0.02
TEXT = "Hola {given_names|vecina}, este es un mensaje de prueba de Convoca. Responda BAJA para no recibir otro."
# One in fifty shares a phone with somebody; names are short and long, with accents and without.
_PEOPLE = """
    INSERT INTO contacts (name, given_names, name_key, phone, line_kind, municipality, state, section_number, source,
        consent, invented, language, created_at, updated_at)
    SELECT given || ' Inventada ' || g, given, lower(given) || ' inventada ' || g,
        '+52' || 5510000000 + g - (g % 50 = 0)::int, 'mobile', 'Iztapalapa', 9, 1 + g % 5000, 'bench', 'opted_in', true,
        'es', now(), now()
    FROM generate_series(1, :people) g, LATERAL (SELECT (ARRAY['Lupita', 'José Ángel', 'María de los Ángeles', 'Ana',
        'Andrés', 'Ximena', 'Sofía', 'Juan'])[1 + (hashint8extended(g, :seed) & 7)] AS given) one
"""


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    env = {"CONVOCA_DEMO": "no", **product.SIGNED}
    with product.running(env=env) as running, message_stage.beside(running):
        with loading(db.engine(), ["contacts"]) as connection:
            connection.execute(text(_PEOPLE), {"people": size["recipients"], "seed": seed})
        campaign_id, carrier = _campaign(), _Carrier(running)
        carrier.set(parts_per_second=0, citizens_reply=0, gap_seconds=0.05, told="delivered undelivered failed")
        for number in range(SENDERS):
            carrier.enter(f"{FIRST_CODE + number}")
        first_s, plan_s = _launch(campaign_id, carrier)
        _speed(FAST)
        rate = _rate(campaign_id, size["seconds"])
        pause_s = _pause(campaign_id, carrier)
        worker_mb = _most_memory(running.pids()["messages"])
        bare = carrier_capacity.bare_rate(carrier.url, ACCOUNT_SID, product.TOKEN, messages=size["bare"])
    return [
        Figure("plan_s", plan_s, "s", PLAN_S),
        Figure("first_message_s", first_s, "s", FIRST_S),
        Figure("pause_s", pause_s, "s", PAUSE_S),
        Figure("send_per_s", rate, "messages/s", PER_SECOND, "the async client alone, without callbacks", rate / bare),
        Figure("send_ratio", rate / bare, "of the async client alone", RATIO),
        Figure("worker_mb", worker_mb, "MB", WORKER_MB),
        carrier_capacity.capacity(size["bare"]),
    ]


def _campaign() -> int:
    """A draft to everybody, by a pool of short codes that are slow for now."""
    campaign_id = message_stage.campaign("Everybody")
    with db.engine().begin() as connection:
        connection.execute(text("""
            WITH pool AS (INSERT INTO sender_pools (channel, name) VALUES ('sms', 'Short codes') RETURNING id),
            codes AS (
                INSERT INTO senders (channel, address, carrier, parts_per_second, created_at)
                SELECT 'sms', (:first + n)::text, 'simulated', :rate, now() FROM generate_series(0, :many - 1) n
                RETURNING id
            ), members AS (
                INSERT INTO sender_pool_members (pool_id, sender_id) SELECT pool.id, codes.id FROM pool, codes
            )
            UPDATE message_campaigns SET pool_id = pool.id, text = :text FROM pool
            WHERE message_campaigns.id = :campaign
        """), {"many": SENDERS, "first": FIRST_CODE, "rate": SLOW, "text": TEXT, "campaign": campaign_id})  # fmt: skip
    return campaign_id


def _speed(parts_per_second: float) -> None:
    with db.engine().begin() as connection:
        connection.execute(text("UPDATE senders SET parts_per_second = :rate, free_at = NULL"),
                           {"rate": parts_per_second})  # fmt: skip


def _launch(campaign_id: int, carrier: "_Carrier") -> tuple[float, float]:
    """(seconds from «send» to the first message at the carrier, and until everybody is planned)"""
    carrier.count_anew()
    begun = time.monotonic()
    with db.open_session() as session:
        campaigns.launch(session, campaign_id, None, confirmed=True)
        session.commit()
    first = _until(lambda: carrier.accepted() > 0, 60) - begun
    planned = _until(lambda: _asked("SELECT planned_at IS NOT NULL FROM message_campaigns WHERE id = :id",
                                    id=campaign_id), 1800) - begun  # fmt: skip
    return first, planned


def _rate(campaign_id: int, seconds: float) -> float:
    """Messages a second whose receipt, checked and committed, says what became of them."""
    time.sleep(WARM)
    query = ("SELECT count(*) FROM messages WHERE campaign_id = :id"
             " AND state IN ('delivered', 'undelivered', 'failed')")  # fmt: skip
    begun, before = time.monotonic(), _asked(query, id=campaign_id)
    left = "SELECT EXISTS (SELECT FROM messages WHERE campaign_id = :id AND state = 'planned')"
    while time.monotonic() < begun + seconds and _asked(left, id=campaign_id):
        time.sleep(1)
    taken = time.monotonic() - begun
    return float(_asked(query, id=campaign_id) - before) / taken


def _pause(campaign_id: int, carrier: "_Carrier") -> float:
    """Seconds from the commit of a pause to the last message that the carrier still got."""
    carrier.count_anew()
    with db.open_session() as session:
        campaigns.pause(session, campaign_id, "review", None)
        begun = time.monotonic()
        session.commit()
    last, count = begun, carrier.accepted()
    while time.monotonic() < max(begun + 3, last + 2):
        now = carrier.accepted()
        if now > count:
            last, count = time.monotonic(), now
        time.sleep(LOOK)
    return last - begun


def _until(is_so: Callable[[], object], seconds: float) -> float:
    """The monotonic moment at which it was."""
    give_up = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up:
            raise TimeoutError("the campaign does not get on")
        time.sleep(LOOK)
    return time.monotonic()


def _asked(query: str, **values: object) -> Any:
    with db.engine().connect() as connection:
        return connection.scalar(text(query), values)


def _most_memory(pid: int) -> float:
    """The most that a process has held at once, in MB, with what it shares."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError("the kernel does not say how much memory the worker held")


class _Carrier:
    """The product's simulated carrier, asked at its own door."""

    def __init__(self, running: Product) -> None:
        self.url = str(json.loads((running.var / "processes.json").read_text())["carrier"])
        self._mark = 0

    def count_anew(self) -> None:
        """`accepted` is 0 from here."""
        self._mark = requests.post(f"{self.url}/control/received/mark", timeout=10).json()["mark"]

    def set(self, **options: float | str) -> None:
        requests.post(f"{self.url}/control/settings", json=options, timeout=10).raise_for_status()

    def enter(self, address: str) -> None:
        """Make a sender known, as fast as we like."""
        requests.post(
            f"{self.url}/control/senders/{address}", json={"parts_per_second": 0}, timeout=10
        ).raise_for_status()

    def accepted(self) -> int:
        """How many messages it has taken since."""
        said = requests.get(f"{self.url}/control/received", params={"after": self._mark}, timeout=10).json()
        return int(said["accepted"])
