"""Ringing the telephone of who prepares a campaign."""

import logging
from typing import Protocol, cast
from uuid import UUID

from callcenter import carriers
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.carriers import Dial
from callcenter.ledger import trial_calls

log = logging.getLogger(__name__)


class _Asterisk(Protocol):
    """What of `carriers.asterisk.AsteriskCarrier` is needed here: a sentence and a tone, and no queue."""

    def try_trunk(self, dial: Dial) -> str: ...


def ring(trial_id: str) -> None:
    """Claim, commit, dial, record, commit. What follows is heard from the carrier."""
    number = UUID(trial_id)
    with open_session() as session:
        dial = trial_calls.claim(session, number)
        name = trial_calls.find(session, number).carrier
        session.commit()
        if dial is None:
            return
        try:
            _place(name, dial)
        except ProviderError as error:
            trial_calls.failed(session, number, error)
            session.commit()
            log.info("trial %s: %s", trial_id, error.code)


def _place(name: str, dial: Dial) -> None:
    if carriers.has_switchboard():
        cast(_Asterisk, carriers.the_switchboard()).try_trunk(dial)
    else:
        carriers.carrier(name).place(dial)
