"""Which counts of the territory may be shown, settled over all its levels at once. Pure.

What one level hides another may tell: a municipality is its sections, and a district is some municipalities. So what is
shown of areas is looked at as sums of hidden sections, and no such sum, nor the difference of two, may tell of few.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from callcenter.tables import small_counts
from callcenter.tables.small_counts import Sides

Key = tuple[int, int]  # the state, and the number of the area in it
Atom = tuple[Key | None, ...]  # the areas, one a level, that some hidden sections share
Sum = tuple[int, int, int]  # of hidden sections: how many they are, their counts, and the rest of their wholes
BOTTOM = "section"
# Of so many parts of areas the sums are reckoned with all at once; in larger maps only what follows from two of them is
# looked for, for somebody waits for the page.
MOST_RECKONED = 150
_NEARLY = 1e-6  # what is left of nothing by reckoning with fractions


@dataclass(frozen=True)
class Spot:
    """One section: its areas by level, its count, and the people (None: the count is of all) of whom it is a part."""

    keys: Mapping[str, Key | None]
    count: int
    whole: int | None = None

    @property
    def sides(self) -> Sides:
        """The count, and the rest of the whole: both would tell of somebody when they are small."""
        return self.count, self.whole - self.count if self.whole is not None else 0


@dataclass(frozen=True)
class Shown:
    """Counts by level and area as pages may print them: None is hidden, as is the total of all where it is None."""

    values: dict[str, dict[Key | None, int | None]]
    total: int | None


def hide(spots: Sequence[Spot], levels: Sequence[str]) -> Shown:
    """What may be shown of these sections and of their areas at `levels` (those above the section)."""
    counts = {spot.keys[BOTTOM]: spot.count for spot in spots}
    wholes = {spot.keys[BOTTOM]: spot.whole or 0 for spot in spots}
    groupings = [{spot.keys[BOTTOM]: spot.keys[level] for spot in spots} for level in levels]
    is_part = any(spot.whole is not None for spot in spots)
    sections = small_counts.hide(counts, groupings, of=wholes if is_part else None)
    areas = _Areas(spots, levels, {key for key, count in sections.values.items() if count is None})
    areas.has_total = sections.total is not None
    areas.settle()
    values = {level: areas.values(level) for level in levels}
    return Shown({**values, BOTTOM: sections.values}, sum(counts.values()) if areas.has_total else None)


class _Areas:
    """The areas above the sections, and which of them are shown."""

    def __init__(self, spots: Iterable[Spot], levels: Sequence[str], hidden: set[Key | None]) -> None:
        self.levels, self.has_total = levels, True
        self._hidden: dict[Atom, Sum] = defaultdict(lambda: (0, 0, 0))
        self._atoms: dict[tuple[int, Key | None], set[Atom]] = defaultdict(set)
        self._sides: list[dict[Key | None, Sides]] = [defaultdict(lambda: (0, 0)) for _ in levels]
        for spot in spots:
            atom = tuple(spot.keys[level] for level in levels)
            if spot.keys[BOTTOM] in hidden:
                self._hidden[atom] = _added([self._hidden[atom], (1, *spot.sides)])
            for at, key in enumerate(atom):
                count, rest = self._sides[at][key]
                self._sides[at][key] = count + spot.sides[0], rest + spot.sides[1]
                if spot.keys[BOTTOM] in hidden:
                    self._atoms[at, key].add(atom)
        self._shown = [
            {key for key, sides in found.items() if key is not None and not any(map(small_counts.is_few, sides))}
            for found in self._sides
        ]

    def values(self, level: str) -> dict[Key | None, int | None]:
        at = self.levels.index(level)
        return {key: sides[0] if key in self._shown[at] else None for key, sides in self._sides[at].items()}

    def settle(self) -> None:
        """Hide areas until nothing that is shown tells of few; what hides more is looked at again."""
        changed = True
        while changed:
            changed = False
            for at, key in list(self._wholes()):
                if self._is_known(at, key):  # or else another one has hidden it meanwhile
                    changed |= self._settle_within(at, key)
            changed = changed or self._settle_sums()

    def _wholes(self) -> Iterator[tuple[int, Key | None]]:
        """Every sum of hidden sections that is known: all together (-1), and each area that is shown."""
        if self.has_total:
            yield -1, None
        for at, shown in enumerate(self._shown):
            yield from ((at, key) for key in sorted(shown) if (at, key) in self._atoms)

    def _is_known(self, at: int, key: Key | None) -> bool:
        return self.has_total if at < 0 else key in self._shown[at]

    def _settle_within(self, at: int, key: Key | None) -> bool:
        """What is left of a sum without the shown areas of each other level must be safe; was something hidden?"""
        own = self._own(at, key)
        changed = False
        for level in [-1, *(one for one in range(len(self.levels)) if one != at)]:
            inside = self._inside(level, own)
            left = own.difference(*(self._atoms[level, one] for one in inside))
            while not _is_safe(self._sum(left)):
                changed = True
                if not inside:
                    self._hide(at, key)
                    return True
                left |= self._atoms[level, inside[0]]
                self._hide(level, inside.pop(0))
        return changed

    def _settle_sums(self) -> bool:
        """Hide an area wherever several sums together tell of few; was something hidden?"""
        telling = {one for group in self._groups() for one in self._telling(group)}
        for one in telling:
            self._hide(*one)
        return bool(telling)

    def _telling(self, group: list[Atom]) -> set[tuple[int, Key | None]]:
        """Of the sums over these hidden sections those to hide, because with others they tell of few.

        A number is certain when its sections are a linear combination of the sums that are known."""
        import numpy as np

        sums = sorted(
            {(at, atom[at]) for atom in group for at in range(len(self.levels)) if atom[at] in self._shown[at]},
            key=lambda one: (self._sides[one[0]][one[1]][0], repr(one)),
        )
        members = [self._atoms[one] for one in sums] + ([set(group)] if self.has_total else [])
        asked = self._asked(group)
        if not members or not asked or len(group) > MOST_RECKONED:
            return set()
        known, wanted = (
            np.array([[float(atom in each) for atom in group] for each in sets]) for sets in (members, asked)
        )
        weights = np.linalg.pinv(known @ known.T, rcond=1e-10, hermitian=True) @ (known @ wanted.T)
        certain = np.abs(known.T @ weights - wanted.T).max(axis=0) < _NEARLY
        used = np.abs(weights[:, certain]) > _NEARLY
        return {sums[first] if first < len(sums) else (-1, None) for first in used.argmax(axis=0).tolist()}

    def _asked(self, group: list[Atom]) -> list[set[Atom]]:
        """What nobody may know of these hidden sections: a few that lie together, and areas of few."""
        few = [{atom} for atom in group if _is_few(self._hidden[atom])]
        areas = {(at, atom[at]) for atom in group for at in range(len(self.levels))}
        return few + [self._atoms[one] for one in areas if any(map(small_counts.is_few, self._sides[one[0]][one[1]]))]

    def _groups(self) -> list[list[Atom]]:
        """The hidden sections, parted where no shown area joins them."""
        left, found = set(self._hidden), []
        while left:
            group, new = set[Atom](), [left.pop()]
            while new:
                atom = new.pop()
                group.add(atom)
                joined = [self._atoms[at, key] for at, key in enumerate(atom) if key in self._shown[at]]
                reached = set().union(*joined) & left
                left -= reached
                new += reached
            found.append(sorted(group, key=repr))
        return found

    def _sum(self, atoms: Iterable[Atom]) -> Sum:
        return _added(self._hidden[atom] for atom in atoms)

    def _own(self, at: int, key: Key | None) -> set[Atom]:
        """The hidden sections of a sum."""
        return self._atoms[at, key] if at >= 0 else set(self._hidden)

    def _inside(self, level: int, own: set[Atom]) -> list[Key]:
        """The shown areas of a level whose hidden sections are all among `own`, those of the fewest people first."""
        if level < 0:
            return []
        found = {key for atom in own if (key := atom[level]) in self._shown[level] and key is not None}
        whole = [key for key in found if self._atoms[level, key] <= own]
        return sorted(whole, key=lambda key: (self._sides[level][key][0], key))

    def _hide(self, at: int, key: Key | None) -> None:
        if at < 0:
            self.has_total = False
        else:
            self._shown[at].discard(key)


def _added(sums: Iterable[Sum]) -> Sum:
    many = counts = rests = 0
    for one in sums:
        many, counts, rests = many + one[0], counts + one[1], rests + one[2]
    return many, counts, rests


def _is_few(known: Sum) -> bool:
    return any(map(small_counts.is_few, known[1:]))


def _is_safe(known: Sum) -> bool:
    """May this sum be known? It is of no hidden section, or of two and more, and no side of it is small."""
    return known[0] == 0 or (known[0] > 1 and not _is_few(known))
