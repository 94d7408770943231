"""What a listener asks for once it hears its switch again, so that ledger and switch believe the same."""

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk import actions
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.client import Client
from callcenter.carriers.asterisk.switchboard import AsteriskCarrier
from callcenter.telephony import switch_reconcile
from callcenter.telephony.switch_reconcile import Channel

log = logging.getLogger(__name__)


def browsers(worker: AsteriskCarrier, switch: str) -> dict[str, str]:
    """Which are there, and where. Workers may ask this; a listener is allowed to do less. Raises ProviderError."""
    try:
        return switch_reconcile.contacts(worker.ask(switch, {"Action": "PJSIPShowContacts"}).events)
    except ProviderError as error:
        if error.code == "none":
            return {}
        raise


def reconcile_calls(client: Client, switch: str, move: Callable[[Channel, Sequence[Action]], None]) -> bool:
    """Close the calls that the switch has no more, forget rooms whose leg is gone, and have every channel moved where
    it belongs. True when some calls are too young to tell. Raises ProviderError before anything is done."""
    asked_at = real_now()
    present = switch_reconcile.channels(client.ask(actions.status()).events)
    with open_session() as session:
        gone, some_are_young = switch_reconcile.missing(session, switch, present, asked_at)
        unheard = switch_reconcile.may_have_waited(session, gone)
        session.commit()
        waited = _who_waited(client, switch, unheard)
        for call_id in gone:
            switch_reconcile.close(session, switch, call_id, waited=call_id in waited)
            session.commit()
        switch_reconcile.forget_rooms(session, switch, present, asked_at)
        session.commit()
        for channel in present.values():
            wanted = switch_reconcile.meet(session, switch, channel)
            session.commit()
            move(channel, wanted)
    if gone:
        log.info("switch %s: closed %d calls that it has no more", switch, len(gone))
    return some_are_young


def _who_waited(client: Client, switch: str, call_ids: Sequence[UUID]) -> set[UUID]:
    """Of these, who picked up while nobody listened, and found nobody: the dialplan has kept it."""
    try:
        asked = [(call_id, client.begin(actions.waited(call_id))) for call_id in call_ids]
        return {call_id for call_id, question in asked if question.wait().response.get("Value") == "1"}
    except ProviderError as error:
        log.warning("switch %s: %s", switch, error)
        return set()
