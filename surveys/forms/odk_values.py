"""Values of ODK expressions: numbers, dates as days since 1970-01-01, texts, and what of an interview they may see."""

import math
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Any

EPOCH = date(1970, 1, 1)
NAN = float("nan")


@dataclass(frozen=True)
class World:
    """What an expression sees besides the answers. `labels` gives a choice's label: {(item, code): label}."""

    seed: int = 0
    today: str = ""
    labels: Mapping[tuple[str, str], str] = field(default_factory=dict)
    salt: str = ""


world: ContextVar[World] = ContextVar("odk_world", default=World())  # noqa: B039 - frozen


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


def is_true(value: Any) -> bool:
    """XPath's boolean() of a plain value: not 0, not NaN, not ''."""
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


def plain(token: Any, value: Any) -> Any:
    """A bool, number or string of what a token of elementpath gives; of several nodes the text of the first."""
    if isinstance(value, list):
        return token.string_value(value[0]) if value else ""
    if isinstance(value, bool | int | float | str):
        return value
    return float(value) if hasattr(value, "__float__") else token.string_value(value)
