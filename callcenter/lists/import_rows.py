"""One row of a list → one person to stage, or a reason why not. Pure: the same row gives the same answer everywhere."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from callcenter.contacts import name_key
from callcenter.lists import import_cells
from callcenter.lists.import_cells import MAX_TEXT, sex_is_ambiguous, tidy
from callcenter.lists.import_columns import ATTRIBUTE, PHONES
from callcenter.lists.voter_keys import without_keys
from callcenter.people.attributes import Attribute
from callcenter.phones import Number, normalise

__all__ = ["Person", "Refused", "RowReader", "is_data", "sex_is_ambiguous", "tidy"]

_TOTAL = re.compile(r"(?:gran |sub)?\s*total(?:es)?(?: general)?\s*:?\Z", re.IGNORECASE)
_LINE_KINDS = {"mobile": "mobile", "landline": "landline"}


@dataclass(frozen=True)
class Person:
    """What a row says of a person, ready for the staging table. `phones`: the first is where they are called.

    `bad`: keys of the attributes whose cell was of another kind and is left out."""

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
    organization: str | None = None
    is_member: bool | None = None
    holds_post: bool | None = None
    form_id: str | None = None
    signed_on: date | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    bad: tuple[str, ...] = ()
    do_not_contact: bool | None = None  # a column «no llamar» says yes


@dataclass(frozen=True)
class Refused:
    """A row that is nobody: why, and the cells of the mapped columns."""

    row: int
    reason: str
    cells: dict[str, str]


@dataclass(frozen=True)
class RowReader:
    """How one file's rows are read: `mapping` column → field; `names` of the columns; what a letter says of sex; the
    custom attributes by key."""

    mapping: Mapping[int, str]
    names: Sequence[str]
    sex_letters: str | None = None
    today: date = field(default_factory=date.today)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    def read(self, row: int, cells: Sequence[str]) -> Person | Refused:
        """The person of the row, or why there is none."""
        found = self._phones(cells)
        if not isinstance(found, _Phones):
            return Refused(row, found, self.kept(cells))
        said = {wanted: cells[at] for at, wanted in self.mapping.items() if at < len(cells)}

        def text(wanted: str) -> str | None:
            return tidy(said.get(wanted)) or None

        parts = [tidy(said.get(part)) for part in ("name", "surname", "second_surname")]
        name = " ".join(filter(None, parts))
        attributes, bad = self._attributes(said)
        refusal = import_cells.read_refusal(said.get("do_not_contact", ""))
        return Person(
            row=row,
            name=name,
            given_names=parts[0],
            name_key=name_key(name),
            phones=found.numbers,
            phone_raw=found.raw,
            line_kind_source=found.line_kind_source,
            sex=import_cells.read_sex(said.get("sex", ""), self.sex_letters),
            age=import_cells.read_age(said.get("age", ""))
            or import_cells.read_age_of(said.get("birth_date", ""), self.today),
            neighborhood=text("neighborhood"),
            municipality=text("municipality"),
            state=import_cells.read_number(said.get("state", ""), 1, 32),
            section=import_cells.read_number(said.get("section", ""), 1, 9999),
            promoter=text("promoter"),
            answer=refusal or import_cells.read_answer(said.get("consent", "")),
            organization=text("organization"),
            is_member=import_cells.read_flag(said.get("is_member", "")),
            holds_post=import_cells.read_flag(said.get("holds_post", "")),
            form_id=text("folio_compromiso"),
            signed_on=import_cells.read_date(said.get("fecha_compromiso", "")),
            attributes=attributes,
            bad=bad,
            do_not_contact=bool(refusal) or None,
        )

    def kept(self, cells: Sequence[str]) -> dict[str, str]:
        """What is kept of a row that is refused: the cells of the mapped columns, without keys of the voter card."""
        return {
            self.names[at]: without_keys(import_cells.shown(cells[at] if at < len(cells) else ""))[:MAX_TEXT]
            for at in sorted(self.mapping)
        }

    def _attributes(self, said: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
        values: dict[str, Any] = {}
        bad: list[str] = []
        for key, attribute in self.attributes.items():
            try:
                value = import_cells.read_attribute(attribute, said.get(ATTRIBUTE + key, ""))
            except ValueError:
                bad.append(key)
            else:
                if value is not None:
                    values[key] = value
        return values, tuple(bad)

    def _phones(self, cells: Sequence[str]) -> "_Phones | str":
        """The numbers of all phone columns, mobiles first; when there is none, the reason of the first filled cell."""
        numbers: dict[str, Number] = {}
        raw, source, reason = "", None, "no_phone"
        for at, kind in self.phone_columns:
            if at >= len(cells):
                continue
            reading = normalise(cells[at])
            if reading.reason and reason == "no_phone":
                reason = reading.reason
            for number in reading.numbers:
                if not numbers:
                    raw, source = kept_spelling(cells[at]), line_kind_source(number.line_kind, kind)
                numbers.setdefault(number.e164, _of_kind(number, kind))
        return _Phones(tuple(numbers.values()), raw, source) if numbers else reason

    @cached_property
    def phone_columns(self) -> list[tuple[int, str]]:
        """The columns of phones and what each is, in the order in which people are called at them."""
        return sorted(
            ((at, kind) for at, kind in self.mapping.items() if kind in PHONES),
            key=lambda column: (PHONES.index(column[1]), column[0]),
        )


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
    return _without_tail(list(map(str.strip, cells))) != _without_tail(list(names))


def _without_tail(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def line_kind_source(spelled: str, column: str) -> str | None:
    """Whence we know a first number's kind: the spelling tells, or the column it stands in."""
    if spelled != "unknown":
        return "spelling"
    return "column" if column in _LINE_KINDS else None


def line_kind(spelled: str, column: str) -> str:
    """A number's kind: as spelled, else as its column says."""
    return spelled if spelled != "unknown" else _LINE_KINDS.get(column, "unknown")


def kept_spelling(cell: str) -> str:
    """A phone's cell as it is kept beside the number."""
    return without_keys(cell)[:MAX_TEXT]


def _of_kind(number: Number, column: str) -> Number:
    kind = line_kind(number.line_kind, column)
    return number if kind == number.line_kind else Number(number.e164, number.extension, kind, number.notes)
