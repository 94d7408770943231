"""Work on messages left on machines, for a worker: ids in, nothing out, harmless when run twice."""

import logging
from uuid import UUID

from callcenter import calls, carriers
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.base.outbox import tell_later
from callcenter.calls import Event

log = logging.getLogger(__name__)


def leave(call_id: str) -> None:
    """Take the leg to where it hears the campaign's message; the operator's room is empty from then on. One that cannot
    be taken there is hung up."""
    with open_session() as session:
        call = calls.locked(session, UUID(call_id))
        ref, is_there = call.carrier_ref, call.hung_up_at is None and call.handed_out_at is None
        session.commit()
        if ref is None or not is_there:
            return
        try:
            carriers.the_recorder().leave_message(ref, call.id)
        except ProviderError as error:
            log.warning("call %s: no message left: %s", call_id, error.code)
            if error.code == "gone":
                calls.record_event(session, call.id, Event("hung_up", "hang_up"))
            else:
                calls.hang_up_later(session, call.id)
            session.commit()
            return
        calls.locked(session, call.id).handed_out_at = real_now()
        tell_later(session, "dialer")  # its operator may be free now
        session.commit()
