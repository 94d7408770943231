"""A national list through the product's own worker, while people read pages; beside what PostgreSQL alone takes."""

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select, text

from callcenter import imports
from callcenter.base import db, outbox
from callcenter.contacts import Contact
from callcenter.lists import import_preview
from scripts import embedded
from scripts.bench import Figure, messy_list, product
from scripts.bench.floor import p95
from scripts.bench.product import Product
from scripts.demo import LOGINS, PASSWORD
from scripts.simulated_operators.page import Addresses, Away, Page

ABOUT = "a messy national list from its start in the worker to its people, with pages read meanwhile"
FULL = {"rows": 5_570_000, "smaller": 1_475_000}
QUICK = {"rows": 200_000, "smaller": 0}
SEED = 1
PAGES = ("/contacts/", "/imports/", "/campaigns/")
PAUSE = 0.5  # seconds over each page
MEGABYTE = 1_048_576
PATIENCE = 1_200.0


class WrongOutcome(Exception):
    """The list did not come in as it must; the figures would mean nothing."""


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    figures = _measure_list(size["rows"], seed, "")
    if size.get("smaller") and size["smaller"] < size["rows"]:
        figures += _measure_list(size["smaller"], seed, f"_{size['smaller'] // 1000}k")
    return figures


def _measure_list(rows: int, seed: int, ending: str) -> list[Figure]:
    with product.running() as running:
        file = running.var / imports.UPLOADS / "0123456789abcdef0123456789abcdef"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        messy_list.write(file, rows, seed)
        _place_sections(running)
        raw = _raw_rate(running, rows, seed)
        with _reading(running) as pages, _watching(running) as memory:
            seconds, counts = _import(running, file)
    _check(counts, rows)
    rate = counts["rows"] / seconds
    return [
        Figure(f"import_rows_per_s{ending}", rate, "rows/s", 50_000, "bare COPY and INSERT … SELECT", rate / raw),
        Figure(f"import_ratio{ending}", rate / raw, "", 0.45),
        Figure(f"import_peak_mb{ending}", max(memory) / MEGABYTE, "MB", 1_500),
        Figure(f"page_p95_during_import_ms{ending}", p95(pages), "ms", 200),
        Figure(f"import_seconds{ending}", seconds, "s"),
    ]


def _check(counts: dict[str, Any], rows: int) -> None:
    accounted = counts["created"] + counts["updated"] + counts["unchanged"] + counts["duplicates"]
    if counts["rows"] != rows or accounted + sum(counts["rejected"].values()) != rows:
        raise WrongOutcome(f"{rows} rows became {counts}")


def _place_sections(running: Product) -> None:
    file = running.var / "sections.csv"
    file.write_text(messy_list.sections())
    running.flask("sections", "import", str(file))


def _import(running: Product, file: Path) -> tuple[float, dict[str, Any]]:
    """Seconds from the moment a person starts the list to the moment it is in, and its outcome."""
    places = embedded.make_places(running.var)
    db.connect(places.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    outbox.connect(places.redis_url)
    with db.open_session() as session:
        batch = imports.create(session, file, source="Lista nacional", file_name="lista.csv")
        import_preview.keep(session, batch.id)
        session.commit()
        begun = time.monotonic()
        imports.start(session, batch.id, batch.mapping, None, None)
        session.commit()
        while batch.state == "running" and time.monotonic() < begun + PATIENCE:
            time.sleep(0.1)
            batch = imports.get(session, batch.id)
            session.rollback()
        while session.scalar(text("SELECT count(*) FROM pg_prepared_xacts")):
            time.sleep(0.01)  # the other half is about to be in
        seconds = time.monotonic() - begun
        if batch.state != "done":
            raise WrongOutcome(f"the import is {batch.state}: {batch.error}")
        people = session.scalar(select(func.count()).where(Contact.import_id == batch.id))
        if people != batch.counts["created"]:
            raise WrongOutcome(f"{batch.counts['created']} people were created, and {people} are there")
        db.engine().dispose()
        return seconds, batch.counts


def _raw_rate(running: Product, rows: int, seed: int) -> float:
    """Rows a second of the same list, as texts, by COPY and an INSERT … SELECT into a table with a unique phone."""
    columns = [f"c{at}" for at in range(messy_list.HEADER.count("|") + 1)]
    phone = columns[messy_list.HEADER.split("|").index("CELULAR")]
    texts = ", ".join(f"{column} text" for column in columns)
    with psycopg.connect(embedded.make_places(running.var).database_url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE bare_stage ({texts})")
        connection.execute(f"CREATE TABLE bare ({texts})")
        connection.execute(f"CREATE UNIQUE INDEX ON bare ({phone})")
        seconds = 0.0
        for lines in messy_list.blocks(rows, seed):
            begun = time.monotonic()
            with connection.cursor().copy("COPY bare_stage FROM STDIN (FORMAT csv, DELIMITER '|')") as stream:
                stream.write(lines)
            seconds += time.monotonic() - begun
        begun = time.monotonic()
        connection.execute("INSERT INTO bare SELECT * FROM bare_stage ON CONFLICT DO NOTHING")
        seconds += time.monotonic() - begun
        connection.execute("DROP TABLE bare, bare_stage")
        connection.execute("CHECKPOINT")
    return rows / seconds


@contextlib.contextmanager
def _reading(running: Product) -> Iterator[list[float]]:
    """Somebody who is signed in reads pages meanwhile; the list fills with milliseconds."""
    milliseconds: list[float] = []
    stop = threading.Event()

    async def read() -> None:
        async with Page(Addresses(running.url, running.url, running.url)) as page:
            await page.sign_in(next(login.username for login in LOGINS if login.role == "administrator"), PASSWORD)
            for path in PAGES:
                await page.text(path)  # a first look fills caches; a person's second one is what is measured
            while not stop.is_set():
                for path in PAGES:
                    begun = time.monotonic()
                    with contextlib.suppress(Away):
                        await page.text(path)
                        milliseconds.append((time.monotonic() - begun) * 1000)
                    await asyncio.sleep(PAUSE)

    thread = threading.Thread(target=lambda: asyncio.run(read()), daemon=True)
    thread.start()
    try:
        yield milliseconds
    finally:
        stop.set()
        thread.join(timeout=30)


@contextlib.contextmanager
def _watching(running: Product) -> Iterator[list[int]]:
    """The most memory (bytes) that a process of the worker had, seen five times a second."""
    most: list[int] = [0]
    stop = threading.Event()
    roots = {number for name, number in running.pids().items() if "worker" in name or "bulk" in name}

    def watch() -> None:
        while not stop.wait(0.2):
            most[0] = max([most[0], *(_peak(number) for number in _with_children(roots))])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join(timeout=5)


def _with_children(roots: set[int]) -> set[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found = set(roots)
    while new := {number for number, parent in parents.items() if parent in found} - found:
        found |= new
    return found


def _peak(number: int) -> int:
    with contextlib.suppress(OSError):
        for line in io.StringIO(Path(f"/proc/{number}/status").read_text()):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
