"""From gross to effective: known answers, every step's move, errors, and ways side by side."""

from dataclasses import astuple

import numpy as np
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys.forms.items import ROLES
from surveys.vote import vote_chain
from surveys.vote.vote_ballots import Ballots
from surveys.vote.vote_options import Option
from surveys.vote.vote_recipe import LIKELY, UNDECIDED, Recipe
from surveys.weighting.intervals import lead_margin, wilson
from surveys.weighting.share_errors import Mass

OPTIONS = (
    Option("azul", "candidate", {}), Option("rojo", "candidate", {}), Option("verde", "candidate", {}),
    Option("none", "none", {}), Option("wont_vote", "wont_vote", {}), Option("undecided", "undecided", {}),
    Option("dk", "dk", {}),
)  # fmt: skip


def ballots(people: dict[str, int], **more: object) -> Ballots:
    """So many people of each answer, every one of weight 1."""
    places = [place for place, option in enumerate(OPTIONS) for _ in range(people.get(option.code, 0))]
    return Ballots(OPTIONS, np.array(places, dtype=np.int64), Mass.of(np.ones(len(places))), **more)  # type: ignore[arg-type]


def percentages(shares: vote_chain.Shares) -> dict[str, float]:
    return {code: round(100 * estimate.share, 2) for code, estimate in shares.of.items()}


def test_effective_shares_are_mitofskys() -> None:
    """Mitofsky, 21–24 May 2024: 50 / 27.4 / 10.4 and 12.2 without a candidate."""
    chain = vote_chain.follow(ballots({"azul": 500, "rojo": 274, "verde": 104, "undecided": 122}), Recipe())
    assert percentages(chain.effective) == {"azul": 56.95, "rojo": 31.21, "verde": 11.85}
    assert chain.effective.base == 878


def test_every_role_keeps_its_own_gross_share() -> None:
    people = {option.code: 10 for option in OPTIONS}
    chain = vote_chain.follow(ballots(people), Recipe())
    assert set(percentages(chain.gross).values()) == {14.29}
    assert {OPTIONS[at].role for at in range(len(OPTIONS))} < set(ROLES)


def test_the_lead_has_a_margin_of_its_own() -> None:
    """46 against 44 with n = 1,000: ±5.88, not 3.1."""
    chain = vote_chain.follow(ballots({"azul": 460, "rojo": 440, "none": 100}), Recipe())
    lead = chain.gross.lead
    assert lead is not None
    assert (lead.first, lead.second) == ("azul", "rojo")
    assert round(100 * lead.margin, 2) == 5.88
    assert lead.margin == pytest.approx(lead_margin(0.46, 0.44, 1000))
    assert lead.is_too_close


def test_a_candidate_whom_nobody_names_keeps_row_and_interval() -> None:
    chain = vote_chain.follow(ballots({"azul": 60, "rojo": 40}), Recipe())
    nobody = chain.effective.of["verde"]
    assert (nobody.n, nobody.share) == (0, 0.0)
    assert (nobody.low, nobody.high) == pytest.approx(wilson(0, 100))


def test_a_threshold_leaves_out_who_is_not_sure_enough_to_vote() -> None:
    likely = np.array([1.0, 0.8, 0.7, np.nan, 0.8, 0.2, 1.0])
    given_ = ballots({"azul": 3, "rojo": 3, "wont_vote": 1}, likely=likely)
    chain = vote_chain.follow(given_, Recipe(likely="threshold", threshold=8))
    assert chain.steps[1].people == 3
    assert percentages(chain.effective) == {"azul": 66.67, "rojo": 33.33, "verde": 0.0}
    assert chain.steps[1].after["wont_vote"] == 0


def test_the_probability_to_vote_is_a_weight() -> None:
    likely = np.array([1.0, 1.0, 0.5, 0.5])
    chain = vote_chain.follow(ballots({"azul": 2, "rojo": 2}, likely=likely), Recipe(likely="probability"))
    assert percentages(chain.effective) == {"azul": 66.67, "rojo": 33.33, "verde": 0.0}
    assert chain.effective.deff == pytest.approx(4 * 2.5 / 9)


