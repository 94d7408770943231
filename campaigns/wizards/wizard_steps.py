"""What a wizard is made of: steps in an order and in no forced one, each a form over a draft, and what is missing.

A draft holds what was typed, also what is wrong; the forms say what is wrong with it. No two steps share a field's
name: it is the draft's key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, SelectMultipleField
from wtforms.validators import StopValidation

REVIEW = "review"


class Filled:
    """What was never shown keeps its default; what was emptied is missing."""

    def __init__(self, sentence: object) -> None:
        self.sentence = sentence

    def __call__(self, _form: object, field: Field) -> None:
        if field.raw_data and not str(field.raw_data[0]).strip():
            field.errors = []  # what a number's own reader said of the empty text
            raise StopValidation(self.sentence)


class Tick(BooleanField):  # type: ignore[misc]  # WTForms has no types
    """A box. A draft holds "y" or nothing for it; and also one that was left open in the draft says "y" when ticked."""

    false_values = ("",)

    def _value(self) -> str:
        return "y"


class StepForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """One step over a draft. `draft`: everything typed, for what depends on another step."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # as above
        csrf = False  # it reads what is kept; the pages bring their own token

    draft: Mapping[str, Any]

    def prepare(self, session: Session, draft: Mapping[str, Any]) -> None:
        """Fill the lists to choose from."""
        self.draft = draft
        self.offer(session)

    def offer(self, session: Session) -> None:
        """The step's own lists."""


@dataclass(frozen=True)
class Step:
    """One page of a wizard. `form` None: nothing is typed there."""

    key: str
    label: LazyString
    form: type[StepForm] | None


@dataclass(frozen=True)
class Missing:
    """What keeps a draft from being used: where it is, and what to do."""

    step: str
    field: str
    label: str
    sentence: str


class Wizard:
    """The steps of one wizard, by key."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = {step.key: step for step in steps}

    def form_of(self, session: Session, draft: Mapping[str, Any], key: str) -> StepForm:
        """The step's form as the draft holds it, with its lists. Raises KeyError for a step without one."""
        kind = self.steps[key].form
        if kind is None:
            raise KeyError(key)
        form = kind(MultiDict(draft))
        form.prepare(session, draft)
        return form

    def written(
        self, session: Session, draft: Mapping[str, Any], key: str, posted: MultiDict[str, str]
    ) -> dict[str, Any]:  # fmt: skip
        """What a posted step says, by field. Absent are a box that is not ticked, a list of which nothing is chosen."""
        found: dict[str, Any] = {}
        for field in self.form_of(session, draft, key):
            if isinstance(field, SelectMultipleField):
                found[field.name] = posted.getlist(field.name)
            elif field.name in posted or isinstance(field, BooleanField):
                found[field.name] = posted.get(field.name, "")
        return found

    def missing(self, session: Session, draft: Mapping[str, Any]) -> list[Missing]:
        """Everything that keeps the draft from being used, in the order of the steps."""
        found = []
        for step in self.steps.values():
            if step.form is None:
                continue
            form = self.form_of(session, draft, step.key)
            form.validate()
            found += [
                Missing(step.key, field.name, str(field.label.text), " ".join(str(fault) for fault in field.errors))
                for field in form
                if field.errors
            ]
        return found

    def after(self, key: str) -> str:
        """The next step; the last one's is itself."""
        keys = list(self.steps)
        return keys[min(keys.index(key) + 1, len(keys) - 1)]
