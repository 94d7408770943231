"""Margins and intervals of a share at 95 % confidence; design effect 1 until there are weights."""

import math

Z95 = 1.959963984540054


def margin(n: float, share: float = 0.5, *, design_effect: float = 1.0) -> float:
    """Half the width of the 95 % interval of a share (0–1); NaN without cases."""
    return Z95 * math.sqrt(share * (1 - share) * design_effect / n) if n > 0 else math.nan


def lead_margin(first: float, second: float, n: float, *, design_effect: float = 1.0) -> float:
    """Margin of the difference of two shares of the same poll: 1.96 √((p₁ + p₂ − (p₁ − p₂)²) / (n − 1)) (Franklin)."""
    if n <= 1:
        return math.nan
    return Z95 * math.sqrt(max(0.0, first + second - (first - second) ** 2) * design_effect / (n - 1))


def wilson(count: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of `count` among `n` (Newcombe 1998, method 3); keeps its meaning at 0 and at n."""
    if n <= 0:
        return math.nan, math.nan
    share, square = count / n, Z95**2
    centre = share + square / (2 * n)
    spread = Z95 * math.sqrt(share * (1 - share) / n + square / (4 * n**2))
    low, high = (centre - spread) / (1 + square / n), (centre + spread) / (1 + square / n)
    return (0.0 if count == 0 else low), (1.0 if count == n else high)
