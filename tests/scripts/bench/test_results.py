"""The part `results` measures what it says: the same weights by every way, and polls that know how wrong they are."""

from scripts.bench.coverage import measure_coverage
from scripts.bench.raking_race import measure_raking


def test_our_weights_and_the_librarys_are_the_same_before_their_times_are_compared() -> None:
    figures = {figure.name: figure for figure in measure_raking(3_000, 1)}
    assert figures["rake_1m_s"].value > 0
    assert all(figures[f"rake_{name}_s"].value > 0 for name in ("svy", "weightipy", "ipfn"))
    assert figures["rake_ratio"].target == 2


def test_intervals_of_polls_of_invented_citizens_mostly_hold_the_truth() -> None:
    share, least, _unweighted = measure_coverage(30, 1, citizens=4_000)
    assert share.name == "coverage_share"
    assert 0.9 < share.value <= 1
    assert least.value <= share.value
