"""More interviews of those who are too few bring the margin down; the page says which."""

import numpy as np
import pytest

from surveys.weighting import weight_prospects
from surveys.weighting.intervals import margin
from surveys.weighting.raking import CannotWeigh, Margin, Targets, rake

SEXES = Margin("sex", {"H": 0.5, "M": 0.5})


def test_more_of_the_rare_help_and_more_of_the_frequent_hardly_do() -> None:
    sample = {"sex": ["H"] * 100 + ["M"] * 500}
    men, women = weight_prospects.of_levels(sample, Targets((SEXES,)))
    now = margin(rake(sample, Targets((SEXES,))).n_effective)
    assert (men.level, women.level) == ("H", "M")
    assert men.gain > 5 * women.gain > 0
    assert men.margin == pytest.approx(now - men.gain)


def test_a_forecast_is_what_raking_finds_then() -> None:
    dice = np.random.default_rng(1)
    sample = {"sex": np.array(["H"] * 100 + ["M"] * 300), "age": dice.choice(["young", "old"], 400)}
    targets = Targets((SEXES, Margin("age", {"young": 0.6, "old": 0.4})))
    men = next(one for one in weight_prospects.of_levels(sample, targets) if one.level == "H")
    twice = {name: np.concatenate([column, column[:100]]) for name, column in sample.items()}
    assert men.n_effective == pytest.approx(rake(twice, targets).n_effective, rel=1e-4)


def test_there_is_no_forecast_where_there_are_no_weights() -> None:
    with pytest.raises(CannotWeigh):
        weight_prospects.of_levels({"sex": ["H", "H"]}, Targets((SEXES,)))
