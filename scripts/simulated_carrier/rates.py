"""A rate limit that makes people wait in line instead of refusing them, as Twilio queues calls and messages."""

import asyncio
from collections.abc import Callable


class Rate:
    """`per_second` is asked at each turn, so it may change while people wait; 0 means no limit."""

    def __init__(self, per_second: Callable[[], float]) -> None:
        self._per_second = per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Return when it is this one's turn, in order of asking."""
        rate = self._per_second()
        if rate <= 0:
            return
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + 1 / rate
        if at > now:
            await asyncio.sleep(at - now)
