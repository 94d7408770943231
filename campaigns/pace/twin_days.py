"""What a simulated day is given (Plan, Change) and what came of it (Day). Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HOUR = 3600.0
FIRST = 100  # answers within which one more than the limit may be abandoned
LEAST = 30  # answers without which an hour has no share


@dataclass(frozen=True)
class Plan:
    """A day on a floor. Times in seconds but for `hours` and `warm_up_hours`, which is not counted. `talk_cv`: standard
    deviation over mean; `second_talk`: share and mean of a second kind of talks, exponential; `answer_mean`: of an
    answer, other ends of a ring in proportion; `people`: how many there are to call, once each."""

    operators: int
    answer_rate: float
    hours: float = 8.0
    warm_up_hours: float = 0.5
    talk_mean: float = 120.0
    talk_cv: float = 0.9
    second_talk: tuple[float, float] | None = None
    wrap_mean: float = 15.0
    answer_mean: float = 12.0
    lines: int = 1_000_000
    people: int | None = None

    @property
    def talk(self) -> tuple[float, float]:
        """(mu, sigma) of the log-normal talks."""
        spread = math.sqrt(math.log(1 + self.talk_cv**2))
        return math.log(self.talk_mean) - spread**2 / 2, spread


@dataclass(frozen=True)
class Change:
    """From `at` (seconds) on the day goes on under another plan; operators who are too many leave as they come free."""

    at: float
    plan: Plan


@dataclass(frozen=True)
class Day:
    """What came of it after the warm-up. `utilisation`: talk and write-up in the operators' time, a fraction; `told`:
    (second, was it an abandonment?) for each answer and each abandonment of the whole day, warm-up included."""

    utilisation: float
    attempts: int
    answered: int
    conversations: int
    abandoned: int
    given_up: int
    told: tuple[tuple[float, bool], ...]
    seconds: float

    @property
    def abandoned_share(self) -> float:
        """Of the whole day, warm-up included."""
        lost = sum(was_lost for _, was_lost in self.told)
        return lost / max(len(self.told) - lost, 1)

    def worst_hour(self, since: float = 0.0) -> float:
        """The largest abandoned share of sixty minutes that begin at `since` or later, with LEAST answers or more."""
        told = [each for each in self.told if each[0] >= since]
        whole = [(answered, lost) for at, answered, lost in hours(told) if at >= since + HOUR or since == 0.0]
        return max((lost / answered for answered, lost in whole if answered >= LEAST), default=0.0)

    def over_to_date(self, limit: float) -> float:
        """How many more than `limit` x answered were abandoned at worst; 0.0 when the rule always held."""
        worst, answered, lost = 0.0, 0, 0
        for _, was_lost in self.told:
            answered, lost = answered + (not was_lost), lost + was_lost
            worst = max(worst, lost - limit * answered - (answered <= FIRST))
        return worst

    def over_the_hour(self, limit: float) -> float:
        """The same for the rule of any sixty minutes: at most twice the limit, or one."""
        return max([0.0, *(lost - max(1.0, 2 * limit * answered) for _, answered, lost in hours(self.told))])


def hours(told: Sequence[tuple[float, bool]]) -> Iterator[tuple[float, int, int]]:
    """(its last second, answered, abandoned) of the sixty minutes that end with each abandonment."""
    first, answered, lost = 0, 0, 0
    for at, was_lost in told:
        answered, lost = answered + (not was_lost), lost + was_lost
        while told[first][0] < at - HOUR:
            answered, lost = answered - (not told[first][1]), lost - told[first][1]
            first += 1
        if was_lost:
            yield at, answered, lost
