"""Expressions of ODK over the answers."""

import math
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import expressions
from surveys.expressions import ExpressionError, World

ANSWERS = {"age": "34", "empty": "", "vote": "azul rojo", "day": "2026-01-05", "price": "3.5"}


def instance(answers: dict[str, str]) -> Element:
    root = Element("data")
    for name, value in answers.items():
        SubElement(root, name).text = value
    return root


def value(expression: str, answers: dict[str, str] | None = None, node: str = "age") -> object:
    root = instance(answers or ANSWERS)
    world = World(seed=5, today="2026-02-01", labels={("age", "34"): "treinta y cuatro"})
    return expressions.evaluate(expression, root, root.find(node), world)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (". >= 18 and . <= 110", True),
        ("selected(${vote}, 'rojo')", True),
        ("selected('azul rojo verde', ${vote})", False),
        ("selected(${vote}, 'ro')", False),
        ("count-selected(${vote}) <= 2", True),
        ("selected-at(${vote}, 1)", "rojo"),
        ("selected-at(${vote}, 7)", ""),
        ("if(${age} > 30, 'old', 'young')", "old"),
        ("coalesce(${empty}, ${age})", "34"),
        ("regex(${age}, '^[0-9]+$')", True),
        ("regex(${age}, '(')", False),
        ("once(7)", "34"),
        ("int(3.9)", 3.0),
        ("number(${price}) + 1", 4.5),
        ("string(${age} + 1)", "35"),
        ("round(2.567, 1)", 2.6),
        ("min(${age}, 12, ${empty})", 12.0),
        ("position(..)", 1),
        ("jr:choice-name(${age}, '${age}')", "treinta y cuatro"),
        ("${day} <= today()", True),
        ("${day} > date('2026-01-04')", True),
        ("format-date(${day}, '%Y/%m')", "2026/01"),
        ("concat('a', ${age}, 'b')", "a34b"),
        ("${age} mod 5", 4.0),
        ("-${age}", -34.0),
        ("not(${age} = 34)", False),
        ("${age} = '34'", True),
        ("${empty} = ''", True),
        ("5 - 2 - 1", 2.0),
    ],
)
def test_an_expression_has_the_value_odk_gives_it(expression: str, expected: object) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "comparison", ["${empty} >= 0", "${empty} < 1", "${empty} + 1 > 0", "${vote} > 1", "1 div 0 > 1"]
)
def test_what_is_not_a_number_is_neither_more_nor_less_than_anything(comparison: str) -> None:
    assert not expressions.holds(value(comparison))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("${age} >", "too early"),
        ("(1", "too early"),
        ("frobnicate(1)", "frobnicate"),
        ("selected(${vote})", "arguments"),
        ("'open", "cannot be read"),
    ],
)
def test_a_broken_expression_says_what_is_wrong(expression: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        expressions.parse(expression)


def test_random_gives_an_interview_the_same_number_each_time() -> None:
    root = instance(ANSWERS)
    first = expressions.evaluate("random()", root, world=World(seed=1))
    assert first == expressions.evaluate("random()", root, world=World(seed=1))
    assert first != expressions.evaluate("random()", root, world=World(seed=2))
    assert 0 <= first < 1


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_a_sentence(text: str) -> None:
    try:
        expressions.parse(text)
    except ExpressionError as fault:
        told = str(fault)
        assert told


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_comparisons_of_whole_numbers_are_pythons(left: int, right: int) -> None:
    answers = {"age": str(left), "other": str(right)}
    for symbol, expected in (("<", left < right), ("<=", left <= right), ("=", left == right), ("!=", left != right)):
        assert value(f"${{age}} {symbol} ${{other}} + 0", answers) is expected


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.booleans())
def test_a_number_as_text_is_read_back(number: float) -> None:
    text = expressions.as_text(number)
    if isinstance(number, bool):
        assert text in ("true", "false")
    elif math.isfinite(number) and abs(number) < 1e12:
        assert float(text) == pytest.approx(number, abs=1e-9)
