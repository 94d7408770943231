"""Wording of messages: placeholders, the parts a text is cut into, what it costs. Pure.

A placeholder is `{given_names}`, or `{given_names|vecina}` with what to say when the person has no such value.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

FIELDS = ("given_names", "name", "section", "neighborhood", "municipality")
MAX_CHARACTERS = 1600  # https://www.twilio.com/docs/errors/21617

# 3GPP TS 23.038, default alphabet. Note what is missing: á í ó ú and their capitals.
_GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = "\f^{}\\[~]|€"  # an escape and a character: two septets that may not be torn apart
_SEPTETS = dict.fromkeys(_GSM_BASIC, 1) | dict.fromkeys(_GSM_EXTENDED, 2)

_PLACEHOLDER = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
# Bidirectional marks and zero-width characters: invisible, and each one turns a GSM-7 text into UCS-2.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_WITHOUT_ACCENT = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")
_PLAIN = str.maketrans({"“": '"', "”": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "–": "-", "—": "-",
                        "…": "...", "\u00a0": " ", "ª": "a", "º": "o"})  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """`units` are septets (GSM-7) or UTF-16 units (UCS-2); `room` is what still fits into the last part."""

    encoding: str
    units: int
    count: int
    room: int
    outside: str  # the characters, each once, that GSM-7 does not have


@dataclass(frozen=True)
class Fault:
    """Why a wording cannot be sent: `code` names the sentence in campaigns.labels, `detail` its subject."""

    code: str
    detail: str = ""


class MissingValue(Exception):
    """The person has no value for a placeholder without a fallback. `field` names it."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


def clean(text: str) -> str:
    """The text in NFC (a combining accent would cost UCS-2), without invisible characters and space at its ends."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n"))).strip()


def check(text: str) -> list[Fault]:
    """Everything that is wrong with a wording, before anybody's values are known."""
    if not clean(text):
        return [Fault("empty")]
    faults = [Fault("unknown_field", field) for field in fields(text) if field not in FIELDS]
    if "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
        faults.append(Fault("loose_brace"))
    if len(clean(text)) > MAX_CHARACTERS:
        faults.append(Fault("too_long", str(len(clean(text)))))
    return faults


def fields(text: str) -> list[str]:
    """The names of the placeholders, in order, each once."""
    return list(dict.fromkeys(match[1].strip() for match in _PLACEHOLDER.finditer(text)))


def render(text: str, values: Mapping[str, str | None]) -> str:
    """The text for one person. Raises MissingValue."""

    def fill(match: re.Match[str]) -> str:
        field, fallback = match[1].strip(), (match[2] or "").strip()
        value = (values.get(field) or "").strip() or fallback
        if not value:
            raise MissingValue(field)
        return value

    return clean(_PLACEHOLDER.sub(fill, text))


def parts(text: str) -> Parts:
    """How a carrier cuts the text: 160 then 153 septets, or 70 then 67 UTF-16 units when GSM-7 lacks a character."""
    outside = "".join(dict.fromkeys(character for character in text if character not in _SEPTETS))
    if outside:
        costs = [len(character.encode("utf-16-be")) // 2 for character in text]
        return _cut(costs, "UCS-2", whole=70, piece=67, outside=outside)
    return _cut([_SEPTETS[character] for character in text], "GSM-7", whole=160, piece=153, outside="")


def without_accents(text: str) -> str:
    """The same text in GSM-7 where that is possible: á í ó ú lose their accent, é ñ ü ¿ ¡ stay."""
    return clean(text).translate(_WITHOUT_ACCENT).translate(_PLAIN)


def cost(part_count: int, unit_price: Decimal) -> Decimal:
    """What that many parts cost, in the currency of the unit price."""
    return part_count * unit_price


def _cut(costs: list[int], encoding: str, *, whole: int, piece: int, outside: str) -> Parts:
    units = sum(costs)
    if units <= whole:
        return Parts(encoding, units, 1 if units else 0, whole - units, outside)
    count, used = 1, 0
    for each in costs:
        if used + each > piece:  # a character of two units moves to the next part whole
            count, used = count + 1, 0
        used += each
    return Parts(encoding, units, count, piece - used, outside)
