"""Polling stations (casillas) as public files write them: B, C1, E1, E1C2, S1, BASICA, CONTIGUA 03. Pure."""

import re
import unicodedata
from dataclasses import dataclass

KINDS = ("B", "C", "E", "S")  # básica, contigua, extraordinaria, especial
MOST = 99  # of one kind in one section; a larger number is a misread file
_WORDS = {"BASICA": "B", "CONTIGUA": "C", "EXTRAORDINARIA": "E", "ESPECIAL": "S", "EXT": "E", "ESP": "S"}
_CODE = re.compile(r"(B)0*1?|([CS])0*(\d{1,3})|(E)0*(\d{1,3})(?:C0*(\d{1,3}))?")


@dataclass(frozen=True)
class Station:
    """One station of a section. `contiguous`: of an extraordinary one, the number of its contigua (0: itself)."""

    kind: str
    number: int
    contiguous: int = 0

    @property
    def code(self) -> str:
        """How we write it: B, C1, E1, E1C2, S1."""
        if self.kind == "B":
            return "B"
        return f"{self.kind}{self.number}" + (f"C{self.contiguous}" if self.contiguous else "")


def read_station(text: str) -> Station:
    """The station that `text` names. Raises ValueError when it names none."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.upper()) if not unicodedata.combining(c))
    letters = re.sub(r"[A-Z]+", lambda word: _WORDS.get(word[0], word[0]), plain)
    found = _CODE.fullmatch(re.sub(r"[\s.\-_]+", "", letters))
    if found is None:
        raise ValueError(text)
    if found[1]:
        return Station("B", 1)
    if found[2]:
        return _checked(found[2], int(found[3]), 0)
    return _checked("E", int(found[5]), int(found[6] or 0))


def station_of(kind: str, number: str, contiguous: str = "") -> Station:
    """The station of a file that has its kind, number and contigua in columns of their own. Raises ValueError."""
    named = read_station(kind if not kind.strip().isalpha() else f"{kind}{number}")
    beside = int(contiguous) if contiguous.strip().isdigit() else 0
    if named.kind == "E" and beside and not named.contiguous:
        return _checked("E", named.number, beside)
    return named


def _checked(kind: str, number: int, contiguous: int) -> Station:
    if not 1 <= number <= MOST or contiguous > MOST:
        raise ValueError(f"{kind}{number}")
    return Station(kind, number, contiguous)
