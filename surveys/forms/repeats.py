"""Loop groups (`begin_repeat`): their questions are laid out once a turn, `age.1`, `age.2`, so that the engine, every
face, the results and the exports see ordinary questions. Pure.

A repeat says how often: `repeat_count`, a number or an expression; for an expression `repeat_max` (10 when empty) turns
are laid out, each asked where the count reaches it. Inside, `${age}` is the answer of the same turn and `position(..)`
its number; outside, it is the answers of all turns, for sum, min, max, count, join and indexed-repeat. `<name>_count`
is how many turns there are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from surveys.forms import expressions
from surveys.forms.sheets import Faults, Row

MOST, USUAL = 20, 10
_NAME = r"\$\{\s*(?P<%s>[^}\s]+)\s*\}"
_PARTS = re.compile(
    rf"indexed-repeat\(\s*{_NAME % 'of'}\s*,\s*{_NAME % 'within'}\s*,|count\(\s*{_NAME % 'counted'}\s*\)"
    rf"|(?P<place>position\(\s*\.\.\s*\))|{_NAME % 'name'}"
)
Item = dict[str, Any]


@dataclass
class Repeat:
    """`count`: a number or an expression; `most`: turns laid out; `members`: names of its questions."""

    name: str
    row: Row
    count: str
    most: int
    relevant: list[str]
    members: list[str] = field(default_factory=list)

    @property
    def is_fixed(self) -> bool:
        return self.count.isdecimal()

    @property
    def count_name(self) -> str:
        return f"{self.name}_count"


def read_repeat(row: Row, relevant: list[str], *, is_inside: bool, faults: Faults) -> Repeat:
    """The repeat that this row begins; its faults by column."""
    count, most = row.get("repeat_count"), row.get("repeat_max")
    if is_inside:
        faults.add(row, "type", _("a repeat inside a repeat cannot be asked; write its questions out"))
    if not count:
        faults.add(row, "repeat_count", _("the repeat does not say how often; write a number or ${question}"))
    if most and not (most.isdecimal() and 1 <= int(most) <= MOST):
        faults.add(row, "repeat_max", _("write a whole number from 1 to %(most)s", most=MOST))
        most = ""
    turns = int(count) if count.isdecimal() and len(count) < 4 else int(most or USUAL)
    if count.isdecimal() and not 1 <= turns <= MOST:
        faults.add(row, "repeat_count", _("write a whole number from 1 to %(most)s", most=MOST))
    return Repeat(row.get("name"), row, count, min(max(turns, 1), MOST), relevant)


def count_item(repeat: Repeat, blank: Item) -> Item:
    """The calculate that says how many turns there are; `blank`: an item with nothing in it."""
    count, name = repeat.count, repeat.count_name
    calculation = f"if(({count}) > 0, min(int({count}), {repeat.most}), 0)"
    return {**blank, "name": name, "type": "calculate", "relevant": repeat.relevant, "calculation": calculation}


def lay_out(items: Sequence[Item], repeats: Sequence[Repeat]) -> list[Item]:
    """The items with every repeat's questions once a turn, turn after turn, and their references set right."""
    by_member = {member: repeat for repeat in repeats for member in repeat.members}
    laid: list[Item] = []
    done: set[str] = set()
    for item in items:
        repeat = by_member.get(item["name"])
        if repeat is None:
            laid.append(_set_right(item, _Rewriter(repeats, by_member)))
        elif repeat.name not in done:
            done.add(repeat.name)
            inside = [one for one in items if one["name"] in repeat.members]
            for turn in range(1, repeat.most + 1):
                rewriter = _Rewriter(repeats, by_member, repeat, turn)
                laid.extend(_turn(one, repeat, turn, rewriter) for one in inside)
    return laid


def base_name(item: Item) -> str:
    """The name in the form: `age` for `age.2`."""
    return str(item["turn"]["of"] if "turn" in item else item["name"])


def _turn(item: Item, repeat: Repeat, turn: int, rewriter: "_Rewriter") -> Item:
    laid = _set_right(item, rewriter)
    if not repeat.is_fixed:
        laid["relevant"] = [f"${{{repeat.count_name}}} >= {turn}", *laid["relevant"]]
    of = {"of": item["name"], "repeat": repeat.name, "number": turn}
    return {**laid, "name": f"{item['name']}.{turn}", "turn": of}


def _set_right(item: Item, rewriter: "_Rewriter") -> Item:
    changed = dict(item)
    for column in ("constraint", "calculation", "choice_filter", "seed"):
        changed[column] = rewriter.rewrite(item[column])
    changed["relevant"] = [rewriter.rewrite(expression) for expression in item["relevant"]]
    if isinstance(item["required"], str):
        changed["required"] = rewriter.rewrite(item["required"])
    for column in ("label", "hint", "guidance_hint", "constraint_message", "required_message"):
        changed[column] = rewriter.words(item[column])
    changed["choices"] = [
        {**choice, "label": rewriter.words(choice["label"])} if "${" in str(choice["label"]) else choice
        for choice in item["choices"]
    ]
    return changed


@dataclass(frozen=True)
class _Rewriter:
    """Sets references right as they are seen from one place: outside of repeats, or in one turn of one."""

    repeats: Sequence[Repeat]
    by_member: dict[str, Repeat]
    here: Repeat | None = None
    turn: int = 0

    def rewrite(self, expression: str) -> str:
        return _PARTS.sub(self._part, expression) if self.repeats else expression

    def words(self, texts: dict[str, str]) -> dict[str, str]:
        return {language: expressions.REFERENCE.sub(self._same_turn, text) for language, text in texts.items()}

    def _part(self, match: re.Match[str]) -> str:
        if match["of"]:
            return f"indexed-repeat({self._all(match['of'])}, '',"
        if match["place"]:
            return str(self.turn) if self.here else match[0]
        if match["counted"]:
            return self._count(match["counted"])
        return self._same_turn(match) if self._is_here(match["name"]) else self._all(match["name"])

    def _same_turn(self, match: re.Match[str]) -> str:
        name = match[match.lastgroup or 1]
        return f"${{{name}.{self.turn}}}" if self._is_here(name) else match[0]

    def _is_here(self, name: str) -> bool:
        return self.here is not None and self.by_member.get(name) is self.here

    def _all(self, name: str) -> str:
        repeat = self.by_member.get(name)
        turns = range(1, repeat.most + 1) if repeat else ()
        return " | ".join(f"${{{name}.{turn}}}" for turn in turns) or f"${{{name}}}"

    def _count(self, name: str) -> str:
        named = {repeat.name: repeat for repeat in self.repeats}
        repeat = named.get(name) or (None if self._is_here(name) else self.by_member.get(name))
        if repeat is None:
            return f"count({self._all(name) if not self._is_here(name) else f'${{{name}.{self.turn}}}'})"
        return str(repeat.most) if repeat.is_fixed else f"${{{repeat.count_name}}}"
