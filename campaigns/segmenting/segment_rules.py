"""The language of segments: a rule as people write it (JSON, docs/segments.md), checked and read into nodes."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.contacts import text_key
from callcenter.people import attributes
from campaigns.segmenting import segment_clauses, segment_deeds, segment_fields
from campaigns.segmenting.segment_clauses import ATTRIBUTE, Facts, Path, RuleFault, brief, is_whole
from campaigns.segmenting.segment_deeds import DEEDS, Deed, answers, items
from campaigns.segmenting.segment_fields import FIELDS, MAX_ID, OPS, Field
from campaigns.segmenting.segment_nodes import Group, Members, Node

__all__ = ["DEEDS", "FIELDS", "GROUPS", "OPS", "VERSION", "Deed", "Facts", "Field", "RuleFault", "answers", "deeds",
           "fields", "items", "read", "text_key", "validate"]  # fmt: skip

VERSION = 2
GROUPS = ("all", "any", "not")  # everything holds · something holds · nothing of it holds
MAX_CLAUSES, MAX_IN_ALL = 200, 2_000  # of one rule; with those of the segments it names
MAX_DEPTH, MAX_CHAIN = 5, 10
KINDS = ("field", "did", "did_not", "segment", "frozen")


def validate(rule: Any) -> None:
    """Check the shape of a rule, without the attributes, surveys and segments there are. Raises RuleFault."""
    read(rule, None)


def read(rule: Any, facts: Facts | None, *, inside: tuple[int, str] | None = None) -> Group:
    """The rule as nodes, with the segments it names written out. Raises RuleFault.

    `inside`: number and name of the segment whose rule it is (to be), which cannot stand in itself. Without `facts`
    only the shape is checked, and the nodes are of no use."""
    version = rule.get("version", VERSION) if isinstance(rule, dict) else VERSION
    if version not in (1, VERSION) or isinstance(version, bool):
        raise RuleFault((), _("This rule is of version %(it)s; here versions 1 and 2 are read.", it=brief(version)))
    return _Reader(facts, [inside] if inside else []).group(_bare(rule), (), depth=1)


def _bare(rule: Any) -> Any:
    return {name: member for name, member in rule.items() if name != "version"} if isinstance(rule, dict) else rule


def fields(session: Session) -> dict[str, Field]:
    """Every field that a rule can ask: ours, and the campaign's own attributes as `attr:<key>`."""
    own = {f"{ATTRIBUTE}{one.key}": segment_fields.of_attribute(one) for one in attributes.all_attributes(session)}
    return {**FIELDS, **own}


def deeds(session: Session) -> dict[str, Deed]:
    """Everything that a rule can ask of what happened, with the choices of its options."""
    return segment_deeds.with_choices(session)


class _Reader:
    """Reads one rule. `chain`: the segments in which it stands, outermost first; `clauses`: how many were read so far,
    in this rule and in all."""

    def __init__(self, facts: Facts | None, chain: list[tuple[int, str]]) -> None:
        self.facts, self.chain = facts, chain
        self.clauses = self.in_all = 0

    def group(self, rule: Any, path: Path, *, depth: int) -> Group:
        if not isinstance(rule, dict) or len(rule) != 1 or next(iter(rule)) not in GROUPS:
            raise RuleFault(
                path, _('A group is {"all": […]}, {"any": […]} or {"not": […]}; this is none: %(it)s', it=brief(rule))
            )
        if depth > MAX_DEPTH:
            raise RuleFault(path, _("Groups stand in groups more than %(limit)s deep.", limit=MAX_DEPTH))
        ((op, members),) = rule.items()
        if not isinstance(members, list) or len(members) > MAX_CLAUSES:
            raise RuleFault(path, _("A group holds a list of at most %(limit)s conditions.", limit=MAX_CLAUSES))
        return Group(op, tuple(self._member(one, (*path, n), depth) for n, one in enumerate(members)))

    def _member(self, member: Any, path: Path, depth: int) -> Node:
        kind = next((name for name in KINDS if isinstance(member, dict) and name in member), "")
        if not kind:
            return self.group(member, path, depth=depth + 1)
        self.clauses, self.in_all = self.clauses + 1, self.in_all + 1
        if self.clauses > MAX_CLAUSES:
            raise RuleFault((), _("The rule has more than %(limit)s conditions.", limit=MAX_CLAUSES))
        if self.in_all > MAX_IN_ALL:
            raise RuleFault((), _("With the segments it names the rule has more than %(limit)s conditions.",
                                  limit=MAX_IN_ALL))  # fmt: skip
        if kind == "field":
            return segment_clauses.own(member, self.facts, path)
        if kind in ("did", "did_not"):
            return segment_clauses.act(member, self.facts, path)
        return self._segment(member, path) if kind == "segment" else self._frozen(member, path)

    def _segment(self, clause: dict[str, Any], path: Path) -> Node:
        number = self._number(clause, "segment", path)
        if self.facts is None:
            return Members(0)
        found = self.facts.segment(number)
        if found is None:
            raise RuleFault(path, _("There is no segment %(number)s.", number=number))
        name, rule = found
        inside = [*self.chain, (number, name)]
        if number in [one for one, _name in self.chain]:
            names = " → ".join(f"«{each}»" for _one, each in inside)
            raise RuleFault(path, _("A segment would contain itself: %(chain)s.", chain=names))
        if len(inside) > MAX_CHAIN:
            raise RuleFault(path, _("Segments stand in segments more than %(limit)s deep.", limit=MAX_CHAIN))
        return self._written_out(name, rule, inside, path)

    def _written_out(self, name: str, rule: Any, inside: list[tuple[int, str]], path: Path) -> Node:
        outer = self.chain, self.clauses
        self.chain, self.clauses = inside, 0
        try:
            return self.group(_bare(rule), (), depth=1)
        except RuleFault as fault:
            sentence = next(iter(fault.faults.values()))
            raise RuleFault(path, _("The segment «%(name)s»: %(fault)s", name=name, fault=sentence)) from fault
        finally:
            self.chain, self.clauses = outer

    def _frozen(self, clause: dict[str, Any], path: Path) -> Node:
        number = self._number(clause, "frozen", path)
        if self.facts is not None and not self.facts.exists("frozen", number):
            raise RuleFault(path, _("There is no frozen list %(number)s.", number=number))
        return Members(number)

    def _number(self, clause: dict[str, Any], kind: str, path: Path) -> int:
        number = clause[kind]
        if set(clause) != {kind} or not is_whole(number, 1, MAX_ID):
            raise RuleFault(path, _('Another list is {"%(kind)s": its number}; this is none: %(it)s', kind=kind,
                                    it=brief(clause)))  # fmt: skip
        return int(number)
