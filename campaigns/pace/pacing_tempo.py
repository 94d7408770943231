"""The clock by which a campaign is looked at. Pure.

Pacing looks about as far ahead as a telephone rings before it is answered, in steps that suit twelve seconds
(pace.pacing_estimates). Where answers come within a second or two and talks last seconds, every moment it looks at
would come after everything is over: whoever talks seems free by then, whatever rings seems answered long since. So a
campaign whose telephones are answered sooner has a finer clock; what it has shown is learnt anew when that changes.
"""

from collections import deque

from campaigns.pace.pacing_estimates import GRACE, Rings, Talks
from campaigns.pace.pacing_odds import Crowd, Odds

USUAL = 12.0  # seconds until an answer, in the mean, for which the estimates' steps and moments are made
FINEST = 1 / 16
PRIOR_WAITS, WAITED = 10.0, 1 / 100  # as many answers as USUAL is worth; what one answer weighs
OFF = 1.4  # the clock changes when the mean wait is off by this factor: hardly ever by chance alone
REMEMBERED = 3000  # observations that are learnt anew then: as many as weigh anything


class Tempo:
    """How telephones are answered and operators come free, at the campaign's own pace: `unit` seconds are one of the
    estimates'."""

    def __init__(self, rings: Rings | None = None, talks: Talks | None = None) -> None:
        """`rings`, `talks`: what is known from the start."""
        self.unit = 1.0
        self._heard: deque[tuple[str, float]] = deque(maxlen=REMEMBERED)
        self._waited, self._waits = PRIOR_WAITS * USUAL, PRIOR_WAITS
        self._begin(rings or Rings(), talks or Talks())

    def hear(self, kind: str, seconds: float) -> None:
        """`kind`: answered | not_answered | given_up | talk | wrap."""
        self._heard.append((kind, seconds))
        if kind == "answered":
            self._waited += seconds - WAITED * self._waited
            self._waits += 1 - WAITED * self._waits
        wanted = min(max(self._waited / self._waits / USUAL, FINEST), 1.0)
        if not 1 / OFF < wanted / self.unit < OFF:
            self.unit = wanted
            self._begin(Rings(), Talks(grace=GRACE / self.unit))
            for each in self._heard:
                self._learn(*each)
        else:
            self._learn(kind, seconds)

    def crowd(self, ringing: tuple[float, ...], talking: tuple[float, ...], wrapping: tuple[float, ...]) -> Crowd:
        """Who may be busy or answer. Seconds since each began."""
        return self._odds.crowd(self._own(ringing), self._own(talking), self._own(wrapping))

    def ring(self, seconds: float) -> list[float]:
        """The crowd's row for a telephone that has rung so long."""
        return self._odds.ring(seconds / self.unit)

    def _begin(self, rings: Rings, talks: Talks) -> None:
        self._rings, self._talks, self._odds = rings, talks, Odds(rings, talks)

    def _learn(self, kind: str, seconds: float) -> None:
        own = seconds / self.unit
        if kind in ("talk", "wrap"):
            if self._talks.feed(kind, own):
                self._odds.learn_talks(self._talks)
        elif self._rings.feed(own, answered=kind == "answered", given_up=kind == "given_up"):
            self._odds.learn_rings(self._rings)

    def _own(self, ages: tuple[float, ...]) -> tuple[float, ...]:
        return ages if self.unit == 1.0 else tuple(age / self.unit for age in ages)
