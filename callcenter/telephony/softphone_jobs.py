"""Work on browsers' accounts for a worker: names in, nothing out, harmless when run twice."""

import logging
from uuid import UUID

from callcenter import calls, carriers
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.telephony import softphones

log = logging.getLogger(__name__)


def open_account(name: str, serial: int) -> None:
    """Tell the switch the account's present secret."""
    with open_session() as session:
        order = softphones.order(session, name, serial)
        session.commit()
        if order is None:
            return
        try:
            carriers.the_switchboard().open_account(order.switch, name, order.secret)
        except ProviderError as error:
            log.warning("account %s on switch %s: %s %s", name, order.switch, error, error.code)
            softphones.not_opened(session, name, serial, error.code or "switch_away")
        else:
            softphones.opened(session, name, serial, order.switch)
        session.commit()


def close_account(switch: str, name: str, serial: int) -> None:
    """Let the account's secret count no more. When the switch cannot be reached, the sweep asks again."""
    with open_session() as session:
        is_closing = softphones.is_closing(session, name, serial, switch)
        session.commit()
        if not is_closing:
            return
        carriers.the_switchboard().close_account(switch, name)
        softphones.closed(session, name, serial, switch)
        session.commit()


def let_go(call_id: str) -> None:
    """The operator is gone from a call and stays away: the citizen hears the apology, once, and the call ends."""
    with open_session() as session:
        call = calls.locked(session, UUID(call_id))
        ref, is_up = call.carrier_ref, call.connected_at is not None and call.hung_up_at is None
        session.commit()
        if ref is None or not is_up:
            return
        carriers.the_switchboard().move(ref, "goodbye")
        calls.note_event(session, calls.locked(session, UUID(call_id)), "let_go")
        session.commit()
