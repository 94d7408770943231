"""A wording measured by the database: parts and missing values of millions of people in one pass over their rows.

The truth is `wording.render` and `wording.parts`. Of ordinary values (letters, digits and marks of one unit each) only
the length and the alphabet matter, and that is what these columns look at; whoever has other values is left to them.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, case, cast, func, literal, null, or_, true

from callcenter.contacts import Contact
from campaigns import wording
from campaigns.wording import GSM_BASIC, MAX_CHARACTERS, PLACEHOLDER, PLAIN

# The alphabets of ordinary values: every character is one unit, and composes with no other.
_IN_GSM = "".join(character for character in GSM_BASIC if character not in "\n\r")
_ACCENTED = "".join(sorted(character for character, plain in PLAIN.items() if len(plain) == 1))
_LATIN = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x180))))
_STUBBORN = "".join(c for c in _LATIN if c not in _IN_GSM + _ACCENTED + "\f^{}\\[~]|€" and not c.isspace())
GSM, ACCENTED, STUBBORN, UNUSUAL = 0, 1, 2, 3  # of all values of a person: the widest alphabet that they need


@dataclass(frozen=True)
class Measured:
    """`parts`: NULL for who has unusual values or a refusal. `refusal`: `missing_value`, `too_long` or NULL."""

    parts: ColumnElement[int | None]
    refusal: ColumnElement[str | None]


@dataclass(frozen=True)
class _Size:
    """Of a piece of text: characters, septets (None: GSM-7 lacks one of them), UTF-16 units."""

    characters: int
    septets: int | None
    units: int

    def has_wide(self, what: str) -> bool:
        """Is there a character of two?"""
        return (getattr(self, what) or 0) > self.characters


def value(field: str) -> ColumnElement[str]:
    """What the field is for a person, as `messages.values_of` says it, without spaces at its ends; '' for nothing.

    Other marks at its ends, such as tabs, stay, and make it unusual."""
    columns: dict[str, Any] = {
        "given_names": Contact.given_names, "name": Contact.name, "neighborhood": Contact.neighborhood,
        "municipality": Contact.municipality, "section": _section(),
    }  # fmt: skip
    return func.btrim(func.coalesce(columns[field], ""))


def alphabet(fields: list[str]) -> ColumnElement[int]:
    """The widest alphabet that the person's values of these fields need: GSM, ACCENTED, STUBBORN or UNUSUAL."""
    if not fields:
        return literal(GSM)
    return case(
        (_holds_only(fields, _IN_GSM), GSM),
        (_holds_only(fields, _IN_GSM + _ACCENTED), ACCENTED),
        (_holds_only(fields, _IN_GSM + _ACCENTED + _STUBBORN), STUBBORN),
        else_=UNUSUAL,
    )


@cache
def is_regular(text: str) -> bool:
    """May the text be measured by the lengths of its values? Not where something in it would grow together with one."""
    after = [text[match.end() :] for match in PLACEHOLDER.finditer(text)]
    after += [match[2] or "" for match in PLACEHOLDER.finditer(text)]
    marks = {mark for rest in after for mark in wording.clean("0" + rest)[1:2]}  # with a digit nothing grows together
    return not any(
        unicodedata.combining(mark) or unicodedata.normalize("NFC", letter + mark) != letter + mark
        for mark in marks
        for letter in _IN_GSM + _ACCENTED + _STUBBORN
    )


def measured(text: str, *, is_plain: bool = False) -> Measured:
    """Columns over Contact's for `text`, a wording without faults. `is_plain`: as everybody gets it without accents."""
    text = wording.without_accents(text) if is_plain else wording.clean(text)
    missing = or_(literal(False), *[value(field) == "" for field in wording.needed(text)])
    if not is_regular(text):
        return Measured(cast(null(), Integer), cast(case((missing, "missing_value"), else_=null()), String))
    pieces, fields = _pieces(text), wording.fields(text)
    fits = _holds_only(fields, _IN_GSM + _ACCENTED if is_plain else _IN_GSM)
    is_ordinary = _holds_only(fields, _IN_GSM + _ACCENTED + _STUBBORN)
    # The dear question, what letters there are, comes after the cheap ones, and once for most people.
    in_gsm = and_(*[piece.is_used for piece in pieces if piece.size.septets is None], fits)
    too_long = and_(_sum(pieces, "characters") > MAX_CHARACTERS, is_ordinary)
    parts = case(
        (missing, null()),
        (in_gsm, _count(pieces, "septets", whole=160, piece=153)),
        (is_ordinary, _count(pieces, "units", whole=70, piece=67)),
        else_=null(),
    )
    refusal = case((missing, "missing_value"), (too_long, "too_long"), else_=null())
    return Measured(cast(parts, Integer), cast(refusal, String))


@dataclass(frozen=True)
class _Piece:
    """A stretch of a wording: its own words, or a placeholder, whose `size` is that of the words it falls back on."""

    size: _Size
    field: str | None = None

    @property
    def is_used(self) -> ColumnElement[bool]:
        """Placeholders only: has the person a value, so that these words are not needed?"""
        return literal(False) if self.field is None else value(self.field) != ""

    def length(self, what: str) -> ColumnElement[int]:
        own = getattr(self.size, what) or 0
        if self.field is None:
            return literal(own)
        said = value(self.field)
        return case((said == "", own), else_=func.length(said))


def _pieces(text: str) -> list[_Piece]:
    found, last = [], 0
    for match in PLACEHOLDER.finditer(text):
        found += [_Piece(_size(text[last : match.start()])), _Piece(_size((match[2] or "").strip()), match[1].strip())]
        last = match.end()
    return [*found, _Piece(_size(text[last:]))]


def _size(words: str) -> _Size:
    return _Size(len(words), wording.septets(words), len(words.encode("utf-16-be")) // 2)


def _sum(pieces: list[_Piece], what: str) -> ColumnElement[int]:
    total: ColumnElement[int] = literal(sum(getattr(piece.size, what) or 0 for piece in pieces if piece.field is None))
    for piece in pieces:
        if piece.field is not None:
            total = total + piece.length(what)
    return total


def _count(pieces: list[_Piece], what: str, *, whole: int, piece: int) -> ColumnElement[Any]:
    """Parts of so many units. A character of two of them that would be torn apart leaves a unit empty: where that
    could make a difference, NULL."""
    units = _sum(pieces, what)
    least = (units + piece - 1) // piece
    if not any(each.size.has_wide(what) for each in pieces):
        return case((units <= whole, 1), else_=least)
    most = (units + piece - 2) // (piece - 1)
    return case((units <= whole, 1), (least == most, least), else_=null())


def _holds_only(fields: list[str], letters: str) -> ColumnElement[bool]:
    """Are all values of these fields of these letters? One look at all of them together."""
    if not fields:
        return true()
    together = value(fields[0])
    for field in fields[1:]:
        together = together.concat(value(field))
    listed = "".join(sorted(set(letters) - {"-"})) + "-"  # a hyphen between two would mean all from one to the other
    return together.regexp_match(f"^[{listed}]*$")


def _section() -> ColumnElement[str]:
    """As f"{section:04}" writes it."""
    digits = cast(Contact.section_number, String)
    return case((Contact.section_number < 1000, func.lpad(digits, 4, "0")), else_=digits)
