"""Rules evaluated over the copy of people: one byte a person, true for whom the rule means. Says what SQL would say."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, column, select, table

from callcenter import consent
from campaigns.segmenting import segment_sql
from campaigns.segmenting.segment_counts import SPREAD, SPREAD_OVER
from campaigns.segmenting.segment_deeds import DEEDS, DELIVERED, REACHED
from campaigns.segmenting.segment_fields import ROWS, owners, with_evidence
from campaigns.segmenting.segment_nodes import Act, Group, Members, Node, Own
from campaigns.snapshot.people_columns import ATTEMPTS, UNKNOWN, Column
from campaigns.snapshot.people_copy import Copy, Mask, Tries, Wanted, open_copy
from campaigns.snapshot.people_news import Array

MOST_NEWS = 100_000  # changed rows that a count reads itself; more, and SQL counts until the copy is brought up to date
MANY = 10_000  # ids from which it is quicker to ask everybody than to look each one up
_NEEDS = {"queue": "place", "campaign": "place", "purpose": "purpose", "channel": "channel", "value": "outcome"}
_EPOCH = date(1970, 1, 1)
_members = table("frozen_members", column("frozen_id"), column("contact_id"))
_codes_of = {each.name: {value: code for code, value in enumerate(each.values, 1)} for each in ATTEMPTS}


class Looked:
    """What the copy says of some rules, in one snapshot. `masks`: one a rule, by place of people in `copy`."""

    def __init__(self, copy: Copy, nodes: list[Node], asked: list[Node]) -> None:
        self.copy = copy
        self._answers: dict[int, list[Array]] = {}
        for node, answer in zip(asked, copy.news.answers, strict=True):
            self._answers.setdefault(id(node), []).append(answer)
        self._columns: dict[str, Array] = {}
        self.masks = [self._alive(self._mask(node)) for node in nodes]

    def _alive(self, mask: Mask) -> Mask:
        return mask if self.copy.alive is None else mask & self.copy.alive

    def ids(self, mask: Mask) -> Array:
        """The ids of the people of a mask whose data are not blocked, in order."""
        return np.sort(self.column("id")[mask & self._open()])

    def spread(self, mask: Mask, limit: int) -> list[int]:
        """The ids of some people of a mask, in the order of their spread ids."""
        ids = self.ids(mask)
        rank = ids * SPREAD % SPREAD_OVER
        some = np.argpartition(rank, limit)[:limit] if len(ids) > limit else np.arange(len(ids))
        return [int(ids[place]) for place in sorted(some, key=lambda place: (rank[place], ids[place]))]

    def sections(self, mask: Mask) -> dict[int | None, int]:
        """How many people of a mask live in each section (None: not known)."""
        numbers, people = np.unique(self.column("section_id")[mask & self._open()], return_counts=True)
        return {None if number == UNKNOWN else int(number): int(n) for number, n in zip(numbers, people, strict=True)}

    def _open(self) -> Mask:
        """Whose data are not blocked."""
        is_open: Mask = self.column("blocked") != 2
        return is_open

    def column(self, name: str) -> Array:
        """A column of people, read once for all conditions."""
        if name not in self._columns:
            self._columns[name] = self.copy.column(name)
        return self._columns[name]

    def counts(self, mask: Mask, purpose: str | None) -> dict[str, int]:
        """People of a mask by the first reason for which they may not be contacted, '' for none."""
        said = _codes(self.copy.kind("consent"))
        left, found = mask.copy(), {}
        for reason, name, code in (
            ("blocked", "blocked", 2), ("suppressed", "suppressed", 2), ("opted_out", "consent", said["opted_out"]),
        ):  # fmt: skip
            held = left & (self.column(name) == code)
            found[reason] = int(np.count_nonzero(held))
            left &= ~held
        if purpose in consent.NEEDS_OPT_IN:
            held = left & (self.column("consent") != said["opted_in"])
            found["not_opted_in"] = int(np.count_nonzero(held))
            left &= ~held
        return {**found, "": int(np.count_nonzero(left))}

    def _mask(self, node: Node) -> Mask:
        if isinstance(node, Group):
            return self._group(node)
        if isinstance(node, Own) and not node.field.of:
            held = self._own(node)
        elif isinstance(node, Act) and DEEDS[node.deed].copied:
            held = self._tried(node)
        else:
            held = self._answered(node)
        return ~held if getattr(node, "negated", False) else held

    def _group(self, node: Group) -> Mask:
        held = np.full(self.copy.size, node.op == "all")
        for member in node.members:
            if node.op == "all":
                held &= self._mask(member)
            else:
                held |= self._mask(member)
        return ~held if node.op == "not" else held

    def _answered(self, node: Node) -> Mask:
        """Who is among the ids that SQL gave for this condition."""
        (ids,) = self._answers[id(node)]
        if isinstance(node, Own) and ROWS[node.field.of].copied_as != "id":
            return _among(self.column(ROWS[node.field.of].copied_as), ids)
        times = getattr(node, "times", 1)
        if times == 1 and len(ids) > MANY:
            return _among(self.column("id"), ids)
        place = self.copy.places(ids)
        return self._at_least(place[place >= 0], times)

    def _at_least(self, places: Array, times: int) -> Mask:
        if times > 1:
            return np.bincount(places, minlength=self.copy.size) >= times
        held = np.zeros(self.copy.size, bool)
        held[places] = True
        return held

    def _own(self, node: Own) -> Mask:
        held = self._of_column(node)
        if node.field.channel:  # whoever said something for this channel alone: SQL knows, and who of them meets it
            said, meeting = (self.copy.places(ids) for ids in self._answers[id(node)])
            held[said[said >= 0]] = False
            held[meeting[meeting >= 0]] = True
        return held

    def _of_column(self, node: Own) -> Mask:
        kind, values = self.copy.kind(node.field.copied_as), self.column(node.field.copied_as)
        if kind.kind == "words":
            return _among_codes(values, self._word_codes(node))
        if kind.kind == "listed":
            codes = _codes(kind)
            wanted = [codes[str(value).lower() if isinstance(value, bool) else value] for value in node.values]
            return values > 0 if node.form == "known" else _among_codes(values, wanted)
        return _compared(node, values)

    def _word_codes(self, node: Own) -> list[int]:
        words = enumerate(self.copy.words(node.field.copied_as), 1)
        if node.form == "known":
            return [code for code, _word in words]
        which = 1 if node.field.kind == "text" else 0
        if node.form == "range":
            return [code for code, word in words if (node.least is None or word[which] >= node.least)
                    and (node.most is None or word[which] <= node.most)]  # fmt: skip
        wanted = set(node.values)
        return [code for code, word in words if word[which] in wanted]

    def _tried(self, act: Act) -> Mask:
        found = []
        for tries in self.copy.tries():
            meets = _meets(act, tries)
            if tries.stale is not None:
                meets[tries.stale] = False
            persons = tries.person[meets]
            found.append(persons[persons >= 0])
        return self._at_least(np.concatenate(found), act.times)


def look(connection: Connection, nodes: list[Node]) -> Looked | None:
    """What the copy says of the rules; None when there is no copy that could, and SQL must."""
    asked: list[Node] = []
    people, attempts = {"id", "section_id", "consent", "suppressed", "blocked"}, set[str]()
    for node in nodes:
        _collect(node, asked, people, attempts)
    questions = [_question(node, again=any(node is one for one in asked[:n])) for n, node in enumerate(asked)]
    wanted = Wanted(frozenset(people), frozenset(attempts), questions)
    copy = open_copy(connection, MOST_NEWS, wanted)
    return Looked(copy, nodes, asked) if copy is not None else None


def _collect(node: Node, asked: list[Node], people: set[str], attempts: set[str]) -> None:
    """The conditions that SQL must answer, and the columns that the others need."""
    if isinstance(node, Group):
        for member in node.members:
            _collect(member, asked, people, attempts)
    elif isinstance(node, Own) and not node.field.of:
        people.add(node.field.copied_as)
        asked += [node, node] if node.field.channel else []
    elif isinstance(node, Act) and DEEDS[node.deed].copied:
        attempts |= {"id", "person", "channel", "outcome", *(_NEEDS[option] for option in node.options)}
        attempts |= {"at"} if node.since is not None or node.before is not None else set()
    else:
        asked.append(node)


def _question(node: Node, *, again: bool) -> Select[Any]:
    """What SQL is asked; of consent for a channel first who said anything for it, then who of them meets it."""
    if isinstance(node, Own) and node.field.channel:
        return with_evidence(node.field.channel, segment_sql.of_field(node) if again else None)
    if isinstance(node, Own):
        return owners(node.field.of, segment_sql.of_field(node))
    if isinstance(node, Members):
        return select(_members.c.contact_id).where(_members.c.frozen_id == node.frozen_id)
    assert isinstance(node, Act)  # groups are not asked
    return DEEDS[node.deed].query(node)


def _codes(kind: Column) -> dict[Any, int]:
    return {value: code for code, value in enumerate(kind.values, 1)}


def _among_codes(values: Array, codes: list[int]) -> Mask:
    """Is the value one of some codes of a dictionary?"""
    if len(codes) <= 3:
        held = np.zeros(len(values), bool)
        for code in codes:
            held |= values == code
        return held
    table = np.zeros(max(int(values.max(initial=0)), *codes) + 1, bool)
    table[codes] = True
    return table[values]


def _among(values: Array, wanted: Any) -> Mask:
    """Is the number one of some?"""
    numbers = np.asarray(wanted)
    return np.isin(values, numbers[numbers != UNKNOWN]) if len(numbers) > 1 else _one(values, numbers)


def _one(values: Array, numbers: Array) -> Mask:
    return values == numbers[0] if len(numbers) else np.zeros(len(values), bool)


def _compared(node: Own, values: Array) -> Mask:
    is_whole = values.dtype != np.float64
    known: Callable[[], Mask] = lambda: values != UNKNOWN if is_whole else ~np.isnan(values)  # noqa: E731
    if node.form == "known":
        return known()
    if node.form == "in":
        return _among(values, [_number(value) for value in node.values])
    held = values >= _number(node.least) if node.least is not None else known()
    return held & (values <= _number(node.most)) if node.most is not None else held


def _number(value: Any) -> Any:
    return (value - _EPOCH).days if isinstance(value, date) else value


def _meets(act: Act, tries: Tries) -> Mask:
    channel, outcome = _codes_of["channel"], _codes_of["outcome"]
    call = tries.column("channel") == channel["call"]
    held: Mask = ~call if act.deed == "received" else call
    ended = tries.column("outcome")
    if act.deed == "called":
        held &= ~_among_codes(ended, [outcome[each] for each in consent.UNCOUNTED if each in outcome])
    else:
        wanted = {"reached": REACHED, "received": (DELIVERED,)}.get(act.deed) or act.options["value"]
        held &= _among_codes(ended, [outcome[each] for each in wanted])
    if act.since is not None:
        held &= tries.column("at") >= int(act.since.timestamp())
    if act.before is not None:
        held &= tries.column("at") < int(act.before.timestamp())
    for option in ("channel", "purpose"):
        if option in act.options:
            held &= _among_codes(tries.column(option), [_codes_of[option][each] for each in act.options[option]])
    for option in ("queue", "campaign"):
        if option in act.options:
            held &= _among(tries.column("place"), act.options[option])
    return held
