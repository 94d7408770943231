"""Expressions of XLSForm (`${age} >= 18`), parsed once, evaluated by elementpath over the answers as an XML instance.

XPath 1.0 with the functions of ODK that a telephone form needs (forms.odk_functions). As in ODK an empty answer is
not a number, so every comparison with it is false. Dates are days since 1970-01-01 inside an expression. The turns of a
repeat are questions of their own (surveys.forms.repeats): a question of all turns stands here as `${age.1} | ${age.2}`.
"""

import math
import re
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from elementpath import ElementPathError, XPathContext
from flask_babel import gettext as _

from surveys.forms import odk_values
from surveys.forms.odk_functions import OdkParser
from surveys.forms.odk_values import NAN, World, as_text, days, number, plain

__all__ = [
    "REFERENCE", "ExpressionError", "World", "as_text", "comparison", "days", "evaluate", "holds", "is_loose",
    "number", "parse", "references",
]  # fmt: skip
REFERENCE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
_COMPARISON = re.compile(r"\s*\$\{\s*([^}\s]+)\s*\}\s*(=|!=|<=|>=|<|>)\s*(?:'([^']*)'|(-?\d+(?:\.\d+)?))\s*")
# Functions that take the answers of all turns of a repeat.
OF_SETS = frozenset({"sum", "min", "max", "concat", "join", "count", "count-non-empty", "indexed-repeat"})


class ExpressionError(ValueError):
    """An expression cannot be read; the message says what is wrong in words."""


def references(expression: str) -> list[str]:
    """Names in `${…}`, in order, without repetition."""
    return list(dict.fromkeys(REFERENCE.findall(expression)))


@lru_cache(maxsize=8192)
def parse(expression: str) -> Any:
    """The parsed expression (an elementpath token). Raises ExpressionError with a sentence."""
    xpath = REFERENCE.sub(r"/data/\1", expression).replace("jr:choice-name(", "choice-name(")
    try:
        return OdkParser().parse(xpath)
    except ElementPathError as error:
        raise ExpressionError(_fault(str(error))) from error
    except RecursionError as error:
        raise ExpressionError(
            str(_("the expression is nested too deeply; split it into several “calculate”"))
        ) from error


@lru_cache(maxsize=8192)
def comparison(expression: str) -> tuple[str, str, str | float] | None:
    """(question, symbol, value) of an expression that only compares an answer with a value, as most conditions do."""
    found = _COMPARISON.fullmatch(expression)
    if found is None:
        return None
    name, symbol, text, figure = found.groups()
    return name, symbol, float(figure) if figure is not None else text


def _fault(message: str) -> str:
    words = re.sub(r"^.*?\[err:\w+\]\s*", "", message)
    unknown = re.search(r"unknown function '?([\w:-]+)'?", words)
    if unknown:
        sentence = _("there is no function “%(name)s”", name=unknown[1])
    elif "unexpected end" in words or "(end)" in message:
        sentence = _("the expression stops too early; a value or a closing parenthesis is missing")
    else:
        sentence = _("the expression cannot be read (%(detail)s)", detail=words)
    return str(sentence)


def is_loose(expression: str) -> bool:
    """Do the answers of all turns of a repeat stand where one value is wanted?"""
    return "|" in expression and _is_loose(parse(expression), "")


def _is_loose(token: Any, around: str) -> bool:
    if token.symbol == "|":
        return around not in OF_SETS and around != "|"
    return any(_is_loose(part, token.symbol) for part in token if hasattr(part, "symbol"))


def evaluate(expression: str, root: Element, node: Element | None = None, world: World | None = None) -> Any:
    """The value: bool, number or string (a node counts as its text). `node` is what `.` means."""
    token = parse(expression)
    marker = odk_values.world.set(world or World())
    try:
        value = token.evaluate(XPathContext(root, item=root if node is None else node))
    except (ElementPathError, ValueError, OverflowError):
        # What cannot be computed from these answers (a number out of a word) is not a number.
        return NAN
    finally:
        odk_values.world.reset(marker)
    return plain(token, value)


def holds(value: Any) -> bool:
    """Is this value of an expression true? What is not a number is not."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value) and value != "false"
