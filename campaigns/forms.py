"""Forms of the campaign pages: what a strategist types, checked field by field, and turned into a plan."""

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DecimalField,
    Field,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import URL, DataRequired, Length, NumberRange, Optional

from callcenter import carriers, recording_ledger
from callcenter.base.settings import Settings
from campaigns import audiences, labels, wording
from campaigns.calling import OPERATOR_SCRIPT, CallPlan
from campaigns.message_campaigns import MessagePlan

ANSWERED_BY = [SelectChoice(code, label) for code, label in labels.ANSWERED_BY.items()]
RECORDING = [SelectChoice(code, label) for code, label in labels.RECORDING.items()]
MACHINES = [SelectChoice(code, label) for code, label in labels.MACHINES.items()]
PURPOSES = [SelectChoice(code, label) for code, label in labels.PURPOSES.items()]
NAME = [DataRequired(_l("Give the campaign a name.")), Length(max=120)]
BEHALF = [DataRequired(_l("Say on whose behalf: people are told so.")), Length(max=200)]


class MessageForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A message campaign. `sender` is one of the numbers of this installation."""

    name = StringField(_l("Name of the campaign"), NAME)
    segment_id = SelectField(_l("Segment"))
    purpose = SelectField(_l("Purpose"), choices=PURPOSES)
    on_behalf_of = StringField(_l("On whose behalf"), BEHALF)
    text = TextAreaField(_l("Text"))
    sender = SelectField(_l("Sender"))
    unit_price = DecimalField(_l("Price of one part (MXN)"), [NumberRange(min=0, max=100)], places=2)

    def validate_text(self, field: Field) -> None:
        faults = wording.check(field.data or "")
        if faults:
            raise ValidationError(" ".join(labels.fault(fault) for fault in faults))

    def plan(self, settings: Settings) -> MessagePlan:
        segment_id, frozen_id = audiences.read(self.segment_id.data)
        return MessagePlan(
            name=self.name.data.strip(), segment_id=segment_id, frozen_segment_id=frozen_id, purpose=self.purpose.data,
            text=self.text.data, sender=self.sender.data, carrier=settings.carrier,
            on_behalf_of=self.on_behalf_of.data.strip(), unit_price=self.unit_price.data or Decimal(0),
        )  # fmt: skip


class CallForm(FlaskForm):  # type: ignore[misc]  # as above
    """A calling campaign. `script` is a survey of the house or the text that the operator reads."""

    name = StringField(_l("Name of the campaign"), NAME)
    segment_id = SelectField(_l("Segment"))
    purpose = SelectField(_l("Purpose"), choices=PURPOSES)
    script = SelectField(_l("What the operator works through"))
    script_text = TextAreaField(_l("Text that the operator reads"), [Length(max=4000)])
    on_behalf_of = StringField(_l("On whose behalf"), BEHALF)
    privacy_notice_url = StringField(
        _l("Address of the privacy notice"),
        [DataRequired(_l("Say where the privacy notice is: people may ask.")),
         URL(message=_l("Write the whole address, beginning with https://."))],
    )  # fmt: skip
    caller_id = SelectField(_l("Number that is shown to the person called"))
    answered_by = SelectField(_l("Who talks to whoever answers"), choices=ANSWERED_BY, default="operator")
    sessions = IntegerField(
        _l("Conversations at once, at most"),
        [Optional(), NumberRange(min=1, max=1000, message=_l("Write a number from 1 to 1000, or nothing."))],
    )
    machine_detection = SelectField(_l("Detection of answering machines"), choices=MACHINES, default="off")

    recording = SelectField(_l("Recording of the calls"), choices=RECORDING, default="off")
    recording_notice = TextAreaField(
        _l("What the operator says about the recording"), [Length(max=500)], default=recording_ledger.NOTICE
    )

    def validate_recording(self, field: Field) -> None:
        if field.data != "off" and not carriers.has_switchboard():
            raise ValidationError(_l("Calls can be recorded with a telephone switch of our own (Asterisk) only."))

    def validate_recording_notice(self, field: Field) -> None:
        if self.recording.data != "off" and not (field.data or "").strip():
            raise ValidationError(_l("Write what the operator says about the recording."))

    def validate_answered_by(self, field: Field) -> None:
        if field.data != "recording":
            return
        if not carriers.has_switchboard():
            raise ValidationError(_l("A recorded survey needs a telephone switch of our own (Asterisk)."))
        if not self.script.data.startswith("survey/"):
            raise ValidationError(_l("Choose a survey above: a machine reads no text of our own."))

    def validate_script_text(self, field: Field) -> None:
        if self.script.data == OPERATOR_SCRIPT and not (field.data or "").strip():
            raise ValidationError(_l("Write what the operator reads, or choose a survey."))

    def plan(self, settings: Settings) -> CallPlan:
        segment_id, frozen_id = audiences.read(self.segment_id.data)
        return CallPlan(
            name=self.name.data.strip(), segment_id=segment_id, frozen_segment_id=frozen_id, purpose=self.purpose.data,
            script=self.script.data, carrier=settings.carrier, caller_id=self.caller_id.data,
            on_behalf_of=self.on_behalf_of.data.strip(), privacy_notice_url=self.privacy_notice_url.data.strip(),
            script_text=(self.script_text.data or "").strip() or None, answered_by=self.answered_by.data,
            sessions=self.sessions.data if self.answered_by.data == "recording" else None,
            recording=self.recording.data, recording_notice=self.recording_notice.data or "",
            machine_detection=self.machine_detection.data if carriers.has_switchboard() else "off",
        )  # fmt: skip
