"""The questions of a survey as the analysis knows them: those of every version together, the newest wording first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from surveys.forms.items import Items

CODED = ("select_one", "select_multiple")
NUMERIC = ("integer", "decimal")
# What an answer's text can be read as. A note has no answer, and the words of a voice are coded apart.
KINDS = (*CODED, *NUMERIC, "text", "date")
# The person gave no answer: left out of bases where a table says so, and missing values of an SPSS file.
MISSING_ROLES = ("dk", "refused")
# Columns of the frame, and of a study's data, that are no item; an item called like one stands there as `q_<name>`.
OWN_COLUMNS = (
    "interview", "interview_id", "state", "version", "face", "language", "interviewer", "wave", "stratum",
    "base_weight", "over_quota", "at", "started_at", "seconds", "day", "weight",
)  # fmt: skip
OWN_PREFIXES = ("h_", "d_", "o_", "q_")


@dataclass(frozen=True)
class Choice:
    """An answer that a question offers. `label`: language -> words."""

    code: str
    role: str | None
    label: Mapping[str, str]

    @property
    def is_missing(self) -> bool:
        return self.role in MISSING_ROLES

    def words(self, language: str) -> str:
        return _words(self.label, language) or self.code


@dataclass(frozen=True)
class Item:
    """A question with answers. `label`: language -> words; `choices`: those of every version, in the form's order."""

    name: str
    kind: str
    label: Mapping[str, str]
    choices: tuple[Choice, ...] = ()
    is_randomised: bool = False

    @property
    def column(self) -> str:
        """Its column in the frame of responses."""
        is_taken = self.name in OWN_COLUMNS or self.name.startswith(OWN_PREFIXES)
        return f"q_{self.name}" if is_taken else self.name

    @property
    def is_coded(self) -> bool:
        return self.kind in CODED

    @property
    def is_multiple(self) -> bool:
        return self.kind == "select_multiple"

    @property
    def is_number(self) -> bool:
        return self.kind in NUMERIC

    @cached_property
    def codes(self) -> tuple[str, ...]:
        return tuple(choice.code for choice in self.choices)

    def words(self, language: str) -> str:
        return _words(self.label, language) or self.name


def merged(versions: Sequence[Items]) -> dict[str, Item]:
    """The questions with answers of all `versions` (the newest first): name -> item, in the newest form's order; those
    that only an older version asked come last. Of a question that changed its kind, the newest kind is read."""
    forms: dict[str, list[dict[str, Any]]] = {}
    for version in versions:
        for item in version["items"]:
            if item["type"] in KINDS:
                forms.setdefault(item["name"], []).append(item)
    return {name: _together(of) for name, of in forms.items()}


def _together(forms: Sequence[dict[str, Any]]) -> Item:
    newest = forms[0]
    choices: dict[str, Choice] = {}
    for choice in _choices(forms):
        choices.setdefault(choice["name"], Choice(choice["name"], choice["role"], choice["label"]))
    return Item(
        name=newest["name"],
        kind=newest["type"],
        label=newest["label"],
        choices=tuple(choices.values()),
        is_randomised=any(form["randomize"] for form in forms),
    )


def _choices(forms: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return (choice for form in forms for choice in form["choices"])


def _words(label: Mapping[str, str], language: str) -> str:
    return label.get(language) or next(iter(label.values()), "")
