"""Whether a team has become much smaller than it was, told from its answers alone. Pure.

When half of a team leaves, those who rang for them find nobody, and the hour's earnings are still those of the larger
team: its abandonment is then held tighter (pace.pacing_budget) until the team is back or a shift is over.
"""

import math
from collections import deque

HOUR = 3600.0
LATELY = 900.0  # seconds; compared with as many of the rest of the hour
FEW, ROOTS = 0.7, 4.0  # of the answers expected lately; and by so many roots of them fewer, for it to be no chance
BACK = 0.85  # of what was expected then
PAUSE = 300.0  # seconds without an answer: somebody stopped the campaign, which tells nothing of the team
SHIFT = 4 * HOUR  # who left at noon is hardly back before the evening


class Team:
    """Hears answers; times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._earlier: deque[float] = deque()  # this hour's answers since the last pause, and of these
        self._lately: deque[float] = deque()  # the last ones
        self._since = -math.inf
        self._expected = 0.0  # when it shrank
        self._shrunk_until = -math.inf

    def answer(self, now: float) -> None:
        """A citizen picked up."""
        if not self._lately or now - self._lately[-1] > PAUSE:
            self._earlier.clear()
            self._lately.clear()
            self._since = now
        self._lately.append(now)
        while self._lately[0] < now - LATELY:
            self._earlier.append(self._lately.popleft())
        while self._earlier and self._earlier[0] < now - HOUR:
            self._earlier.popleft()
        self._judge(now)

    def has_shrunk(self, now: float) -> bool:
        """Is it much smaller than it was?"""
        return now < self._shrunk_until

    def _judge(self, now: float) -> None:
        if self.has_shrunk(now) and len(self._lately) >= BACK * self._expected:
            self._shrunk_until = -math.inf
        span = min(HOUR, now - self._since) - LATELY
        if span < LATELY:
            return
        expected = len(self._earlier) * LATELY / span
        if len(self._lately) < min(FEW * expected, expected - ROOTS * math.sqrt(expected)):
            self._expected = max(expected, self._expected if self.has_shrunk(now) else 0.0)
            self._shrunk_until = now + SHIFT
