"""Expressions of XLSForm (`${age} >= 18`), parsed once, evaluated by elementpath over the answers as an XML instance.

XPath 1.0 with the functions of ODK (https://docs.getodk.org/form-operators-functions/) that a telephone form needs. As
in ODK an empty answer is not a number, so every comparison with it is false. Dates are days since 1970-01-01 inside an
expression. Repeats do not exist here, so `position(..)` is 1.
"""

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from elementpath import ElementPathError, XPathContext
from elementpath.xpath1 import XPath1Parser
from flask_babel import gettext as _

REFERENCE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
EPOCH = date(1970, 1, 1)
NAN = float("nan")


class ExpressionError(ValueError):
    """An expression cannot be read; the message says what is wrong in words."""


@dataclass(frozen=True)
class World:
    """What an expression sees besides the answers. `labels` gives a choice's label: {(item, code): label}."""

    seed: int = 0
    today: str = ""
    labels: Mapping[tuple[str, str], str] = field(default_factory=dict)
    salt: str = ""


_world: ContextVar[World] = ContextVar("odk_world", default=World())  # noqa: B039 - frozen


class OdkParser(XPath1Parser):
    """XPath 1.0 as ODK speaks it."""


def references(expression: str) -> list[str]:
    """Names in `${…}`, in order, without repetition."""
    return list(dict.fromkeys(REFERENCE.findall(expression)))


@lru_cache(maxsize=4096)
def parse(expression: str) -> Any:
    """The parsed expression (an elementpath token). Raises ExpressionError with a sentence."""
    xpath = REFERENCE.sub(r"/data/\1", expression).replace("jr:choice-name(", "choice-name(")
    try:
        return OdkParser().parse(xpath)
    except ElementPathError as error:
        raise ExpressionError(_fault(str(error))) from error


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


def evaluate(expression: str, root: Element, node: Element | None = None, world: World | None = None) -> Any:
    """The value: bool, number or string (a node counts as its text). `node` is what `.` means."""
    token = parse(expression)
    marker = _world.set(world or World())
    try:
        value = token.evaluate(XPathContext(root, item=root if node is None else node))
    except ElementPathError:
        # What cannot be computed from these answers (a number out of a word) is not a number.
        return NAN
    finally:
        _world.reset(marker)
    return _plain(token, value)


def holds(value: Any) -> bool:
    """Is this value of an expression true? What is not a number is not."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value) and value != "false"


def as_text(value: Any) -> str:
    """A value as an answer is stored: whole numbers without a point, nothing for what is not a number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if math.isnan(value) or math.isinf(value):
            return ""
        return str(int(value)) if float(value).is_integer() else repr(round(float(value), 10))
    return str(value)


def days(text: str) -> float:
    """An ISO date as days since 1970-01-01; NaN for anything else."""
    try:
        return float((date.fromisoformat(text[:10]) - EPOCH).days)
    except ValueError:
        return NAN


def _plain(token: Any, value: Any) -> Any:
    if isinstance(value, list):
        return token.string_value(value[0]) if value else ""
    if isinstance(value, bool | int | float | str):
        return value
    return float(value) if hasattr(value, "__float__") else token.string_value(value)


def _value(token: Any, context: Any, index: int) -> Any:
    return _plain(token, token[index].evaluate(context)) if index < len(token) else None


def _text(token: Any, context: Any, index: int) -> str:
    value = _value(token, context, index)
    return "" if value is None else as_text(value)


def _number(token: Any, context: Any, index: int) -> float:
    return number(_value(token, context, index))


def number(value: Any) -> float:
    """XPath's number(), with a date counted in days; NaN when there is none."""
    if isinstance(value, bool | int | float):
        return float(value)
    text = str(value or "").strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?", text):
        return days(text)
    try:
        return float(text) if re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", text) else NAN
    except ValueError:
        return NAN


def _truth(token: Any, context: Any, index: int) -> bool:
    value = _value(token, context, index)
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


# Functions: name -> (number of arguments, evaluation). A token's children are its arguments.


def _if(token: Any, context: Any) -> Any:
    return _value(token, context, 1 if _truth(token, context, 0) else 2)


def _selected_at(token: Any, context: Any) -> str:
    codes, place = _text(token, context, 0).split(), _number(token, context, 1)
    return codes[int(place)] if not math.isnan(place) and 0 <= place < len(codes) else ""


def _coalesce(token: Any, context: Any) -> str:
    return next((text for i in range(len(token)) if (text := _text(token, context, i))), "")


def _once(token: Any, context: Any) -> str:
    node = getattr(context.item, "string_value", "")
    return node or _text(token, context, 0)


def _regex(token: Any, context: Any) -> bool:
    pattern = _text(token, context, 1)
    try:
        return re.search(pattern, _text(token, context, 0)) is not None
    except re.error:
        return False


def _int(token: Any, context: Any) -> float:
    value = _number(token, context, 0)
    return NAN if math.isnan(value) or math.isinf(value) else float(math.trunc(value))


def _round(token: Any, context: Any) -> float:
    value, places = _number(token, context, 0), _number(token, context, 1) if len(token) > 1 else 0.0
    if math.isnan(value) or math.isinf(value) or math.isnan(places):
        return NAN
    scale = 10.0 ** int(places)
    return math.floor(value * scale + 0.5) / scale


def _numbers(token: Any, context: Any) -> list[float]:
    return [value for i in range(len(token)) if not math.isnan(value := _number(token, context, i))]


