"""Counts of people that may be shown: below five somebody could be recognised, also by subtraction. Pure."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
FEWEST = 5  # a count of people below this is not shown
Sides = tuple[int, int]  # a count, and what else there is of its whole


@dataclass(frozen=True)
class Hidden(Generic[K]):
    """Counts as a page may print them: None is hidden. `total` is None when showing it would give a count away."""

    values: dict[K, int | None]
    total: int | None


def hide(
    counts: Mapping[K, int],
    groupings: Sequence[Mapping[K, Hashable]] = (),
    *,
    of: Mapping[K, int] | None = None,
) -> Hidden[K]:
    """Hide counts of 1 to 4, and as many others as it takes that no sum gives them away.

    Whoever knows the total of a group knows the sum of its hidden members: so a group hides none, or two and more whose
    sum is no small count either; the smallest others are hidden with them. A zero tells of nobody and stays.
    `groupings` say to which groups, whose totals are shown somewhere, each count belongs; all together are always one.
    `of`: the counts are parts of these, which are shown elsewhere; then the rest must not be small either."""
    parts = {key: (count, of[key] - count if of else 0) for key, count in counts.items()}
    hidden = {key for key, part in parts.items() if any(map(is_few, part))}
    groups = [list(counts), *(members for grouping in groupings for members in _groups(counts, grouping))]
    is_total_safe, changed = True, True
    while changed:
        changed = False
        for at, members in enumerate(groups):
            others = sorted((key for key in members if key not in hidden and any(parts[key])), key=lambda k: counts[k])
            while not _is_safe([parts[key] for key in members if key in hidden]):
                if not others:
                    is_total_safe = is_total_safe and at != 0
                    break
                hidden.add(others.pop(0))
                changed = True
    values = {key: None if key in hidden else count for key, count in counts.items()}
    return Hidden(values, sum(counts.values()) if is_total_safe else None)


def shown(count: int) -> int | None:
    """A count that stands alone."""
    return None if is_few(count) else count


def is_few(count: int) -> bool:
    """Would the count tell of somebody?"""
    return 0 < count < FEWEST


def _groups(counts: Mapping[K, int], grouping: Mapping[K, Hashable]) -> list[list[K]]:
    members = defaultdict(list)
    for key in counts:
        members[grouping.get(key)].append(key)
    return list(members.values())


def _is_safe(hidden: Sequence[Sides]) -> bool:
    return not hidden or (len(hidden) > 1 and not any(is_few(sum(side)) for side in zip(*hidden, strict=True)))
