"""Ringing one's own telephone with a recorded survey."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import carriers, phones, suppressions
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from callcenter.carriers import Dial, Route
from callcenter.ledger import call_states
from surveys import questionnaire
from surveys.voice import prompt_trials


def ring(session: Session, survey_id: int, language: str, phone: str, user_id: int, *, shown: str = "") -> None:
    """Commits before it asks the carrier, so that no transaction is open meanwhile. `shown`: our number, where the
    carrier does not choose it by its trunks.

    Raises InvalidInput, Refused, ProviderError."""
    if not carriers.can("recorded_surveys"):
        raise Refused("no_recorded_surveys", _("The carrier of this installation holds no recorded surveys."))
    numbers = phones.normalise(phone).numbers
    if len(numbers) != 1:
        raise InvalidInput({"phone": _("Write your own number with its ten digits.")})
    if suppressions.find(session, numbers[0].e164) is not None:
        sentence = _("This phone is on the suppression list: it is not called, not even for a test.")
        raise InvalidInput({"phone": sentence})
    survey = questionnaire.find(session, survey_id)
    route = _route(session, numbers[0].e164, shown)
    trial = prompt_trials.ask(session, survey_id, language, survey.sponsor or survey.name, user_id)
    session.commit()
    dial = Dial(trial.id, numbers[0].e164, route.caller_id, call_states.RING_SECONDS, route=route,
                answered_by="recording", is_followed=False)  # fmt: skip
    if carriers.has_switchboard():
        carriers.the_switchboard().invite(dial, "recording")
    else:
        carriers.the_carrier().place(dial)


def _route(session: Session, phone: str, shown: str) -> Route:
    if not (shown or carriers.has_switchboard()):
        sentence = _("There is no number of ours that could be shown. Set CONVOCA_TWILIO_VOICE_NUMBER.")
        raise InvalidInput({"phone": sentence})
    try:
        return carriers.the_carrier().route(session, phone, shown or "local", 0)
    except ProviderError as error:
        raise InvalidInput({"phone": _("No trunk takes calls now. Look at the trunks.")}) from error
