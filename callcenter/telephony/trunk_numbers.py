"""Numbers and addresses of trunks: how each trunk wants a number written, and what may be entered. Pure."""

import ipaddress
import re
from collections.abc import Iterable

# https://www.ift.org.mx numbering plan: area codes have three digits, but for the three largest cities.
SHORT_AREA_CODES = ("55", "56", "33", "81")
LOCAL = "local"  # a campaign's caller ID: for each person the number of their own area

_E164 = re.compile(r"\+[1-9]\d{7,14}")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_USER = re.compile(r"[A-Za-z0-9._+@~=-]{1,80}")
# Printable, without what the switch's own files read as something else (comment, escape, quotes, object mark).
_SECRET = re.compile(r"(?!>)[!-:<-\[\]-~]{1,80}")


def is_e164(number: str) -> bool:
    """`+525512345678`, and nothing else around it."""
    return number.isascii() and _E164.fullmatch(number) is not None


def national(number: str) -> str | None:
    """The ten digits of a Mexican number in E.164; None for another country's."""
    digits = number.removeprefix("+52")
    return digits if number.startswith("+52") and len(digits) == 10 else None


def area_code(number: str) -> str | None:
    """The area code of a Mexican number in E.164."""
    digits = national(number)
    if digits is None:
        return None
    return digits[:2] if digits.startswith(SHORT_AREA_CODES) else digits[:3]


def written(number: str, number_format: str, prefix: str = "") -> str | None:
    """An E.164 number as a trunk wants it: `plus`, `digits` (without +), `national` (ten digits), `prefixed` (`prefix`
    and ten digits). None when this number has no such form: it is another country's."""
    if number_format == "plus":
        return number
    if number_format == "digits":
        return number[1:]
    digits = national(number)
    return None if digits is None else (prefix if number_format == "prefixed" else "") + digits


def longest_prefix(number: str, prefixes: Iterable[str]) -> str | None:
    """The longest of `prefixes` (E.164 digits without +) that this number begins with; '' fits every number."""
    digits = number.removeprefix("+")
    return max((prefix for prefix in prefixes if digits.startswith(prefix)), key=len, default=None)


def is_host(text: str) -> bool:
    """A host name or an IPv4 address. What looks like an address must be one."""
    if not text.isascii() or len(text) > 253:
        return False
    if re.fullmatch(r"[\d.]+", text):
        try:
            ipaddress.IPv4Address(text)
        except ValueError:
            return False
        return True
    return all(_LABEL.fullmatch(label) for label in text.split("."))


def is_username(text: str) -> bool:
    return text.isascii() and _USER.fullmatch(text) is not None


def is_secret(text: str) -> bool:
    """May this be a trunk's password? Up to 80 printable characters, none of them ; \\ or a leading >."""
    return text.isascii() and _SECRET.fullmatch(text) is not None
