"""Blocks of a list → people to stage, many rows at a time, with just the outcome of `import_rows.RowReader`.

What a cell means is said once, by `import_cells` and `phones`: a column's different cells are read by those functions,
once each. Only two common shapes are read by Polars itself, because lists hold millions of different ones: names of
letters, and phones (`phone_columns`). Property tests hold both ways to the same answer.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from callcenter.contacts import name_key, text_key
from callcenter.lists import import_cells
from callcenter.lists.import_cells import BLANK, MAX_TEXT, tidy
from callcenter.lists.import_columns import ATTRIBUTE
from callcenter.lists.import_rows import Refused, RowReader, is_data, kept_spelling, line_kind, line_kind_source
from callcenter.lists.voter_keys import KEY_CHARS
from callcenter.people.attributes import Attribute
from callcenter.people.phone_columns import read_column
from callcenter.phones import normalise
from callcenter.tables.table_blocks import Block

NAME_PARTS = ("name", "surname", "second_surname")
TEXTS = {"neighborhood": "neighborhood", "municipality": "municipality", "promoter": "promoter",
         "organization": "organization", "folio_compromiso": "form_id"}  # fmt: skip
# What is staged of a person, in this order.
PEOPLE = {
    "row_number": pl.Int64, "name": pl.String, "given_names": pl.String, "name_key": pl.String, "phone": pl.String,
    "phone_raw": pl.String, "extension": pl.String, "line_kind": pl.String, "line_kind_source": pl.String,
    "sex": pl.String, "age": pl.Int32, "neighborhood": pl.String, "municipality": pl.String, "state": pl.Int32,
    "section_number": pl.Int32, "promoter": pl.String, "promoter_key": pl.String, "organization": pl.String,
    "organization_key": pl.String, "is_member": pl.Boolean, "holds_post": pl.Boolean, "form_id": pl.String,
    "signed_on": pl.Date, "attributes": pl.String, "answer": pl.String,
    "do_not_contact": pl.Boolean,
}  # fmt: skip
PHONES = {"row_number": pl.Int64, "position": pl.Int64, "phone": pl.String, "extension": pl.String,
          "line_kind": pl.String}  # fmt: skip
_LETTERS = "A-Za-zÁÉÍÓÚÜÑáéíóúüñ"
_NAME = rf"^[{_LETTERS}]+\.?(?: [{_LETTERS}]+\.?)*$"
_DIALLED = r"^[0-9 ()+/-]{0,200}$"  # no key of a card in it
_ACCENTS, _PLAIN = list("áéíóúüñ"), list("aeiouun")


@dataclass
class Frame:
    """What a block holds: `people` (PEOPLE) and their further `phones` (PHONES), `refused` rows, how many data `rows`;
    the single `letters` in the column of sex, and cells of another kind by attribute (`bad`)."""

    people: pl.DataFrame
    phones: pl.DataFrame
    refused: list[Refused]
    letters: set[str] = field(default_factory=set)
    bad: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return self.people.height + len(self.refused)


@dataclass(frozen=True)
class FrameReader:
    """Reads the blocks of one file. `spelled`: the row of names as it stands in the file."""

    reader: RowReader
    spelled: Sequence[str]

    def read(self, block: Block) -> Frame:
        """The people of the block's rows."""
        cells = block.cells.with_row_index("cell").cast({"cell": pl.Int64})
        numbers, reasons = self._numbers(cells)
        firsts = numbers.filter(pl.col("cell").is_first_distinct())
        others = numbers.filter(~pl.col("cell").is_first_distinct())
        nobody = self._no_data(cells, firsts["cell"], may_total=block.may_total)
        if nobody:
            gone = ~pl.col("cell").is_in(nobody)
            firsts, others = firsts.filter(gone), others.filter(gone)
        rows = cells[firsts["cell"]]
        bad: Counter[str] = Counter()
        people = rows.select(row_number="row").with_columns(
            *firsts.select("phone", "phone_raw", "extension", "line_kind", "line_kind_source"),
            *self._names(rows), *self._fields(rows), self._attributes(rows, bad),
        ).select([pl.col(name).cast(kind) for name, kind in PEOPLE.items()])  # fmt: skip
        return Frame(
            people,
            _positions(others, cells["row"]),
            self._refused(cells, firsts["cell"], nobody, reasons),
            self._letters(cells),
            bad,
        )

    def _numbers(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
        """Every number in the order in which it is tried, none twice in a row; and why a cell held none."""
        columns, reasons = [], []
        for rank, (at, kind) in enumerate(self.reader.phone_columns):
            column = cells[str(at)]
            numbers, why = read_column(column)
            columns.append(_of_column(numbers, column, kind).with_columns(rank=pl.lit(rank)))
            reasons.append(why.with_columns(rank=pl.lit(rank)))
        found = pl.concat(columns)
        if len(columns) > 1 or (found["at"] > 0).any():
            found = found.sort("cell", "rank", "at").unique(["cell", "phone"], keep="first", maintain_order=True)
        elif not found["cell"].is_sorted():
            found = found.sort("cell")
        why = pl.concat(reasons).filter(pl.col("reason") != "no_phone").sort("cell", "rank")
        said = why.unique("cell", keep="first")
        return found, dict(zip(said["cell"], said["reason"], strict=True))

    def _no_data(self, cells: pl.DataFrame, reached: pl.Series, *, may_total: bool) -> list[int]:
        """Rows that are totals, blank, or the names once more. Only rows that may be such are looked at one by one."""
        doubtful = ~pl.col("cell").is_in(reached.implode())
        if may_total:
            # The first filled cell tells; where the first one only looks filled, the row is looked at.
            first = pl.coalesce(pl.exclude("cell", "row"))
            doubtful |= first.str.contains(r"(?i)total|^[\s\x1c-\x1f]*$").fill_null(value=False)
        for at, _kind in self.reader.phone_columns:
            if at < len(self.spelled) and normalise(self.spelled[at]).numbers:
                doubtful |= pl.col(str(at)).str.strip_chars() == self.spelled[at]
        looked = cells.filter(doubtful)
        return [row[0] for row in looked.drop("row").rows() if not is_data(_texts(row[1:]), self.spelled)]

    def _refused(
        self, cells: pl.DataFrame, reached: pl.Series, nobody: list[int], reasons: Mapping[int, str]
    ) -> list[Refused]:
        unreached = cells.filter(~pl.col("cell").is_in(reached.implode()) & ~pl.col("cell").is_in(nobody))
        return [
            Refused(row[-1], reasons.get(row[0], "no_phone"), self.reader.kept(_texts(row[1:-1])))
            for row in unreached.rows()
        ]

    def _names(self, rows: pl.DataFrame) -> list[pl.Series]:
        texts, keys = [], []
        for part in NAME_PARTS:
            text, key = _name(self._column(rows, part))
            texts.append(text.alias(part))
            keys.append(key.alias(part))
        joined = [
            pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator=" ", ignore_nulls=True)).to_series()
            for parts in (texts, keys)
        ]
        return [joined[0].alias("name"), joined[1].alias("name_key"), texts[0].fill_null("").alias("given_names")]

    def _fields(self, rows: pl.DataFrame) -> list[pl.Series]:
        reader = self.reader
        said = {wanted: self._column(rows, wanted) for wanted in ("age", "birth_date", "state", "section")}
        age = _each(said["age"], import_cells.read_age, pl.Int32)
        born = _each(said["birth_date"], partial(import_cells.read_age_of, today=reader.today), pl.Int32)
        refused = _each(self._column(rows, "do_not_contact"), import_cells.read_refusal, pl.String)
        answer = _each(self._column(rows, "consent"), import_cells.read_answer, pl.String)
        flags = {"is_member": import_cells.read_flag, "holds_post": import_cells.read_flag}
        texts = [_text(self._column(rows, wanted)).alias(name) for wanted, name in TEXTS.items()]
        keys = [_each(text, text_key, pl.String) for text in texts if text.name in ("promoter", "organization")]
        return [
            _each(self._column(rows, "sex"), lambda cell: import_cells.read_sex(cell, reader.sex_letters), pl.String)
            .alias("sex"),
            age.fill_null(born).alias("age") if not born.is_null().all() else age.alias("age"),
            _each(said["state"], lambda cell: import_cells.read_number(cell, 1, 32), pl.Int32).alias("state"),
            _each(said["section"], lambda cell: import_cells.read_number(cell, 1, 9999), pl.Int32)
            .alias("section_number"),
            *(_each(self._column(rows, name), read, pl.Boolean).alias(name) for name, read in flags.items()),
            _each(self._column(rows, "fecha_compromiso"), import_cells.read_date, pl.Date).alias("signed_on"),
            refused.fill_null(answer).alias("answer"),
            (refused == "opted_out").alias("do_not_contact"),
            *texts,
            *(key.alias(f"{key.name}_key") for key in keys),
        ]  # fmt: skip

    def _attributes(self, rows: pl.DataFrame, bad: Counter[str]) -> pl.Series:
        """One JSON object a row."""
        columns = [
            _attribute(attribute, self._column(rows, ATTRIBUTE + key), bad)
            for key, attribute in self.reader.attributes.items()
        ]
        if not columns:
            return pl.Series("attributes", [None], pl.String).new_from_index(0, rows.height)
        members = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
        object_ = pl.when(members != "").then(pl.format("{{{}}}", members))
        return pl.DataFrame(columns).select(object_).to_series().alias("attributes")

    def _column(self, rows: pl.DataFrame, wanted: str) -> pl.Series:
        at = next((at for at, name in self.reader.mapping.items() if name == wanted), None)
        if at is None:
            return pl.Series(wanted, [None], pl.String).new_from_index(0, rows.height)
        return rows[str(at)].alias(wanted)

    def _letters(self, cells: pl.DataFrame) -> set[str]:
        said = map(str.strip, self._column(cells, "sex").drop_nulls().unique())
        return {letter for letter in said if len(letter) == 1}