def _choice_name(token: Any, context: Any) -> str:
    item = _text(token, context, 1).strip().rpartition("/")[2]
    code = _text(token, context, 0)
    return _world.get().labels.get((item, code), code)


def _random(token: Any, _context: Any) -> float:
    # The same interview gives the same number: an expression is evaluated many times.
    world = _world.get()
    digest = hashlib.sha256(f"{world.seed}/{world.salt}/{token.source}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _format_date(token: Any, context: Any) -> str:
    value = _number(token, context, 0)
    if math.isnan(value):
        return ""
    return (EPOCH + timedelta(days=int(value))).strftime(_text(token, context, 1).replace("%n", "%m"))


def _join(token: Any, context: Any) -> str:
    return _text(token, context, 0).join(_text(token, context, i) for i in range(1, len(token)))


def _power(token: Any, context: Any) -> float:
    try:
        return float(_number(token, context, 0) ** _number(token, context, 1))
    except (OverflowError, ZeroDivisionError, TypeError):  # TypeError: a complex root
        return NAN


Evaluation = Callable[[Any, Any], Any]
FUNCTIONS: dict[str, tuple[int | tuple[int, int | None], Evaluation]] = {
    "if": (3, _if),
    "selected": (2, lambda t, c: _text(t, c, 1) in _text(t, c, 0).split()),
    "selected-at": (2, _selected_at),
    "count-selected": (1, lambda t, c: len(_text(t, c, 0).split())),
    "coalesce": ((1, None), _coalesce),
    "once": (1, _once),
    "regex": (2, _regex),
    "int": (1, _int),
    "number": ((0, 1), lambda t, c: _number(t, c, 0) if len(t) else number(c.item.string_value)),
    "string": ((0, 1), lambda t, c: _text(t, c, 0) if len(t) else c.item.string_value),
    "round": ((1, 2), _round),
    "pow": (2, _power),
    "min": ((1, None), lambda t, c: min(_numbers(t, c), default=NAN)),
    "max": ((1, None), lambda t, c: max(_numbers(t, c), default=NAN)),
    "sum": ((1, None), lambda t, c: math.fsum(_numbers(t, c))),
    "position": ((0, 1), lambda t, c: 1 if len(t) else c.position),
    "choice-name": (2, _choice_name),
    "date": (1, lambda t, c: _number(t, c, 0)),
    "decimal-date-time": (1, lambda t, c: _number(t, c, 0)),
    "today": (0, lambda _t, _c: days(_world.get().today)),
    "now": (0, lambda _t, _c: days(_world.get().today)),
    "format-date": (2, _format_date),
    "random": (0, _random),
    "concat": ((1, None), lambda t, c: "".join(_text(t, c, i) for i in range(len(t)))),
    "join": ((1, None), _join),
    "substr": ((2, 3), lambda t, c: _text(t, c, 0)[slice(*(int(_number(t, c, i)) for i in range(1, len(t))))]),
    "string-length": (1, lambda t, c: len(_text(t, c, 0))),
    "contains": (2, lambda t, c: _text(t, c, 1) in _text(t, c, 0)),
    "starts-with": (2, lambda t, c: _text(t, c, 0).startswith(_text(t, c, 1))),
    "ends-with": (2, lambda t, c: _text(t, c, 0).endswith(_text(t, c, 1))),
    "not": (1, lambda t, c: not _truth(t, c, 0)),
    "boolean-from-string": (1, lambda t, c: _text(t, c, 0) in ("true", "1")),
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def _compare(symbol: str, left: Any, right: Any) -> bool:
    test = COMPARISONS[symbol]
    if symbol in ("=", "!="):
        if isinstance(left, bool) or isinstance(right, bool):
            return test(bool(left), bool(right))
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
    return test(number(left), number(right))


def _teach_functions() -> None:
    for name, (arguments, evaluation) in FUNCTIONS.items():
        token_class = OdkParser.function(name, nargs=arguments)
        # elementpath shares token classes with its own parser: ours must be a class of its own.
        changes = {"nargs": arguments, "evaluate": _method(evaluation)}
        OdkParser.symbol_table[name] = type(token_class.__name__, (token_class,), changes)


def _method(evaluation: Evaluation) -> Callable[..., Any]:
    def evaluate(self: Any, context: Any = None) -> Any:
        if context is None:  # elementpath tries every expression once without one, while parsing
            raise self.missing_context()
        return evaluation(self, context)

    return evaluate


def _teach_operators() -> None:
    for symbol in COMPARISONS:

        def compare(token: Any, context: Any, symbol: str = symbol) -> bool:
            return _compare(symbol, _value(token, context, 0), _value(token, context, 1))

        _replace(symbol, compare)
    sums: dict[str, Callable[[float, float], float]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "div": lambda a, b: a / b if b else NAN,
        "mod": lambda a, b: math.fmod(a, b) if b else NAN,
    }
    for symbol, operation in sums.items():

        def compute(token: Any, context: Any, operation: Callable[[float, float], float] = operation) -> float:
            if len(token) == 1:
                return operation(0.0, _number(token, context, 0))
            return operation(_number(token, context, 0), _number(token, context, 1))

        _replace(symbol, compute)


def _replace(symbol: str, evaluation: Evaluation) -> None:
    token_class = OdkParser.symbol_table[symbol]
    OdkParser.symbol_table[symbol] = type(token_class.__name__, (token_class,), {"evaluate": _method(evaluation)})


_teach_functions()
_teach_operators()
