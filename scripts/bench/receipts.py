"""A thousand callbacks a second, signed, three for each message, while people look at pages."""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from callcenter.base import db
from scripts.bench import Figure, message_stage, product, receipt_load
from scripts.bench.chaos import children
from scripts.bench.floor import p95
from scripts.bench.product import Product
from scripts.bench.receipt_load import STATUSES, Load
from scripts.demo import PASSWORD
from scripts.simulated_operators.page import Addresses, Away, Page

ABOUT = "signed callbacks at a steady rate: refused, lost, and how long pages take meanwhile"
FULL = {"recipients": 100_000, "rate": 1_000}
QUICK = {"recipients": 6_000, "rate": 1_000}
SEED = 1
BURST = 6_000  # messages, whose callbacks come as fast as they are answered
PAUSE = 0.25  # seconds over each page
# Messages as a campaign leaves them: the provider has them, nobody has confirmed them yet.
_MESSAGES = """
    WITH made AS (
        INSERT INTO messages (id, campaign_id, contact_id, phone, state, body, parts, provider_ref, sent_at, news_at)
        SELECT one.id, :campaign, person, phone, 'accepted', 'x', 1, 'SM' || replace(CAST(one.id AS text), '-', ''),
            now(), now() + interval '1 hour'
        FROM (SELECT gen_random_uuid() AS id, id AS person, phone FROM contacts WHERE source = 'bench') one
        RETURNING id, contact_id, phone
    )
    INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at)
    SELECT id, 'sms', 'survey', contact_id, phone, now(), now(), now() + interval '72 hours' FROM made
"""


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    with product.running(env=product.SIGNED, seconds=180) as running, message_stage.beside(running):
        ids = _stage(size["recipients"] + BURST)
        steady, burst = ids[: size["recipients"]], ids[size["recipients"] :]
        campaign_id = _campaign_of(ids[0])
        before = _cpu(running)
        load, pages = asyncio.run(_both(running, campaign_id, steady, size["rate"], seed))
        spent = _cpu(running) - before
        fastest = asyncio.run(_as_fast(running, burst, seed))
        lost = len(ids) * len(STATUSES) - _kept()
        not_moved = _not_delivered()
    refused = sum(number for status, number in (load.answers + fastest.answers).items() if status != 204)
    return [
        Figure("callbacks_per_s", load.answers[204] / load.seconds, "callbacks/s", target=size["rate"]),
        Figure("callbacks_lost", lost + not_moved, "callbacks", target=0),
        Figure("callbacks_refused", refused, "callbacks", target=0),
        Figure("page_p95_ms", p95(pages), "ms", target=200),
        Figure("callback_p95_ms", p95(load.milliseconds), "ms"),
        Figure("callback_cpu_ms", 1000 * spent / (len(steady) * len(STATUSES)), "ms of web and PostgreSQL, pages too"),
        Figure("pages_read", len(pages), "pages"),
        Figure("burst_per_s", fastest.answers[204] / fastest.seconds, "callbacks/s"),
    ]


def _stage(recipients: int) -> list[UUID]:
    """The ids of so many messages that wait for their receipts."""
    message_stage.people(recipients)
    campaign_id = message_stage.campaign("Receipts")
    with db.engine().begin() as connection:
        connection.execute(text(_MESSAGES), {"campaign": campaign_id})
        connection.execute(
            text("UPDATE message_campaigns SET state = 'finished', launched_at = now(), planned_at = now(),"
                 " finished_at = now() WHERE id = :id"), {"id": campaign_id}
        )  # fmt: skip
        ids = connection.scalars(text("SELECT id FROM messages WHERE campaign_id = :id"), {"id": campaign_id}).all()
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) messages, attempts"))
    return list(ids)


def _campaign_of(message_id: UUID) -> int:
    with db.engine().connect() as connection:
        found = connection.scalar(text("SELECT campaign_id FROM messages WHERE id = :id"), {"id": message_id})
    return int(found or 0)


def _cpu(running: Product) -> float:
    """Seconds of processor time that web and PostgreSQL have used until now, with the processes that they ended."""
    ticks = 0
    for part in ("web", "postgres"):
        pid = running.pids()[part]
        for one in (pid, *children(pid)):
            with suppress(FileNotFoundError):
                used = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, used[11:15] if one == pid else used[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def _both(running: Product, campaign_id: int, ids: list[UUID], rate: int, seed: int) -> tuple[Load, list[float]]:
    """The callbacks, and a strategist who reads pages meanwhile."""
    pages: list[float] = []
    reading = asyncio.create_task(_read(running, campaign_id, pages))
    load = await receipt_load.send(running.url, product.TOKEN, receipt_load.bursts(ids, seed), rate)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    return load, pages


async def _as_fast(running: Product, ids: list[UUID], seed: int) -> Load:
    return await receipt_load.send(running.url, product.TOKEN, receipt_load.bursts(ids, seed), 100_000)


async def _read(running: Product, campaign_id: int, milliseconds: list[float]) -> None:
    note = json.loads((running.var / "processes.json").read_text())
    async with Page(Addresses(note["url"], note["live"], note["carrier"])) as page:
        await page.sign_in("estrategia", PASSWORD)
        while True:
            for path in ("/campaigns/", f"/campaigns/messages/{campaign_id}", "/contacts/", "/segments/"):
                began = time.monotonic()
                with suppress(Away):
                    await page.text(path)
                milliseconds.append((time.monotonic() - began) * 1000)
                await asyncio.sleep(PAUSE)


def _kept() -> int:
    with db.engine().connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM message_receipts")) or 0)


def _not_delivered() -> int:
    """Messages of which a `delivered` was told and that the ledger has in another state."""
    query = "SELECT count(*) FROM messages JOIN contacts c ON c.id = contact_id WHERE c.source = 'bench'" \
            " AND messages.state <> 'delivered'"  # fmt: skip
    with db.engine().connect() as connection:
        return int(connection.scalar(text(query)) or 0)
