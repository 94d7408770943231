"""Wording of messages: placeholders, the parts a text is cut into, what it costs. Pure; the one definition of truth.

A placeholder is `{given_names}`, or `{given_names|vecina}` with what to say when the person has no such value.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

FIELDS = ("given_names", "name", "section", "neighborhood", "municipality")
SURVEY_LINK = "survey_link"  # in campaigns of messages only (campaigns.correspondence.survey_invitations)
MAX_CHARACTERS = 1600  # https://www.twilio.com/docs/errors/21617

# 3GPP TS 23.038, default alphabet. Note what is missing: á í ó ú and their capitals.
GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = "\f^{}\\[~]|€"  # an escape and a character: two septets that may not be torn apart
_SEPTETS = dict.fromkeys(GSM_BASIC, 1) | dict.fromkeys(_GSM_EXTENDED, 2)
_BASIC = frozenset(GSM_BASIC)

PLACEHOLDER = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
# What a text may hold that needs no cleaning: every other character is looked at.
_ORDINARY = re.compile("[\n -~\u00a1-\u00ac\u00ae-\u00ff]*")
# Control characters, bidirectional marks, zero-width characters, halves of surrogates: nobody sees them, and each one
# turns a GSM-7 text into UCS-2. The joiner stays only where it makes one picture of two.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]|(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SPACES = re.compile("[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]")  # they look like a space and cost like an accent
# Letters of European languages that GSM-7 lacks, without what stands above or below them.
_WITHOUT_ACCENT = {
    letter: base
    for letter in map(chr, range(0xC0, 0x180))
    if letter not in _SEPTETS and (base := unicodedata.normalize("NFD", letter)[0]) in _BASIC and base != letter
}
_PLAIN_MARKS = {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "´": "'", "`": "'", "–": "-",
                "—": "-", "…": "...", "ª": "a", "º": "o", "°": "o", "•": "-"}  # fmt: skip
PLAIN = _WITHOUT_ACCENT | _PLAIN_MARKS  # a character that GSM-7 lacks -> what «sin acentos» writes instead
_TO_PLAIN = str.maketrans(PLAIN)


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
    """The text in NFC (a combining accent would cost UCS-2), without invisible characters and space at its ends.

    What looks like a space or a line's end is written as one."""
    if _ORDINARY.fullmatch(text):
        return text.strip()
    text = _SPACES.sub(" ", _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).strip()


def invisible(text: str) -> int:
    """How many characters nobody sees `clean` takes out: marks of direction, zero-width and control characters."""
    return len(_INVISIBLE.findall(_LINE_ENDS.sub("\n", text)))


def check(text: str, *, more: tuple[str, ...] = ()) -> list[Fault]:
    """Everything that is wrong with a wording, before anybody's values are known. `more`: fields besides FIELDS."""
    cleaned = clean(text)
    if not cleaned:
        return [Fault("empty")]
    faults = [Fault("unknown_field", field) for field in fields(text) if field not in (*FIELDS, *more)]
    rest = PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        faults.append(Fault("loose_brace"))
    if len(cleaned) > MAX_CHARACTERS:
        faults.append(Fault("too_long", str(len(cleaned))))
    return faults


def fields(text: str) -> list[str]:
    """The names of the placeholders, in order, each once."""
    return list(dict.fromkeys(match[1].strip() for match in PLACEHOLDER.finditer(text)))


def needed(text: str) -> list[str]:
    """The fields that stand somewhere without saying what else to write: who has no such value gets no message."""
    bare = (match[1].strip() for match in PLACEHOLDER.finditer(text) if not (match[2] or "").strip())
    return list(dict.fromkeys(bare))


def render(text: str, values: Mapping[str, str | None], *, is_plain: bool = False) -> str:
    """The text for one person; `is_plain`: without accents, also those of their name. Raises MissingValue."""

    def fill(match: re.Match[str]) -> str:
        field, fallback = match[1].strip(), (match[2] or "").strip()
        value = clean(values.get(field) or "") or fallback
        if not value:
            raise MissingValue(field)
        return value

    body = PLACEHOLDER.sub(fill, text)
    return without_accents(body) if is_plain else clean(body)


def parts(text: str) -> Parts:
    """How a carrier cuts the text: 160 then 153 septets, or 70 then 67 UTF-16 units when GSM-7 lacks a character."""
    if _BASIC.issuperset(text):  # most texts: one septet a character, nothing that could be torn apart
        return _even("GSM-7", len(text), whole=160, piece=153, outside="")
    outside = "".join(dict.fromkeys(character for character in text if character not in _SEPTETS))
    if not outside:
        return _cut([_SEPTETS[character] for character in text], "GSM-7", whole=160, piece=153, outside="")
    if max(text) < "\U00010000":
        return _even("UCS-2", len(text), whole=70, piece=67, outside=outside)
    costs = [1 if character < "\U00010000" else 2 for character in text]
    return _cut(costs, "UCS-2", whole=70, piece=67, outside=outside)


def septets(text: str) -> int | None:
    """How many septets of GSM-7 the text is; None where GSM-7 lacks one of its characters."""
    counts = [_SEPTETS.get(character) for character in text]
    return None if None in counts else sum(count for count in counts if count)


def without_accents(text: str) -> str:
    """The same text in GSM-7 where that is possible: á í ó ú lose their accent, é ñ ü ¿ ¡ stay."""
    return clean(clean(text).translate(_TO_PLAIN))


def cost(part_count: int, unit_price: Decimal) -> Decimal:
    """What that many parts cost, in the currency of the unit price."""
    return part_count * unit_price


def _even(encoding: str, units: int, *, whole: int, piece: int, outside: str) -> Parts:
    """A text of characters of one unit each."""
    if units <= whole:
        return Parts(encoding, units, 1 if units else 0, whole - units, outside)
    count = -(-units // piece)
    return Parts(encoding, units, count, count * piece - units, outside)


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
