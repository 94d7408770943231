"""The abandonment that a campaign may still afford, and what risk it therefore takes. Pure.

Credit is `limit` × answered − abandoned, to date: never spent below nothing. Dialling takes on more while the chance
that one more answer finds nobody free is below `risk`; risk rises and falls with the credit (a controller with a
proportional and an integral part), so that abandonment settles at the limit and is spent where it buys most.
"""

import math
from collections import deque

HOUR = 3600.0
RESERVE = 0.5  # credit below which nothing is risked
FIRST_TARGET, PER_OPERATOR = 2.0, 0.12  # the credit kept in hand, for a team of none and for each operator more
SHARE_KEPT = 0.3  # of the credit that was ever earned, at most so much is kept in hand: a campaign must begin some time
LEARNING = 0.1
LOWEST, HIGHEST, FIRST = -8.0, 0.5, -3.5  # of the integral part, a logarithm of risk
MOST_RISK = 0.8


class Budget:
    """Counts answers and abandonments of one campaign. Times are seconds of any clock that only goes forward."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.answered = self.abandoned = 0
        self._lately: deque[tuple[float, bool]] = deque()
        self._lost_lately = 0
        self._integral = FIRST

    @property
    def credit(self) -> float:
        """Calls that may still be abandoned."""
        return self.limit * self.answered - self.abandoned

    def answer(self, now: float, operators: int) -> None:
        """A citizen picked up."""
        self.answered += 1
        self._lately.append((now, False))
        target = self._target(operators)
        step = LEARNING / (max(operators, 1) * target)
        self._integral = min(max(self._integral + step * (self.credit - target), LOWEST), HIGHEST)

    def abandon(self, now: float) -> None:
        """They found nobody."""
        self.abandoned += 1
        self._lost_lately += 1
        self._lately.append((now, True))

    def risk(self, now: float, operators: int) -> float:
        """The chance to find nobody that one more answer may have; 0.0 while there is nothing to spend."""
        if self.credit < RESERVE or self._hour_is_full(now):
            return 0.0
        target = self._target(operators)
        return min(math.exp(self._integral + (self.credit - target) / target), MOST_RISK)

    def _target(self, operators: int) -> float:
        wanted = FIRST_TARGET + PER_OPERATOR * operators
        return max(1.5, min(wanted, SHARE_KEPT * self.limit * self.answered))

    def _hour_is_full(self, now: float) -> bool:
        """Would one more be too many within sixty minutes, whatever the credit?"""
        while self._lately and self._lately[0][0] < now - HOUR:
            self._lost_lately -= self._lately.popleft()[1]
        answered = len(self._lately) - self._lost_lately
        return self._lost_lately + 1 > max(1.0, 2 * self.limit * answered)
