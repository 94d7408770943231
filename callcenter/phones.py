"""Phone numbers as lists spell them, read into E.164. Pure: no database, no network, no clock."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from phonenumbers import PhoneMetadata

REASONS = ("no_phone", "fake", "no_area_code", "toll_free", "foreign", "spreadsheet_notation", "invalid")
MAX_LENGTH = 200  # a cell longer than this is not a phone, and is not worth a regular expression's time

_ONE_NUMBER = re.compile(r"\d{10}\Z")
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?e\+?\d+\Z", re.IGNORECASE)
_FLOAT_TAIL = re.compile(r"(\d{7,})\.0+\b")
_EXTENSION = re.compile(r"[,;]?\s*(?:ext(?:ensi[oó]n)?|x)[.:\s]*(\d{1,6})\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"[/;,|\n]|\s+[yoe]\s+", re.IGNORECASE)
_MOBILE_WORD = re.compile(r"\b(?:cel(?:ular)?|m[oó]vil|whats?(?:app)?|wa)\b", re.IGNORECASE)
_BROKEN = re.compile(r"\d[^\W\d_]+\d")  # a letter among digits: l for 1, O for 0
_EQUAL_RUN = re.compile(r"(\d)\1{7}")
_COUNTRY = re.compile(r"\A(?:00|011)?52")  # its 2 must not lengthen a run of twos
LADDERS = frozenset(("0123456789", "1234567890", "9876543210", "0987654321"))  # invented, not dialled
_MAX_TOKENS = 12


@dataclass(frozen=True)
class Number:
    """One reachable number. `line_kind`: mobile | landline | unknown, as far as its spelling tells.

    `notes`: legacy (a prefix abolished in 2019), mobile_hint, extension."""

    e164: str
    extension: str | None = None
    line_kind: str = "unknown"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a cell says: the numbers in it in their order, or, when there is none, the reason (one of REASONS)."""

    numbers: tuple[Number, ...]
    reason: str | None


class _UnreadableError(Exception):
    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def normalise(text: str) -> Reading:
    """Read the phone numbers of one cell. Never raises and never guesses: what is not certain has a reason."""
    plain = _plain(text)
    if _ONE_NUMBER.match(plain) and is_person_line(plain) and not _is_fake(plain):
        return Reading((Number("+52" + plain),), None)
    if _SCIENTIFIC.match(plain.replace(" ", "")):
        return Reading((), "spreadsheet_notation")
    if not any(map(str.isdigit, plain)):
        return Reading((), "no_phone")
    if len(plain) > MAX_LENGTH:
        return Reading((), "invalid")
    return _read_pieces(plain)


def _plain(text: str) -> str:
    """Width, quotes and invisible marks gone; `2281234567.0` without its tail."""
    folded = unicodedata.normalize("NFKC", text)
    # Cf: bidi marks, zero-width spaces. U+FFFD and ? are what is left of them after a bad conversion.
    kept = "".join(c for c in folded if unicodedata.category(c) != "Cf" and c not in "\ufffd?'\"`´‘’“”")
    return _FLOAT_TAIL.sub(r"\1", kept).strip()


def _read_pieces(plain: str) -> Reading:
    numbers: dict[str, Number] = {}
    first_reason: str | None = None
    for piece in _pieces(plain):
        try:
            number = _read_one(piece)
        except _UnreadableError as fault:
            first_reason = first_reason or fault.reason
        else:
            numbers.setdefault(number.e164, number)
    return Reading(tuple(numbers.values()), None if numbers else first_reason or "invalid")


def _pieces(plain: str) -> list[str]:
    """The texts that hold one number each. A separator that only groups digits (2,281,234,567) separates nothing."""
    pieces = [part.strip() for part in _SEPARATOR.split(plain) if any(map(str.isdigit, part))]
    if len(pieces) > 1 and not any(_is_readable(piece) for piece in pieces) and _is_readable(plain):
        return [plain]
    return [number for piece in pieces for number in _split_double(piece)]


