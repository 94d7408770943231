"""Keys that may never be kept, by their shape: CURP with its check digit, and clave de elector. Pure.

We use these rules only to recognise and drop. A CURP whose check digit is wrong is still a person's CURP, mistyped: the
cell is blanked all the same; but a whole column is dropped for such cells only when most of it has the shape.
"""

import re
from collections.abc import Iterable

CURP = r"[A-ZÑ]{4}\d{6}[HMX][A-ZÑ]{5}[A-Z0-9]\d"
CLAVE = r"[A-ZÑ]{6}\d{8}[HM]\d{3}"
KEY_CHARS = 18
# A key as a word of a longer text.
KEY_WORD = re.compile(rf"(?<![0-9A-ZÑ])(?:{CURP}|{CLAVE})(?![0-9A-ZÑ])", re.IGNORECASE)
_CURP = re.compile(CURP + r"\Z", re.IGNORECASE)
_CLAVE = re.compile(CLAVE + r"\Z", re.IGNORECASE)
_VALUES = {char: value for value, char in enumerate("0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ")}
CERTAIN_SHARE, SHAPE_SHARE = 0.2, 0.5  # of a column's filled cells


def is_sensitive_value(cell: str) -> bool:
    """Has the whole cell the shape of a CURP or of a clave de elector?"""
    compact = cell.strip()
    return len(compact) == KEY_CHARS and (_CURP.match(compact) is not None or _CLAVE.match(compact) is not None)


def is_certain_key(cell: str) -> bool:
    """Is it a CURP with the right check digit or a clave, written together or in groups (`PEAA 900531 …`)?"""
    compact = re.sub(r"[\s.\-]", "", cell)
    if len(compact) != KEY_CHARS:
        return False
    return _CLAVE.match(compact) is not None or (_CURP.match(compact) is not None and has_check_digit(compact))


def has_check_digit(curp: str) -> bool:
    """Does the last of a CURP's 18 characters follow from the others, as the register computes it?"""
    total = sum(_VALUES[char] * (KEY_CHARS - at) for at, char in enumerate(curp[:-1].upper()))
    return (10 - total % 10) % 10 == int(curp[-1])


def without_keys(text: str) -> str:
    """The text with every key in it cut out: `CURP PEAA900531MVZRNN09 ok` → `CURP … ok`."""
    return KEY_WORD.sub("…", text) if len(text) >= KEY_CHARS else text


def is_column_of_keys(cells: Iterable[str]) -> bool:
    """Is a fifth of the filled cells certainly a key, or has most of them the shape of one, alone or inside a text?"""
    filled = [cell for cell in cells if cell.strip()]
    certain = sum(map(is_certain_key, filled))
    shaped = sum(is_sensitive_value(cell) or KEY_WORD.search(cell) is not None for cell in filled)
    return bool(filled) and (certain >= max(1, CERTAIN_SHARE * len(filled)) or shaped > SHAPE_SHARE * len(filled))
