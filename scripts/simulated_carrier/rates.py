"""Rate limits: one makes people wait in line, as Twilio queues calls; the other refuses who comes too often."""

import asyncio
import time
from collections.abc import Callable


class Rate:
    """`per_second` is asked at each turn, so it may change while people wait; 0 means no limit."""

    def __init__(self, per_second: Callable[[], float]) -> None:
        self._per_second = per_second
        self._next = 0.0

    def reserve(self) -> float:
        """Seconds until it is this one's turn, in order of asking."""
        rate = self._per_second()
        if rate <= 0:
            return 0.0
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + 1 / rate
        return at - now

    @property
    def waiting(self) -> float:
        """Seconds that the next one would wait."""
        return max(self._next - asyncio.get_running_loop().time(), 0.0)


class Allowance:
    """So many a second, a second's worth of them at once; 0 means no limit."""

    def __init__(self, per_second: Callable[[], float]) -> None:
        self._per_second = per_second
        self._left, self._at = 0.0, 0.0

    def take(self) -> bool:
        """May one more pass now?"""
        rate, now = self._per_second(), time.monotonic()
        if rate <= 0:
            return True
        self._left, self._at = min(self._left + (now - self._at) * rate, max(rate, 1.0)), now
        if self._left < 1:
            return False
        self._left -= 1
        return True
