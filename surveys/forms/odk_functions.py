"""XPath 1.0 as ODK speaks it: its functions (https://docs.getodk.org/form-operators-functions/) and its comparisons.

What is not here is refused by name when a form is read: geography, media, the time of day, look-ups in other files.
"""

import hashlib
import math
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from elementpath.xpath1 import XPath1Parser

from surveys.forms.odk_values import EPOCH, NAN, as_text, days, is_true, number, plain, world

DIGESTS = ("MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512")


class OdkParser(XPath1Parser):
    """XPath 1.0 as ODK speaks it."""


def _value(token: Any, context: Any, index: int) -> Any:
    return plain(token, token[index].evaluate(context)) if index < len(token) else None


def _text(token: Any, context: Any, index: int) -> str:
    value = _value(token, context, index)
    return "" if value is None else as_text(value)


def _number(token: Any, context: Any, index: int) -> float:
    return number(_value(token, context, index))


def _truth(token: Any, context: Any, index: int) -> bool:
    return is_true(_value(token, context, index))


def _texts(token: Any, context: Any, start: int = 0) -> list[str]:
    """The text of every node of every argument: a question of a repeat has as many as there are turns."""
    found: list[str] = []
    for argument in list(token)[start:]:
        value = argument.evaluate(context)
        nodes = value if isinstance(value, list) else [value]
        found.extend(as_text(plain(token, [node] if isinstance(value, list) else node)) for node in nodes)
    return found


def _numbers(token: Any, context: Any) -> list[float]:
    return [value for text in _texts(token, context) if not math.isnan(value := number(text))]


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


def _indexed_repeat(token: Any, context: Any) -> str:
    """indexed-repeat(question, repeat, turn): the answer of one turn, from 1; '' where there is none."""
    nodes, turn = token[0].evaluate(context), _number(token, context, 2)
    if not isinstance(nodes, list) or math.isnan(turn) or not 1 <= turn <= len(nodes):
        return ""
    return as_text(plain(token, [nodes[int(turn) - 1]]))


def _checklist(token: Any, context: Any, *, weighted: bool = False) -> bool:
    """checklist(least, most, answer…): how many are true; the weighted one adds the number behind each answer."""
    step = 2 if weighted else 1
    total = 0.0
    for place in range(2, len(token) - step + 1, step):
        if _truth(token, context, place):
            total += _number(token, context, place + 1) if weighted else 1
    least, most = _number(token, context, 0), _number(token, context, 1)
    return (least < 0 or total >= least) and (most < 0 or total <= most)  # ODK: -1 is «no limit»


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


def _choice_name(token: Any, context: Any) -> str:
    item = _text(token, context, 1).strip().rpartition("/")[2]
    code = _text(token, context, 0)
    return world.get().labels.get((item, code), code)


def _drawn(token: Any) -> bytes:
    # The same interview gives the same: an expression is evaluated many times.
    seen = world.get()
    return hashlib.sha256(f"{seen.seed}/{seen.salt}/{token.source}".encode()).digest()


def _random(token: Any, _context: Any) -> float:
    return int.from_bytes(_drawn(token)[:6], "big") / 2**48


def _uuid(token: Any, _context: Any) -> str:
    return str(UUID(bytes=_drawn(token)[:16], version=4))


def _digest(token: Any, context: Any) -> str:
    """digest(text, algorithm, 'hex' or 'base64'); ODK's own default is base64."""
    import base64

    name = _text(token, context, 1)
    if name not in DIGESTS:
        return ""
    found = hashlib.new(name.replace("-", "").lower(), _text(token, context, 0).encode(), usedforsecurity=False)
    is_hex = len(token) > 2 and _text(token, context, 2) == "hex"
    return found.hexdigest() if is_hex else base64.b64encode(found.digest()).decode()


def _format_date(token: Any, context: Any) -> str:
    value = _number(token, context, 0)
    if math.isnan(value):
        return ""
    return (EPOCH + timedelta(days=int(value))).strftime(_text(token, context, 1).replace("%n", "%m"))


def _substr(token: Any, context: Any) -> str:
    return _text(token, context, 0)[slice(*(int(_number(token, context, i)) for i in range(1, len(token))))]


