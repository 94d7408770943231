"""A study's data as files: CSV (read back without loss), SPSS with labels and missing values, XLSX.

Heavy libraries stay inside: only workers and commands write such files.
"""

import io
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from callcenter.tables.table_files import harmless
from surveys.analysis.response_frame import AGE_BANDS, SEXES
from surveys.analysis.response_items import Item
from surveys.publishing.codebook import FIRST_MISSING, Variable

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from pyreadstat.pyclasses import MissingRange

# A spreadsheet has 1,048,576 rows, and is no place for so many.
MOST_ROWS_XLSX = 200_000
DANGEROUS = "=+-@\t\r\n"  # what a spreadsheet would take for a formula (callcenter.tables.table_files.harmless)
SPSS_NAME = 64  # bytes
SPSS_LABEL, SPSS_VALUE_LABEL = 250, 120  # bytes that SPSS keeps
# Words that SPSS keeps for itself.
RESERVED = frozenset({"ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"})


def csv_bytes(frame: "pl.DataFrame") -> bytes:
    """UTF-8 with a byte-order mark; codes of a list with spaces between; what looks like a formula gets an apostrophe.

    `read_csv` gives the same frame again."""
    import polars as pl

    flat = frame.with_columns(
        *(pl.col(name).list.join(" ") for name, kind in frame.schema.items() if isinstance(kind, pl.List)),
        *(_escaped(name) for name, kind in frame.schema.items() if isinstance(kind, pl.String | pl.Enum)),
    )
    content = io.BytesIO()
    flat.write_csv(content, include_bom=True)
    return content.getvalue()


def _escaped(name: str) -> "pl.Expr":
    import polars as pl

    text = pl.col(name).cast(pl.String)
    looks_like_formula = text.str.slice(0, 1).is_in(list(DANGEROUS))
    return pl.when(looks_like_formula).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).alias(name)


