"""How far two coders agree beyond chance: Cohen's κ with its interval. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from surveys.weighting.intervals import Z95

Cells = Mapping[tuple[str, str], float]  # the share of answers with this pair of codes


@dataclass(frozen=True)
class Agreement:
    """`share` (0–1) of `n` answers were coded alike. `kappa` is None where chance alone would agree on everything, as
    when both used one code only; `low` and `high` are its interval at 95 %, None where it has no error to speak of."""

    n: int
    share: float
    kappa: float | None
    low: float | None
    high: float | None


def cohen(pairs: Iterable[tuple[str, str]]) -> Agreement | None:
    """Of (first coder's code, second coder's code). None without pairs.

    κ: Cohen 1960, Educational and Psychological Measurement 20, 37–46; its error in large samples: Fleiss, Cohen and
    Everitt 1969, Psychological Bulletin 72, 323–327, formula 13."""
    counts = Counter(pairs)
    n = counts.total()
    if not n:
        return None
    cells = {pair: number / n for pair, number in counts.items()}
    rows, columns = _margins(cells, 0), _margins(cells, 1)
    observed = sum(cells.get((code, code), 0.0) for code in rows)
    expected = sum(share * columns[code] for code, share in rows.items())
    if math.isclose(expected, 1.0):
        return Agreement(n, observed, None, None, None)
    kappa = (observed - expected) / (1 - expected)
    error = math.sqrt(max(0.0, _variance(cells, rows, columns, kappa, expected) / n))
    return Agreement(n, observed, kappa, max(-1.0, kappa - Z95 * error), min(1.0, kappa + Z95 * error))


def _margins(cells: Cells, side: int) -> dict[str, float]:
    """The share of each code on one side; a code that only the other side used has 0."""
    margin = {code: 0.0 for pair in cells for code in pair}
    for pair, share in cells.items():
        margin[pair[side]] += share
    return margin


def _variance(
    cells: Cells, rows: Mapping[str, float], columns: Mapping[str, float], kappa: float, expected: float
) -> float:
    """n times the variance of κ."""
    same = sum(cells.get((code, code), 0.0) * (1 - (rows[code] + columns[code]) * (1 - kappa)) ** 2 for code in rows)
    other = sum(
        share * (columns[first] + rows[second]) ** 2 for (first, second), share in cells.items() if first != second
    )
    bent = (kappa - expected * (1 - kappa)) ** 2
    return (same + (1 - kappa) ** 2 * other - bent) / (1 - expected) ** 2


def by_code(pairs: Sequence[tuple[frozenset[str], frozenset[str]]], codes: Iterable[str]) -> dict[str, Agreement]:
    """Of each code by itself, given or not: also for answers that carry several codes."""
    found = {code: cohen([(str(code in first), str(code in second)) for first, second in pairs]) for code in codes}
    return {code: agreement for code, agreement in found.items() if agreement is not None}