def _power(token: Any, context: Any) -> float:
    try:
        return float(_number(token, context, 0) ** _number(token, context, 1))
    except (OverflowError, ZeroDivisionError, TypeError):  # TypeError: a complex root
        return NAN


def _of_math(function: Callable[..., float]) -> "Evaluation":
    """A function of the mathematicians; what it is not defined for is not a number."""

    def evaluate(token: Any, context: Any) -> float:
        values = [_number(token, context, i) for i in range(len(token))]
        try:
            return NAN if any(map(math.isnan, values)) else float(function(*values))
        except (ValueError, OverflowError):
            return NAN

    return evaluate


Evaluation = Callable[[Any, Any], Any]
# Functions: name -> (number of arguments, evaluation). A token's children are its arguments.
FUNCTIONS: dict[str, tuple[int | tuple[int, int | None], Evaluation]] = {
    "if": (3, _if),
    "selected": (2, lambda t, c: _text(t, c, 1) in _text(t, c, 0).split()),
    "selected-at": (2, _selected_at),
    "count-selected": (1, lambda t, c: len(_text(t, c, 0).split())),
    "coalesce": ((1, None), _coalesce),
    "once": (1, _once),
    "indexed-repeat": (3, _indexed_repeat),
    "count-non-empty": (1, lambda t, c: sum(bool(text) for text in _texts(t, c))),
    "checklist": ((3, None), _checklist),
    "weighted-checklist": ((4, None), lambda t, c: _checklist(t, c, weighted=True)),
    "regex": (2, _regex),
    "int": (1, _int),
    "number": ((0, 1), lambda t, c: _number(t, c, 0) if len(t) else number(c.item.string_value)),
    "string": ((0, 1), lambda t, c: _text(t, c, 0) if len(t) else c.item.string_value),
    "round": ((1, 2), _round),
    "pow": (2, _power),
    "min": ((1, None), lambda t, c: min(_numbers(t, c), default=NAN)),
    "max": ((1, None), lambda t, c: max(_numbers(t, c), default=NAN)),
    "sum": ((1, None), lambda t, c: math.fsum(_numbers(t, c))),
    "pi": (0, lambda _t, _c: math.pi),
    "exp10": (1, _of_math(lambda value: 10.0**value)),
    "atan2": (2, _of_math(math.atan2)),
    "position": ((0, 1), lambda t, c: 1 if len(t) else c.position),
    "choice-name": (2, _choice_name),
    "date": (1, lambda t, c: _number(t, c, 0)),
    "decimal-date-time": (1, lambda t, c: _number(t, c, 0)),
    "today": (0, lambda _t, _c: days(world.get().today)),
    "now": (0, lambda _t, _c: days(world.get().today)),
    "format-date": (2, _format_date),
    "random": (0, _random),
    "uuid": (0, _uuid),
    "digest": ((2, 3), _digest),
    "concat": ((1, None), lambda t, c: "".join(_texts(t, c))),
    "join": ((1, None), lambda t, c: _text(t, c, 0).join(_texts(t, c, 1))),
    "substr": ((2, 3), _substr),
    "string-length": ((0, 1), lambda t, c: len(_text(t, c, 0) if len(t) else c.item.string_value)),
    "contains": (2, lambda t, c: _text(t, c, 1) in _text(t, c, 0)),
    "starts-with": (2, lambda t, c: _text(t, c, 0).startswith(_text(t, c, 1))),
    "ends-with": (2, lambda t, c: _text(t, c, 0).endswith(_text(t, c, 1))),
    "not": (1, lambda t, c: not _truth(t, c, 0)),
    "boolean-from-string": (1, lambda t, c: _text(t, c, 0) in ("true", "1")),
    **{name: (1, _of_math(getattr(math, name))) for name in ("sqrt", "exp", "log10", "sin", "cos", "tan", "asin",
                                                             "acos", "atan")},
    "log": (1, _of_math(math.log)),
    "abs": (1, _of_math(abs)),
}  # fmt: skip
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def compare(symbol: str, left: Any, right: Any) -> bool:
    """`left symbol right` as ODK compares: words with words, else numbers, and what is no number with nothing."""
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

        def compared(token: Any, context: Any, symbol: str = symbol) -> bool:
            return compare(symbol, _value(token, context, 0), _value(token, context, 1))

        _replace(symbol, compared)
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
