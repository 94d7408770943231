"""From the moment a citizen answers to the card on the operator's screen, with a whole floor at work on one machine."""

import asyncio
import statistics
import time
from collections.abc import Mapping

from scripts.bench import Figure, product
from scripts.bench.floor import Floor, floor_of, p95
from scripts.demo import LOGINS, PASSWORD
from scripts.simulated_operators.page import Away, Page

ABOUT = "citizen answers → the operator's screen shows the card; pages while the floor is busy"
# A question read aloud and answered takes a real operator five seconds and more.
FULL = {"operators": 20, "think_ms": 3000, "seconds": 300}
QUICK = {"operators": 20, "think_ms": 3000, "seconds": 60}
SEED = 1
WARM_UP = 8.0  # seconds in which everybody signs in
READERS = ("estrategia", "encuestas")
PAGES = {"estrategia": ("/campaigns/", "/segments/", "/contacts/"), "encuestas": ("/surveys/", "/surveys/1/results")}
PAUSE = 3.0  # seconds over each page, as a person would


class NothingMeasured(Exception):
    """Not one call reached an operator: the floor does not work, and there is nothing to say of its speed."""


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    with product.running() as running:
        floor = floor_of(running, size["operators"], size["think_ms"], seed=seed)
        pages: list[float] = []
        floor.run(WARM_UP + size["seconds"], lambda floor: _read_pages(floor, pages))
        cards = waits(floor)
    if not cards or not pages:
        raise NothingMeasured(f"{len(cards)} cards and {len(pages)} pages were seen")
    return [
        Figure("screen_p95_ms", p95(cards), "ms", target=300),
        Figure("screen_median_ms", statistics.median(cards), "ms"),
        Figure("screen_cards", len(cards), "cards"),
        Figure("page_busy_p95_ms", p95(pages), "ms"),
    ]


def waits(floor: Floor) -> list[float]:
    """Milliseconds from the carrier's first asking for an answer's TwiML to the card, a value a call."""
    answered: dict[str, float] = {}
    for entry in floor.journal():
        if entry["kind"] == "answer" and entry["id"]:
            answered.setdefault(entry["id"], entry["at"])
    return [(at - answered[call]) * 1000 for call, at in floor.cards.items() if call in answered]


async def _read_pages(floor: Floor, milliseconds: list[float]) -> None:
    """A strategist and a pollster look around meanwhile."""
    await asyncio.sleep(WARM_UP)
    await asyncio.gather(
        *(_read_as(login.username, floor, milliseconds) for login in LOGINS if login.username in READERS)
    )


async def _read_as(username: str, floor: Floor, milliseconds: list[float]) -> None:
    async with Page(floor.addresses) as page:
        await page.sign_in(username, PASSWORD)
        while True:
            for path in PAGES[username]:
                began = time.monotonic()
                try:
                    await page.text(path)
                except Away:
                    continue
                milliseconds.append((time.monotonic() - began) * 1000)
                await asyncio.sleep(PAUSE)
