"""Work on trunks for a worker and the clock: tell the switches, look how the trunks stand, ring for a test."""

import logging
from typing import Protocol, cast

from sqlalchemy.orm import Session

from callcenter import carriers, switches
from callcenter.base import sealed
from callcenter.base.db import open_session
from callcenter.base.errors import NotFound, ProviderError
from callcenter.base.outbox import enqueue_later
from callcenter.carriers import Dial
from callcenter.carriers.asterisk import trunk_files
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.client import Answer
from callcenter.telephony import trunk_book, trunk_edit, trunk_health, trunk_tests

log = logging.getLogger(__name__)


def write(trunk_id: int) -> None:
    """Tell its switch what the trunk is now."""
    if not carriers.has_switchboard():
        return
    with open_session() as session:
        try:
            trunk = trunk_book.find(session, trunk_id)
        except NotFound:
            return
        changed_at, switch = trunk.changed_at, trunk.switch.name
        try:
            wanted = trunk_edit.file_of(trunk)  # also one that is not in use: it is tried out first
        except sealed.Unreadable:
            fault: str | None = "sealed"
        else:
            session.commit()
            fault = _told(switch, wanted)
        session.rollback()
        trunk_edit.note_written(session, trunk_id, changed_at, fault)
        session.commit()


def forget(switch: str, trunk_id: int) -> None:
    """Take a trunk that was deleted out of its switch's file."""
    if carriers.has_switchboard():
        trunk_files.remove(lambda action: _asterisk().ask(switch, action), trunk_id)


def try_out(test_id: int) -> None:
    """Ring for a test: claim, commit, dial, record, commit. What follows is heard from the switch."""
    with open_session() as session:
        dial = trunk_tests.claim(session, test_id)
        session.commit()
        if dial is None:
            return
        try:
            if not carriers.has_switchboard():
                raise ProviderError("No telephone switch runs here.", code="no_switchboard", permanent=True)
            _asterisk().try_trunk(dial)
        except ProviderError as error:
            trunk_tests.failed(session, test_id, error)
            session.commit()
            log.info("test %s: %s", test_id, error.code)


def tend(session: Session) -> None:
    """The clock's: give lost writings a successor, have every switch asked how its trunks stand, close tests left
    open."""
    trunk_tests.sweep(session)
    trunk_health.sweep(session)
    if carriers.has_switchboard():
        trunk_edit.write_again(session)
        for switch in switches.all_switches(session):
            enqueue_later(session, "callcenter.telephony.trunk_jobs.look", switch.name)


def look(switch: str) -> str | None:
    """Ask one switch how its trunks stand; returns why it could not be asked, as a code of trunk_words.FAULTS."""
    if not carriers.has_switchboard():
        return "no_switchboard"
    try:
        known = trunk_files.known(lambda action: _asterisk().ask(switch, action))
        standings = trunk_files.look(lambda action: _asterisk().ask(switch, action))
    except ProviderError as error:
        log.warning("switch %s: not asked how its trunks stand: %s", switch, error.code)
        return error.code or "silent"
    with open_session() as session:
        trunk_edit.reconcile(session, switch, known)
        for standing in standings:
            note = trunk_health.heard if standing.what == "registered" else trunk_health.answers
            note(session, standing.trunk, standing.is_well, standing.detail)
        session.commit()
    return None


def _told(switch: str, wanted: trunk_files.TrunkFile) -> str | None:
    """Write a trunk; why that failed, as a code."""
    try:
        trunk_files.write(lambda action: _asterisk().ask(switch, action), wanted)
    except ProviderError as error:
        log.warning("trunk %s: not written: %s", wanted.id, error.code)
        return error.code or "silent"
    return None


class _Asterisk(Protocol):
    """What of `carriers.asterisk.AsteriskCarrier` is needed here."""

    def ask(self, switch: str, action: Action) -> Answer: ...

    def try_trunk(self, dial: Dial) -> str: ...


def _asterisk() -> _Asterisk:
    return cast(_Asterisk, carriers.the_switchboard())
