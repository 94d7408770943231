"""The wizard of calling campaigns: its steps, in their order and in no forced one."""

from flask_babel import lazy_gettext as _l

from campaigns.telephoning.draft_forms import (
    CallerForm,
    GoalForm,
    PeopleForm,
    QuotasForm,
    ScheduleForm,
    ScriptForm,
    SpeedForm,
)
from campaigns.wizards.wizard_steps import REVIEW, Missing, Step, Wizard

__all__ = ["REVIEW", "STEPS", "WIZARD", "Missing", "form_of", "missing", "written"]

WIZARD = Wizard((
    Step("goal", _l("Goal"), GoalForm),
    Step("people", _l("Whom to call"), PeopleForm),
    Step("script", _l("Script"), ScriptForm),
    Step("quotas", _l("Quotas"), QuotasForm),
    Step("schedule", _l("Hours and retries"), ScheduleForm),
    Step("pace", _l("Pace and team"), SpeedForm),
    Step("caller", _l("Number and operators"), CallerForm),
    Step(REVIEW, _l("Look and start"), None),
))  # fmt: skip
STEPS = WIZARD.steps
form_of, written, missing = WIZARD.form_of, WIZARD.written, WIZARD.missing
