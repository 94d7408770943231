"""Errors of weighted figures: published ones to every digit, svy's for ours, and no figure without its interval."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from surveys.weighting import linearised, variances
from surveys.weighting.intervals import margin, wilson
from surveys.weighting.raking import Margin, Targets, Weights, rake, unweighted

DATA = Path(__file__).parents[1] / "data"
SCHOOLS = {"E": 4421, "M": 1018, "H": 755}  # in California in 2000, of which apistrat is a sample
LEVELS = ["p", "q", "r", "nobody"]


def printed(value: float, digits: int) -> str:
    """As R prints: so many digits, no exponent."""
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{round(value):d}"


def test_a_stratified_sample_has_the_published_mean_and_total() -> None:
    schools = pl.read_csv(DATA / "apistrat.csv")
    sizes = np.array([SCHOOLS[kind] for kind in schools["stype"]], dtype=float)
    drawn = {kind: schools.filter(pl.col("stype") == kind).height for kind in SCHOOLS}
    weights = sizes / np.array([drawn[kind] for kind in schools["stype"]])
    score = variances.mean_total(schools["api00"], weights, strata=schools["stype"], population=sizes)
    assert (printed(score.mean, 5), printed(score.mean_se, 5)) == ("662.29", "9.4089")
    pupils = variances.mean_total(schools["enroll"], weights, strata=schools["stype"], population=sizes)
    assert (printed(pupils.total, 7), printed(pupils.total_se, 6)) == ("3687178", "114642")


def test_a_sample_of_clusters_has_the_published_mean_and_total() -> None:
    schools = pl.read_csv(DATA / "apiclus1.csv")
    weights, districts = np.full(schools.height, 33.847), np.full(schools.height, 757.0)
    score = variances.mean_total(schools["api00"], weights, psu=schools["dnum"], population=districts)
    assert (printed(score.mean, 5), printed(score.mean_se, 5)) == ("644.17", "23.542")
    weights = np.full(schools.height, 6194 / 183)
    pupils = variances.mean_total(schools["enroll"], weights, psu=schools["dnum"], population=districts)
    assert (printed(pupils.total, 7), printed(pupils.total_se, 6)) == ("3404940", "932235")


def test_a_design_effect_is_the_published_one() -> None:
    found = variances.mean_total([15, 143, 21, 51, 337, 50, 274, 145, 15, 86], np.full(10, 100.0), against="wor")
    assert (printed(found.mean, 4), printed(found.mean_se, 5), printed(found.deff, 5)) == ("113.7", "35.626", "1.0101")


@pytest.mark.parametrize(("count", "n", "low", "high"), [(81, 263, ".2553", ".3662"), (15, 148, ".0624", ".1605")])
def test_an_unweighted_interval_is_wilsons_published_one(count: int, n: int, low: str, high: str) -> None:
    codes = ["yes"] * count + ["no"] * (n - count)
    found = variances.shares(codes, ["yes", "no"], None)["yes"]
    assert (f"{found.low:.4f}"[1:], f"{found.high:.4f}"[1:]) == (low, high)
    assert found.deff == pytest.approx(1)


@pytest.mark.parametrize(("n", "points"), [(1_200, 2.829), (1_001, 3.1), (519, 4.3)])
def test_margins_of_published_polls_come_out(n: int, points: float) -> None:
    decimals = len(str(points).split(".")[1])
    assert round(100 * margin(n), decimals) == points


def sample(n: int = 500, seed: int = 5) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Two variables to rake, and a vote that goes with the first; one in eight says nothing."""
    dice = np.random.default_rng(seed)
    a, b = dice.choice(["a", "b"], n, p=[0.3, 0.7]), dice.choice(["x", "y", "z"], n, p=[0.2, 0.3, 0.5])
    vote = dice.choice(["p", "q", "r"], n)
    vote[a == "a"] = dice.choice(["p", "q"], (a == "a").sum(), p=[0.8, 0.2])
    vote[dice.random(n) < 0.125] = ""
    return {"a": a, "b": b}, vote


TARGETS = Targets((Margin("a", {"a": 0.5, "b": 0.5}), Margin("b", {"x": 0.4, "y": 0.3, "z": 0.3})))


