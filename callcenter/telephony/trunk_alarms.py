"""What of the telephone lines needs somebody now: for the floor and for the page of trunks."""

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import carriers, switches
from callcenter.telephony import account_checks, account_words, trunk_book, trunk_words


@dataclass(frozen=True)
class Alarm:
    """`what` happened, to which line, and what to do."""

    subject: str
    what: str
    advice: str


def now(session: Session) -> list[Alarm]:
    """Every trunk in use that is not well, and every switch; with Twilio what keeps campaigns from starting."""
    if not carriers.has_switchboard():
        return _of_account(session)
    used = trunk_book.enabled(session)
    found = [*(_of_switch(switch) for switch in switches.all_switches(session))]
    for trunk in used:
        state = trunk_words.state(trunk)
        if state.kind == "danger":
            found.append(Alarm(trunk.name, state.words, state.advice))
    if not used:
        found.append(Alarm(_("Telephony"), _("No trunk is in use"), _("Nobody can be called until one is.")))
    return [alarm for alarm in found if alarm is not None]


def _of_account(session: Session) -> list[Alarm]:
    grave = [check for check in account_checks.latest(session, carriers.the_name()).values() if check.is_grave]
    return [
        Alarm("Twilio", str(account_words.LABELS[check.name]), account_words.sentence(check.name, check.reason))
        for check in grave
    ]


def _of_switch(switch: switches.Switch) -> Alarm | None:
    if switch.fault:
        return Alarm(switch.name, _("The switch does not work with us"), trunk_words.fault(switch.fault))
    if switches.is_away(switch):
        advice = _("Is Asterisk running, and the process that listens to it (`python -m scripts.switch`)?")
        return Alarm(switch.name, _("The switch is not heard of"), advice)
    return None
