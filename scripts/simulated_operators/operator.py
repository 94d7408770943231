"""One simulated operator: looks at the snapshot, does what a person at that screen would do, looks again."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scripts.simulated_operators.page import Addresses, Away, Page, Refusal, SignedOut

log = logging.getLogger(__name__)
HEARTBEAT = 3.0
FIRST_DELAY, LONGEST_DELAY = 0.5, 5.0
DO_NOT_CALL_SHARE = 0.04  # of those who do not take part
SKIP_SHARE = 0.05  # of the people whom an operator looks at
MACHINE_SECONDS = 2.0  # to know a machine by its greeting
Snapshot = dict[str, Any]


@dataclass
class Habits:
    """`think`: mean seconds an operator needs for a question and for writing up; people vary around it."""

    think: float = 3.0
    seed: int = 1


@dataclass
class Operator:
    """Works until told to stop, through every break of the connection. `on_card` hears of each call's first card."""

    username: str
    password: str
    addresses: Addresses
    habits: Habits
    on_card: Callable[[str], None] = lambda _: None
    calls: int = 0
    asked: int = 0
    _snapshot: Snapshot | None = None
    _seen: str = ""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._dice = random.Random(f"{self.habits.seed}/{self.username}")

    def stop(self) -> None:
        """Leave after the present call."""
        self._stopping = True
        self._news.set()

    async def work(self) -> None:
        """One shift after another until stopped: a broken connection ends a shift, not the work."""
        delay = FIRST_DELAY
        while not self._stopping:
            try:
                async with Page(self.addresses) as page:
                    await self._shift(page)
                delay = FIRST_DELAY
            except (Away, SignedOut, Refusal) as error:
                log.info("%s: %s; again in %.1f s", self.username, error or type(error).__name__, delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_DELAY)

    async def _shift(self, page: Page) -> None:
        await page.sign_in(self.username, self.password)
        self._take(await page.open_console())
        assert self._snapshot is not None
        topic = f"operator/{self._snapshot['operator']['id']}"
        tasks = [asyncio.create_task(work) for work in (self._listen(page, topic), self._beat(page), self._act(page))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, page: Page, topic: str) -> None:
        while True:
            with contextlib.suppress(Away):
                async for snapshot in page.news(topic):
                    self._take(snapshot)
            await asyncio.sleep(FIRST_DELAY)

    async def _beat(self, page: Page) -> None:
        """The page says that it lives, and notices news that the stream missed."""
        while True:
            now = await page.post("/console/seen")
            shown = self._snapshot
            if shown is None or now["call_id"] != _call_id(shown) or now["state"] != shown["operator"]["state"]:
                self._take(await page.get("/console/state"))
            await asyncio.sleep(HEARTBEAT)

    def _take(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        call = snapshot["call"]
        if call and call["state"] == "connected" and call["id"] != self._seen:
            self._seen = call["id"]
            self.on_card(call["id"])
        self._news.set()

    async def _act(self, page: Page) -> None:
        """Ends when the operator has left."""
        while True:
            self._news.clear()
            shown = self._snapshot
            assert shown is not None
            state, call = shown["operator"]["state"], shown["call"]
            try:
                if call and state in ("in_call", "wrap_up"):
                    await self._handle(page, call)
                elif state == "preview" and shown.get("preview") and not self._stopping:
                    await self._look(page, shown["preview"])
                elif self._stopping:
                    if state != "offline":
                        await page.post("/console/leave")
                    return
                elif state in ("offline", "paused"):
                    self._take(await page.post("/console/available"))
                else:
                    await self._news.wait()
            except Refusal as refusal:  # the world moved on while we thought: look again
                log.info("%s: %s", self.username, refusal)
                await asyncio.sleep(FIRST_DELAY)
                self._take(await page.get("/console/state"))

    async def _look(self, page: Page, preview: Snapshot) -> None:
        """Read the person's card, then call; now and then skip them."""
        if preview["call_id"] is not None:  # it rings
            await self._news.wait()
            return
        await self._think()
        if self._dice.random() < SKIP_SHARE:
            self._take(await page.post(f"/console/previews/{preview['id']}/skip", {"reason": "wrong_time"}))
        else:
            self._take(await page.post(f"/console/previews/{preview['id']}/call"))

    async def _handle(self, page: Page, call: Snapshot) -> None:
        outcome = await self._talk(page, call) if call["state"] == "connected" else None
        await self._think()
        # An outcome that the answers suggest is what the screen offers first.
        state = await page.get("/console/state")
        present = state["call"]
        if present is None or present["id"] != call["id"]:
            self._take(state)
            return
        code = outcome or present["suggested"] or "not_available"
        self._take(await page.post(f"/console/calls/{call['id']}/dispose", {"code": code}))
        self.calls += 1

    async def _talk(self, page: Page, call: Snapshot) -> str | None:
        """The conversation; returns the outcome when it is plain without a look at the answers."""
        heard = await page.hear(call["id"])
        if heard is None:
            return None
        if heard["is_machine"]:
            await self._think(MACHINE_SECONDS)
            return "voicemail"
        if call["script_url"] is None:
            await self._think(4 * self.habits.think)
            return "completed"
        await self._interview(page, call, heard["answers"])
        refuses = heard["answers"].get("consent") == "no"
        return "do_not_call" if refuses and self._dice.random() < DO_NOT_CALL_SHARE else None

    async def _interview(self, page: Page, call: Snapshot, answers: dict[str, str]) -> None:
        """Ask what the screen shows until it shows nothing more or the citizen is gone."""
        shown = await page.get(call["script_url"])
        while shown["question"] is not None and self._is_talking(call["id"]):
            question = shown["question"]
            if await page.hear(call["id"]) is None:
                return
            await self._think()
            given = answers.get(question["name"], "")
            value = given.split() if question["kind"] == "select_multiple" else given
            self.asked += 1
            shown = await page.post(
                shown["answers_url"],
                {"item": question["name"], "value": value, "key": f"{call['id']}:{question['name']}"},
            )
            if answers.get("consent") == "no" and question["name"] == "consent":
                return

    def _is_talking(self, call_id: str) -> bool:
        call = self._snapshot["call"] if self._snapshot else None
        return call is not None and call["id"] == call_id and call["state"] == "connected"

    async def _think(self, mean: float | None = None) -> None:
        await asyncio.sleep((self.habits.think if mean is None else mean) * self._dice.uniform(0.5, 1.5))


def _call_id(snapshot: Snapshot) -> str | None:
    return snapshot["call"]["id"] if snapshot["call"] else None
