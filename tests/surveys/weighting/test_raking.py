"""Weights meet their margins exactly, stay below their cap, or say which level keeps them from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from surveys.weighting.raking import CannotWeigh, Margin, Targets, Weights, post_stratify, rake, unweighted

SEXES = Margin("sex", {"H": 0.48, "M": 0.52}, {"M": ("M", "X")})
AGES = Margin("age", {"young": 0.2, "middle": 0.45, "old": 0.35})
BOTH = Targets((SEXES, AGES))
SHARES: Any = {"sex": dict(SEXES.shares), "age": dict(AGES.shares)}  # as svy wants them
KISH_ROUNDING = 1e-9
CAP = 2.8  # young men would need more


def people(n: int = 600, seed: int = 1) -> dict[str, NDArray[Any]]:
    """A skewed sample: many women, few young people."""
    dice = np.random.default_rng(seed)
    return {
        "sex": dice.choice(["H", "M", "X"], n, p=[0.35, 0.63, 0.02]),
        "age": dice.choice(["young", "middle", "old"], n, p=[0.1, 0.4, 0.5]),
    }


def share(weights: Weights, is_in: NDArray[np.bool_]) -> float:
    return float(weights.values[is_in].sum() / weights.values.sum())


def test_every_margin_is_met_and_weights_have_mean_one() -> None:
    sample = people()
    weights = rake(sample, BOTH)
    assert weights.values.mean() == pytest.approx(1)
    assert share(weights, sample["sex"] == "H") == pytest.approx(0.48, abs=1e-8)
    assert share(weights, sample["age"] == "young") == pytest.approx(0.2, abs=1e-8)
    assert weights.n_effective == pytest.approx(600 / weights.deff)
    assert {(fit.variable, fit.level) for fit in weights.fits} == {
        ("sex", "H"), ("sex", "M"), ("age", "young"), ("age", "middle"), ("age", "old")
    }  # fmt: skip
    assert sum(fit.n for fit in weights.fits if fit.variable == "sex") == 600


def test_the_table_of_the_reference_page_comes_out_to_every_printed_digit() -> None:
    seed = np.array([[40, 30, 20, 10], [35, 50, 100, 75], [30, 80, 70, 120], [20, 30, 40, 50]], dtype=float)
    cells = {"row": np.repeat(list("abcd"), 4), "column": np.tile(list("abcd"), 4)}
    targets = Targets((
        Margin("row", dict(zip("abcd", (0.15, 0.30, 0.40, 0.15), strict=True))),
        Margin("column", dict(zip("abcd", (0.2, 0.3, 0.4, 0.1), strict=True))),
    ))  # fmt: skip
    table = rake(cells, targets, base=seed.ravel()).values.reshape(4, 4) * 1000 / 16
    assert [f"{value:.2f}" for value in table[0]] == ["64.56", "46.23", "35.38", "3.82"]
    assert [f"{value:.2f}" for value in table[2]] == ["56.72", "144.43", "145.08", "53.77"]


def test_our_weights_are_those_of_the_library() -> None:
    from svy import Design, Sample

    sample = people(2_000, seed=7)
    joined = np.where(sample["sex"] == "X", "M", sample["sex"])
    base = np.random.default_rng(2).choice([0.5, 1.0, 3.0], 2_000)
    frame = pl.DataFrame({"sex": joined, "age": sample["age"], "w": base})
    theirs: Any = Sample(frame, Design(wgt="w")).weighting.rake(shares=SHARES, tol=1e-10)
    values = theirs.data["rk_wgt"].to_numpy()
    ours = rake(sample, BOTH, base=base, tolerance=1e-12).values
    assert np.abs(ours - values / values.mean()).max() < 1e-7


def test_a_capped_weight_stays_below_the_cap_and_margins_still_hold() -> None:
    sample = people()
    free, capped = rake(sample, BOTH), rake(sample, BOTH, cap=CAP)
    assert free.values.max() > CAP
    assert capped.values.max() <= CAP + 1e-6
    assert capped.capped == int((capped.values > CAP - 1e-6).sum()) > 0
    assert max(abs(fit.after - fit.target) for fit in capped.fits) < 1e-7
    assert capped.deff < free.deff


def test_capped_weights_are_no_farther_from_the_base_than_the_librarys() -> None:
    from svy import Design, Sample, TrimConfig

    sample = people(3_000, seed=3)
    joined = np.where(sample["sex"] == "X", "M", sample["sex"])
    frame = pl.DataFrame({"sex": joined, "age": sample["age"], "w": np.ones(3_000)})
    theirs: Any = Sample(frame, Design(wgt="w")).weighting.rake(
        shares=SHARES, tol=1e-9,
        trimming=TrimConfig(upper=CAP, redistribute=False, max_iter=500),
    )  # fmt: skip
    values, ours = theirs.data["rk_wgt"].to_numpy(), rake(sample, BOTH, cap=CAP)

    def distance(weights: NDArray[np.float64]) -> float:
        return float(np.sum(weights * np.log(weights)))

    assert values.max() < CAP + 1e-3
    assert distance(ours.values) <= distance(values) + 1e-3
    assert ours.deff == pytest.approx(theirs_deff(values), abs=0.01)


def theirs_deff(values: NDArray[np.float64]) -> float:
    return float(len(values) * np.sum(values**2) / values.sum() ** 2)


def test_crossed_variables_are_met_by_joint_cells() -> None:
    sample = people()
    joint = {f"{sex}*{age}": a * b for sex, a in (("H", 0.48), ("M", 0.52))
             for age, b in AGES.shares.items()}  # fmt: skip
    includes = {f"M*{age}": (f"M*{age}", f"X*{age}") for age in AGES.shares}
    weights = post_stratify(sample, Margin("sex*age", joint, includes))
    young_men = (sample["sex"] == "H") & (sample["age"] == "young")
    assert share(weights, young_men) == pytest.approx(0.48 * 0.2, abs=1e-8)
    assert weights.sweeps == 1


def test_people_without_a_value_keep_their_share_where_that_was_chosen() -> None:
    sample: dict[str, list[str | None]] = {name: list(column) for name, column in people().items()}
    sample["age"][:60] = [None] * 50 + [""] * 10
    weights = rake(sample, Targets((SEXES, AGES), keep_missing=True))
    assert weights.values[:60].sum() == pytest.approx(60)
    (without,) = [fit for fit in weights.fits if not fit.level]
    assert (without.variable, without.n) == ("age", 60)
    assert without.target == pytest.approx(0.1)


def test_everybody_counts_once_without_targets() -> None:
    weights = unweighted(40)
    assert (weights.deff, weights.n_effective, weights.n) == (1, 40, 40)


def test_enums_text_and_lists_say_the_same() -> None:
    sample = people()
    enums = {"sex": pl.Series(sample["sex"]).cast(pl.Enum(["X", "M", "H"])),
             "age": pl.Series(sample["age"]).cast(pl.Enum(["old", "young", "middle"]))}  # fmt: skip
    lists = {name: column.tolist() for name, column in sample.items()}
    expected = rake(sample, BOTH).values
    assert np.array_equal(rake(enums, BOTH).values, expected)
    assert np.array_equal(rake(lists, BOTH).values, expected)


def refused(columns: Mapping[str, Sequence[Any] | NDArray[Any]], *margins: Margin, **options: Any) -> dict[str, str]:
    with pytest.raises(CannotWeigh) as refusal:
        rake(columns, Targets(margins), **options)
    return refusal.value.faults


CASES: dict[str, tuple[dict[str, list[Any]], tuple[Margin, ...], dict[str, Any], str, tuple[str, ...]]] = {
    "no target": ({"sex": ["H"]}, (), {}, "", ("no target",)),
    "nobody": ({"sex": []}, (SEXES,), {}, "", ("no interviews",)),
    "a variable nobody was asked": ({"age": ["old"]}, (SEXES,), {}, "sex", ("no interview has a value",)),
    "shares that do not add up": ({"sex": ["H", "M"]}, (Margin("sex", {"H": 0.5, "M": 0.6}),), {}, "sex", ("1.1",)),
    "a share of nothing": ({"sex": ["H", "M"]}, (Margin("sex", {"H": 0.0, "M": 1.0}),), {}, "sex", ("level H",)),
    "a share that is no number": (
        {"sex": ["H", "M"]}, (Margin("sex", {"H": float("nan"), "M": 1.0}),), {}, "sex", ("level H",)),
    "a level without people": ({"sex": ["H", "H"]}, (SEXES,), {}, "sex", ("level M", "no interview")),
    "a code without a target": ({"sex": ["H", "M", "Z", "Z"]}, (SEXES,), {}, "sex", ("2 interviews", "code Z")),
    "people without a value": ({"sex": ["H", "M", None]}, (SEXES,), {}, "sex", ("1 interviews have no value",)),
    "a code in two levels": (
        {"sex": ["H", "M"]}, (Margin("sex", {"H": 0.5, "M": 0.5}, {"H": ("H", "M")}),), {}, "sex", ("code M",)),
    "a variable twice": ({"sex": ["H", "M"]}, (SEXES, SEXES), {}, "sex", ("twice",)),
    "a cap of less than the mean": ({"sex": ["H", "M"]}, (SEXES,), {"cap": 0.9}, "cap", ("above 1",)),
    "a base weight of zero": (
        {"sex": ["H", "M"]}, (SEXES,), {"base": np.array([0.0, 1.0])}, "base", ("1 interviews",)),
    "a base weight too few": ({"sex": ["H", "M"]}, (SEXES,), {"base": np.array([1.0])}, "base", ("1 base weights",)),
    "a level above the cap": (
        {"sex": ["H", "M", "M", "M"]}, (SEXES,), {"cap": 1.5}, "sex", ("level H", "1.92", "cap of 1.5")),
    "combinations nobody has": (
        {"sex": ["H", "M"], "kind": ["U", "R"]},
        (SEXES, Margin("kind", {"U": 0.7, "R": 0.3})), {}, "sex", ("some combinations",)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_weighed_is_refused_naming_the_level(name: str) -> None:
    columns, margins, options, field, words = CASES[name]
    faults = refused(columns, *margins, **options)
    assert list(faults) == [field]
    assert all(word in faults[field] for word in words), faults[field]


def test_columns_of_different_length_are_refused() -> None:
    assert "different length" in refused({"sex": ["H", "M"], "age": ["old"]}, SEXES, AGES)[""]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(60, 400), cap=st.none() | st.floats(1.2, 8), uneven=st.booleans())
def test_margins_hold_and_no_weight_is_above_its_cap_whatever_the_sample(
    seed: int, n: int, cap: float | None, uneven: bool
) -> None:
    dice = np.random.default_rng(seed)
    sample = {name: dice.choice(list(codes), n) for name, codes in (("a", "xy"), ("b", "pqr"), ("c", "uvw"))}
    margins = []
    for name, column in sample.items():
        levels = sorted(set(column.tolist()))
        shares = dice.dirichlet(np.full(len(levels), 4.0)) * 0.9 + 0.1 / len(levels)
        margins.append(Margin(name, dict(zip(levels, shares.tolist(), strict=True))))
    base = dice.choice([0.5, 1.0, 2.0], n) if uneven else None
    try:
        weights = rake(sample, Targets(tuple(margins)), base=base, cap=cap)
    except CannotWeigh:
        assert cap is not None or n < 100  # a small sample may lack combinations; nothing else is a reason
        return
    assert weights.values.mean() == pytest.approx(1)
    assert weights.values.min() > 0
    assert max(abs(fit.after - fit.target) for fit in weights.fits) < 1e-7
    assert cap is None or weights.values.max() <= cap * (1 + 1e-6)
    assert weights.deff >= 1 - KISH_ROUNDING


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(80)))
def test_the_order_of_people_does_not_matter(order: list[int]) -> None:
    sample = people(80, seed=5)
    shuffled = {name: column[order] for name, column in sample.items()}
    assert np.allclose(rake(sample, BOTH).values[order], rake(shuffled, BOTH).values, atol=1e-9)
