"""The codebook of a study's data: every column with its words, its codes, and what stands for a missing answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from surveys.analysis.response_items import Item
from surveys.responses import Responses

if TYPE_CHECKING:
    import polars as pl

KINDS = ("code", "codes", "order", "number", "word", "yes_no")
# Codes that stand for no answer get numbers from here on in SPSS, so that one range holds them all.
FIRST_MISSING = 9_000
LABELS: dict[str, LazyString] = {
    "interview": _l("Number of the interview in this file"),
    "day": _l("Day of the interview"),
    "state": _l("How far the interview went"),
    "version": _l("Version of the questionnaire"),
    "face": _l("How it was asked"),
    "language": _l("Language of the interview"),
    "interviewer": _l("Number of the interviewer in this file"),
    "wave": _l("Wave"),
    "stratum": _l("Stratum of the sample"),
    "base_weight": _l("Base weight of the sample"),
    "over_quota": _l("The group had enough interviews already"),
    "seconds": _l("Seconds at the questions"),
    "weight": _l("Weight"),
    "d_sex": _l("Sex: as said, else as on record"),
    "d_age_band": _l("Age: as said, else as on record"),
    "h_section_kind": _l("Kind of electoral section, on record"),
    "h_municipality": _l("Municipality, on record"),
    "h_sex": _l("Sex, on record"),
    "h_state": _l("State, on record"),
}
VALUES: dict[str, dict[str, LazyString]] = {
    "d_sex": {"H": _l("Men"), "M": _l("Women"), "X": _l("Non-binary")},
    "h_sex": {"H": _l("Men"), "M": _l("Women"), "X": _l("Non-binary")},
    "h_section_kind": {"U": _l("Urban"), "M": _l("Mixed"), "R": _l("Rural")},
}


@dataclass(frozen=True)
class Value:
    """A code with its number in SPSS and its words. `is_missing`: the person gave no answer."""

    code: str
    number: int
    label: str
    is_missing: bool


@dataclass(frozen=True)
class Variable:
    """A column. `kind`: one of KINDS; `item`: the question it comes from, or ''."""

    column: str
    kind: str
    label: str
    item: str
    values: tuple[Value, ...] = ()


def variables(responses: Responses, language: str) -> list[Variable]:
    """Every column of the data in its order."""
    by_column = {item.column: item for item in responses.items.values()}
    return [_variable(responses.frame[name], by_column.get(name), language) for name in responses.frame.columns]


def _variable(column: "pl.Series", item: Item | None, language: str) -> Variable:
    if item is not None:
        kind = "codes" if item.is_multiple else "code" if item.is_coded else "number" if item.is_number else "word"
        values = numbered([(choice.code, choice.words(language), choice.is_missing) for choice in item.choices])
        return Variable(column.name, kind, plain(item.words(language)), item.name, values)
    if column.name.startswith("o_"):
        asked = column.name.removeprefix("o_")
        return Variable(column.name, "order", _("Order in which the answers of %(item)s were shown", item=asked), asked)
    known = VALUES.get(column.name, {})
    return Variable(column.name, _kind(column), str(LABELS.get(column.name, column.name)), "", numbered(
        [(code, str(known.get(code, code)), False) for code in _codes(column)]))  # fmt: skip


def _kind(column: "pl.Series") -> str:
    import polars as pl

    if column.dtype == pl.Boolean:
        return "yes_no"
    if column.dtype.is_numeric():
        return "number"
    return "word" if column.name == "day" else "code"


def _codes(column: "pl.Series") -> Iterator[str]:
    """The codes of a column that is no question: those of its type, else those that occur."""
    import polars as pl

    if isinstance(column.dtype, pl.Enum):
        yield from column.dtype.categories.to_list()
    elif column.dtype == pl.String and column.name != "day":
        yield from sorted(column.drop_nulls().unique().to_list())


def numbered(codes: list[tuple[str, str, bool]]) -> tuple[Value, ...]:
    """(code, words, is missing) -> values. Codes that are numbers keep them; else answers count from 1."""
    keeps = all(code.isascii() and code.isdigit() and int(code) < FIRST_MISSING for code, _words, _missing in codes)
    found, answers, missing = [], 0, FIRST_MISSING
    for code, words, is_missing in codes:
        if is_missing:
            number, missing = missing, missing + 1
        elif keeps:
            number = int(code)
        else:
            answers += 1
            number = answers
        found.append(Value(code, number, plain(words), is_missing))
    return tuple(found)


def plain(words: str) -> str:
    """Words on one line."""
    return " ".join(words.split())


def rows(found: list[Variable]) -> Iterator[tuple[str, str, str, str, str, str, str]]:
    """As a table: column, kind, label, code, number in SPSS, words, missing."""
    for variable in found:
        yield variable.column, variable.kind, variable.label, "", "", "", ""
        for value in variable.values:
            missing = _("missing") if value.is_missing else ""
            yield variable.column, "", "", value.code, str(value.number), value.label, missing


def header() -> list[str]:
    return [_("column"), _("kind"), _("label"), _("code"), _("number in SPSS"), _("words"), _("missing value")]


def numbers(variable: Variable) -> Mapping[str, int]:
    """Code -> number."""
    return {value.code: value.number for value in variable.values}
