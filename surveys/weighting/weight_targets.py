"""The population's shares that interviews are weighed to, as people write them, line by line:

    variable,category,share,includes
    sex,H,0.4719,H
    sex,M,0.5281,M|X

`includes` are the codes that are weighted as this category (else the code called like it). Shares are written as parts
of 1 or with a percent sign; a variable whose numbers add up to 100 is taken as percents. Pure. Every fault names its
line and says what to do."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from callcenter.tables.table_files import harmless
from surveys.weighting.level_codes import CROSS
from surveys.weighting.raking import Margin
from surveys.weighting.weight_faults import fault_of_shares

MOST_BYTES, MOST_LINES, SHOWN = 200_000, 2_000, 8
COLUMNS = ("variable", "category", "share", "includes")
WORDS = {
    "variable": ("variable", "margin", "margen", "pregunta"),
    "category": ("category", "categoria", "categoría", "level", "nivel", "code", "codigo", "código"),
    "share": ("share", "proporcion", "proporción", "porcentaje", "percent", "target", "meta", "parte"),
    "includes": ("includes", "include", "incluye", "codes", "codigos", "códigos"),
}
_DELIMITERS = ",;\t"
NEARLY_HUNDRED = (99.5, 100.5)


@dataclass(frozen=True)
class Row:
    """One line as it was written; `line` counts from 1."""

    line: int
    variable: str = ""
    category: str = ""
    share: str = ""
    includes: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.variable or self.category or self.share or self.includes)


def decoded(content: bytes) -> str:
    """The text of an uploaded file: UTF-8, else Windows-1252. Raises InvalidInput({"file": sentence})."""
    if len(content) > MOST_BYTES or b"\x00" in content or content.startswith(b"PK"):
        raise InvalidInput({"file": _("This file is no table of text. Save it as CSV and upload it again.")})
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read(text: str) -> list[Row]:
    """The lines of a table. Raises InvalidInput({"targets": sentence})."""
    lines = list(_lines(text.lstrip("\ufeff")))
    if len(lines) < 2:
        raise InvalidInput({"targets": _("Write a head (variable, category, share, includes) and below it one line a "
                                         "category.")})  # fmt: skip
    if len(lines) > MOST_LINES or len(text) > MOST_BYTES:
        raise InvalidInput({"targets": _("There are too many lines; there is room for %(most)s.", most=MOST_LINES)})
    places = _head(lines[0][1])
    return [
        Row(line, *(cells[place] if place is not None and place < len(cells) else "" for place in places))
        for line, cells in lines[1:]
    ]


def margins(rows: Sequence[Row]) -> tuple[Margin, ...]:
    """The margins that the lines give, in their order; blank lines are passed over.

    Raises InvalidInput({"targets": sentences})."""
    faults: list[str] = []
    read_rows: dict[str, list[tuple[Row, float]]] = {}
    for row in rows:
        if row.is_blank:
            continue
        if sentence := _fault(row):
            faults.append(_("Line %(line)s: %(fault)s", line=row.line, fault=sentence))
            continue
        variable = CROSS.join(part.strip() for part in row.variable.split(CROSS))
        read_rows.setdefault(variable, []).append((row, _number(row.share)))
    found = []
    for variable, given in read_rows.items():
        faults += _twice(given)
        margin = _margin(variable, given)
        faults += [sentence] if not faults and (sentence := fault_of_shares(margin)) else []
        found.append(margin)
    if faults:
        more = [_("And %(n)s more lines.", n=len(faults) - SHOWN)] if len(faults) > SHOWN else []
        raise InvalidInput({"targets": " ".join([*faults[:SHOWN], *more])})
    if not found:
        raise InvalidInput({"targets": _("Write at least one variable with the shares of its categories.")})
    return tuple(found)


def require_known(found: Sequence[Margin], known: Mapping[str, Sequence[str]]) -> None:
    """Raises InvalidInput for a variable, or a code, that the survey does not have. `known`: variable -> its codes;
    none: any code may come."""
    faults = []
    for margin in found:
        parts = [margin.variable] if margin.variable in known else margin.variable.split(CROSS)
        if stranger := next((part for part in parts if part not in known), None):
            faults.append(_("There is no question and no known value “%(name)s”. There are: %(known)s.",
                            name=stranger, known=", ".join(known)))  # fmt: skip
            continue
        codes = [code.split(CROSS) if len(parts) > 1 else [code] for code in margin.codes()]
        for cells in codes:
            if len(cells) != len(parts):
                faults.append(_("%(variable)s: “%(code)s” is no combination of %(n)s codes.",
                                variable=margin.variable, code=CROSS.join(cells), n=len(parts)))  # fmt: skip
                break
            odd = [
                (part, code) for part, code in zip(parts, cells, strict=True) if known[part] and code not in known[part]
            ]
            if odd:
                faults.append(_("%(variable)s has no code “%(code)s”. Its codes are: %(known)s.",
                                variable=odd[0][0], code=odd[0][1], known=", ".join(known[odd[0][0]])))  # fmt: skip
                break
    if faults:
        raise InvalidInput({"targets": " ".join(faults[:SHOWN])})


def rows(given: Sequence[Margin]) -> list[Row]:
    """The lines that `margins` reads as these margins."""
    lines = [
        (margin.variable, level, f"{share:.10g}", "|".join(margin.includes.get(level, ())))
        for margin in given for level, share in margin.shares.items()
    ]  # fmt: skip
    return [Row(place, *line) for place, line in enumerate(lines, start=1)]


def write(given: Sequence[Margin]) -> str:
    """A file that `read` understands."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(given):
        writer.writerow([harmless(row.variable), harmless(row.category), row.share, harmless(row.includes)])
    return out.getvalue()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text), delimiter=max(_DELIMITERS, key=first.count))
    try:
        for cells in reader:
            cleaned = [cell.replace("\u00a0", " ").strip().removeprefix("'") for cell in cells]
            if any(cleaned):
                yield reader.line_num, cleaned
    except csv.Error as fault:
        raise InvalidInput({"targets": _("The table cannot be read after line %(line)s; a quotation mark may stand "
                                         "alone.", line=reader.line_num)}) from fault  # fmt: skip


