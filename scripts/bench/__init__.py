"""The benches: what the product must reach, measured. A part is a module of this package with these names:

    ABOUT: str                  what it measures, in one line
    FULL, QUICK: dict[str, int] its sizes at full and at quick length
    SEED: int                   of everything random in it
    measure(size: Mapping[str, int], seed: int) -> list[Figure]

A part starts its own services in a new temporary folder (scripts.bench.product) and ends only what it started.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

# The name of a part, and the module that measures it.
PARTS = {"start": "start", "import": "imports", "segments": "segments", "console": "console", "chaos": "chaos",
         "phone": "phone", "twilio": "twilio", "pacing": "pacing", "tick": "dialer", "day": "day",
         "send": "sending", "receipts": "receipts", "certificate": "certificate", "results": "results"}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One measured value. `target` is the most (or, for a rate, the least) that is asked; `ratio` compares `value` with
    the raw limit or peer `ratio_to` that was measured in the same run."""

    name: str
    value: float
    unit: str
    target: float | None = None
    ratio_to: str | None = None
    ratio: float | None = None


class Part(Protocol):
    """The shape of a part's module."""

    ABOUT: str
    FULL: dict[str, int]
    QUICK: dict[str, int]
    SEED: int

    def measure(self, size: Mapping[str, int], seed: int) -> list[Figure]: ...
