"""What a person gave, read by the type of its question: codes, whole numbers, decimals, dates, text."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.forms.expressions import as_text

MAX_TEXT = 4000


def typed_value(item: dict[str, Any], given: str | Sequence[str], offered: Sequence[str]) -> str:
    """The one spelling in which an answer is stored, '' for none; `offered` are the codes to choose from.

    Raises InvalidInput({name: sentence}) when the question's type does not allow what was given."""
    text = given if isinstance(given, str) else " ".join(given)
    text = "".join(char for char in text if char.isprintable() or char == "\n").strip()
    if not text or item["type"] == "note":
        return ""
    if item["type"].startswith("select"):
        return _codes(item, text, offered)
    reader = {"integer": _integer, "decimal": _decimal, "date": _date}.get(item["type"])
    if reader:
        return reader(item["name"], text)
    if len(text) > MAX_TEXT:
        raise InvalidInput({item["name"]: _("The text is longer than %(most)s characters; shorten it.", most=MAX_TEXT)})
    return text


def _codes(item: dict[str, Any], text: str, known: Sequence[str]) -> str:
    codes = list(dict.fromkeys(text.split()))
    unknown = [code for code in codes if code not in known]
    if unknown or (item["type"] == "select_one" and len(codes) > 1):
        sentence = _(
            "“%(given)s” is not one of the answers; they are %(known)s.", given=text[:60], known=", ".join(known)
        )
        raise InvalidInput({item["name"]: sentence})
    return " ".join(sorted(codes, key=known.index))


def _integer(name: str, text: str) -> str:
    if not re.fullmatch(r"[+-]?\d{1,15}(\.0+)?", text, flags=re.ASCII):
        raise InvalidInput({name: _("Write a whole number in figures, for example 34.")})
    return str(int(text.partition(".")[0]))


def _decimal(name: str, text: str) -> str:
    plain = text.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,9})?", plain, flags=re.ASCII):
        raise InvalidInput({name: _("Write a number in figures, for example 3.5.")})
    return as_text(float(plain))


def _date(name: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InvalidInput({name: _("Choose a date, for example 2027-06-06.")}) from error
