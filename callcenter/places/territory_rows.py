"""Rows of territorial tables become records: numbers as public files write them, faults that say what to do. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callcenter.places.polling_stations import station_of
from callcenter.tables.file_faults import N_

UNKNOWN = frozenset(("", "-", "--", "ilegible", "sin dato", "sin acta", "n/a", "na", "s/d", "*", "nd"))
_KINDS = {"U": "U", "M": "M", "R": "R", "2": "U", "3": "M", "4": "R"}  # the digits are those of the map's own files
STATES = range(1, 33)
LARGEST_SECTION = 9999


@dataclass(frozen=True)
class Fault:
    """A row that could not be taken: `message` (marked with N_) with its values says what, and what to do."""

    row: int
    message: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    row: int
    said: dict[str, Any]


@dataclass(frozen=True)
class Skipped:
    """A row that is no data by rule. `why`: totals | abroad | blank."""

    row: int
    why: str


class BadCell(Exception):
    """A cell that cannot be taken; becomes the Fault of its row."""

    def __init__(self, message: str, **values: Any) -> None:
        self.message, self.values = message, values
        super().__init__(message)


def whole(cell: str) -> int:
    """`1,234`, `0045`, `12.0` → a whole number that is not negative. Raises ValueError."""
    plain = cell.replace(",", "").replace("\xa0", "").replace(" ", "")
    number = int(plain.removesuffix(".0") if plain.endswith(".0") else plain)
    if not 0 <= number < 2**31:
        raise ValueError(cell)
    return number


def section_kind(cell: str) -> str | None:
    """`URBANA`, `U`, `2` → U; None when the file does not say. Raises ValueError for anything else."""
    if not cell:
        return None
    return _KINDS[cell[:1].upper()] if cell[:1].upper() in _KINDS else _raise(cell)


def _raise(cell: str) -> str:
    raise ValueError(cell)


class Row:
    """One row, asked by role."""

    def __init__(self, columns: Mapping[str, int], options: Mapping[str, int], cells: Sequence[str]) -> None:
        self.columns, self.options, self.cells = columns, options, cells

    def cell(self, role: str) -> str:
        at = self.columns.get(role)
        return self.cells[at] if at is not None and at < len(self.cells) else ""

    def is_abroad(self) -> bool:
        state, section = self.cell("state").casefold(), self.cell("number").casefold()
        return _is_zero(state) or "ext" in (state, section) or state.startswith("extranj") or _is_zero(section)

    def number(self, role: str, name: str, *, least: int = 0, most: int = 2**31) -> int | None:
        """The whole number of a column, None when its cell is empty or says that it is not known."""
        cell = self.cell(role)
        if cell.casefold() in UNKNOWN:
            return None
        try:
            number = whole(cell)
        except ValueError as error:
            raise BadCell(
                N_("%(column)s is «%(cell)s», which is no whole number. Correct the cell."), column=name, cell=cell[:40]
            ) from error
        if not least <= number <= most:
            raise BadCell(
                N_("%(column)s is %(cell)s; it must be from %(least)s to %(most)s. Correct the cell."),
                column=name, cell=number, least=least, most=most,
            )  # fmt: skip
        return number

    def needed(self, role: str, name: str, *, least: int = 1, most: int = 2**31) -> int:
        number = self.number(role, name, least=least, most=most)
        if number is None:
            raise BadCell(N_("%(column)s is empty. Fill it in, or take the row out."), column=name)
        return number


def _is_zero(cell: str) -> bool:
    return bool(cell) and cell.strip("0") == ""


def _place(row: Row) -> dict[str, Any]:
    return {
        "state": row.needed("state", "ENTIDAD", most=STATES[-1]),
        "number": row.needed("number", "SECCION", most=LARGEST_SECTION),
    }


def _section(row: Row) -> dict[str, Any]:
    try:
        kind = section_kind(row.cell("kind"))
    except ValueError as error:
        raise BadCell(
            N_("TIPO is «%(cell)s»; it must be U, M or R. Correct the cell."), cell=row.cell("kind")[:40]
        ) from error
    return {
        **_place(row),
        "municipality_code": row.needed("municipality_code", "MUNICIPIO", most=999),
        "inegi_code": row.number("inegi_code", "INEGI"),
        "municipality": row.cell("municipality") or None,
        "federal_district": row.number("federal_district", "DISTRITO_FEDERAL", most=99),
        "local_district": row.number("local_district", "DISTRITO_LOCAL", most=99),
        "kind": kind,
        "nominal_list": row.number("nominal_list", "LISTA_NOMINAL"),
        "men": row.number("men", "HOMBRES"),
        "women": row.number("women", "MUJERES"),
        "stations": row.number("stations", "CASILLAS"),
        "past_turnout": _share(row.cell("past_turnout")),
    }


def _share(cell: str) -> float | None:
    if not cell:
        return None
    try:
        share = float(cell.rstrip("%")) / (100 if cell.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadCell(N_("The turnout is «%(cell)s»; it must be a share from 0 to 1."), cell=cell[:40])
    return share


def _municipality(row: Row) -> dict[str, Any]:
    if not row.cell("municipality"):
        raise BadCell(N_("%(column)s is empty. Fill it in, or take the row out."), column="NOMBRE")
    return {
        "state": row.needed("state", "ENTIDAD", most=STATES[-1]),
        "ine_code": row.needed("municipality_code", "MUNICIPIO", most=999),
        "inegi_code": row.number("inegi_code", "INEGI", most=999),
        "name": row.cell("municipality"),
    }


def _district(row: Row) -> dict[str, Any]:
    kind = "local" if "local_district" in row.columns else "federal"
    return {
        "kind": kind,
        "state": row.needed("state", "ENTIDAD", most=STATES[-1]),
        "number": row.needed(f"{kind}_district", "DISTRITO", most=99),
        "name": row.cell("district_name") or row.cell("municipality") or None,
    }


def _nominal(row: Row) -> dict[str, Any]:
    men, women, other = (
        row.number(role, name)
        for role, name in (("men", "HOMBRES"), ("women", "MUJERES"), ("non_binary", "NO BINARIO"))
    )
    total = row.number("nominal_list", "LISTA NOMINAL")
    if total is None and men is None and women is None:
        raise BadCell(N_("%(column)s is empty. Fill it in, or take the row out."), column="LISTA NOMINAL")
    summed = (men or 0) + (women or 0) + (other or 0)
    if total is not None and men is not None and women is not None and summed != total:
        raise BadCell(
            N_("Men, women and non-binary add up to %(sum)s, and the list says %(total)s. Correct the row."),
            sum=summed, total=total,
        )  # fmt: skip
    return {
        **_place(row),
        "total": total if total is not None else summed,
        "men": men,
        "women": women,
        "non_binary": other,
    }


def _result(row: Row) -> dict[str, Any]:
    try:
        station = station_of(row.cell("station_kind"), row.cell("station_number"), row.cell("contiguous"))
    except ValueError as error:
        raise BadCell(
            N_("«%(cell)s» is no polling station: B, C1, E1, E1C2 or S1. Correct the cell."),
            cell=f"{row.cell('station_kind')} {row.cell('station_number')}".strip()[:40],
        ) from error
    return {
        **_place(row),
        "station": station.code,
        "nominal_list": row.number("nominal_list", "LISTA_NOMINAL"),
        "votes": {name: _votes(row, name, at) for name, at in row.options.items()},
        "nulls": row.number("nulls", "NULOS"),
        "unregistered": row.number("unregistered", "NO_REGISTRADAS"),
        "total": row.number("total", "TOTAL_VOTOS"),
        "remarks": row.cell("remarks")[:200] or None,
    }


def _votes(row: Row, name: str, at: int) -> int | None:
    cell = row.cells[at] if at < len(row.cells) else ""
    if cell.casefold() in UNKNOWN:
        return None
    try:
        return whole(cell)
    except ValueError as error:
        raise BadCell(
            N_("%(column)s is «%(cell)s», which is no whole number. Correct the cell."), column=name, cell=cell[:40]
        ) from error


READERS: dict[str, Callable[[Row], dict[str, Any]]] = {
    "sections": _section,
    "municipalities": _municipality,
    "districts": _district,
    "nominal_list": _nominal,
    "results": _result,
}


def read_row(kind: str, number: int, told: Row) -> Record | Fault | Skipped:
    """What a row of a table of this kind is."""
    if not any(told.cells):
        return Skipped(number, "blank")
    if any(cell.casefold().startswith("total") for cell in told.cells[:8]):
        return Skipped(number, "totals")
    if told.is_abroad():
        return Skipped(number, "abroad")
    try:
        return Record(number, READERS[kind](told))
    except BadCell as bad:
        return Fault(number, bad.message, bad.values)
