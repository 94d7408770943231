"""The state of one builder page: read from the form, from a draft or from a saved segment, and drawn again whole."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from callcenter.base.errors import InvalidInput
from campaigns import labels, segments
from campaigns.segmenting import segment_choices, segment_drafts, segment_forms, segment_tree, segment_words
from campaigns.segmenting.segment_forms import DID, Catalogue
from campaigns.segmenting.segment_rules import OPS, VERSION, Deed
from campaigns.segmenting.segment_tree import Node

MAX_NAME = 200
SHOWN_VALUES = 50  # of a list of texts, as boxes to tick; a longer one is a field of lines
SUGGESTED = 12
_USUAL_OPS = {"choice": "in", "text": "in", "exact": "in", "yes_no": "is", "date": "between"}
GROUP_LABELS: dict[str, LazyString] = {
    "all": _l("All of these"),
    "any": _l("Any of these"),
    "not": _l("None of these"),
}


WITHOUT: dict[str, LazyString] = {  # what a select of a behaviour says when it narrows nothing
    "queue": _l("any queue"),
    "campaign": _l("any campaign"),
    "purpose": _l("any purpose"),
    "channel": _l("any channel"),
    "survey": _l("any survey"),
    "item": _l("choose the question"),
}
OPTION_LABELS: dict[str, LazyString] = {
    "queue": _l("Queue"),
    "campaign": _l("Campaign"),
    "purpose": _l("Purpose"),
    "channel": _l("Channel"),
    "survey": _l("Survey"),
    "item": _l("Question"),
}


@dataclass(frozen=True)
class Found:
    """A row and the group that it stands in."""

    node: Node
    parent: Node


@dataclass
class Builder:
    """`rule`: what the rows mean without the `unfinished` ones. `json_text`: an expert's JSON that was not
    taken yet. `version`: the saved version that the page began from."""

    session: Session
    segment_id: int | None
    root: Node
    name: str = ""
    purpose: str = ""
    removed: list[dict[str, Any]] = field(default_factory=list)
    version: int = 0
    focus: str = ""
    json_text: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    rule: dict[str, Any] = field(default_factory=dict)
    unfinished: int = 0

    def __post_init__(self) -> None:
        self._suggested: dict[str, list[str]] = {}
        self.catalogue: Catalogue = segment_choices.catalogue(self.session, without=self.segment_id)
        self.read()

    def check(self, rule: dict[str, Any]) -> None:
        """Raises InvalidInput for a rule that cannot be."""
        segments.validate(self.session, rule)

    def read(self) -> None:
        """Settle what every row means, and what is missing in it."""
        for node in self.root.walk():
            if not node.group:
                self._settle(node)
        self.rule, self.unfinished = segment_forms.rule_of(self.root, self.catalogue, self.check)

    def _settle(self, node: Node) -> None:
        """A row whose field was just chosen gets the usual comparison; answers of another question go."""
        code = node.one("field")
        ops = [op for op, _label in self.ops(code)]
        if ops and node.one("op") not in ops:
            asked = self.catalogue.fields.get(code)
            usual = _USUAL_OPS.get(asked.kind, ops[0]) if asked else ops[0]
            node.said["op"] = [usual if usual in ops else ops[0]]
        if code == DID + "answered":
            known = self.choices(node)
            if known:
                node.said["value"] = [text for text in node.many("value") if text in known]

    def find(self, key: str) -> Found | None:
        """The row of that key; None when it is gone, or is the outermost group."""
        for parent in self.root.walk():
            for member in parent.members:
                if member.key == key:
                    return Found(member, parent)
        return None

    def act(self, said: str) -> None:
        """Do what a button of the page says."""
        if said.startswith("pick:"):
            self._pick(*said.split(":", 2)[1:])
        elif said == "json":
            self._take_json()
        elif said == "edit-json":
            self.json_text, self.focus = self.as_json, "json"
        else:
            acted = segment_tree.act(self.root, self.removed, said)
            self.root, self.removed, self.focus = acted.root, acted.removed, acted.focus
        self.read()

    def _pick(self, key: str, code: str = "") -> None:
        for node in self.root.walk():
            if node.key == key and not node.group:
                node.said = {"field": [code]}
                self.focus = f"op-{key}"

    def _take_json(self) -> None:
        """Make the rows of what an expert pasted; faulty JSON stays as it was typed, with its sentence."""
        try:
            rule = segment_forms.read_json(self.json_text, self.check)
        except InvalidInput as fault:
            self.faults["json"] = str(fault)
            return
        self.root, self.json_text, self.focus = segment_forms.tree_of(rule), "", f"row-{self.root.key}"

    def ops(self, code: str) -> list[tuple[str, str]]:
        """(code, label) of the comparisons of a field."""
        if code.startswith(DID):
            return [(op, str(label)) for op, label in segment_forms.DID_OPS.items()]
        if code in segment_forms.MEMBERS:
            return [(op, str(label)) for op, label in segment_forms.MEMBER_OPS.items()]
        asked = self.catalogue.fields.get(code)
        return [(op, str(OPS[op])) for op in asked.ops] if asked else []

    def kind(self, node: Node) -> str:
        """Which inputs a row has: did, member, or the kind of its field; empty before one is chosen."""
        code = node.one("field")
        if code.startswith(DID):
            return "did"
        if code in segment_forms.MEMBERS:
            return "member"
        asked = self.catalogue.fields.get(code)
        return asked.kind if asked else ""

    def choices(self, node: Node) -> dict[str, str]:
        """code → label of what a row's value can be, where it is one of a list."""
        code = node.one("field")
        if code == DID + "answered":
            survey = node.one("survey")
            questions = self.catalogue.questions.get(int(survey) if survey.isdecimal() else 0, {})
            question = questions.get(node.one("item"))
            return dict(question.choices) if question else {}
        if code.startswith(DID):
            return self.options(node, "value")
        if code in segment_forms.MEMBERS:
            members = self.catalogue.segments if code == "segment" else self.catalogue.frozen
            return {str(number): name for number, name in members.items()}
        asked = self.catalogue.fields.get(code)
        choices = (asked.choices if asked else {}) or self.catalogue.names.get(code, {})
        return {str(choice): str(label) for choice, label in choices.items()}

    def deed(self, node: Node) -> Deed | None:
        return self.catalogue.deeds.get(node.one("field").removeprefix(DID))

    def options(self, node: Node, option: str) -> dict[str, str]:
        """code → label of what an option of a behaviour can be; of `item`, the questions of the chosen survey."""
        if option == "item":
            survey = node.one("survey")
            asked = self.catalogue.questions.get(int(survey) if survey.isdecimal() else 0, {})
            return {name: question.label for name, question in asked.items()}
        deed = self.deed(node)
        choices = deed.choices.get(option, {}) if deed else {}
        return {str(code): str(label) for code, label in choices.items()}

    def boxes(self, node: Node) -> list[str]:
        """The texts of a list as boxes to tick: those that were chosen, then what lists often say."""
        chosen = [text.strip() for text in node.many("value")]
        return list(dict.fromkeys(chosen + self.suggested(node)[:SUGGESTED]))

    def paired(self, values: list[str]) -> list[tuple[str, str]]:
        return [(value, value) for value in values]

    def suggested(self, node: Node) -> list[str]:
        """Values that lists have of the row's field; asked once a page."""
        code = node.one("field")
        if code not in self._suggested:
            self._suggested[code] = segment_choices.suggestions(self.session, code)
        return self._suggested[code]

    @cached_property
    def field_groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """(group, [(code, label)]): everything a condition can ask."""
        behaviour = [(DID + code, str(deed.label)) for code, deed in self.catalogue.deeds.items()]
        members = [
            (code, str(label))
            for code, label in segment_forms.MEMBERS.items()
            if (self.catalogue.segments if code == "segment" else self.catalogue.frozen)
        ]
        found = segment_choices.grouped_fields(self.catalogue.fields)
        found.append((str(_l("What they did")), behaviour))
        return [*found, (str(_l("Other segments")), members)] if members else found

    @property
    def words(self) -> str:
        return segment_words.sentence(self.rule, self.catalogue)

    @property
    def as_json(self) -> str:
        return json.dumps(self.rule, ensure_ascii=False, indent=1)

    def kept(self) -> dict[str, Any]:
        """What a draft keeps of this page."""
        return {"name": self.name, "purpose": self.purpose, "tree": segment_tree.as_json(self.root),
                "removed": self.removed, "json": self.json_text, "version": self.version}  # fmt: skip

    def is_as_saved(self) -> bool:
        """Does the page hold nothing but what is saved (or, of a new segment, nothing at all)?"""
        if self.unfinished or self.json_text.strip():
            return False
        if self.segment_id is None:
            return not self.name.strip() and not self.root.members
        saved = segments.get(self.session, self.segment_id)
        return self.name == saved.name and self.rule == {"version": VERSION, **saved.rule}

    def keep(self, user_id: int) -> None:
        """Keep what is not saved yet, so that a reload brings it back."""
        if self.is_as_saved():
            segment_drafts.forget(self.session, user_id, self.segment_id)
        else:
            segment_drafts.keep(self.session, user_id, self.segment_id, self.kept())


