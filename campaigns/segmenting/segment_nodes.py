"""A rule that was read and found good, as a tree: what SQL and the copy in memory evaluate alike. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns.segmenting.segment_fields import Field


@dataclass(frozen=True)
class Own:
    """A condition on people's own field. `form`: in (one of `values`) | range (`least`, `most`, None: open; both
    included) | known. What is unknown meets none of them; `negated` is the exact opposite. Texts are text keys."""

    field: Field
    form: str
    values: tuple[Any, ...] = ()
    least: Any = None
    most: Any = None
    negated: bool = False


@dataclass(frozen=True)
class Act:
    """A condition on what happened: `deed` (segment_deeds.DEEDS) at least `times` times, `since` ≤ when < `before`
    (whole seconds), each option's value among those of `options`."""

    deed: str
    options: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    times: int = 1
    since: datetime | None = None
    before: datetime | None = None
    negated: bool = False


@dataclass(frozen=True)
class Members:
    """The people of a frozen list."""

    frozen_id: int


@dataclass(frozen=True)
class Group:
    """`op`: all | any | not (none of them)."""

    op: str
    members: tuple["Node", ...]


Node = Own | Act | Members | Group
EVERYBODY = Group("all", ())
