"""Response, cooperation, refusal and contact rates of AAPOR's Standard Definitions, and two rejection rates of Mexico.

Pure. Formulas: AAPOR, Standard Definitions, 10th edition (https://aapor.org/standards-and-ethics/standard-definitions/);
a rate whose denominator is 0 is None (shown as n/d), never 0 and never a crash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

GROUPS = ("i", "p", "r", "nc", "o", "uh", "uo", "ne")


@dataclass(frozen=True)
class Counts:
    """Cases by final outcome: complete (i) and partial (p) interviews, refusals and break-offs (r), non-contacts (nc),
    others (o), unknown whether a household (uh), unknown whether anybody eligible (uo), not eligible (ne)."""

    i: float = 0
    p: float = 0
    r: float = 0
    nc: float = 0
    o: float = 0
    uh: float = 0
    uo: float = 0
    ne: float = 0

    @property
    def eligible(self) -> float:
        """Cases that are known to be eligible."""
        return self.i + self.p + self.r + self.nc + self.o

    @property
    def unknown(self) -> float:
        return self.uh + self.uo

    @property
    def total(self) -> float:
        return self.eligible + self.unknown + self.ne


@dataclass(frozen=True)
class Rates:
    """Shares (0–1); None: not defined. `e`: the share of unknown cases taken as eligible; `is_assumed`: nothing is
    known to estimate it from, so that all of them are."""

    rr1: float | None
    rr2: float | None
    rr3: float | None
    rr4: float | None
    rr5: float | None
    rr6: float | None
    coop1: float | None
    coop2: float | None
    coop3: float | None
    coop4: float | None
    ref1: float | None
    ref2: float | None
    ref3: float | None
    con1: float | None
    con2: float | None
    con3: float | None
    e: float
    is_assumed: bool

    def listed(self) -> dict[str, float | None]:
        """The sixteen rates by name, in AAPOR's order."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _NOT_RATES}


_NOT_RATES = ("e", "is_assumed")


def counts(by_group: Mapping[str, float]) -> Counts:
    """Counts of a mapping of GROUPS; what is missing is 0. Raises KeyError for another group."""
    strange = sorted(set(by_group) - set(GROUPS))
    if strange:
        raise KeyError(f"{', '.join(strange)}: not one of {', '.join(GROUPS)}")
    return Counts(**by_group)


def estimated_e(found: Counts) -> float | None:
    """The share of eligible cases among those of which it is known (AAPOR's CASRO estimate); None: of none it is."""
    return _share(found.eligible, found.eligible + found.ne)


def rates(found: Counts, e: float | None = None) -> Rates:
    """All sixteen. `e` (0–1): None estimates it from the cases themselves. Raises ValueError outside 0–1."""
    if e is not None and not 0 <= e <= 1:
        raise ValueError(f"e is a share from 0 to 1, not {e}")
    estimated = estimated_e(found) if e is None else e
    used = 1.0 if estimated is None else estimated
    i, both, known, unknown = found.i, found.i + found.p, found.eligible, found.unknown
    contacted = both + found.r + found.o
    all_unknown, some, none = known + unknown, known + used * unknown, known
    able = both + found.r
    return Rates(
        rr1=_share(i, all_unknown), rr2=_share(both, all_unknown), rr3=_share(i, some), rr4=_share(both, some),
        rr5=_share(i, none), rr6=_share(both, none), coop1=_share(i, contacted), coop2=_share(both, contacted),
        coop3=_share(i, able), coop4=_share(both, able), ref1=_share(found.r, all_unknown), ref2=_share(found.r, some),
        ref3=_share(found.r, none), con1=_share(contacted, all_unknown), con2=_share(contacted, some),
        con3=_share(contacted, none), e=used, is_assumed=estimated is None,
    )  # fmt: skip


@dataclass(frozen=True)
class Attempts:
    """Tries by what came of them: all that reached the line; those that reached a person; refusals and break-offs."""

    total: int = 0
    reached: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.refused <= self.reached <= self.total:
            raise ValueError(f"{self}: who refused was reached, and who was reached was tried")


@dataclass(frozen=True)
class Rejection:
    """The rejection rates that a study filed with the electoral authority states, each with its own denominator:
    refusals and break-offs among attempts, and among the persons contacted; attempts that reached nobody."""

    of_attempts: float | None
    of_contacted: float | None
    unsuccessful: float | None


def rejection(found: Attempts) -> Rejection:
    """Reglamento de Elecciones, Anexo 3: frequency of non-response, by attempts."""
    return Rejection(
        of_attempts=_share(found.refused, found.total),
        of_contacted=_share(found.refused, found.reached),
        unsuccessful=_share(found.total - found.reached, found.total),
    )


def _share(part: float, base: float) -> float | None:
    return part / base if base else None
