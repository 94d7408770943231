"""What the pacing reaches on simulated floors: ours, without giving up, at a limit of 1 %, under shocks; other dialers'
documented ways and an oracle beside it. Utilisation and abandonment in percent, shares as fractions."""

from collections.abc import Mapping

from scripts.bench import Figure
from scripts.bench.pacing_trials import LIMIT, RATES, TEAMS, Results, Trial, ours, play, shaken

ABOUT = "operators kept talking and citizens abandoned, on simulated floors, by our pacing and by others'"
FULL = {"hours": 8, "seeds": 8}
QUICK = {"hours": 3, "seeds": 2}
SEED = 1
STRICT = 0.01
OTHERS = ("progressive", "vicidial", "omnidialer", "ratio", "oracle")
# The least utilisation that is asked, in percent, by rate and team: with giving up, and without.
LEAST = {0.30: (77, 82, 87, 93, 96), 0.15: (72, 80.5, 86.5, 92.5, 95.5)}
LEAST_KEPT = {0.30: (75, 80, 86, 92, 96), 0.15: (71, 79, 85, 91, 95)}
LESS_STRICT, LESS_STRICT_SMALL, SMALL = 4, 6, 10  # points that a limit of 1 % may cost; teams up to SMALL the second
MOST_GIVEN_UP, LEAST_TALKS, MOST_ABANDONED, MOST_AFTER = 0.20, 0.92, 3.05, 3.5


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:
    """`size`: hours of each day, seeds of each trial of ours; the rest half as many, other dialers an eighth."""
    seeds = size["seeds"]
    half, eighth = max(1, seeds // 2), max(1, seeds // 8)
    kept, strict, shocks = ours("kept"), ours("ours", STRICT), shaken()
    wanted = dict.fromkeys(ours(), seeds) | dict.fromkeys([*kept, *strict, *shocks], half)
    wanted |= dict.fromkeys([trial for way in OTHERS for trial in ours(way)], eighth)
    results = play(wanted, size["hours"], seed)
    return [
        *_utilisation(results, ours(), "", LEAST),
        *_rules(results, ours()),
        *_utilisation(results, kept, "_kept", LEAST_KEPT),
        *_utilisation(results, strict, "_limit1", _strict()),
        Figure("abandon_max_limit1", _percent(results.most(strict, "abandoned_share")), "%"),
        *_shocks(results, shocks),
        *[figure for way in OTHERS for figure in _other(results, ours(way))],
    ]


def _utilisation(
    results: Results, trials: list[Trial], suffix: str, least: Mapping[float, tuple[float, ...]]
) -> list[Figure]:
    return [
        Figure(f"utilisation{suffix}_{_where(trial)}", _percent(results.mean(trial, "utilisation")), "%",
               least[trial.rate][TEAMS.index(trial.operators)])
        for trial in trials
    ]  # fmt: skip


def _rules(results: Results, trials: list[Trial]) -> list[Figure]:
    """Over all of our days at once: the worst of each."""
    given_up = max(results.mean(trial, "given_up_share") for trial in trials)
    progressive = {
        rate: results.talks_per_attempt(Trial("progressive", team, rate) for team in TEAMS) for rate in RATES
    }  # fmt: skip
    ratio = min(results.talks_per_attempt([trial]) / progressive[trial.rate] for trial in trials)
    return [
        Figure("given_up_share", round(given_up, 3), "of attempts", MOST_GIVEN_UP),
        Figure("conversations_ratio", round(ratio, 3), "of progressive", LEAST_TALKS),
        Figure("abandon_max", _percent(results.most(trials, "abandoned_share")), "%", MOST_ABANDONED),
        Figure("abandon_worst_hour", _percent(results.most(trials, "worst_hour")), "%", 200 * LIMIT),
        Figure("over_to_date", round(results.most(trials, "over_to_date"), 2), "calls", 0.0),
        Figure("over_the_hour", round(results.most(trials, "over_the_hour"), 2), "calls", 0.0),
    ]


def _shocks(results: Results, trials: list[Trial]) -> list[Figure]:
    figures = []
    for trial in trials:
        name = f"{trial.shock}_n{trial.operators}"
        figures += [
            Figure(f"utilisation_{name}", _percent(results.mean(trial, "utilisation")), "%"),
            Figure(f"abandon_max_{name}", _percent(results.most([trial], "abandoned_share")), "%", MOST_ABANDONED),
            Figure(f"abandon_worst_hour_{name}", _percent(results.most([trial], "worst_after")), "%",
                   MOST_AFTER if trial.shock == "leave" else 200 * LIMIT),
        ]  # fmt: skip
    return figures


def _other(results: Results, trials: list[Trial]) -> list[Figure]:
    figures = []
    for trial in trials:
        name = f"{trial.way}_{_where(trial)}"
        figures += [
            Figure(f"{name}_utilisation", _percent(results.mean(trial, "utilisation")), "%"),
            Figure(f"{name}_abandoned", _percent(results.mean(trial, "abandoned_share")), "%"),
        ]
    return figures


def _strict() -> dict[float, tuple[float, ...]]:
    """What is asked at a limit of 1 %."""
    less = [LESS_STRICT_SMALL if team <= SMALL else LESS_STRICT for team in TEAMS]
    return {rate: tuple(asked - points for asked, points in zip(LEAST[rate], less, strict=True)) for rate in RATES}


def _where(trial: Trial) -> str:
    return f"p{round(100 * trial.rate)}_n{trial.operators}"


def _percent(share: float) -> float:
    return round(100 * share, 2)
