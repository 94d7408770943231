"""The steps of the wizard of message campaigns as forms."""

from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import (
    DecimalField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange

from callcenter.base.settings import web_settings
from campaigns import channels, labels, wording
from campaigns.correspondence import survey_invitations
from campaigns.dispatch import sender_choices
from campaigns.forms import BEHALF, NAME, PURPOSES
from campaigns.telephoning.draft_forms import PeopleForm
from campaigns.texts import wording_rules
from campaigns.texts.wordings import FIRST, SECOND, Wording
from campaigns.wizards.wizard_steps import Filled, StepForm, Tick
from campaigns.wording import Fault

URGENCIES = [
    SelectChoice("bulk", _l("In its turn, beside other campaigns")),
    SelectChoice("urgent", _l("Urgent: before everything else that waits")),
]
RELEASES = [
    SelectChoice("person", _l("A person looks at it and lets the rest go")),
    SelectChoice("rule", _l("By itself, when it went well")),
]
GOALS = [
    SelectChoice("clicks", _l("More people open the link")),
    SelectChoice("replies", _l("More people answer")),
    SelectChoice("opt_outs", _l("Fewer people opt out")),
]
WAYS = [
    SelectChoice("list", _l("The system sends to the whole list")),
    SelectChoice("peer", _l("People send: each message of a batch is released by somebody")),
]
SHARE = _l("Write a share from 1 to 50 percent.")
HALF = _l("Write a share from 1 to 99 percent.")
PRICE = _l("Write pesos a part, such as 0.35: from 0 to 100.")
MINUTES = _l("Write minutes, from 5 to 2880.")
PERCENT = _l("Write a share from 0 to 100 percent.")


class GoalForm(StepForm):
    """What the campaign is for, and by which channel."""

    name = StringField(_l("Name of the campaign"), NAME)
    purpose = SelectField(_l("Purpose"), [InputRequired(_l("Choose the purpose."))], choices=PURPOSES)
    on_behalf_of = StringField(_l("On whose behalf"), BEHALF)
    channel = RadioField(_l("Channel"), default="sms")

    def offer(self, _session: Session) -> None:
        self.channel.choices = [(name, str(channels.facts(name).label)) for name in channels.NAMES]


class AudienceForm(PeopleForm):
    """Whom it writes to."""

    segment_id = SelectField(_l("Segment"), [InputRequired(_l("Choose whom to write to."))], validate_choice=False)


class WordingForm(StepForm):
    """What it says: one wording, or two that are tried against each other."""

    text = TextAreaField(_l("Text"))
    survey_id = SelectField(_l("Survey that it asks to answer"), validate_choice=False, default="")
    is_plain = Tick(_l("Without accents, also in names"))
    has_trial = Tick(_l("Try a second wording against it"))
    text_b = TextAreaField(_l("Second wording (B)"))
    share_b = IntegerField(
        _l("Share of the people who get the second one (%)"), [Filled(HALF), NumberRange(min=1, max=99, message=HALF)],
        default=50,
    )  # fmt: skip
    trial_goal = RadioField(_l("What decides"), choices=GOALS, default="clicks")

    def offer(self, session: Session) -> None:
        self.session = session
        self.survey_id.choices = [("", _("None")), *survey_invitations.choices(session)]

    def validate_survey_id(self, field: Field) -> None:
        if (field.data or "") not in [value for value, _label in field.choices]:
            raise ValidationError(_("This survey is closed, or it is no more: choose another one, or none."))

    def validate_text(self, field: Field) -> None:
        self._check(field)

    def validate_text_b(self, field: Field) -> None:
        if not self.has_trial.data:
            return
        self._check(field)
        if wording.clean(field.data or "") == wording.clean(self.text.data or ""):
            raise ValidationError(_("Both wordings are the same: write another one, or try none."))

    def _check(self, field: Field) -> None:
        if faults := self.faults_of(field.data or ""):
            raise ValidationError(" ".join(labels.fault(fault) for fault in faults))

    def faults_of(self, text: str) -> list[Fault]:
        """Everything that is wrong with a wording of this draft."""
        channel, sender = str(self.draft.get("channel") or "sms"), str(self.draft.get("sender") or "")
        return wording_rules.faults(
            text, str(self.draft.get("on_behalf_of") or ""), purpose=str(self.draft.get("purpose") or ""),
            is_alphanumeric=sender_choices.is_alphanumeric(self.session, channel, sender),
            has_own_way_out=channel == "email",
        ) + survey_invitations.fault(text, self.survey_id.data)  # fmt: skip

    def wordings(self) -> list[Wording]:
        """The fields, once they are valid: A first, alone where nothing is tried."""
        first = wording.clean(self.text.data)
        if not self.has_trial.data:
            return [Wording(FIRST, first)]
        share = self.share_b.data
        return [Wording(FIRST, first, 100 - share), Wording(SECOND, wording.clean(self.text_b.data), share)]


class SendingForm(StepForm):
    """From which sender, how urgently, and whether a small share of the people is written to first."""

    sender = SelectField(_l("Sender"), [InputRequired(_l("Choose who it comes from."))], validate_choice=False)
    way = RadioField(_l("How it leaves"), choices=WAYS, default="list")
    urgency = RadioField(_l("When it leaves"), choices=URGENCIES, default="bulk")
    unit_price = DecimalField(
        _l("Price of one part (MXN)"), [Filled(PRICE), NumberRange(min=0, max=100, message=PRICE)],
        default=Decimal("0.35"), places=None,
    )  # fmt: skip
    has_canary = Tick(_l("Write to a small share of the people first"))
    canary_share = DecimalField(
        _l("Share of the people in the first wave (%)"),
        [Filled(SHARE), NumberRange(min=1, max=50, message=SHARE)], default=5, places=1,
    )  # fmt: skip
    canary_release = RadioField(_l("Who lets the rest go"), choices=RELEASES, default="person")
    canary_minutes = IntegerField(
        _l("Minutes to wait after the first wave"), [Filled(MINUTES), NumberRange(min=5, max=2880, message=MINUTES)],
        default=60,
    )  # fmt: skip
    canary_least_delivered = DecimalField(
        _l("Delivered, at least (%)"), [Filled(PERCENT), NumberRange(min=0, max=100, message=PERCENT)], default=80,
        places=1,
    )  # fmt: skip
    canary_most_opt_outs = DecimalField(
        _l("Opted out, at most (%)"), [Filled(PERCENT), NumberRange(min=0, max=100, message=PERCENT)], default=2,
        places=1,
    )  # fmt: skip

    def offer(self, session: Session) -> None:
        channel = str(self.draft.get("channel") or "sms")
        self.sender.choices = sender_choices.offered(session, channel, web_settings())
        if not self.sender.raw_data and (first := _first(self.sender.choices)) is not None:
            self.sender.data = first
            self.sender.raw_data = [first]

    def validate_sender(self, field: Field) -> None:
        if field.data not in [value for value, _label in field.choices]:
            raise ValidationError(_("This sender cannot be used by this channel now: choose another."))

    def validate_has_canary(self, field: Field) -> None:
        if field.data and self.way.data == "peer":
            raise ValidationError(_("People release each message themselves: there is no first wave."))

    def canary(self) -> dict[str, Any]:
        """The columns of the first wave, once the fields are valid."""
        if not self.has_canary.data:
            return {"canary_share": None}
        return {
            "canary_share": float(self.canary_share.data), "canary_release": self.canary_release.data,
            "canary_minutes": self.canary_minutes.data,
            "canary_least_delivered": float(self.canary_least_delivered.data),
            "canary_most_opt_outs": float(self.canary_most_opt_outs.data),
        }  # fmt: skip


def _first(choices: list[tuple[str, str]]) -> str | None:
    return choices[0][0] if choices else None
