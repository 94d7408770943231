"""The steps of the wizard of calling campaigns as forms."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import (
    DecimalField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import URL, DataRequired, InputRequired, Length, NumberRange, Optional

from callcenter import carriers
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.queueing import crews, queue_pace
from callcenter.queueing.queue_pace import Pace
from callcenter.sound import recording_ledger
from campaigns import audiences, labels
from campaigns.calling import OPERATOR_SCRIPT
from campaigns.forms import ANSWERED_BY, BEHALF, MACHINES, NAME, PURPOSES, RECORDING
from campaigns.telephoning import caller_numbers
from campaigns.telephoning.quota_forms import QuotaFields, items_of, plan_of
from campaigns.telephoning.rule_forms import RuleForm
from campaigns.wizards.wizard_steps import Filled, StepForm, Tick
from surveys import questionnaire
from surveys.fieldwork.quota_cells import QuotaPlan
from surveys.voice import prompt_catalogue

MODES = [SelectChoice(code, label) for code, label in queue_pace.MODES.items()]
LIMIT, RATIO = _l("Write a share from 0 to 3 percent."), _l("Write a number from 1 to 5.")
SPEED = _l("Write a number from 1 to 100, or nothing: as many as the carrier takes.")


class CallStepForm(StepForm):
    """One step of a calling campaign."""

    @property
    def is_recorded(self) -> bool:
        return bool(self.draft.get("answered_by") == "recording")


class GoalForm(CallStepForm):
    """What the campaign is for, and who talks."""

    name = StringField(_l("Name of the campaign"), NAME)
    answered_by = RadioField(_l("Who talks to whoever answers"), choices=ANSWERED_BY, default="operator")
    purpose = SelectField(_l("Purpose"), [InputRequired(_l("Choose the purpose."))], choices=PURPOSES)
    on_behalf_of = StringField(_l("On whose behalf"), BEHALF)
    privacy_notice_url = StringField(
        _l("Address of the privacy notice"),
        [DataRequired(_l("Say where the privacy notice is: people may ask.")),
         URL(message=_l("Write the whole address, beginning with https://."))],
    )  # fmt: skip

    def validate_answered_by(self, field: Field) -> None:
        if field.data == "recording" and not carriers.can("recorded_surveys"):
            raise ValidationError(_l("The carrier of this installation holds no recorded surveys."))


class PeopleForm(StepForm):
    """Whom it calls."""

    segment_id = SelectField(_l("Segment"), [InputRequired(_l("Choose whom to call."))], validate_choice=False)

    def offer(self, session: Session) -> None:
        self.segment_id.choices = audiences.choices(session)

    def validate_segment_id(self, field: Field) -> None:
        offered = {value for group in field.choices.values() for value, _label in group}
        if field.data not in offered:
            raise ValidationError(_l("This segment is there no more: choose another."))


class ScriptForm(CallStepForm):
    """What is said and asked."""

    script = SelectField(
        _l("What the operator works through"), [InputRequired(_l("Choose a survey, or a text of our own."))]
    )
    script_text = TextAreaField(_l("Text that the operator reads"), [Length(max=4000)])

    def offer(self, session: Session) -> None:
        self.session = session
        surveys = questionnaire.listed(session)
        self.script.choices = [
            *(SelectChoice(f"survey/{survey.id}", labels.survey(survey.name)) for survey, _count in surveys),
            SelectChoice(OPERATOR_SCRIPT, _l("A text of our own")),
        ]

    def validate_script(self, field: Field) -> None:
        if not self.is_recorded:
            return
        kind, _slash, number = (field.data or "").partition("/")
        if kind != "survey" or not number.isdecimal():
            raise ValidationError(_l("Choose a survey: a machine reads no text of our own."))
        if mute := [gap.sentence for gap in prompt_catalogue.gaps(self.session, int(number)) if gap.is_grave]:
            raise ValidationError(" ".join(mute))

    def validate_script_text(self, field: Field) -> None:
        if self.script.data == OPERATOR_SCRIPT and not (field.data or "").strip():
            raise ValidationError(_l("Write what the operator reads, or choose a survey."))


class PaceForm(CallStepForm):
    """How fast it calls. A running campaign's page has it, too."""

    mode = RadioField(_l("How calls are started"), choices=MODES, default="progressive")
    abandon_limit = DecimalField(
        _l("Answered calls that may find nobody, at most (%)"),
        [Filled(LIMIT), NumberRange(min=0, max=3, message=LIMIT)], default=1, places=1,
    )  # fmt: skip
    ratio = DecimalField(
        _l("Phones that ring for each free operator"),
        [Filled(RATIO), NumberRange(min=1, max=5, message=RATIO)], default=1.5, places=1,
    )  # fmt: skip
    gives_up = Tick(_l("Give up phones that ring long while nobody is free"))
    calls_per_second = IntegerField(
        _l("Calls that begin in a second, at most"), [Optional(), NumberRange(min=1, max=100, message=SPEED)]
    )

    def pace(self) -> Pace:
        """The fields, once they are valid."""
        return Pace(
            self.mode.data, float(self.abandon_limit.data) / 100, float(self.ratio.data), bool(self.gives_up.data),
            self.calls_per_second.data,
        )  # fmt: skip


