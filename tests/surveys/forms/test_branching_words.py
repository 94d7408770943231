"""Conditions as people say them."""

import pytest

from surveys.forms.branching_words import Speaker
from surveys.forms.items import Items

AGE, VOTE = "“How old are you?”", "“If the mayoral election were today, who would you vote for?”"
PROBLEMS = "“Which are the two worst problems of your neighbourhood?”"
BOTH = "“Ana Robles, Blue Party”, “Beto Luna, Red Party”"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("${consent} = 'yes'", "the answer to “Do you agree to take part?” is “Yes”"),
        ("${age} >= 18", f"{AGE} is 18 or more"),
        ("18 < ${age}", f"{AGE} is more than 18"),
        ("${age} != ''", f"{AGE} has an answer"),
        ("${age} = ''", f"{AGE} has no answer"),
        ("${age} < -3", f"{AGE} is less than -3"),
        ("selected(${vote}, 'rojo')", f"the answer to {VOTE} is “Beto Luna, Red Party”"),
        ("selected(${problems}, 'water')", f"“Water” is among the answers to {PROBLEMS}"),
        ("selected('azul rojo', ${vote})", f"the answer to {VOTE} is one of {BOTH}"),
        ("not(${age} > 60)", f"not ({AGE} is more than 60)"),
        ("${age} >= 18 and ${age} <= 29", f"{AGE} is 18 or more and {AGE} is 29 or less"),
        ("${age} < 1 or (${age} > 6 and ${age} < 9)",
         f"{AGE} is less than 1 or ({AGE} is more than 6 and {AGE} is less than 9)"),
        (". <= 110", f"{AGE} is 110 or less"),
        ("${age} + 1 = 3", "${age} + 1 = 3"),
        ("regex(., '^x')", "regex(., '^x')"),
        ("${nobody} = 1", "${nobody} = 1"),
        ("${age} = ", "${age} = "),
    ],
)  # fmt: skip
def test_a_condition_in_words_or_as_it_was_written(sample_items: Items, expression: str, words: str) -> None:
    assert Speaker(sample_items, "en").words(expression, "age") == words


def test_long_questions_are_cut(sample_items: Items) -> None:
    said = Speaker(sample_items, "es").words("${likely} > 3")
    assert "…”" in said
    assert len(said) < 100
