"""Errors of weighted shares: the textbook's formulas where they hold, and what raking knows taken out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.weighting import raking, share_errors, variances
from surveys.weighting.intervals import lead_margin, wilson
from surveys.weighting.share_errors import Mass


def influence_of(chosen: list[int], options: int) -> tuple[np.ndarray, np.ndarray]:
    votes = np.eye(options)[chosen]
    shares = votes.mean(axis=0)
    return (votes - shares) / len(chosen), shares


def test_without_weights_the_variance_is_the_one_of_a_simple_sample() -> None:
    influence, shares = influence_of([0] * 46 + [1] * 44 + [2] * 10, 3)
    errors = share_errors.covariance(influence, Mass.of(np.ones(100)))
    assert np.diag(errors) == pytest.approx(shares * (1 - shares) / 99)


def test_the_difference_of_two_columns_has_franklins_margin() -> None:
    influence, _shares = influence_of([0] * 460 + [1] * 440 + [2] * 100, 3)
    errors = share_errors.covariance(influence, Mass.of(np.ones(1000)))
    variance = errors[0, 0] + errors[1, 1] - 2 * errors[0, 1]
    assert share_errors.margin_of(float(variance)) == pytest.approx(lead_margin(0.46, 0.44, 1000))


def test_weights_raked_to_what_is_asked_leave_no_error() -> None:
    chosen = [0] * 30 + [1] * 70
    influence, _shares = influence_of(chosen, 2)
    errors = share_errors.covariance(influence, Mass.of(np.ones(100)), [np.array(chosen)])
    assert errors == pytest.approx(np.zeros((2, 2)), abs=1e-20)


def test_margins_that_say_nothing_of_the_vote_take_nothing_away() -> None:
    influence, _shares = influence_of([0, 1] * 200, 2)
    margin = np.repeat([0, 1], 200)
    plain, raked = (share_errors.covariance(influence, Mass.of(np.ones(400)), margins) for margins in ((), [margin]))
    assert raked == pytest.approx(plain)


def test_two_margins_are_taken_out_together() -> None:
    """Against least squares with indicator columns, laid out."""
    random = np.random.default_rng(7)
    first, second = random.integers(0, 3, 500), random.integers(0, 4, 500)
    weights = random.uniform(0.5, 2, 500)
    value = first + 0.3 * second + random.normal(size=500)
    influence = (value - np.average(value, weights=weights))[:, None] / weights.sum()
    columns = np.hstack([np.eye(3)[first], np.eye(4)[second]])
    slopes = np.linalg.lstsq(columns, influence, rcond=None)[0]
    scores = weights * (influence - columns @ slopes)[:, 0]
    expected = np.sum((scores - scores.mean()) ** 2) * 500 / 499
    found = share_errors.covariance(influence, Mass.of(weights), [first, second])
    assert found[0, 0] == pytest.approx(expected, rel=1e-9)


def test_kishs_design_effect_is_one_plus_the_squared_spread() -> None:
    weights = np.array([0.5, 1.5, 0.5, 1.5])
    assert share_errors.kish(Mass.of(weights), np.ones(4)) == pytest.approx(1 + np.var(weights))
    assert share_errors.kish(Mass.of(np.ones(10)), np.ones(10)) == 1.0


@pytest.mark.parametrize("n", [0, 400])
def test_nobody_and_everybody_have_an_interval(n: int) -> None:
    found = share_errors.estimate(n, 400, n / 400, 0.0, otherwise=2.0)
    assert (found.low, found.high) == pytest.approx(wilson(n / 2, 200))
    assert found.high > found.low
    assert found.deff == 2.0


def test_a_design_effect_widens_the_interval_as_fewer_people_would() -> None:
    variance = 2 * 0.3 * 0.7 / 399
    found = share_errors.estimate(120, 400, 0.3, variance)
    assert found.deff == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx(wilson(60, 200))


def test_without_people_there_is_no_figure() -> None:
    found = share_errors.estimate(0, 0, math.nan, math.nan)
    assert all(map(math.isnan, (found.share, found.low, found.high)))
    assert np.isnan(share_errors.covariance(np.zeros((1, 2)), Mass.of(np.ones(1)))).all()


def test_plain_answers_have_the_errors_that_tables_print() -> None:
    """Raked weights, against surveys.weighting.variances (held to svy and R by its own tests)."""
    random = np.random.default_rng(11)
    sexes, votes = random.choice(["H", "M"], 900, p=[0.7, 0.3]), random.choice(["azul", "rojo", "none"], 900)
    weights = raking.rake({"sex": sexes}, raking.Targets((raking.Margin("sex", {"H": 0.48, "M": 0.52}),)))
    expected = variances.shares(votes, ["azul", "rojo", "none"], weights)
    answers = np.array([[vote == code for code in expected] for vote in votes], dtype=float)
    total = weights.values.sum()
    influence = (answers - weights.values @ answers / total) / total
    errors = share_errors.covariance(influence, Mass.of(weights.values), [(sexes == "M").astype(np.int64)])
    assert np.sqrt(np.diag(errors)) == pytest.approx([share.se for share in expected.values()], rel=1e-9)


@given(st.integers(2, 500), st.data())
def test_a_plain_sample_has_wilsons_interval(base: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, base))
    share = n / base
    found = share_errors.estimate(n, base, share, share * (1 - share) / (base - 1))
    assert (found.low, found.high) == pytest.approx(wilson(n, base), abs=1e-9)
