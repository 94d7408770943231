"""What a recipe may say, and how its percentages are written."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys.vote import vote_recipe
from surveys.vote.vote_recipe import Percents, Recipe


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"likely": "perhaps"}, "likely"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 11}, "threshold"),
        ({"undecided": "to_me"}, "undecided"),
        ({"undecided": "leaning"}, "leaning"),
        ({"undecided": "groups", "shared": []}, "shared"),
        ({"shared": ["wont_vote"]}, "shared"),
        ({"percents": "up"}, "percents"),
        ({"decimals": 3}, "decimals"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_no_recipe_says_is_refused_by_its_field(app: Flask, said: dict[str, object], field: str) -> None:
    with app.test_request_context(), pytest.raises(InvalidInput) as refused:
        vote_recipe.read(said)
    assert set(refused.value.faults) == {field}


def test_a_recipe_comes_back_from_its_json() -> None:
    recipe = Recipe(question="voto", likely="threshold", threshold=7, undecided="groups", shared=("dk",), decimals=0)
    assert vote_recipe.read(recipe.as_json()) == recipe


@pytest.mark.parametrize(
    ("share", "rounded", "truncated"),
    [
        (0.57, "57.0", "57.0"),
        (0.3766, "37.7", "37.6"),
        (0.29, "29.0", "29.0"),
        (0.99999, "100.0", "99.9"),
        (0, "0.0", "0.0"),
    ],
)
def test_percentages_are_rounded_or_cut_off_by_choice(share: float, rounded: str, truncated: str) -> None:
    assert str(Percents("rounded", 1).value(share)) == rounded
    assert str(Percents("truncated", 1).value(share)) == truncated


@given(st.integers(0, 10_000))
def test_a_figure_of_a_whole_hundredth_is_printed_as_it_is(hundredths: int) -> None:
    """0.57 is 0.5699999… for a computer; nobody is to lose a tenth by that."""
    share = hundredths / 10_000
    for style in vote_recipe.PERCENTS:
        assert Percents(style, 2).value(share) * 100 == hundredths


def test_percentages_are_words_of_the_readers_language(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert Percents("rounded", 1).write(0.37449).replace("\xa0", " ") == "37.4 %"
        assert Percents("truncated", 0).write(0.379).replace("\xa0", " ") == "37 %"
        assert Percents("truncated", 0).margin(0.0289) == "±2.9"
        assert Percents().write(None) == Percents().write(float("nan")) == "–"
