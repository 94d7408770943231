"""Of the part `results`: all standard tables of a million interviews, and the results page while answers arrive."""

import asyncio
import json
import statistics
import time

from scripts.bench import Figure, product
from scripts.bench.floor import p95
from scripts.bench.product import DidNotStart
from scripts.bench.survey_load import RECIPE, responses
from scripts.demo import PASSWORD
from scripts.simulated_operators.page import Addresses, Away, Page
from surveys.analysis import tables
from surveys.weighting import weight_recipe

READER = "encuestas"


def measure_tables(people: int, seed: int) -> list[Figure]:
    """Raking over four margins, and every question by sex, age and kind of section with letters and tests."""
    found = responses(people, seed)
    begun = time.perf_counter()
    weights = weight_recipe.weigh(RECIPE, found)
    made = tables.standard(found, weights.values)
    took = time.perf_counter() - begun
    assert len(made) == len(found.items) - 1, "every question but the open one has its table"
    return [Figure("tables_1m_s", took, "s", target=6)]


def measure_page(people: int, seed: int, *, pages: int = 120, a_second: float = 20.0) -> list[Figure]:
    """Milliseconds of the results page over so many interviews, asked again and again while answers arrive."""
    with product.running() as running:
        survey = int(running.python("scripts.bench.survey_load", "fill", str(people), str(seed)))
        waits = asyncio.run(_read(running, survey, pages, a_second, seed))
    return [
        Figure("results_page_p95_ms", p95(waits), "ms", target=400),
        Figure("results_page_median_ms", statistics.median(waits), "ms"),
    ]


async def _first(page: Page, address: str) -> None:
    """The first page of a process reads every interview; on a busy machine a reader would press again."""
    for _ in range(12):
        try:
            await page.text(address)
        except Away:
            continue
        return
    raise DidNotStart("the page of results did not come")


async def _read(running: product.Product, survey: int, pages: int, a_second: float, seed: int) -> list[float]:
    note = json.loads((running.var / "processes.json").read_text())
    pause = 0.35  # so that most pages find what is kept older than two seconds, or some answers more
    seconds = pages * (pause + 0.2)
    arriving = asyncio.create_task(asyncio.to_thread(
        running.python, "scripts.bench.survey_load", "arrive", str(survey), str(seconds), str(a_second), str(seed)
    ))  # fmt: skip
    waits = []
    async with Page(Addresses(note["url"], note["live"], note["carrier"])) as page:
        await page.sign_in(READER, PASSWORD)
        await _first(page, f"/surveys/{survey}/results")
        for _ in range(pages):
            begun = time.perf_counter()
            await page.text(f"/surveys/{survey}/results")
            waits.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(pause)
    await arriving
    return waits