def from_form(session: Session, form: MultiDict[str, str]) -> Builder:
    """The page as its form holds it."""
    number, purpose = form.get("segment", ""), form.get("purpose", "")
    builder = Builder(
        session=session,
        segment_id=int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None,
        root=segment_tree.read(form),
        name=form.get("name", "")[:MAX_NAME],
        purpose=purpose if purpose in labels.PURPOSES else "",
        removed=segment_tree.read_removed(form.get("removed", "")),
        version=form.get("version", 0, type=int),
    )
    builder.json_text = form.get("json", "").replace("\r\n", "\n")
    return builder


def from_draft(session: Session, draft: segment_drafts.SegmentDraft) -> Builder:
    """The page as it was left."""
    kept = draft.form
    return Builder(
        session=session, segment_id=draft.segment_id or None, root=segment_tree.from_json(kept.get("tree")),
        name=str(kept.get("name", "")), purpose=str(kept.get("purpose", "")), removed=kept.get("removed") or [],
        json_text=str(kept.get("json") or ""), version=kept.get("version") or 0,
    )  # fmt: skip


def from_segment(session: Session, segment: segments.Segment) -> Builder:
    """The page of what is saved."""
    root = segment_forms.tree_of(segment.rule)
    return Builder(session=session, segment_id=segment.id, root=root, name=segment.name, version=segment.version)


def new(session: Session) -> Builder:
    """The page of a segment to be."""
    return Builder(session=session, segment_id=None, root=segment_tree.group("all"))
