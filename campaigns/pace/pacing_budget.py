"""The abandonment that a campaign may still afford, and what risk it therefore takes. Pure.

To date at most `limit` × answered may be abandoned (one more within the first hundred answers), and in any hour twice
that, at least one. Risk is about the limit itself, corrected by how the campaign's credit stands and has stood and by
its last hour: a controller with a proportional and an integral part. With room for hardly one more the campaign is
wary; without, it rests. Both are small risks, and far better than one phone for each operator; within the first hundred
answers rest is a tenth of that, for those who find nobody come together.

A risk is only as good as the odds that it is held against. When more were abandoned than rest can explain, the odds are
wrong about this campaign (talks of a few seconds, a stuck switch, whatever nobody thought of): then they are not
believed until the campaign has earned enough again, and after that never again beyond the limit.
"""

import math
from collections import deque

from campaigns.pace.pacing_team import HOUR, Team

FIRST = 100  # answers within which one more than the limit may be abandoned
HOURLY, HOURLY_MORE = 1.13, 0.6  # times what an hour earns, and so many more; the rule allows twice what it earns
SHRUNK_HOURLY = 0.85  # the same while a team is much smaller than it was: its hour has earned more than it now can
RESTING, RESTING_TEAM = 0.2, 10.0  # times the limit: the risk without room for one more; of larger teams less
RESTING_FIRST = 0.02  # the same within the first answers, of which the rule says most
TOGETHER, TOGETHER_MORE = 1.0, 0.06  # those who find nobody come together: so many more, and for each operator
HALF = 0.5  # of what an hour allows beyond one is never held back
KEPT, KEPT_MORE = 2.5, 0.5  # the credit held in hand: first, and for each root of what was earned
LEARNING = 0.05
LOWEST, HIGHEST = -2.0, 1.0  # of the integral part, a logarithm of risk over limit
GAIN, HOUR_GAIN = 0.3, 0.3
SETTLED = 60.0  # seconds of rest after which nobody rings any more who was called before it
TOO_MANY = 8  # abandoned after that, within one rest, end the belief in odds
EARNED = 8.0  # credit that gives it back
HELD = 4.0  # credit below which it ends when they have erred before: some who ring just then may find nobody, too
MOST_OVER = 5.0  # times the limit, and
MOST_RISK = 0.2


class Budget:
    """Counts answers and abandonments of one campaign. Times are seconds of any clock that only goes forward."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.answered = self.abandoned = 0
        self._lately: deque[tuple[float, bool]] = deque()
        self._lost_lately = 0
        self._team = Team()
        self._integral = 0.0
        self._is_believed, self._has_erred = True, False
        self._rests_since: float | None = None
        self._unexplained = 0  # abandoned in this rest

    @property
    def is_believed(self) -> bool:
        """Are the odds to be believed? Else one phone for each free operator is all that is safe."""
        return self._is_believed

    @property
    def credit(self) -> float:
        """Calls that may still be abandoned."""
        early = min(1.0, self.limit * (FIRST - self.answered)) if self.answered < FIRST else 0.0
        return self.limit * self.answered + early - self.abandoned

    def answer(self, now: float) -> None:
        """A citizen picked up."""
        self.answered += 1
        self._lately.append((now, False))
        self._team.answer(now)
        moved = self._integral + LEARNING * self.limit * self._surplus()
        self._integral = min(max(moved, LOWEST), HIGHEST)
        self._rest(now)
        self._is_believed = self._is_believed or self.credit >= EARNED

    def abandon(self, now: float) -> None:
        """They found nobody."""
        self.abandoned += 1
        self._lost_lately += 1
        self._lately.append((now, True))
        self._rest(now)
        self._unexplained += self._rests_since is not None and now - self._rests_since > SETTLED
        self._has_erred = self._has_erred or self._unexplained >= TOO_MANY
        if self._has_erred and self.credit < HELD:
            self._is_believed = False

    def has_room(self, now: float) -> bool:
        """May one more be abandoned, to date and within the hour?"""
        most, lost = self._hour(now)
        return self.credit >= 1.0 and most - lost >= 1.0

    def risk(self, now: float, operators: int) -> float:
        """The chance to find nobody that one more answer may have."""
        most, lost = self._hour(now)
        together = TOGETHER + TOGETHER_MORE * operators
        wary = max(_wary(self.credit, together), _wary(most - lost, min(together, HALF * (most - 1))))
        over = math.exp(self._integral + GAIN * self._surplus() + HOUR_GAIN * self._hour_surplus())
        bold = min(self.limit * min(over, MOST_OVER), MOST_RISK)
        share = RESTING_FIRST if self.answered < FIRST else RESTING
        resting = self.limit * share / max(operators / RESTING_TEAM, 1.0)
        return math.pow(bold, 1 - wary) * math.pow(resting, wary)

    def _rest(self, now: float) -> None:
        """Rest is while there is no room for one more."""
        if self.credit >= 1.0:
            self._rests_since, self._unexplained = None, 0
        elif self._rests_since is None:
            self._rests_since = now

    def _hour(self, now: float) -> tuple[float, int]:
        """(how many of the last hour may be abandoned, how many were)."""
        while self._lately and self._lately[0][0] < now - HOUR:
            self._lost_lately -= self._lately.popleft()[1]
        earned = self.limit * (len(self._lately) - self._lost_lately)
        most = SHRUNK_HOURLY * earned if self._team.has_shrunk(now) else HOURLY * earned + HOURLY_MORE
        return max(1.0, min(2 * earned, most)), self._lost_lately

    def _surplus(self) -> float:
        """Credit beyond what is held in hand, as a multiple of it."""
        kept = KEPT + KEPT_MORE * math.sqrt(self.limit * self.answered)
        return (self.credit - kept) / kept

    def _hour_surplus(self) -> float:
        """What the last hour lost less than it earned, in units of chance; nothing when it earned more."""
        earned = self.limit * (len(self._lately) - self._lost_lately)
        return min(0.0, (earned - self._lost_lately) / math.sqrt(earned + 1))


def _wary(room: float, together: float) -> float:
    """0.0 while there is room for as many as may be abandoned together, 1.0 without room for one."""
    if room < 1.0:
        return 1.0
    return max((1 + together - room) / together, 0.0) if together > 0 else 0.0
