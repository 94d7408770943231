"""AAPOR's rates against published examples, to every printed digit."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.sampling.outcome_rates import GROUPS, Attempts, Counts, counts, estimated_e, rates, rejection


def _printed(values: Sequence[float | None], digits: int = 3) -> list[str]:
    return ["n/d" if value is None else f"{value:.{digits}f}" for value in values]


def test_the_example_of_outcomerate_comes_out() -> None:
    # https://github.com/ropensci/outcomerate, README: I4 P2 R1 NC1 O1 UH1 UO1 NE1, e = 0.9
    found = rates(Counts(i=4, p=2, r=1, nc=1, o=1, uh=1, uo=1, ne=1), e=0.9)
    assert _printed([found.rr1, found.rr2, found.rr3, found.rr4, found.rr5, found.rr6]) == [
        "0.364", "0.545", "0.370", "0.556", "0.444", "0.667",
    ]  # fmt: skip
    assert _printed([found.coop1, found.coop2, found.coop3, found.coop4]) == ["0.500", "0.750", "0.571", "0.857"]
    assert _printed([found.ref1, found.ref2, found.ref3]) == ["0.091", "0.093", "0.111"]
    assert _printed([found.con1, found.con2, found.con3]) == ["0.727", "0.741", "0.889"]


def test_the_example_of_responserates_comes_out() -> None:
    # https://github.com/leeper/responserates, README: I100 NC20 UO100, e = 0.25
    found = rates(Counts(i=100, nc=20, uo=100), e=0.25)
    percents = [100 * (value or 0) for value in (found.rr1, found.rr3, found.rr5)]
    assert _printed(percents, 1) == ["45.5", "69.0", "83.3"]
    percents = [100 * (value or 0) for value in (found.con1, found.con2, found.con3)]
    assert _printed(percents, 1) == ["45.5", "69.0", "83.3"]
    assert [found.coop1, found.coop2, found.coop3, found.coop4] == [1, 1, 1, 1]
    assert [found.ref1, found.ref2, found.ref3] == [0, 0, 0]


def test_what_has_no_denominator_is_not_defined() -> None:
    found = rates(Counts(uo=1))
    assert [found.rr1, found.rr2, found.rr3, found.rr4] == [0, 0, 0, 0]
    assert [found.rr5, found.rr6, found.coop1, found.coop2, found.coop3, found.coop4, found.con3] == [None] * 7
    assert (found.e, found.is_assumed) == (1.0, True)


def test_nothing_at_all_defines_no_rate() -> None:
    assert set(rates(Counts()).listed().values()) == {None}


def test_e_is_the_share_of_eligible_cases_among_the_known_ones() -> None:
    assert estimated_e(Counts(i=4, p=2, r=1, nc=1, o=1, uh=1, uo=1, ne=1)) == 0.9
    assert rates(Counts(i=9, ne=1, uh=10)).rr3 == 0.5


@pytest.mark.parametrize("e", [-0.1, 1.1])
def test_an_e_that_is_no_share_is_refused(e: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        rates(Counts(i=1), e)


def test_an_unknown_group_is_named() -> None:
    with pytest.raises(KeyError, match="xx"):
        counts({"i": 1, "xx": 2})


_NUMBERS = st.integers(0, 1_000_000)


@given(st.builds(Counts, **dict.fromkeys(GROUPS, _NUMBERS)), st.none() | st.floats(0, 1))
def test_every_rate_is_a_share_and_they_are_in_order(found: Counts, e: float | None) -> None:
    listed = rates(found, e)
    assert all(value is None or 0 <= value <= 1 + 1e-12 for value in listed.listed().values())
    if listed.rr1 is not None and listed.rr5 is not None and listed.rr3 is not None:
        assert listed.rr1 <= listed.rr3 + 1e-12 <= listed.rr5 + 2e-12
    if listed.coop1 is not None and listed.coop3 is not None:
        assert listed.coop1 <= listed.coop3


@given(st.builds(Counts, **dict.fromkeys(GROUPS, _NUMBERS)))
def test_more_refusals_never_raise_a_response_rate(found: Counts) -> None:
    before, after = rates(found, 0.5).rr1, rates(replace(found, r=found.r + 1), 0.5).rr1
    assert before is None or after is None or after <= before


def test_the_two_rejection_rates_name_their_own_denominators() -> None:
    found = rejection(Attempts(total=400, reached=100, refused=30))
    assert (found.of_attempts, found.of_contacted, found.unsuccessful) == (0.075, 0.3, 0.75)
    assert rejection(Attempts()) == rejection(Attempts(0, 0, 0))
    assert rejection(Attempts()).of_attempts is None


def test_attempts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="reached"):
        Attempts(total=1, reached=2)