def _split_double(piece: str) -> list[str]:
    """`2281234567 2281234568`: two numbers with nothing but a space between them."""
    tokens = piece.split()
    if len(re.sub(r"\D", "", piece)) < 17 or not 2 <= len(tokens) <= _MAX_TOKENS:
        return [piece]
    for cut in range(1, len(tokens)):
        head, tail = " ".join(tokens[:cut]), " ".join(tokens[cut:])
        if _is_readable(head) and any(map(str.isdigit, tail)):
            return [head, *_split_double(tail)]
    return [piece]


def _is_readable(piece: str) -> bool:
    try:
        _read_one(piece)
    except _UnreadableError:
        return False
    return True


def _read_one(piece: str) -> Number:
    """One number, or _UnreadableError with the reason."""
    found = _EXTENSION.search(piece)
    extension = found.group(1) if found and found.start() > 0 else None
    body = piece[: found.start()] if found and extension else piece
    if _BROKEN.search(body):
        raise _UnreadableError("invalid")
    digits = re.sub(r"\D", "", body)
    if not digits:
        raise _UnreadableError("no_phone")
    if _is_fake(_COUNTRY.sub("", digits) if len(digits) > 10 else digits):
        raise _UnreadableError("fake")
    national, notes = _national(digits, is_international="+" in body)
    if not is_person_line(national):
        raise _UnreadableError(_why_not(national))
    if _MOBILE_WORD.search(piece):
        notes = (*notes, "mobile_hint")
    if extension:
        return Number("+52" + national, extension, "landline", (*notes, "extension"))
    return Number("+52" + national, None, "mobile" if "mobile_hint" in notes else "unknown", notes)


def _national(digits: str, *, is_international: bool) -> tuple[str, tuple[str, ...]]:
    """The digits without any prefix of the last thirty years, and notes about what was there."""
    for exit_code in ("011", "00"):
        if digits.startswith(exit_code) and len(digits) > 10:
            digits, is_international = digits.removeprefix(exit_code), True
            break
    if is_international and not digits.startswith("52"):
        raise _UnreadableError("foreign" if len(digits) >= 8 else "invalid")
    if len(digits) == 13 and digits.startswith("521"):
        return digits[3:], ("legacy",)
    if len(digits) == 12 and digits.startswith("52"):
        return digits[2:], ()
    if len(digits) == 13 and digits[:3] in ("044", "045"):
        return digits[3:], ("legacy", "mobile_hint")
    if len(digits) == 12 and digits.startswith("01"):
        return digits[2:], ("legacy",)
    if len(digits) == 11 and digits.startswith("1"):
        return digits[1:], ("legacy",)
    return digits, ()


def _why_not(national: str) -> str:
    if len(national) in (7, 8):
        return "no_area_code"
    if len(national) == 10 and _toll_free().fullmatch(national):
        return "toll_free"
    return "invalid"


def _is_fake(digits: str) -> bool:
    return digits in LADDERS or _EQUAL_RUN.search(digits) is not None


def is_person_line(national: str) -> bool:
    """Ten digits of a line a person may have, by the numbering plan that phonenumbers carries.

    Its compiled pattern is 40 times faster than its parser; a test holds the two to the same answer."""
    return len(national) == 10 and _person_line().fullmatch(national) is not None


@lru_cache(maxsize=1)
def _person_line() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_plan(kind)})" for kind in ("fixed_line", "mobile")))


@lru_cache(maxsize=1)
def _toll_free() -> re.Pattern[str]:
    return re.compile(_plan("toll_free"))


def _plan(kind: str) -> str:
    metadata = PhoneMetadata.metadata_for_region("MX")
    assert metadata is not None
    pattern = getattr(metadata, kind).national_number_pattern
    assert isinstance(pattern, str)
    return pattern
