"""The rule of a segment while it is being written: a tree of groups and conditions, half-written or not, and its acts.

The whole tree travels in the form, so that no reload and no fault loses a letter. Pure.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

GROUPS = ("all", "any", "not")
# What a condition's inputs are called; an input of the condition k is `<name>-k`.
INPUTS = ("field", "op", "value", "queue", "campaign", "purpose", "channel", "survey", "item", "times", "when", "days",
          "from", "to")  # fmt: skip
MAX_NODES = 1_000  # more than any rule may have: the validator says so in words
MAX_UNDO = 20
MAX_KEY = 16


@dataclass
class Node:
    """A group (`group` is all | any | not) or a condition (`group` is empty, `said` what its inputs hold, as typed).

    `fault`: the sentence that stands at this row."""

    key: str
    group: str = ""
    said: dict[str, list[str]] = field(default_factory=dict)
    members: list["Node"] = field(default_factory=list)
    fault: str = ""

    def one(self, name: str) -> str:
        """The single text of an input; empty when it holds none."""
        return next(iter(self.said.get(name, [])), "").strip()

    def many(self, name: str) -> list[str]:
        return [text for text in self.said.get(name, []) if text.strip()]

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, as they stand on the page."""
        yield self
        for member in self.members:
            yield from member.walk()


@dataclass(frozen=True)
class Acted:
    """What an act left: the tree, what can be put back (newest last), and the id of the input to go on with."""

    root: Node
    removed: list[dict[str, Any]]
    focus: str = ""


def new_key() -> str:
    return "n" + secrets.token_hex(4)


def condition(field_code: str = "", **said: list[str]) -> Node:
    """A condition with a key of its own."""
    return Node(new_key(), said={"field": [field_code], **said} if field_code else dict(said))


def group(kind: str, members: list[Node] | None = None) -> Node:
    return Node(new_key(), group=kind, members=members or [])


def read(form: MultiDict[str, str]) -> Node:
    """The tree that the form holds. Whatever names no place of its own stands in the outermost group."""
    root: Node | None = None
    seen: dict[str, Node] = {}
    for key in form.getlist("node")[:MAX_NODES]:
        if not (key.isascii() and key.isalnum() and len(key) <= MAX_KEY) or key in seen:
            continue
        node = _read_node(form, key)
        if root is None:
            root = node if node.group else Node(new_key(), group="all", members=[node])
        else:
            parent = seen.get(form.get(f"in-{key}", ""), root)
            (parent if parent.group else root).members.append(node)
        seen[key] = node
    return root or group("all")


def _read_node(form: MultiDict[str, str], key: str) -> Node:
    kind = form.get(f"group-{key}")
    if kind is not None:
        return Node(key, group=kind if kind in GROUPS else "all")
    said = {name: form.getlist(f"{name}-{key}") for name in INPUTS if f"{name}-{key}" in form}
    return Node(key, said=said)


def as_json(node: Node) -> dict[str, Any]:
    """The node as a draft keeps it."""
    if node.group:
        return {"key": node.key, "group": node.group, "members": [as_json(member) for member in node.members]}
    return {"key": node.key, "said": node.said}


def from_json(kept: Any) -> Node:
    """The node that `as_json` wrote; an empty group when it is none (a hidden input can be tampered with)."""
    if not isinstance(kept, dict):
        return group("all")
    key = str(kept.get("key", ""))
    key = key if key.isascii() and key.isalnum() and len(key) <= MAX_KEY else new_key()
    if kept.get("group") in GROUPS:
        return Node(key, group=kept["group"], members=[from_json(one) for one in _list(kept.get("members"))])
    said = kept.get("said")
    said = said if isinstance(said, dict) else {}
    texts = {name: [str(text) for text in _list(said.get(name))] for name in INPUTS if name in said}
    return Node(key, said=texts)


def read_removed(text: str) -> list[dict[str, Any]]:
    """What was removed on this page and can be put back."""
    try:
        kept = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return []
    return [one for one in _list(kept) if isinstance(one, dict) and "node" in one][-MAX_UNDO:]


def act(root: Node, removed: list[dict[str, Any]], said: str) -> Acted:
    """Do what a button says: `add:<group>`, `nest:<group>`, `remove|up|down|in|out:<node>`, `undo`.

    A button of a row that is gone does nothing."""
    verb, _colon, key = said.partition(":")
    if verb == "undo":
        return _put_back(root, removed)
    node = next((one for one in root.walk() if one.key == key), None)
    if node is None:
        return Acted(root, removed)
    if verb in ("add", "nest"):
        return _add(root, node, removed, nested=verb == "nest")
    if node is root or verb not in ("remove", "up", "down", "in", "out"):
        return Acted(root, removed)
    parent = _parent(root, node)
    if verb == "remove":
        place = parent.members.index(node)
        parent.members.remove(node)
        kept = [*removed, {"in": parent.key, "at": place, "node": as_json(node)}]
        return Acted(root, kept[-MAX_UNDO:], "undo")
    _move(root, parent, node, verb)
    return Acted(root, removed, f"{verb}-{node.key}")


def _add(root: Node, into: Node, removed: list[dict[str, Any]], *, nested: bool) -> Acted:
    added = condition()
    into.members.append(group("any", [added]) if nested else added)
    return Acted(root, removed, f"field-{added.key}")


def _put_back(root: Node, removed: list[dict[str, Any]]) -> Acted:
    if not removed:
        return Acted(root, [])
    last = removed[-1]
    node = from_json(last["node"])
    groups = {one.key: one for one in root.walk() if one.group}
    parent = groups.get(str(last.get("in", "")), root)
    place = last.get("at")
    parent.members.insert(place if isinstance(place, int) and place >= 0 else len(parent.members), node)
    return Acted(root, removed[:-1], f"row-{node.key}")


def _move(root: Node, parent: Node, node: Node, verb: str) -> None:
    place = parent.members.index(node)
    if verb in ("up", "down"):
        other = place + (1 if verb == "down" else -1)
        if 0 <= other < len(parent.members):
            parent.members[place], parent.members[other] = parent.members[other], node
    elif verb == "out" and parent is not root:
        parent.members.remove(node)
        outer = _parent(root, parent)
        outer.members.insert(outer.members.index(parent) + 1, node)
    elif verb == "in":
        _move_in(parent, place)


def _move_in(parent: Node, place: int) -> None:
    """Into the group above, else the group below, else a group of its own."""
    node = parent.members[place]
    above = parent.members[place - 1] if place else None
    below = parent.members[place + 1] if place + 1 < len(parent.members) else None
    if above is not None and above.group:
        above.members.append(node)
    elif below is not None and below.group:
        below.members.insert(0, node)
    else:
        parent.members[place] = group("any", [node])
        return
    del parent.members[place]


def _parent(root: Node, node: Node) -> Node:
    return next(one for one in root.walk() if node in one.members)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