def weighings(n: int, columns: dict[str, NDArray[Any]]) -> dict[str, Weights | NDArray[np.float64] | None]:
    uneven = np.random.default_rng(1).choice([0.5, 1.0, 2.5], n)
    out = rake(columns, TARGETS).values.copy()
    out[: n // 10] = 0.0
    return {
        "nobody weighed": None, "weights of unknown making": uneven, "raked": rake(columns, TARGETS),
        "raked from uneven ones": rake(columns, TARGETS, base=uneven), "capped": rake(columns, TARGETS, cap=1.9),
        "some left out": out,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["nobody weighed", "weights of unknown making", "raked", "raked from uneven ones",
                                  "capped", "some left out"])  # fmt: skip
def test_the_fast_way_gives_what_the_library_gives(kind: str) -> None:
    columns, vote = sample()
    weights = weighings(500, columns)[kind]
    values = weights.values if isinstance(weights, Weights) else np.ones(500) if weights is None else weights
    cells = weights.cells if isinstance(weights, Weights) else None
    theirs = variances.svy_shares(vote, LEVELS, values, cells=cells)
    places = np.array([LEVELS.index(code) if code else -1 for code in vote])
    ours = linearised.estimate(places, len(LEVELS), values, cells)
    assert np.allclose(ours.shares, theirs.shares, atol=1e-12)
    assert np.allclose(ours.errors(), theirs.errors(), atol=1e-12)
    assert (ours.base, ours.n.tolist()) == (theirs.base, theirs.n.tolist())


def test_raked_columns_may_be_told_beside_bare_numbers() -> None:
    columns, vote = sample()
    made = rake(columns, TARGETS)
    told = variances.shares(vote, LEVELS, made.values, margins=columns)
    known = variances.shares(vote, LEVELS, made)
    bare = variances.shares(vote, LEVELS, made.values)
    assert told["p"].se == pytest.approx(known["p"].se, abs=1e-12)
    assert known["p"].se < bare["p"].se  # the vote goes with a margin, which explains part of it


def test_what_nobody_chose_keeps_its_row_and_an_interval() -> None:
    columns, vote = sample()
    found = variances.shares(vote, LEVELS, rake(columns, TARGETS))
    assert list(found) == LEVELS
    nobody = found["nobody"]
    assert (nobody.n, nobody.share, nobody.low) == (0, 0.0, 0.0)
    assert 0 < nobody.high < 0.03


def test_what_everybody_chose_keeps_an_interval_too() -> None:
    found = variances.shares(["p"] * 50, ["p", "q"], None)["p"]
    assert (found.share, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(wilson(50, 50)[0])


def test_a_share_that_the_weights_were_made_to_meet_has_no_error() -> None:
    columns, _vote = sample()
    found = variances.shares(columns["a"], ["a", "b"], rake(columns, TARGETS))["a"]
    assert (found.se, found.deff) == (0.0, 0.0)
    assert found.low == found.share == found.high == pytest.approx(0.5, abs=1e-7)


def test_a_base_of_nobody_has_no_figures() -> None:
    found = variances.shares([None, None], ["p"], unweighted(2))["p"]
    assert found.n == 0
    assert np.isnan([found.share, found.se, found.low, found.high]).all()


def test_a_lead_has_an_error_of_its_own() -> None:
    codes = ["p"] * 460 + ["q"] * 440 + ["r"] * 100
    found = variances.contrast(codes, {"p": 1, "q": -1}, None)
    assert found.value == pytest.approx(0.02)
    assert f"{100 * found.margin:.2f}" == "5.88"  # and not 3.1, the margin of one share


def test_strata_take_what_lies_between_them_out_of_the_error() -> None:
    columns, vote = sample()
    plain = variances.shares(vote, LEVELS, None)
    stratified = variances.shares(vote, LEVELS, None, strata=columns["a"])
    assert stratified["p"].share == plain["p"].share
    assert stratified["p"].se < plain["p"].se


@pytest.mark.parametrize("kind", ["nobody weighed", "weights of unknown making", "some left out"])
def test_the_test_of_a_table_is_the_librarys(kind: str) -> None:
    from svy import Design, Sample, col

    columns, vote = sample()
    weights = weighings(500, columns)[kind]
    values = np.ones(500) if weights is None else weights
    assert isinstance(values, np.ndarray)
    found = variances.table_test(vote, columns["b"], weights)
    frame = pl.DataFrame({"vote": vote, "b": columns["b"], "w": values}).filter(pl.col("w") > 0)
    table = Sample(frame, Design(wgt="w")).categorical.tabulate("vote", "b", where=col("vote") != "")
    stats: Any = table.stats
    theirs = stats.f
    assert found.f == pytest.approx(theirs.value)
    assert found.df1 == pytest.approx(theirs.df_num)
    assert found.p == pytest.approx(theirs.p_value, rel=1e-3)


def test_a_vote_that_goes_with_a_variable_is_told_from_one_that_does_not() -> None:
    columns, vote = sample(2_000)
    assert variances.table_test(vote, columns["a"], None).p < 1e-6
    assert variances.table_test(vote, columns["b"], None).p > 0.01


def test_there_is_no_test_of_a_table_with_one_row() -> None:
    assert np.isnan(variances.table_test(["p", "p"], ["x", "y"], None).p)
    assert np.isnan(variances.table_test([], [], None).p)


def test_a_million_interviews_need_no_library() -> None:
    """The live page asks for shares at every look: it must not load what a worker may."""
    import subprocess
    import sys

    code = (
        "import sys; from surveys.weighting import variances; variances.shares(['p', 'q'], ['p', 'q'], None);"
        "raise SystemExit('svy' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
