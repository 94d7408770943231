"""The answers of the vote question, and of the questions that set candidates against each other (face-offs). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import get_locale
from flask_babel import gettext as _

from callcenter.base.errors import NotFound, Refused
from surveys.forms.items import ROLES

if TYPE_CHECKING:
    from surveys.responses import Item, Responses


@dataclass(frozen=True)
class Option:
    """An answer of the vote question. `label`: language -> words."""

    code: str
    role: str
    label: Mapping[str, str]

    def words(self) -> str:
        """The option in the reader's language, as the questionnaire says it."""
        locale = get_locale()
        language = locale.language if locale else "es"
        return self.label.get(language) or next(iter(self.label.values()), self.code)


def vote_question(responses: "Responses") -> str:
    """The item that asks for the vote. Raises Refused("no_vote_question")."""
    if not responses.vote_question:
        sentence = _("This questionnaire asks for no vote: name the question in its sheet “settings”, vote_question.")
        raise Refused("no_vote_question", sentence)
    return responses.vote_question


def options(item: "Item") -> tuple[Option, ...]:
    """The answers of a question in every version, the newest wording first; candidates before the others."""
    found = [Option(choice.code, choice.role or "candidate", choice.label) for choice in item.choices]
    return tuple(sorted(found, key=lambda option: ROLES.index(option.role)))


def face_offs(responses: "Responses") -> Sequence["Item"]:
    """Every other question that sets two candidates or more against each other."""
    return [
        item
        for item in responses.items.values()
        if item.kind == "select_one"
        and item.name != responses.vote_question
        and sum(choice.role == "candidate" for choice in item.choices) > 1
    ]


def leanings(responses: "Responses", question: str) -> Sequence["Item"]:
    """The questions that could tell to whom the undecided lean: two answers or more are candidates of `question`."""
    candidates = {option.code for option in options(responses.items[question]) if option.role == "candidate"}
    return [
        item
        for item in responses.items.values()
        if item.kind == "select_one" and item.name != question and len(candidates & set(item.codes)) > 1
    ]


def require(responses: "Responses", question: str | None) -> str:
    """The question to be shown: the vote question, or a face-off that is asked for. Raises NotFound, Refused."""
    vote = vote_question(responses)
    if not question or question == vote:
        return vote
    if question not in {item.name for item in face_offs(responses)}:
        raise NotFound(_("No question “%(name)s” sets candidates against each other.", name=question))
    return question