def read_csv(content: bytes, items: Mapping[str, Item]) -> "pl.DataFrame":
    """The frame that `csv_bytes` wrote. Raises InvalidInput for a file of another shape."""
    import polars as pl
    from polars.exceptions import PolarsError

    by_column = {item.column: item for item in items.values()}
    refused = InvalidInput({"data": _("The data file cannot be read: it was changed, or is of another kind.")})
    try:
        read = pl.read_csv(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")), infer_schema=False)
        if not {"interview", "weight"} <= set(read.columns):
            raise refused
        sexes = dict.fromkeys((*SEXES, *(items["sex"].codes if "sex" in items else ())))
        known = {"d_sex": list(sexes), "d_age_band": [name for name, _low, _high in AGE_BANDS]}
        return read.select(_typed(name, by_column.get(name), known.get(name)) for name in read.columns)
    except PolarsError as error:
        raise InvalidInput(
            {"data": _("The data file cannot be read: it was changed, or is of another kind.")}
        ) from error


def _typed(name: str, item: Item | None, levels: list[str] | None) -> "pl.Expr":
    import polars as pl

    text = pl.col(name)
    escaped = text.str.starts_with("'") & text.str.slice(1, 1).is_in(list(DANGEROUS))
    plain = pl.when(escaped).then(text.str.slice(1)).otherwise(text)
    if item is not None and item.kind == "select_one":
        return plain.cast(pl.Enum(item.codes)).alias(name)
    if levels is not None:
        return plain.cast(pl.Enum(levels)).alias(name)
    if (item is not None and item.is_multiple) or name.startswith("o_"):
        return pl.when(text != "").then(text.str.split(" ")).alias(name)
    if (item is not None and item.is_number) or name in ("base_weight", "seconds", "weight"):
        return text.cast(pl.Float64).alias(name)
    if name in ("interview", "version", "interviewer"):
        return text.cast(pl.Int64).alias(name)
    if name == "over_quota":
        return (text == "true").alias(name)
    return plain.alias(name)


def sav_bytes(frame: "pl.DataFrame", described: Sequence[Variable], title: str) -> bytes:
    """An SPSS file: numbers with labels; don't-knows and refusals as user-missing values; a question of several answers
    as one 0/1 column an answer."""
    import pyreadstat

    table, names = _spss_table(frame, described)
    with tempfile.TemporaryDirectory(prefix="convoca-sav-") as folder:
        path = Path(folder) / "data.sav"
        pyreadstat.write_sav(
            table, path, file_label=_cut(title, 60),
            column_labels={name: _cut(one.label, SPSS_LABEL) for name, one, _code in names},
            variable_value_labels={name: labels for name, one, code in names if (labels := _labels(one, code))},
            missing_ranges={name: [missing] for name, one, code in names if not code and (missing := _missing(one))},
            variable_measure={name: _measure(one) for name, one, _code in names},
        )  # fmt: skip
        return path.read_bytes()


def _spss_table(
    frame: "pl.DataFrame", described: Sequence[Variable]
) -> tuple["pd.DataFrame", list[tuple[str, Variable, str]]]:
    """The columns as SPSS keeps them, and for each its name, its variable, and the code of a 0/1 column."""
    import pandas as pd

    columns: dict[str, Any] = {}
    names: list[tuple[str, Variable, str]] = []
    for variable in described:
        for code, values in _spss_columns(frame[variable.column], variable):
            name = spss_name(f"{variable.column}_{code}" if code else variable.column, columns)
            columns[name] = values
            names.append((name, _named(variable, code), code))
    return pd.DataFrame(columns), names


def _spss_columns(column: "pl.Series", variable: Variable) -> Iterable[tuple[str, Any]]:
    import polars as pl

    if variable.kind == "codes":
        for value in variable.values:
            yield value.code, column.list.contains(value.code).cast(pl.Float64).to_numpy()
    elif variable.kind == "code":
        known = {value.code: float(value.number) for value in variable.values}
        text = column.cast(pl.String)
        numbers = text.replace_strict(known, default=None, return_dtype=pl.Float64) if known else text.cast(pl.Float64)
        yield "", numbers.to_numpy()
    elif variable.kind == "order":
        yield "", column.list.join(" ").fill_null("").to_numpy()
    elif variable.kind == "word":
        yield "", column.cast(pl.String).fill_null("").to_numpy()
    else:
        yield "", column.cast(pl.Float64).to_numpy()


def _named(variable: Variable, code: str) -> Variable:
    if not code:
        return variable
    words = next(value.label for value in variable.values if value.code == code)
    return Variable(variable.column, variable.kind, f"{variable.label}: {words}", variable.item, variable.values)


def spss_name(wanted: str, taken: Iterable[str]) -> str:
    """A name that SPSS takes: letters, digits, `_`, a letter first, 64 bytes, no reserved word, none twice."""
    ascii_only = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode()
    name = re.sub(r"\W", "_", ascii_only)[: SPSS_NAME - 4].strip("_") or "v"
    if not name[0].isalpha() or name.upper() in RESERVED:
        name = f"v_{name}"
    used, candidate, number = {one.upper() for one in taken}, name, 2
    while candidate.upper() in used:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _labels(variable: Variable, code: str) -> dict[int | float, str]:
    if code:
        return {0.0: _("not mentioned"), 1.0: _("mentioned")}
    if variable.kind == "yes_no":
        return {0.0: _("no"), 1.0: _("yes")}
    if variable.kind != "code":
        return {}
    return {float(value.number): _cut(value.label, SPSS_VALUE_LABEL) for value in variable.values}


def _missing(variable: Variable) -> "MissingRange | None":
    found = [value.number for value in variable.values if value.is_missing] if variable.kind == "code" else []
    return {"lo": float(FIRST_MISSING), "hi": float(max(found))} if found else None


def _measure(variable: Variable) -> str:
    return "scale" if variable.kind == "number" else "nominal"


def _cut(words: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, without half a letter."""
    return words.encode()[:limit].decode(errors="ignore")


class Workbook:
    """An XLSX of several sheets, written row by row."""

    def __init__(self) -> None:
        import openpyxl

        self._book = openpyxl.Workbook(write_only=True)
        self._titles: set[str] = set()

    def add(self, title: str, header: Sequence[str], rows: Iterable[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        """A sheet: its notes, a bold header, its rows."""
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font

        sheet = self._book.create_sheet(self._free(title))
        for note in notes:
            sheet.append([harmless(note)])
        cells = [WriteOnlyCell(sheet, harmless(name)) for name in header]
        for cell in cells:
            cell.font = Font(bold=True)
        sheet.append(cells)
        for row in rows:
            sheet.append([harmless(cell) for cell in row])

    def _free(self, title: str) -> str:
        stem = "".join(char for char in title if char not in "[]:*?/\\'")[:28].strip() or "tabla"
        name, number = stem, 2
        while name.lower() in self._titles:
            name, number = f"{stem[:26]} {number}", number + 1
        self._titles.add(name.lower())
        return name

    def content(self) -> bytes:
        made = io.BytesIO()
        self._book.save(made)
        return made.getvalue()


def data_rows(frame: "pl.DataFrame") -> Iterable[tuple[Any, ...]]:
    """The frame's rows for a spreadsheet: codes of a list with spaces between."""
    import polars as pl

    lists = [pl.col(name).list.join(" ") for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.with_columns(lists).iter_rows()