def test_the_undecided_go_where_they_lean_and_the_others_stay_undecided() -> None:
    leaning = np.array([-1, -1, -1, 1, 1, -1])
    chain = vote_chain.follow(
        ballots({"azul": 2, "rojo": 1, "undecided": 2, "dk": 1}, leaning=leaning),
        Recipe(undecided="leaning", leaning="leans"),
    )
    step = chain.steps[2]
    assert step.moved["undecided"] == pytest.approx(-2 / 6)
    assert step.moved["rojo"] == pytest.approx(2 / 6)
    assert step.after["dk"] == pytest.approx(1 / 6)
    assert {code: found.n for code, found in chain.effective.of.items()} == {"azul": 2, "rojo": 3, "verde": 0}


def test_the_undecided_vote_as_the_decided_of_their_group() -> None:
    groups = np.array([0, 0, 0, 1, 0, 1, 1])
    given_ = ballots({"azul": 3, "rojo": 1, "undecided": 3}, groups=groups)
    chain = vote_chain.follow(given_, Recipe(undecided="groups"))
    assert percentages(chain.effective) == {"azul": 57.14, "rojo": 42.86, "verde": 0.0}
    assert chain.steps[2].after["undecided"] == 0
    assert chain.effective.of["azul"].base == 4


def test_a_group_without_decided_people_votes_as_everybody() -> None:
    groups = np.array([0, 0, 0, 0, 1])
    given_ = ballots({"azul": 3, "rojo": 1, "undecided": 1}, groups=groups)
    chain = vote_chain.follow(given_, Recipe(undecided="groups"))
    assert percentages(chain.effective) == {"azul": 75.0, "rojo": 25.0, "verde": 0.0}


def test_sharing_out_in_one_proportion_says_no_more_and_no_surer_than_leaving_out() -> None:
    given_ = ballots({"azul": 30, "rojo": 20, "undecided": 25})
    left_out, shared = (vote_chain.follow(given_, Recipe(undecided=how)) for how in ("left_out", "groups"))
    for code in ("azul", "rojo", "verde"):
        one, other = left_out.effective.of[code], shared.effective.of[code]
        assert (other.share, other.low, other.high) == pytest.approx((one.share, one.low, one.high))
    assert left_out.steps[2].moved == dict.fromkeys((option.code for option in OPTIONS), 0.0)


def test_errors_of_shared_out_votes_are_those_of_repeated_samples() -> None:
    """The linearised error against the spread of 2,000 invented samples."""
    random = np.random.default_rng(5)
    found, errors = [], []
    for _sample in range(2000):
        groups = random.integers(0, 2, 300)
        is_open = random.random(300) < np.where(groups == 0, 0.5, 0.1)
        is_blue = random.random(300) < np.where(groups == 0, 0.7, 0.3)
        codes = np.where(is_open, 5, np.where(is_blue, 0, 1))
        chain = vote_chain.follow(
            Ballots(OPTIONS, codes, Mass.of(np.ones(300)), groups=groups), Recipe(undecided="groups")
        )
        found.append(chain.effective.of["azul"].share)
        errors.append(chain.effective.of["azul"].se)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.05)


def test_ways_stand_side_by_side_with_the_used_one_marked() -> None:
    random = np.random.default_rng(3)
    given_ = Ballots(
        OPTIONS, random.integers(0, 7, 700), Mass.of(random.uniform(0.5, 2, 700)), random.integers(0, 11, 700) / 10,
        random.integers(-1, 2, 700), random.integers(0, 6, 700),
    )  # fmt: skip
    recipe = Recipe(likely="probability", undecided="groups", leaning="leans")
    ways = vote_chain.alternatives(given_, recipe)
    assert len(ways) == len(LIKELY) * len(UNDECIDED)
    used = [way for way in ways if way.is_used]
    assert [(way.likely, way.undecided) for way in used] == [("probability", "groups")]
    chain = vote_chain.follow(given_, recipe)
    for code, estimate in chain.effective.of.items():
        assert used[0].effective[code] == pytest.approx(estimate.share)
    assert all(sum(way.effective.values()) == pytest.approx(1) for way in ways)


def test_ways_that_were_not_asked_for_are_not_shown() -> None:
    ways = vote_chain.alternatives(ballots({"azul": 3, "undecided": 2}), Recipe())
    assert {(way.likely, way.undecided) for way in ways} == {("everybody", "left_out"), ("everybody", "groups")}