def _of_column(numbers: pl.DataFrame, column: pl.Series, kind: str) -> pl.DataFrame:
    spelled = ("mobile", "landline", "unknown")
    raw = column[numbers["cell"]]
    odd = (raw.str.len_bytes() >= KEY_CHARS) & ~raw.str.contains(_DIALLED)
    raw = _replaced(raw, odd, kept_spelling)
    return numbers.with_columns(
        phone_raw=raw,
        line_kind_source=pl.col("line_kind").replace_strict(
            spelled, [line_kind_source(word, kind) for word in spelled], return_dtype=pl.String
        ),
        line_kind=pl.col("line_kind").replace_strict(spelled, [line_kind(word, kind) for word in spelled]),
    )


def _positions(others: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    """Further phones: `position` 1, 2… of a person."""
    return others.with_columns(
        row_number=numbers[others["cell"]], position=pl.int_range(1, pl.len() + 1).over("cell")
    ).select([pl.col(name).cast(kind) for name, kind in PHONES.items()])


def _texts(row: Sequence[str | None]) -> list[str]:
    return [cell or "" for cell in row]


def _name(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """`tidy` and its `name_key`; null where there is nothing."""
    lower = cells.str.to_lowercase()
    odd = ~_is_simple(cells, lower)
    keys = lower.str.replace_many(_ACCENTS, _PLAIN)
    return _replaced(cells, odd, tidy), _replaced_from(cells, keys, odd, lambda cell: name_key(tidy(cell)))


def _text(cells: pl.Series) -> pl.Series:
    """`tidy`; null where there is nothing."""
    return _each(cells, tidy, pl.String).replace("", None)


def _is_simple(cells: pl.Series, lower: pl.Series) -> pl.Series:
    """Names of nothing but letters, single spaces and dots: `tidy` leaves them as they are."""
    simple = cells.str.contains(_NAME) & (cells.str.len_bytes() <= MAX_TEXT) & ~lower.is_in(sorted(BLANK))
    return simple.fill_null(value=True)


def _replaced(cells: pl.Series, odd: pl.Series, read: Callable[[str], str]) -> pl.Series:
    return _replaced_from(cells, cells, odd, read)


def _replaced_from(cells: pl.Series, others: pl.Series, odd: pl.Series, read: Callable[[str], str]) -> pl.Series:
    """`others`, and where `odd` what `read` makes of the cell; null for nothing."""
    if not odd.any():
        return others
    masked = cells.zip_with(odd, pl.Series([None], dtype=pl.String).new_from_index(0, len(cells)))
    return _each(masked, read, pl.String).replace("", None).zip_with(odd, others)


def _each(cells: pl.Series, read: Callable[[str], Any], kind: Any) -> pl.Series:
    """What `read` makes of every cell; each different cell is read once. Null stays null."""
    if cells.is_null().all():
        return pl.Series(cells.name, [None], kind).new_from_index(0, len(cells))
    distinct = cells.drop_nulls().unique()
    read_ones = pl.Series([read(cell) for cell in distinct], dtype=kind)
    return cells.replace_strict(distinct, read_ones, default=None, return_dtype=kind)


def _attribute(attribute: Attribute, cells: pl.Series, bad: Counter[str]) -> pl.Series:
    """`"key": value` as JSON; null where there is none. Cells of another kind are counted."""
    faulty: list[str] = []

    def member(cell: str) -> str | None:
        try:
            value = import_cells.read_attribute(attribute, cell)
        except ValueError:
            faulty.append(cell)
            return None
        return None if value is None else f"{json.dumps(attribute.key)}:{json.dumps(value, ensure_ascii=False)}"

    members = _each(cells, member, pl.String)
    if faulty:
        bad[attribute.key] += int(cells.is_in(faulty).sum())
    return members.alias(attribute.key)
