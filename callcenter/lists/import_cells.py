"""What a cell of a list says: one pure function a field, used row by row and for whole columns alike."""

import re
from collections.abc import Iterable
from datetime import date

from callcenter.contacts import name_key
from callcenter.lists.voter_keys import KEY_CHARS, is_sensitive_value, without_keys
from callcenter.people.attributes import Attribute, parse

MAX_TEXT = 200
BLANK = frozenset(("", "-", "--", "s/n", "n/a", "na", "s/d", "sin dato", "no tiene", "null", "none"))
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
# What people write under «no llamar» for a yes.
_TICKS = frozenset(("x", "xx", "✓", "✔", "baja", "no llamar", "no volver a llamar", "no contactar", "no molestar"))
_DATE = re.compile(r"\s*(?:(\d{4})-(\d\d?)-(\d\d?)|(\d\d?)[/-](\d\d?)[/-](\d{4}))")


def shown(cell: str) -> str:
    """The cell, or nothing when it is a key of the voter card."""
    return "" if len(cell) >= KEY_CHARS and is_sensitive_value(cell) else cell


def tidy(cell: str | None) -> str:
    """The text with single spaces and no control characters; '' for «S/N», «-» and the like; keys in it cut out."""
    if not cell:
        return ""
    plain = " ".join(without_keys(shown(cell)).split())
    if not plain.isprintable():
        plain = "".join(c for c in plain if c.isprintable())
    return "" if plain.casefold() in BLANK else plain[:MAX_TEXT]


def read_sex(cell: str, letters: str | None) -> str | None:
    """H | M | X. `letters`: HM | MF, what the file means by M."""
    word = name_key(shown(cell))
    return _SEX_WORDS.get(word) or SEX_LETTERS[letters or "HM"].get(word)


def sex_is_ambiguous(letters: Iterable[str]) -> bool:
    """Do the single letters of the sex column mix M (masculino?) with F?"""
    return {"m", "f"} <= {name_key(letter) for letter in letters}


def read_number(cell: str, least: int, most: int) -> int | None:
    """A whole number from `least` to `most`, as people and spreadsheets write it."""
    digits = shown(cell).strip().removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 8):
        return None
    return int(digits) if least <= int(digits) <= most else None


def read_age(cell: str) -> int | None:
    """15 to 120, with or without «años»."""
    return read_number(shown(cell).lower().replace("años", "").replace("anos", ""), 15, 120)


def read_age_of(cell: str, today: date) -> int | None:
    """Whole years since a date written 1990-05-31 or 31/05/1990."""
    found = _DATE.match(shown(cell))
    if not found:
        return None
    parts = found.groups()
    year, month, day = (int(part) for part in (parts[:3] if parts[0] else (parts[5], parts[4], parts[3])))
    years = today.year - year - ((today.month, today.day) < (month, day))
    return years if 15 <= years <= 120 else None


def read_date(cell: str) -> date | None:
    """A date written 2026-05-31 or 31/05/2026."""
    found = _DATE.match(shown(cell))
    if not found:
        return None
    parts = found.groups()
    year, month, day = (int(part) for part in (parts[:3] if parts[0] else (parts[5], parts[4], parts[3])))
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_answer(cell: str) -> str | None:
    """opted_in | opted_out, when the cell says yes or no."""
    said = read_flag(cell)
    return None if said is None else "opted_in" if said else "opted_out"


def read_refusal(cell: str) -> str | None:
    """opted_out, when a column «no llamar» says yes, is ticked, or says it once more; a no there is no acceptance."""
    return "opted_out" if read_flag(cell) or name_key(shown(cell)) in _TICKS else None


def read_flag(cell: str) -> bool | None:
    """Yes or no; None for whatever else."""
    word = name_key(shown(cell))
    return True if word in _YES else False if word in _NO else None


def read_attribute(attribute: Attribute, cell: str) -> str | int | float | bool | None:
    """The value of a custom attribute. Raises ValueError when the cell is of another kind."""
    plain = tidy(cell) if attribute.kind == "text" else shown(cell)
    value = None if plain.strip().casefold() in BLANK else parse(attribute, plain)
    assert value is None or isinstance(value, str | int | float | bool)
    return value
