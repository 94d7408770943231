"""The wizard of message campaigns: its steps, in their order and in no forced one."""

from flask_babel import lazy_gettext as _l

from campaigns.mailings.message_step_forms import AudienceForm, GoalForm, SendingForm, WordingForm
from campaigns.wizards.wizard_steps import REVIEW, Step, Wizard

WIZARD = Wizard((
    Step("goal", _l("Goal"), GoalForm),
    Step("people", _l("Whom to write to"), AudienceForm),
    Step("wording", _l("Text"), WordingForm),
    Step("sending", _l("Sender and waves"), SendingForm),
    Step(REVIEW, _l("Look and send"), None),
))  # fmt: skip
STEPS = WIZARD.steps
form_of, written, missing = WIZARD.form_of, WIZARD.written, WIZARD.missing
