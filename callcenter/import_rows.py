"""One row of a list → one person to stage, or a reason why not. Pure: the same row gives the same answer everywhere."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from callcenter.contacts import name_key
from callcenter.import_columns import PHONES, is_sensitive_value
from callcenter.phones import Number, normalise

_TOTAL = re.compile(r"(?:gran |sub)?\s*total(?:es)?(?: general)?\s*:?\Z", re.IGNORECASE)
_BLANK = frozenset(("", "-", "--", "s/n", "n/a", "na", "s/d", "sin dato", "no tiene", "null", "none"))
_SEX_WORDS = {
    "hombre": "H",
    "masculino": "H",
    "mujer": "M",
    "femenino": "M",
    "femenina": "M",
    "x": "X",
    "nb": "X",
    "no binario": "X",
    "no binaria": "X",
}
# One letter means what the file means by it: H/M (hombre, mujer) or M/F (masculino, femenino).
SEX_LETTERS = {"HM": {"h": "H", "m": "M", "f": "M"}, "MF": {"h": "H", "m": "H", "f": "M"}}
_YES = frozenset(("si", "s", "yes", "y", "1", "true", "acepta", "verdadero"))
_NO = frozenset(("no", "n", "0", "false", "no acepta", "falso"))
_LINE_KINDS = {"mobile": "mobile", "landline": "landline"}
MAX_TEXT = 200


@dataclass(frozen=True)
class Person:
    """What a row says of a person, ready for the staging table. `phones`: the first is where they are called."""

    row: int
    name: str
    given_names: str
    name_key: str
    phones: tuple[Number, ...]
    phone_raw: str
    line_kind_source: str | None
    sex: str | None
    age: int | None
    neighborhood: str | None
    municipality: str | None
    state: int | None
    section: int | None
    promoter: str | None
    answer: str | None  # opted_in | opted_out | None


@dataclass(frozen=True)
class Refused:
    """A row that is nobody: why, and the cells of the mapped columns."""

    row: int
    reason: str
    cells: dict[str, str]


@dataclass(frozen=True)
class RowReader:
    """How one file's rows are read: `mapping` column → field; `names` of the columns; what a letter says of sex."""

    mapping: Mapping[int, str]
    names: Sequence[str]
    sex_letters: str | None = None
    today: date = field(default_factory=date.today)

    def read(self, row: int, cells: Sequence[str]) -> Person | Refused:
        """The person of the row, or why there is none."""
        found = self._phones(cells)
        if not isinstance(found, _Phones):
            return Refused(row, found, self._kept(cells))
        said = self._fields(cells)
        given = tidy(said.get("name"))
        name = " ".join(filter(None, (given, tidy(said.get("surname")), tidy(said.get("second_surname")))))
        return Person(
            row=row,
            name=name,
            given_names=given,
            name_key=name_key(name),
            phones=found.numbers,
            phone_raw=found.raw[:MAX_TEXT],
            line_kind_source=found.line_kind_source,
            sex=self._sex(said.get("sex", "")),
            age=_age(said.get("age", "")) or _age_of(said.get("birth_date", ""), self.today),
            neighborhood=tidy(said.get("neighborhood")) or None,
            municipality=tidy(said.get("municipality")) or None,
            state=_number(said.get("state", ""), 1, 32),
            section=_number(said.get("section", ""), 1, 9999),
            promoter=tidy(said.get("promoter")) or None,
            answer=_answer(said.get("consent", "")),
        )

    def _fields(self, cells: Sequence[str]) -> dict[str, str]:
        last = len(cells)
        return {
            wanted: cells[at]
            for at, wanted in self.mapping.items()
            if at < last and not (len(cells[at]) >= 18 and is_sensitive_value(cells[at]))
        }

    def _phones(self, cells: Sequence[str]) -> "_Phones | str":
        """The numbers of all phone columns, mobiles first; when there is none, the reason of the first filled cell."""
        numbers: dict[str, Number] = {}
        raw, source, reason = "", None, "no_phone"
        for at, kind in self._phone_columns:
            if at >= len(cells):
                continue
            reading = normalise(cells[at])
            if reading.reason and reason == "no_phone":
                reason = reading.reason
            for number in reading.numbers:
                if not numbers:
                    raw, source = cells[at], self._line_kind_source(number, kind)
                numbers.setdefault(number.e164, _of_kind(number, kind))
        return _Phones(tuple(numbers.values()), raw, source) if numbers else reason

    @cached_property
    def _phone_columns(self) -> list[tuple[int, str]]:
        return sorted(
            ((at, kind) for at, kind in self.mapping.items() if kind in PHONES),
            key=lambda column: (PHONES.index(column[1]), column[0]),
        )

    @staticmethod
    def _line_kind_source(number: Number, column: str) -> str | None:
        if number.line_kind != "unknown":
            return "spelling"
        return "column" if column in _LINE_KINDS else None

    def _sex(self, cell: str) -> str | None:
        word = name_key(cell)
        if word in _SEX_WORDS:
            return _SEX_WORDS[word]
        return SEX_LETTERS[self.sex_letters or "HM"].get(word)

    def _kept(self, cells: Sequence[str]) -> dict[str, str]:
        return {
            self.names[at]: cells[at][:MAX_TEXT]
            for at in sorted(self.mapping)
            if at < len(cells) and not is_sensitive_value(cells[at])
        }


@dataclass(frozen=True)
class _Phones:
    numbers: tuple[Number, ...]
    raw: str
    line_kind_source: str | None


def is_data(cells: Sequence[str], names: Sequence[str]) -> bool:
    """Is it a row of the list, and not a blank line, a total, or the column names once more?"""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled or _TOTAL.match(filled[0]):
        return False
    return list(map(str.strip, cells)) != list(names)


def sex_is_ambiguous(letters: Iterable[str]) -> bool:
    """Do the single letters of the sex column mix M (masculino?) with F?"""
    return {"m", "f"} <= {name_key(letter) for letter in letters}


def tidy(cell: str | None) -> str:
    """The text with single spaces and no control characters; '' for «S/N», «-» and the like."""
    if not cell:
        return ""
    plain = " ".join(cell.split())
    if not plain.isprintable():
        plain = "".join(c for c in plain if c.isprintable())
    return "" if plain.casefold() in _BLANK else plain[:MAX_TEXT]


def _of_kind(number: Number, column: str) -> Number:
    kind = number.line_kind if number.line_kind != "unknown" else _LINE_KINDS.get(column, "unknown")
    return number if kind == number.line_kind else Number(number.e164, number.extension, kind, number.notes)


def _number(cell: str, least: int, most: int) -> int | None:
    digits = cell.strip().removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 8):
        return None
    return int(digits) if least <= int(digits) <= most else None


def _age(cell: str) -> int | None:
    return _number(cell.lower().replace("años", "").replace("anos", ""), 15, 120)


def _age_of(cell: str, today: date) -> int | None:
    """Whole years since a date written 1990-05-31 or 31/05/1990."""
    found = re.match(r"\s*(?:(\d{4})-(\d\d?)-(\d\d?)|(\d\d?)[/-](\d\d?)[/-](\d{4}))", cell)
    if not found:
        return None
    parts = found.groups()
    year, month, day = (int(part) for part in (parts[:3] if parts[0] else (parts[5], parts[4], parts[3])))
    years = today.year - year - ((today.month, today.day) < (month, day))
    return years if 15 <= years <= 120 else None


def _answer(cell: str) -> str | None:
    word = name_key(cell)
    if word in _YES:
        return "opted_in"
    return "opted_out" if word in _NO else None
