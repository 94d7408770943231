"""What `bench pacing` simulates: each trial is one floor under one way to pace it, played with several seeds."""

import random
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from os import cpu_count

from campaigns.pace.twin_days import HOUR, Change, Plan
from campaigns.pace.twin_floor import Policy
from campaigns.pace.twin_policies import Formula, HardLimit, Oracle, Ratio
from campaigns.pacing import Pacer
from campaigns.twin import simulate

TEAMS, RATES = (5, 10, 20, 50, 100), (0.30, 0.15)
SHAKEN = (20, 50)  # teams that are shocked
SHORT_TALKS = (0.4, 20.0)  # share and mean of the second kind, where talks are of two kinds
LIMIT = 0.03


@dataclass(frozen=True)
class Trial:
    """`way`: ours | kept (nothing is given up) | oracle | progressive | vicidial | omnidialer | ratio; `shock`: what
    happens at a minute drawn from the seed."""

    way: str
    operators: int
    rate: float
    limit: float = LIMIT
    shock: str | None = None


@dataclass(frozen=True)
class Run:
    """What came of one trial with one seed. Shares are fractions; `over_to_date`, `over_the_hour`: calls beyond the two
    rules at worst; `worst_hour`, `worst_after`: of any sixty minutes, and of those that begin after the shock."""

    utilisation: float
    abandoned_share: float
    given_up_share: float
    attempts: int
    conversations: int
    worst_hour: float
    worst_after: float
    over_to_date: float
    over_the_hour: float


@dataclass
class Results:
    """Runs by trial."""

    runs: dict[Trial, list[Run]] = field(default_factory=dict)

    def mean(self, trial: Trial, what: str) -> float:
        values: list[float] = [getattr(run, what) for run in self.runs[trial]]
        return sum(values) / len(values)

    def talks_per_attempt(self, trials: Iterable[Trial]) -> float:
        """Of all their runs together."""
        runs = [run for trial in trials for run in self.runs[trial]]
        return sum(run.conversations for run in runs) / max(sum(run.attempts for run in runs), 1)

    def most(self, trials: Iterable[Trial], what: str) -> float:
        values: list[float] = [getattr(run, what) for trial in trials for run in self.runs[trial]]
        return max(values)


def ours(way: str = "ours", limit: float = LIMIT) -> list[Trial]:
    """Each team at each rate."""
    return [Trial(way, team, rate, limit) for rate in RATES for team in TEAMS]


def shaken() -> list[Trial]:
    """The rate halves or doubles, talks are of two kinds, half of the team leaves."""
    shocks = (("halves", 0.30), ("doubles", 0.15), ("bimodal", 0.30), ("leave", 0.30))
    return [Trial("ours", team, rate, shock=shock) for shock, rate in shocks for team in SHAKEN]


def play(wanted: Mapping[Trial, int], hours: float, seed: int) -> Results:
    """Every trial with so many seeds from `seed` on, on all processors; the longest first."""
    jobs = [(trial, hours, seed + number) for trial, seeds in wanted.items() for number in range(seeds)]
    jobs.sort(key=lambda job: job[0].operators / job[0].rate, reverse=True)
    results = Results({trial: [] for trial in wanted})
    with ProcessPoolExecutor(cpu_count(), mp_context=get_context("spawn")) as pool:
        for (trial, _, _), run in zip(jobs, pool.map(_play, jobs), strict=True):
            results.runs[trial].append(run)
    return results


def _play(job: tuple[Trial, float, int]) -> Run:
    trial, hours, seed = job
    plan = Plan(trial.operators, trial.rate, hours=hours, warm_up_hours=min(0.5, hours / 4))
    plan, changes = _shocked(plan, trial.shock, seed)
    day = simulate(plan, _policy(trial, plan), seed, changes)
    after = changes[0].at if changes else 0.0
    return Run(
        day.utilisation, day.abandoned_share, day.given_up / max(day.attempts, 1), day.attempts, day.conversations,
        day.worst_hour(), day.worst_hour(after), day.over_to_date(trial.limit), day.over_the_hour(trial.limit),
    )  # fmt: skip


def _shocked(plan: Plan, shock: str | None, seed: int) -> tuple[Plan, tuple[Change, ...]]:
    """The plan of the morning, and what happens in the middle third of the day."""
    at = random.Random(seed).uniform(plan.hours / 3, plan.hours * 2 / 3) * HOUR
    if shock == "halves":
        return plan, (Change(at, replace(plan, answer_rate=plan.answer_rate / 2)),)
    if shock == "doubles":
        return plan, (Change(at, replace(plan, answer_rate=plan.answer_rate * 2)),)
    if shock == "leave":
        return plan, (Change(at, replace(plan, operators=plan.operators // 2)),)
    return (replace(plan, second_talk=SHORT_TALKS) if shock == "bimodal" else plan), ()


def _policy(trial: Trial, plan: Plan) -> Policy:
    match trial.way:
        case "oracle":
            return Oracle(plan, trial.limit)
        case "progressive":
            return Pacer("progressive")
        case "vicidial":
            return HardLimit(trial.limit)
        case "omnidialer":
            return Formula(trial.limit)
        case "ratio":
            return Ratio(1.5)
        case _:
            return Pacer("predictive", trial.limit, gives_up=trial.way == "ours")
