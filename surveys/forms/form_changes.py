"""What differs between two versions of a questionnaire, question by question. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from surveys.forms.items import Items
from surveys.forms.repeats import base_name

Item = dict[str, Any]
TEXTS = ("label", "hint", "guidance_hint", "constraint_message", "required_message", "image")
PLAIN = ("type", "required", "constraint", "calculation", "choice_filter", "default", "randomize", "seed")
SETTINGS = ("title", "default_language", "vote_question", "likely_question", "consent_question")


@dataclass(frozen=True)
class Difference:
    """`what`: a column (`label`, `relevant`, `choice`, `role`, …); `where`: the language or the choice's code, or ''.

    `before` '' and `after` '' mean: was not there, is not there any more. `breaks`: answers before and after do not
    mean the same."""

    what: str
    where: str
    before: str
    after: str
    breaks: bool = False


@dataclass(frozen=True)
class Change:
    """`kind`: added | removed | moved | changed | settings. `label`: the question's words now, or before."""

    kind: str
    name: str
    label: str
    differences: tuple[Difference, ...] = ()

    @property
    def breaks(self) -> bool:
        return any(one.breaks for one in self.differences)


def changes(before: Items, after: Items, language: str = "") -> list[Change]:
    """Every change from one version to another, in the order of the newer one, removed questions last."""
    old, new = _written(before), _written(after)
    moved = _moved(list(old), list(new))
    found: list[Change] = []
    settings = tuple(_settings(before, after))
    if settings:
        found.append(Change("settings", "", "", settings))
    for name, item in new.items():
        label = _words(item["label"], language)
        if name not in old:
            found.append(Change("added", name, label))
            continue
        differences = tuple(_differences(old[name], item))
        if differences:
            found.append(Change("changed", name, label, differences))
        if name in moved:
            found.append(Change("moved", name, label))
    gone = [Change("removed", name, _words(item["label"], language)) for name, item in old.items() if name not in new]
    return found + gone


def _written(items: Items) -> dict[str, Item]:
    """The questions as the form has them: of a repeat its first turn."""
    found: dict[str, Item] = {}
    for item in items["items"]:
        found.setdefault(base_name(item), item)
    return found


def _moved(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """The fewest questions whose place among the others changed."""
    one, other = [name for name in old if name in set(new)], [name for name in new if name in set(old)]
    stayed: set[str] = set()
    for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        stayed.update(one[block.a : block.a + block.size])
    return set(other) - stayed


def _settings(before: Items, after: Items) -> Iterator[Difference]:
    for column in SETTINGS:
        if (before.get(column) or "") != (after.get(column) or ""):
            yield Difference(column, "", _text(before.get(column)), _text(after.get(column)), "question" in column)


def _differences(old: Item, new: Item) -> Iterator[Difference]:
    for column in PLAIN:
        if old[column] != new[column]:
            breaks = column in ("type", "calculation")
            yield Difference(column, "", _text(old[column]), _text(new[column]), breaks)
    if old["relevant"] != new["relevant"]:
        yield Difference("relevant", "", " and ".join(old["relevant"]), " and ".join(new["relevant"]), breaks=True)
    for column in TEXTS:  # a version that was read before a column was understood has none
        yield from _texts(column, old.get(column, {}), new.get(column, {}))
    yield from _choices(old["choices"], new["choices"])


def _texts(column: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for language in dict.fromkeys((*old, *new)):
        if old.get(language, "") != new.get(language, ""):
            yield Difference(column, language, old.get(language, ""), new.get(language, ""))


def _choices(old: Sequence[Item], new: Sequence[Item]) -> Iterator[Difference]:
    was, now = {one["name"]: one for one in old}, {one["name"]: one for one in new}
    for code, choice in now.items():
        if code not in was:
            yield Difference("choice", code, "", _words(choice["label"], "") or code, breaks=True)
            continue
        for difference in _texts("choice", was[code]["label"], choice["label"]):
            yield Difference("choice", code, difference.before, difference.after)
        for difference in _texts("choice_image", was[code].get("image", {}), choice.get("image", {})):
            yield Difference("choice_image", code, difference.before, difference.after)
        if was[code]["role"] != choice["role"]:
            yield Difference("role", code, _text(was[code]["role"]), _text(choice["role"]), breaks=True)
    for code in [code for code in was if code not in now]:
        yield Difference("choice", code, _words(was[code]["label"], "") or code, "", breaks=True)
    both = [[code for code in side if code in was and code in now] for side in (was, now)]
    if both[0] != both[1]:
        yield Difference("order", "", ", ".join(both[0]), ", ".join(both[1]))


def _words(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or next(iter(texts.values()), "")


def _text(value: Any) -> str:
    """A cell's text: a form says «yes» for what is required or rotates, and nothing else."""
    return "yes" if value is True else str(value or "")