class QuotasForm(QuotaFields, CallStepForm):
    """How many interviews are wanted of which groups."""

    def offer(self, session: Session) -> None:
        self.session = session

    def plan(self) -> QuotaPlan | None:
        """None: no quotas. Raises InvalidInput."""
        return plan_of(self, items_of(self.session, str(self.draft.get("script", ""))))

    def validate_quota_cells(self, _field: Field) -> None:
        try:
            self.plan()
        except InvalidInput as fault:
            raise ValidationError(" ".join(fault.faults.values())) from fault
        except NotFound as fault:
            raise ValidationError(str(fault)) from fault


class ScheduleForm(CallStepForm, RuleForm):
    """Who is called when, how often, and for how much."""


class SpeedForm(PaceForm):
    """The pace, and what the forecast needs besides: how many work, for how long, at what price."""

    machine_detection = SelectField(_l("Detection of answering machines"), choices=MACHINES, default="off")
    voicemail_text = TextAreaField(_l("Message left on answering machines"), [Length(max=500)])
    sessions = IntegerField(
        _l("Conversations at once, at most"),
        [Optional(), NumberRange(min=1, max=1000, message=_l("Write a number from 1 to 1000, or nothing."))],
    )
    team = IntegerField(
        _l("Operators at work"),
        [Filled(_l("Write how many operators will work: the forecast needs it.")),
         NumberRange(min=1, max=1000, message=_l("Write a number from 1 to 1000."))],
    )  # fmt: skip
    hours_a_day = DecimalField(
        _l("Hours a day that they work"),
        [Filled(_l("Write a number of hours from 0.5 to 14.")),
         NumberRange(min=0.5, max=14, message=_l("Write a number of hours from 0.5 to 14."))],
        default=6, places=1,
    )  # fmt: skip
    hour_price = DecimalField(
        _l("Price of an operator's hour (MXN)"),
        [Optional(), NumberRange(min=0, max=10_000, message=_l("Write an amount from 0 to 10,000, or nothing."))],
        default=0, places=2,
    )  # fmt: skip

    def offer(self, session: Session) -> None:
        self.machine_detection.choices = [SelectChoice(code, label) for code, label in labels.machines().items()]
        if not self.team.raw_data:
            self.team.data = max(1, len(crews.choices(session)))
            self.team.raw_data = [str(self.team.data)]

    def validate_voicemail_text(self, field: Field) -> None:
        text, behalf = " ".join((field.data or "").split()), str(self.draft.get("on_behalf_of") or "").strip()
        if not text:
            return
        if self.machine_detection.data != "on":
            raise ValidationError(_l("A message needs the detection of machines: switch it on, or write nothing."))
        if behalf.casefold() not in text.casefold():
            raise ValidationError(_l("Say in the message on whose behalf you call: %(name)s.", name=behalf))


class CrewForm(CallStepForm):
    """Who works in a campaign. A running one's page has it, too."""

    operators = SelectMultipleField(_l("Operators of this campaign"))

    def offer(self, session: Session) -> None:
        self.operators.choices = [SelectChoice(str(number), name) for number, name in crews.choices(session)]


class CallerForm(CrewForm):
    """Which number is shown, what is recorded, and who calls."""

    caller_id = SelectField(
        _l("Number that is shown to the person called"),
        [InputRequired(_l("There is none yet: an administrator takes a trunk into use under Telephony."))],
        validate_choice=False,
    )
    recording = SelectField(_l("Recording of the calls"), choices=RECORDING, default="off")
    recording_notice = TextAreaField(
        _l("What the operator says about the recording"), [Length(max=500)], default=recording_ledger.NOTICE
    )

    def offer(self, session: Session) -> None:
        super().offer(session)
        self.caller_id.choices = [
            SelectChoice(number, labels.caller_id(number)) for number in caller_numbers.offered(session)
        ]
        if not self.caller_id.raw_data and self.caller_id.choices:
            self.caller_id.data = self.caller_id.choices[0].value
            self.caller_id.raw_data = [self.caller_id.data]

    def validate_caller_id(self, field: Field) -> None:
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError(_l("This number may not be shown any more: choose another."))

    def validate_recording(self, field: Field) -> None:
        if field.data != "off" and not carriers.can("record"):
            raise ValidationError(_l("The carrier of this installation does not record calls."))

    def validate_recording_notice(self, field: Field) -> None:
        if self.recording.data != "off" and not (field.data or "").strip():
            raise ValidationError(_l("Write what the operator says about the recording."))
