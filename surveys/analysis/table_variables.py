"""What a table can be made of: questions, coded answers, and what is known of each interview, as small integers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l
from numpy.typing import NDArray

from surveys.responses import AGE_BANDS, SEXES, Item, Responses

if TYPE_CHECKING:
    import polars as pl

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
NO_ANSWER = -1

# What is known of each interview without asking: column of the frame -> its name.
FACTS: dict[str, LazyString] = {
    "d_sex": _l("Sex"),
    "d_age_band": _l("Age"),
    "h_section_kind": _l("Kind of section"),
    "h_municipality": _l("Municipality"),
    "h_federal_district": _l("Federal district"),
    "h_local_district": _l("Local district"),
    "face": _l("How it was asked"),
    "language": _l("Language"),
    "wave": _l("Wave"),
    "stratum": _l("Stratum"),
    "state": _l("State of the interview"),
}
LEVEL_LABELS: dict[str, dict[str, LazyString]] = {
    "d_sex": {"H": _l("Men"), "M": _l("Women"), "X": _l("Non-binary")},
    "h_section_kind": {"U": _l("Urban"), "M": _l("Mixed"), "R": _l("Rural")},
    "face": {
        "screen": _l("by an operator"), "agi": _l("by telephone keys"), "twiml": _l("by telephone keys (Twilio)"),
        "web": _l("in a web page"), "whatsapp": _l("by WhatsApp"), "sms": _l("by SMS"), "telegram": _l("by Telegram"),
    },
    "state": {"started": _l("started"), "complete": _l("complete"), "partial": _l("broken off"),
              "screened": _l("short: the group had enough interviews")},
}  # fmt: skip
_ORDERED: dict[str, tuple[str, ...]] = {
    "d_sex": SEXES,
    "d_age_band": tuple(name for name, _low, _high in AGE_BANDS),
    "h_section_kind": ("U", "M", "R"),
    "face": ("screen", "agi", "twiml", "web", "whatsapp", "sms", "telegram"),
    "state": ("complete", "partial", "screened", "started"),
}


@dataclass(frozen=True)
class Level:
    """One answer. `is_missing`: the person said that they do not know, or would not say."""

    code: str
    label: str
    is_missing: bool = False
    role: str | None = None


@dataclass(frozen=True)
class Variable:
    """`kind`: single (one level a person), multiple (several), number. `name` is its column, or `<item>_coded`."""

    name: str
    label: str
    kind: str
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, eq=False)
class Coded:
    """A variable's answers. `codes`: places of levels; of a single one one a person (NO_ANSWER: none), of a multiple
    one one a mention, and `at` says whose. `has_answer`: by person. `values`: of a number, NaN where there is none."""

    codes: Integers
    has_answer: NDArray[np.bool_]
    at: Integers | None = None
    values: Floats | None = None


def questions(responses: Responses, language: str) -> dict[str, Variable]:
    """The questions that a table can have in its rows, by column: those with choices, and numbers."""
    return {
        item.column: _question(item, language) for item in responses.items.values() if item.is_coded or item.is_number
    }


def facts(responses: Responses) -> dict[str, Variable]:
    """What is known of the interviews: those columns that tell at least two of them apart."""
    known = [name for name in FACTS if name in responses.frame.columns]
    found = {name: levels for name in known if len(levels := _levels_of(responses, name)) > 1}
    return {
        name: Variable(name, str(FACTS[name]), "single", tuple(_level(name, code) for code in levels))
        for name, levels in found.items()
    }


def coded(responses: Responses, variable: Variable) -> Coded:
    """The variable's answers, kept beside the frame: a million of them are made numbers once."""
    key = ("coded", variable.name)
    if key not in responses.memo:
        responses.memo[key] = _coded(responses, variable)
    found: Coded = responses.memo[key]
    return found


