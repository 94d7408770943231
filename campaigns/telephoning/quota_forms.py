"""The quotas of a campaign as form fields: a table of cells as text, what happens beyond it, when to stop."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import DecimalField, SelectField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import NumberRange, Optional

from callcenter.base.errors import InvalidInput
from surveys import questionnaire, quotas
from surveys.fieldwork import quota_table, quota_words
from surveys.fieldwork.quota_cells import QuotaPlan
from surveys.forms.items import Items

WHEN_FULL = [SelectChoice(code, label) for code, label in quota_words.WHEN_FULL.items()]
LOW, HIGH = 100 * quotas.LOW_MARGIN, round(100 * quotas.HIGH_MARGIN)
MARGIN = _l("Write a margin from %(low)s to %(high)s points, or nothing.", low=LOW, high=HIGH)
FIELD_OF = {"cells": "quota_cells", "when_full": "quota_when_full", "stop_margin": "quota_stop_margin"}


class QuotaFields:
    """The fields alone, for a form that has others besides."""

    quota_cells = TextAreaField(_l("Cells, one a line"), render_kw={"rows": 12, "spellcheck": "false"})
    quota_when_full = SelectField(_l("Whoever is reached when their cell is full"), choices=WHEN_FULL, default="screen")
    quota_stop_margin = DecimalField(
        _l("Pause at this margin of error (points)"), [Optional(), NumberRange(LOW, HIGH, message=MARGIN)], places=1
    )


class QuotaForm(QuotaFields, FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The quotas of one campaign."""


def plan_of(form: Any, items: Items | None) -> QuotaPlan | None:
    """The plan that a form with QuotaFields amounts to; None when the table is empty: no quotas.

    `items`: the questionnaire (`items_of`). Raises InvalidInput with a sentence by field."""
    text = (form.quota_cells.data or "").strip()
    if not text:
        return None
    margin = form.quota_stop_margin.data
    try:
        dimensions, cells = quota_table.read(text, items)
        plan = QuotaPlan(dimensions, cells, form.quota_when_full.data, float(margin) / 100 if margin else None)
        quotas.check(plan)
    except InvalidInput as fault:
        raise InvalidInput({FIELD_OF.get(name, name): said for name, said in fault.faults.items()}) from fault
    return plan


def items_of(session: Session, script: str) -> Items | None:
    """The questionnaire that a campaign's script names (`survey/<id>`); None when it is none."""
    kind, _slash, number = script.partition("/")
    if kind != "survey" or not number.isdecimal():
        return None
    return questionnaire.current(session, int(number)).items


def fill(plan: QuotaPlan | None) -> dict[str, str]:
    """What the fields hold for a plan."""
    if plan is None:
        return {"quota_cells": "", "quota_when_full": "screen", "quota_stop_margin": ""}
    return {
        "quota_cells": quota_table.write(plan.dimensions, plan.cells),
        "quota_when_full": plan.when_full,
        "quota_stop_margin": "" if plan.stop_margin is None else f"{plan.stop_margin * 100:g}",
    }
