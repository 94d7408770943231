"""Ringing one's own telephone with a recorded survey."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import carriers, phones, suppressions
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from callcenter.carriers import Dial
from callcenter.ledger import call_states
from surveys import questionnaire
from surveys.voice import prompt_trials


def ring(session: Session, survey_id: int, language: str, phone: str, user_id: int) -> None:
    """Commits before it asks the switch, so that no transaction is open meanwhile.

    Raises InvalidInput, Refused, ProviderError."""
    if not carriers.has_switchboard():
        raise Refused("no_switchboard", _("This installation has no telephone switch of its own (Asterisk)."))
    numbers = phones.normalise(phone).numbers
    if len(numbers) != 1:
        raise InvalidInput({"phone": _("Write your own number with its ten digits.")})
    if suppressions.find(session, numbers[0].e164) is not None:
        sentence = _("This phone is on the suppression list: it is not called, not even for a test.")
        raise InvalidInput({"phone": sentence})
    survey = questionnaire.find(session, survey_id)
    board = carriers.the_switchboard()
    try:
        route = board.route(session, numbers[0].e164, "local", 0)
    except ProviderError as error:
        sentence = _("No trunk takes calls now. Look at the trunks.")
        raise InvalidInput({"phone": sentence}) from error
    trial = prompt_trials.ask(session, survey_id, language, survey.sponsor or survey.name, user_id)
    session.commit()
    board.invite(Dial(trial.id, numbers[0].e164, route.caller_id, call_states.RING_SECONDS, route=route), "recording")
