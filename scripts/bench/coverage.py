"""How often the stated intervals hold the truth: polls of the demonstration's invented citizens, many times over."""

import numpy as np
from numpy.typing import NDArray

from scripts.bench import Figure
from scripts.simulated_carrier.citizens import CANDIDATES, VOTE, citizen
from surveys.analysis.response_frame import AGE_BANDS
from surveys.weighting import variances
from surveys.weighting.raking import Margin, Targets, Weights, rake

PEOPLE, ASKED = 60_000, 1_000
LEAST, MOST = 0.93, 0.97
OPTIONS = tuple(VOTE["U"])
# How readily people of each kind take part, beside what a poll can know of them; the vote has no say in it.
READY = {"H": 0.8, "M": 1.0, "X": 1.0, "18-29": 0.5, "30-44": 0.8, "45-59": 1.0, "60+": 1.3, "U": 1.0, "R": 0.7}
Codes = dict[str, NDArray[np.str_]]


def measure_coverage(repetitions: int, seed: int, *, citizens: int = PEOPLE) -> list[Figure]:
    """coverage_share: of `repetitions` polls of 1,000 citizens who take part unevenly, each raked to sex, age and kind
    of section: the share of 95 % intervals, of every answer (gross) and candidate (effective), that hold the truth.
    The target is 0.93 to 0.97; beside it the worst single figure, and what the same polls reach unweighted."""
    people = _population(citizens, seed)
    truth = {
        **_shares(people["vote"], OPTIONS, "gross"),
        **_shares(_effective(people["vote"]), CANDIDATES, "effective"),
    }
    targets = Targets(tuple(_margin(name, people[name]) for name in ("sex", "age_band", "section_kind")))
    ready = np.prod([[READY[code] for code in people[name]] for name in ("sex", "age_band", "section_kind")], axis=0)
    dice = np.random.default_rng(seed)
    weighted, plain = (np.zeros((repetitions, len(truth)), dtype=bool) for _each in range(2))
    values = np.array(list(truth.values()))
    for number in range(repetitions):
        drawn = dice.choice(len(ready), ASKED, p=ready / ready.sum())
        sample = {name: column[drawn] for name, column in people.items()}
        weighted[number] = _held(sample["vote"], rake(sample, targets), values)
        plain[number] = _held(sample["vote"], None, values)
    return [
        Figure("coverage_share", round(float(weighted.mean()), 4), f"of intervals ({LEAST:g} to {MOST:g})", LEAST),
        Figure("coverage_least", round(float(weighted.mean(axis=0).min()), 4), "of the worst figure's intervals"),
        Figure("coverage_unweighted", round(float(plain.mean()), 4), "of intervals without weights"),
    ]


def _population(citizens: int, seed: int) -> Codes:
    """Citizens who may vote: what a poll can know of them, and the vote that it asks."""
    people = [citizen(f"+5299{number:08}", seed) for number in range(citizens)]
    voters = [person for person in people if person.answers.get("registered", "yes") == "yes"]
    return {
        "sex": np.array([person.sex for person in voters]),
        "age_band": np.array([next(band for band, low, high in AGE_BANDS if low <= person.age <= high)
                              for person in voters]),
        "section_kind": np.array([person.section_kind for person in voters]),
        "vote": np.array([person.vote for person in voters]),
    }  # fmt: skip


def _margin(name: str, codes: NDArray[np.str_]) -> Margin:
    """The few who are neither man nor woman are weighted with women, as in the sample's margins."""
    joined = np.where(codes == "X", "M", codes)
    levels, counts = np.unique(joined, return_counts=True)
    shares = {str(level): float(count) / len(codes) for level, count in zip(levels, counts, strict=True)}
    return Margin(name, shares, {"M": ("M", "X")} if name == "sex" else {})


def _shares(codes: NDArray[np.str_], levels: tuple[str, ...], kind: str) -> dict[str, float]:
    base = np.count_nonzero(codes != "")
    return {f"{kind} {level}": float(np.count_nonzero(codes == level) / base) for level in levels}


def _effective(vote: NDArray[np.str_]) -> NDArray[np.str_]:
    """Who names no candidate is out of the base."""
    return np.where(np.isin(vote, CANDIDATES), vote, "")


def _held(vote: NDArray[np.str_], weights: Weights | None, truth: NDArray[np.float64]) -> NDArray[np.bool_]:
    gross = variances.shares(vote, OPTIONS, weights)
    effective = variances.shares(_effective(vote), CANDIDATES, weights)
    rows = [*gross.values(), *effective.values()]
    low, high = np.array([row.low for row in rows]), np.array([row.high for row in rows])
    return np.asarray((low <= truth) & (truth <= high))
