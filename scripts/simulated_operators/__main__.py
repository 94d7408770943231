"""python -m scripts.simulated_operators: while the flag `simulated_operators` is on, simulated operators work."""

import argparse
import asyncio
import logging
import signal
import sys
from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from callcenter.base import db, flags
from callcenter.base.settings import BadSettings, Settings, read_settings
from scripts.demo import FLOOR, PASSWORD
from scripts.simulated_operators.operator import Habits, Operator
from scripts.simulated_operators.page import Addresses, live_address

log = logging.getLogger(__name__)
FLAG = "simulated_operators"
POLL_SECONDS = 2.0
LEAVE_SECONDS = 1.5  # to say good-bye when the process must end


def addresses_of(settings: Settings) -> Addresses:
    live = live_address(settings.public_url, settings.live_port)
    return Addresses(settings.public_url, live, settings.twilio.base_url or "")


def is_on() -> bool | None:
    """The flag; None while the database does not answer."""
    try:
        with db.open_session() as session:
            return flags.is_on(session, FLAG)
    except DBAPIError:
        return None


class Floor:
    """The operators at work; none while the flag is off."""

    def __init__(self, addresses: Addresses, habits: Habits, count: int) -> None:
        self._addresses, self._habits, self._count = addresses, habits, count
        self._working: dict[asyncio.Task[None], Operator] = {}

    def open(self) -> None:
        """Bring the floor to life; nothing while somebody is there."""
        if self._working:
            return
        log.info("%d simulated operators begin", self._count)
        for login in FLOOR[: self._count]:
            operator = Operator(login.username, PASSWORD, self._addresses, self._habits)
            task = asyncio.create_task(operator.work())
            self._working[task] = operator
            task.add_done_callback(self._left)

    def _left(self, task: "asyncio.Task[None]") -> None:
        operator = self._working.pop(task)
        if not task.cancelled() and task.exception():
            log.error("%s stopped working", operator.username, exc_info=task.exception())

    def ask_to_leave(self) -> None:
        """Everybody leaves after their call."""
        for operator in self._working.values():
            operator.stop()

    async def close(self, seconds: float) -> None:
        """Everybody leaves, and is gone after `seconds`."""
        self.ask_to_leave()
        if self._working:
            _, late = await asyncio.wait(list(self._working), timeout=seconds)
            for task in late:
                task.cancel()


async def run(floor: Floor) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    while not stopping.is_set():
        wanted = await asyncio.to_thread(is_on)
        if wanted:
            floor.open()
        elif wanted is False:
            floor.ask_to_leave()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
    await floor.close(LEAVE_SECONDS)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.simulated_operators", description=__doc__)
    parser.add_argument("--count", type=int, default=5, help=f"how many, at most {len(FLOOR)} (default 5)")
    parser.add_argument("--think", type=float, default=3.0, help="mean seconds for a question (default 3)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    if not settings.is_drill:
        print("Simulated operators belong to drill mode: CONVOCA_CARRIER must be simulated.", file=sys.stderr)
        return 2
    db.connect(settings.database_url, pool_size=1)
    asyncio.run(run(Floor(addresses_of(settings), Habits(options.think, options.seed), options.count)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