@pytest.mark.parametrize("recipe", [Recipe(likely="threshold"), Recipe(undecided="leaning", leaning="leans")])
def test_a_recipe_for_what_nobody_was_asked_is_refused(app: Flask, recipe: Recipe) -> None:
    with app.test_request_context(), pytest.raises(InvalidInput):
        vote_chain.follow(ballots({"azul": 3, "undecided": 2}), recipe)


def test_the_change_between_two_waves_has_a_margin_of_both() -> None:
    before = vote_chain.follow(ballots({"azul": 400, "rojo": 600}), Recipe()).effective
    after = vote_chain.follow(ballots({"azul": 450, "rojo": 550}), Recipe()).effective
    difference, margin = vote_chain.change(before, after, "azul")
    assert difference == pytest.approx(0.05)
    assert margin == pytest.approx(1.96 * np.sqrt(0.4 * 0.6 / 999 + 0.45 * 0.55 / 999), rel=1e-4)


def test_a_change_from_nothing_to_nothing_is_not_known_exactly() -> None:
    before, after = (vote_chain.follow(ballots({"azul": 100, "rojo": n}), Recipe()).effective for n in (50, 60))
    difference, margin = vote_chain.change(before, after, "verde")
    assert difference == 0
    assert margin == pytest.approx(np.hypot(wilson(0, 150)[1], wilson(0, 160)[1]))


def test_nobody_who_answers_makes_no_figure_and_no_fault() -> None:
    for undecided in ("left_out", "groups"):
        chain = vote_chain.follow(ballots({}), Recipe(undecided=undecided))
        assert (chain.gross.base, chain.effective.base, chain.effective.lead) == (0, 0, None)
    only_undecided = vote_chain.follow(ballots({"undecided": 5}), Recipe(undecided="groups"))
    assert only_undecided.effective.base == 0


def test_people_who_said_the_same_in_one_row_have_the_same_figures() -> None:
    random = np.random.default_rng(9)
    given_ = Ballots(
        OPTIONS, random.integers(-1, 7, 900), Mass.of(random.uniform(0.5, 2, 900)), random.integers(0, 11, 900) / 10,
        random.integers(-1, 2, 900), random.integers(0, 6, 900),
        (random.integers(0, 2, 900), random.integers(0, 3, 900)),
    )  # fmt: skip
    few = given_.together()
    assert len(few.codes) < 900
    for undecided in UNDECIDED:
        recipe = Recipe(likely="probability", undecided=undecided, leaning="leans")
        one, other = vote_chain.follow(given_, recipe), vote_chain.follow(few, recipe)
        assert [step.people for step in one.steps] == [step.people for step in other.steps]
        for name in ("gross", "effective"):
            every, row = getattr(one, name), getattr(other, name)
            assert (every.base, every.deff, every.lead.margin) == pytest.approx((row.base, row.deff, row.lead.margin))
            for code, estimate in every.of.items():
                assert astuple(estimate) == pytest.approx(astuple(row.of[code]))


PEOPLE = st.lists(
    st.tuples(st.integers(-1, 6), st.integers(0, 10), st.integers(-1, 2), st.integers(0, 3), st.floats(0.1, 5)),
    min_size=1, max_size=40,
)  # fmt: skip


@given(PEOPLE, st.sampled_from(sorted(LIKELY)), st.sampled_from(sorted(UNDECIDED)))
def test_shares_are_shares_at_every_step_and_nothing_is_lost(
    people: list[tuple[int, int, int, int, float]], likely: str, undecided: str
) -> None:
    codes, sure, leaning, groups, weights = (np.array(column) for column in zip(*people, strict=True))
    given_ = Ballots(OPTIONS, codes, Mass.of(weights), sure / 10, leaning, groups)
    chain = vote_chain.follow(given_, Recipe(likely=likely, undecided=undecided, leaning="leans"))
    for step in chain.steps:
        total = sum(step.after.values())
        assert total == pytest.approx(1) or total == 0
        assert all(share > -1e-9 for share in step.after.values())
        assert sum(step.moved.values()) == pytest.approx(total - sum(step.before.values()), abs=1e-9)
    for found in (*chain.gross.of.values(), *chain.effective.of.values()):
        assert not found.low > found.share + 1e-9
        assert not found.share > found.high + 1e-9
