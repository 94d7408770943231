"""The digital twin: a floor that is simulated, under any way to pace it. The wizard forecasts with it, `python -m
scripts.bench pacing` judges with it. Pure but for the seed: the same seed gives the same day.

The set-up (docs/dialer.md): an answer takes gamma(4)-distributed seconds, 12 in the mean; a quarter of the other
attempts fails within 1 to 6 s, the rest ring 25 s; talks are log-normal, write-ups exponential; a citizen who finds
nobody within 2 s is abandoned.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from campaigns.pace.twin_days import HOUR, Change, Day, Plan
from campaigns.pace.twin_floor import TICK, Floor, Policy
from campaigns.pace.twin_policies import LOOK, ByHand
from campaigns.pacing import BY_HAND, Pacer

__all__ = ["LOOK", "Change", "Day", "Forecast", "Plan", "forecast", "simulate"]

MOST_OPERATORS = 50  # larger teams are forecast as so many, and multiplied
EVENTS = 25_000  # that a forecast may simulate: about a second and a half
BUSY = 0.85  # what a team is taken to be busy at most when its events are counted beforehand
SHORTEST, LONGEST, WARM_UP = 0.5, 8.0, 0.25  # hours; share of them that is not counted


def simulate(plan: Plan, policy: Policy, seed: int, changes: tuple[Change, ...] = ()) -> Day:
    """One day of this floor under this policy."""
    return Floor(plan, policy, seed, changes).run()


@dataclass(frozen=True)
class Forecast:
    """What a team may expect. `utilisation` of the operators' time, `abandoned_share` of the answered calls and
    `given_up_share` of the attempts are fractions; `wait_seconds`: an operator's mean wait between two talks."""

    conversations_per_hour: float
    attempts_per_hour: float
    utilisation: float
    abandoned_share: float
    given_up_share: float
    wait_seconds: float

    def hours_for(self, people: int, attempts_each: float = 1.0) -> float:
        """Hours of dialling until so many people were each called so often; infinite when nobody is called."""
        if people <= 0:
            return 0.0
        return people * attempts_each / self.attempts_per_hour if self.attempts_per_hour else float("inf")


NOTHING = Forecast(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@lru_cache(maxsize=256)
def forecast(
    plan: Plan, mode: str, abandon_limit: float = 0.01, ratio: float = 1.0, *, gives_up: bool = True,
    hours: float | None = None, seed: int = 1,
) -> Forecast:  # fmt: skip
    """What comes of this plan in this mode, within two seconds. `hours`: how long a day to simulate; by default as long
    as can be. Raises what Pacer raises."""
    pacer = Pacer(mode, abandon_limit, ratio, gives_up=gives_up)
    if plan.operators <= 0 or plan.answer_rate <= 0:
        return NOTHING
    team = min(plan.operators, MOST_OPERATORS)
    day_plan = replace(plan, operators=team, hours=hours or _hours(plan, team), people=None)
    day_plan = replace(day_plan, warm_up_hours=WARM_UP * day_plan.hours, lines=_share(plan.lines, team, plan.operators))
    day = simulate(day_plan, ByHand() if mode in BY_HAND else pacer, seed)
    per_hour = plan.operators / team * HOUR / day.seconds
    free = (1 - day.utilisation) * team * day.seconds
    return Forecast(
        day.conversations * per_hour, day.attempts * per_hour, day.utilisation, day.abandoned / max(day.answered, 1),
        day.given_up / max(day.attempts, 1), free / max(day.conversations, 1),
    )  # fmt: skip


def _hours(plan: Plan, team: int) -> float:
    """As long a day as EVENTS allow."""
    talks = team * BUSY * HOUR / (plan.talk_mean + plan.wrap_mean)
    events = 2 * talks + 2 * talks / min(plan.answer_rate, 1.0) + HOUR / TICK
    return min(max(EVENTS / events, SHORTEST), LONGEST)


def _share(lines: int, team: int, operators: int) -> int:
    """Of the carrier's lines, those of the part of the team that is simulated."""
    return max(1, lines * team // operators) if lines else 0
