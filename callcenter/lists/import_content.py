"""What a column holds by the look of its cells, for columns whose names say nothing. Pure; only ever a suggestion."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from callcenter.lists.import_columns import PHONES, Header, column_key, is_of_others
from callcenter.phones import normalise

KINDS: dict[str, LazyString] = {
    "phone": _l("phones"),
    "email": _l("e-mail addresses"),
    "birth_date": _l("dates of birth"),
    "date": _l("dates"),
    "sex": _l("sex"),
    "age": _l("ages"),
    "section": _l("sections"),
    "name": _l("names of people"),
}
ENOUGH = 0.8  # of a column's filled cells
PHONE_ENOUGH = 0.5  # lists are dirty, and phones the dirtiest
MIN_CELLS = 3
_SEXES = frozenset(("h", "m", "f", "x", "hombre", "mujer", "masculino", "femenino", "masc", "fem", "nb"))
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}\Z", re.IGNORECASE)
_DATE = re.compile(r"(?:(\d{4})[-/]\d\d?[-/]\d\d?|\d\d?[-/.]\d\d?[-/.](\d{4}|\d\d))(?:[ T][\d:.]*)?\Z")
_WORDS_OF_NAME = re.compile(r"[^\W\d_]{2,}(?:[ .'-]+[^\W\d_]+){1,6}\.?\Z")
_WHOLE = re.compile(r"\d{1,4}(?:\.0)?\Z")


def kind_of(cells: Sequence[str]) -> str | None:
    """One of KINDS when most of the filled cells look so, else None."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if len(filled) < MIN_CELLS:
        return None
    if _share(filled, looks_like_phone) >= PHONE_ENOUGH:
        return "phone"
    for kind, looks in (("email", _is_email), ("date", _is_date)):
        if _share(filled, looks) >= ENOUGH:
            return _kind_of_date(filled) if kind == "date" else kind
    if _share(filled, _is_sex) >= ENOUGH and len({cell.casefold() for cell in filled}) > 1:  # crosses are a mark
        return "sex"
    if _share(filled, lambda cell: _WHOLE.match(cell) is not None) >= ENOUGH:
        return _kind_of_numbers([int(float(cell)) for cell in filled if _WHOLE.match(cell)])
    return "name" if _share(filled, _is_name) >= ENOUGH and len(set(filled)) > len(filled) // 2 else None


def looks_like_phone(cell: str) -> bool:
    """A number one can ring, whole or nearly: seven digits and more, and no date."""
    digits = sum(map(str.isdigit, cell))
    return digits >= 7 and not _is_date(cell) and (bool(normalise(cell).numbers) or _is_almost(cell, digits))


def _is_almost(cell: str, digits: int) -> bool:
    return normalise(cell).reason in ("fake", "toll_free", "spreadsheet_notation") and digits <= 14


def suggest(header: Header, mapping: Mapping[int, str], sample: Sequence[Sequence[str]]) -> dict[int, str]:
    """Column → field for columns no name spoke for, by their cells. A field that a name has is never suggested, but
    phones when no name gave any; e-mails and other dates are no field and are not suggested."""
    taken, found = set(mapping.values()), dict[int, str]()
    has_phone = any(field in PHONES for field in taken)
    for at, name in enumerate(header.names):
        if at in mapping or not name or is_of_others(name):
            continue
        kind = kind_of([row[at] for row in sample if at < len(row)])
        if kind == "phone" and not has_phone:
            found[at] = "phone"
        elif kind in ("birth_date", "sex", "age", "section", "name") and kind not in taken and _is_open(name):
            found[at] = kind
            taken.add(kind)
    return found


def kinds(header: Header, sample: Sequence[Sequence[str]]) -> dict[int, str]:
    """What each column looks like, where it looks like anything."""
    found = {at: kind_of([row[at] for row in sample if at < len(row)]) for at in range(len(header.names))}
    return {at: kind for at, kind in found.items() if kind}


def header_above_phones(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, list[str]] | None:
    """A list whose names nobody knows: the row above the first one with a phone, when it is as wide and has no digits.

    None when there is no such row: a list without names is not read."""
    before: tuple[int, list[str]] | None = None
    for number, cells in rows:
        filled = [cell.strip() for cell in cells if cell.strip()]
        if any(map(looks_like_phone, filled)):
            is_wide = before is not None and sum(map(bool, map(str.strip, before[1]))) >= max(2, len(filled) // 2)
            return before if is_wide else None
        if filled:
            before = (number, cells)
    return None


def _is_open(name: str) -> bool:
    """May the cells of a column of this name speak? Not those of addresses, folios and the like."""
    return not set(re.findall(r"[a-z]+", column_key(name))) & _CLOSED


_CLOSED_WORDS = (
    "folio calle num numero ext int cp postal casilla ruta coordinacion zona distrito manzana fecha hora estatus id"
    " clave cve codigo registro observaciones notas comentarios monto total cantidad colonia localidad municipio"
    " renglon importacion motivo row import reason"
)
_CLOSED = frozenset(_CLOSED_WORDS.split())


def _share(cells: Sequence[str], looks: Callable[[str], bool]) -> float:
    return sum(map(looks, cells)) / len(cells)


def _is_email(cell: str) -> bool:
    return len(cell) <= 254 and _EMAIL.match(cell) is not None


def _is_date(cell: str) -> bool:
    return len(cell) <= 30 and _DATE.match(cell) is not None


def _is_sex(cell: str) -> bool:
    return cell.casefold() in _SEXES


def _is_name(cell: str) -> bool:
    return len(cell) <= 80 and _WORDS_OF_NAME.match(cell) is not None


def _kind_of_date(cells: Sequence[str]) -> str:
    years = [int(year) for cell in cells if (found := _DATE.match(cell)) for year in found.groups() if year]
    full = sorted(year for year in years if year > 99)
    grown = full and date.today().year - full[len(full) // 2] >= 18  # noqa: DTZ011  # a year, whatever the zone
    return "birth_date" if grown else "date"


def _kind_of_numbers(numbers: Sequence[int]) -> str | None:
    """Ages lie between 15 and 110 and differ; sections are larger, and come again and again."""
    distinct = len(set(numbers))
    if all(15 <= number <= 110 for number in numbers):
        return "age" if distinct >= min(5, len(numbers)) else None
    is_counter = distinct == len(numbers) and list(numbers) == sorted(numbers)  # a running number
    return "section" if sorted(numbers)[len(numbers) // 2] > 110 and not is_counter else None