def _head(cells: Sequence[str]) -> list[int | None]:
    """Where each of COLUMNS stands. `includes` may be absent."""
    names = [cell.casefold() for cell in cells]
    places = [next((names.index(word) for word in WORDS[column] if word in names), None) for column in COLUMNS]
    absent = [column for column, place in zip(COLUMNS[:3], places, strict=False) if place is None]
    if absent:
        raise InvalidInput({"targets": _("The first line does not name the column “%(name)s”. It is: variable, "
                                      "category, share, includes.", name=absent[0])})  # fmt: skip
    return places


def _fault(row: Row) -> str | None:
    if not row.variable:
        return str(_("there is no variable."))
    if not row.category:
        return str(_("there is no category."))
    if math.isnan(_number(row.share)):
        return str(_("“%(share)s” is no share: write 0.48 or 48 %%.", share=row.share))
    return None


def _number(text: str) -> float:
    """0.48, 0,48, 48 %; NaN when it is no number."""
    cleaned = text.replace(" ", "").replace(",", ".")
    is_percent = cleaned.endswith("%")
    try:
        value = float(cleaned.removesuffix("%"))
    except ValueError:
        return math.nan
    return value / 100 if is_percent else value


def _twice(given: Sequence[tuple[Row, float]]) -> list[str]:
    seen: dict[str, int] = {}
    faults = []
    for row, _share in given:
        if row.category in seen:
            faults.append(_("Line %(line)s: %(variable)s, %(category)s stands in line %(other)s already.",
                            line=row.line, variable=row.variable, category=row.category,
                            other=seen[row.category]))  # fmt: skip
        seen.setdefault(row.category, row.line)
    return faults


def _margin(variable: str, given: Sequence[tuple[Row, float]]) -> Margin:
    shares = {row.category: share for row, share in given}
    low, high = NEARLY_HUNDRED
    if low <= math.fsum(shares.values()) <= high:
        shares = {level: share / 100 for level, share in shares.items()}
    includes = {
        row.category: tuple(code.strip() for code in row.includes.split("|") if code.strip())
        for row, _share in given if row.includes
    }  # fmt: skip
    return Margin(variable, shares, includes)
