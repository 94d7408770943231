"""Work on recordings for a worker: ids in, nothing out, harmless when run twice. Each opens its own sessions."""

import logging
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import carriers, recordings
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.carriers import NoCarrier
from callcenter.recordings import Order
from callcenter.sound import recording_files, recording_storing
from callcenter.sound.recording_storing import Trouble, Work

log = logging.getLogger(__name__)


def follow(recording_id: str) -> None:
    """Tell the switch what is wanted of a recording, until there is nothing more to tell it, or it does not listen."""
    with open_session() as session:
        while True:
            order = recordings.take(session, UUID(recording_id))
            session.commit()
            if order is None:
                return
            fault, is_over = _tell(order)
            recordings.told(session, order, fault, is_over=is_over)
            session.commit()
            log.info("recording %s: %s %s", order.id, order.act, fault or ("over" if is_over else "done"))
            if fault or is_over:
                return


def _tell(order: Order) -> tuple[str | None, bool]:
    """Why not (a fault of the ledger), and whether the leg is gone. No session: nothing is open meanwhile."""
    try:
        if order.act == "start" and recording_files.is_short(order.spool):
            return "no_space", False
        recorder = carriers.the_switchboard() if carriers.has_switchboard() else carriers.the_recorder()
        recorder.record(order.ref, str(order.id), order.act)
    except NoCarrier:
        return "switch_away", False
    except ProviderError as error:
        if error.code == "gone":
            return None, True
        if error.unknown and order.act == "start":
            return None, False  # it may be recording: never started twice, and looked for after the call
        return "switch_refused" if error.permanent else "switch_away", False
    return None, False


def tend(recording_id: str) -> None:
    """Store a recording whose call is over, and remove what has to go."""
    with open_session() as session:
        while True:
            work = recording_storing.claim(session, UUID(recording_id))
            session.commit()
            if work is None:
                return
            try:
                _work(session, work)
            except Trouble as trouble:
                recording_storing.failed(session, work, trouble)
                session.commit()
                return
            session.commit()


def _work(session: Session, work: Work) -> None:
    """Raises Trouble."""
    if work.state == "ended":
        sound = recording_storing.fetch(work)
        recording_storing.stored(session, work, sound)
        log.info("recording %s: stored, %d ms, %d bytes", work.id, sound.duration_ms, sound.size)
    else:
        recording_storing.clear(work)
        recording_storing.cleared(session, work)
