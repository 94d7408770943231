"""Forms of the campaign pages: what a strategist types, checked field by field, and turned into a plan."""

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DecimalField, Field, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange

from callcenter.base.settings import Settings
from campaigns import audiences, labels, wording
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