def coded_mentions(responses: Responses, codes: Mapping[Any, Sequence[str]], variable: Variable) -> Coded:
    """The codes that coders gave to open answers (surveys.coding.coded_answers.codes): interview id -> codes."""
    import polars as pl

    places = {level.code: place for place, level in enumerate(variable.levels)}
    given = pl.DataFrame(
        {"interview_id": [str(one) for one in codes], "codes": [list(some) for some in codes.values()]},
        schema={"interview_id": pl.String, "codes": pl.List(pl.String)},
    )
    rows = responses.frame.select("interview_id").with_row_index("at").join(given, on="interview_id")
    has_answer = np.zeros(responses.frame.height, dtype=bool)
    has_answer[rows["at"].to_numpy()] = True
    long = rows.explode("codes").filter(pl.col("codes").is_in(list(places)))
    numbers = np.array([places[code] for code in long["codes"]], dtype=np.int64)
    at = long["at"].to_numpy().astype(np.int64)
    if variable.kind == "multiple":
        return Coded(numbers, has_answer, at)
    single = np.full(responses.frame.height, NO_ANSWER, dtype=np.int64)
    single[at] = numbers
    return Coded(single, single >= 0)


def without_missing(found: Coded, variable: Variable) -> Coded:
    """The same, but whoever does not know or would not say has not answered."""
    missing = [place for place, level in enumerate(variable.levels) if level.is_missing]
    if not missing or found.values is not None:
        return found
    is_missing = np.isin(found.codes, missing)
    if found.at is None:
        codes = np.where(is_missing, NO_ANSWER, found.codes)
        return replace(found, codes=codes, has_answer=codes >= 0)
    out = np.zeros_like(found.has_answer)
    out[found.at[is_missing]] = True
    stays = ~out[found.at]
    return replace(found, codes=found.codes[stays], at=found.at[stays], has_answer=found.has_answer & ~out)


def _question(item: Item, language: str) -> Variable:
    kind = "number" if item.is_number else "multiple" if item.is_multiple else "single"
    levels = tuple(
        Level(choice.code, choice.words(language), choice.is_missing, choice.role) for choice in item.choices
    )
    return Variable(item.column, item.words(language), kind, levels)


def _level(name: str, code: str) -> Level:
    return Level(code, str(LEVEL_LABELS.get(name, {}).get(code, code)))


def _levels_of(responses: Responses, name: str) -> tuple[str, ...]:
    key = ("levels", name)
    if key not in responses.memo:
        present = {str(code) for code in responses.frame[name].drop_nulls().unique()}
        order = _ORDERED.get(name, ())
        known = [code for code in order if code in present]
        responses.memo[key] = (*known, *sorted(present - set(order), key=_natural))
    found: tuple[str, ...] = responses.memo[key]
    return found


def _natural(code: str) -> tuple[int, int, str]:
    """Districts 2 and 10 in the order of their numbers, names after them."""
    return (0, int(code), code) if code.isascii() and code.isdigit() else (1, 0, code)


def _coded(responses: Responses, variable: Variable) -> Coded:
    column = responses.frame[variable.name]
    if variable.kind == "number":
        values = column.to_numpy().astype(np.float64)
        return Coded(np.empty(0, dtype=np.int64), ~np.isnan(values), values=values)
    codes = [level.code for level in variable.levels]
    if variable.kind == "multiple":
        return _mentions(column, codes)
    numbers = _places(column, codes)
    return Coded(numbers, numbers >= 0)


def _mentions(column: "pl.Series", codes: Sequence[str]) -> Coded:
    import polars as pl

    frame = pl.DataFrame({"code": column}).with_row_index("at")
    long = frame.filter(pl.col("code").is_not_null()).explode("code")
    places = _places(long["code"], codes)
    known = places >= 0
    return Coded(places[known], column.is_not_null().to_numpy(), long["at"].to_numpy().astype(np.int64)[known])


def _places(column: "pl.Series", codes: Sequence[str]) -> Integers:
    import polars as pl

    kind = pl.Enum(codes)
    same = column if column.dtype == kind else column.cast(pl.String).cast(kind, strict=False)
    return same.to_physical().cast(pl.Int64).fill_null(NO_ANSWER).to_numpy()


def unknown(name: str, known: Sequence[str]) -> str:
    """The sentence for a variable that is not there."""
    return str(gettext("There is no “%(name)s” to make a table of. There are: %(known)s.", name=name,
                       known=", ".join(known)))  # fmt: skip
