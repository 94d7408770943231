"""The steps of the wizard, in their order and in no forced one: their forms over a draft, and what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectMultipleField

from campaigns.draft_forms import (
    CallerForm,
    GoalForm,
    PeopleForm,
    QuotasForm,
    ScheduleForm,
    ScriptForm,
    SpeedForm,
    StepForm,
)

REVIEW = "review"


@dataclass(frozen=True)
class Step:
    """One page of the wizard. `form` None: nothing is typed there."""

    key: str
    label: LazyString
    form: type[StepForm] | None


@dataclass(frozen=True)
class Missing:
    """What keeps a draft from being started: where it is, and what to do."""

    step: str
    field: str
    label: str
    sentence: str


STEPS: dict[str, Step] = {
    step.key: step
    for step in (
        Step("goal", _l("Goal"), GoalForm),
        Step("people", _l("Whom to call"), PeopleForm),
        Step("script", _l("Script"), ScriptForm),
        Step("quotas", _l("Quotas"), QuotasForm),
        Step("schedule", _l("Hours and retries"), ScheduleForm),
        Step("pace", _l("Pace and team"), SpeedForm),
        Step("caller", _l("Number and operators"), CallerForm),
        Step(REVIEW, _l("Look and start"), None),
    )
}


def form_of(session: Session, draft: Mapping[str, Any], key: str) -> StepForm:
    """The step's form as the draft holds it, with its lists to choose from. Raises KeyError for a step without one."""
    kind = STEPS[key].form
    if kind is None:
        raise KeyError(key)
    form = kind(MultiDict(draft))
    form.prepare(session, draft)
    return form


def written(session: Session, draft: Mapping[str, Any], key: str, posted: MultiDict[str, str]) -> dict[str, Any]:
    """What a posted step says, by field. A box that is not ticked and a list of which nothing is chosen are absent."""
    found: dict[str, Any] = {}
    for field in form_of(session, draft, key):
        if isinstance(field, SelectMultipleField):
            found[field.name] = posted.getlist(field.name)
        elif field.name in posted or isinstance(field, BooleanField):
            found[field.name] = posted.get(field.name, "")
    return found


def missing(session: Session, draft: Mapping[str, Any]) -> list[Missing]:
    """Everything that keeps the draft from being started, in the order of the steps."""
    found = []
    for step in STEPS.values():
        if step.form is None:
            continue
        form = form_of(session, draft, step.key)
        form.validate()
        found += [
            Missing(step.key, field.name, str(field.label.text), " ".join(str(fault) for fault in field.errors))
            for field in form
            if field.errors
        ]
    return found


def after(key: str) -> str:
    """The next step; the last one's is itself."""
    keys = list(STEPS)
    return keys[min(keys.index(key) + 1, len(keys) - 1)]
