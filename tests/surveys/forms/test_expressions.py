"""Expressions of ODK over the answers."""

import math
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.forms import expressions
from surveys.forms.expressions import ExpressionError, World
from surveys.forms.odk_functions import compare

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
        ("sum(${age} | ${price} | ${empty})", 37.5),
        ("max(${age} | ${price})", 34.0),
        ("join(', ', ${age} | ${price})", "34, 3.5"),
        ("count-non-empty(${age} | ${empty})", 1),
        ("indexed-repeat(${age} | ${price}, '', 2)", "3.5"),
        ("indexed-repeat(${age} | ${price}, '', 3)", ""),
        ("indexed-repeat(${age} | ${price}, '', ${empty})", ""),
        ("checklist(1, 2, ${age} = 34, ${price} = 34)", True),
        ("checklist(2, -1, ${age} = 34, ${price} = 34)", False),
        ("weighted-checklist(5, 9, ${age} = 34, 6, ${price} = 34, 9)", True),
        ("abs(-${age})", 34.0),
        ("sqrt(16) + exp10(2)", 104.0),
        ("digest('a', 'MD5', 'hex')", "0cc175b9c0f1b6a831c399e269772661"),
        ("digest('a', 'SHA-0')", ""),
        ("string-length()", 2),
        ("translate(${vote}, 'aeiou', '') = 'zl rj'", True),
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


@pytest.mark.parametrize("expression", ["sqrt(-1)", "log(0)", "substr('abc', ${empty})", "exp(1000)", "pow(0, -1)"])
def test_what_cannot_be_computed_is_not_a_number(expression: str) -> None:
    assert expressions.as_text(value(expression)) == ""


def test_a_drawn_identifier_is_the_same_each_time_in_one_interview_and_another_in_the_next() -> None:
    root = instance(ANSWERS)
    drawn = {seed: expressions.evaluate("uuid()", root, None, World(seed=seed)) for seed in (1, 2)}
    assert drawn[1] != drawn[2]
    assert expressions.evaluate("uuid()", root, None, World(seed=1)) == drawn[1]


@pytest.mark.parametrize(
    ("expression", "loose"),
    [
        ("sum(${a.1} | ${a.2})", False),
        ("join(' ', ${a.1} | ${a.2} | ${a.3})", False),
        ("${a.1} | ${a.2} > 3", True),
        ("selected(${a.1} | ${a.2}, 'x')", True),
        ("1 + sum(${a.1} | ${a.2})", False),
        ("${a} = 'a|b'", False),
    ],
)
def test_the_answers_of_all_turns_stand_only_where_a_set_is_taken(expression: str, loose: bool) -> None:
    assert expressions.is_loose(expression) is loose


@given(
    answer=st.sampled_from(["", "34", "-3", "3.5", "yes", "no", "2026-01-05", " 34", "034", "true"]),
    symbol=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    literal=st.sampled_from(["'34'", "'yes'", "''", "34", "-3", "3.5", "0", "'2026-01-05'", "'3.50'"]),
)
def test_a_comparison_without_xml_says_what_xpath_says(answer: str, symbol: str, literal: str) -> None:
    expression = f"${{age}} {symbol}{literal}"
    simple = expressions.comparison(expression)
    assert simple is not None
    root = instance({"age": answer})
    by_xpath = expressions.holds(expressions.evaluate(expression, root, root.find("age"), World()))
    assert compare(simple[1], answer, simple[2]) is by_xpath


@pytest.mark.parametrize(
    "expression", ["${a} = 'x' and ${b} = 1", ". > 3", "${a} = ${b}", "not(${a} = 1)", "3 < ${a}", '${a} = "x"']
)
def test_only_a_single_comparison_goes_without_xml(expression: str) -> None:
    assert expressions.comparison(expression) is None
