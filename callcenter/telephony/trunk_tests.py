"""Trying a trunk out: it rings a telephone of the administrator's and plays a sentence and a tone.

Like every call of ours a test is a committed row before the switch hears of it. Its number is forgotten at its end."""

import re
from datetime import datetime
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import phones, suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, ProviderError, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.calls import Event
from callcenter.carriers import Dial, Route
from callcenter.ledger import own_rings, trial_calls
from callcenter.ledger.own_rings import LIFE, RING_SECONDS, WINDOW, OwnRing
from callcenter.telephony import trunk_book, trunk_health, trunk_numbers

MOST = 10  # tests of one trunk within WINDOW


class TrunkTest(OwnRing, Base):
    """`result`: a code of trunk_words.TEST_RESULTS."""

    __tablename__ = "trunk_tests"
    __table_args__ = (Index("ix_trunk_tests_trunk_id_id", "trunk_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(unique=True)
    trunk_id: Mapped[int] = mapped_column(ForeignKey("trunks.id", ondelete="CASCADE"))
    q850: Mapped[int | None]
    sip_code: Mapped[int | None]
    ringing_at: Mapped[datetime | None]


def begin(session: Session, trunk_id: int, number: str, user_id: int | None) -> TrunkTest:
    """Ring `number` through this trunk after the commit, also when it rests or is not in use. Raises InvalidInput for
    what is no number, Refused for a phone on the suppression list and while another test runs."""
    trunk = trunk_book.find(session, trunk_id, lock=True)
    phone = _read(number)
    if not trunk.simulated and suppressions.find(session, phone) is not None:
        raise Refused("suppressed", _("This phone is on the suppression list: it is not called, not even for a test."))
    lately = select(func.count()).where(TrunkTest.trunk_id == trunk_id, TrunkTest.asked_at > real_now() - WINDOW)
    if (last := newest(session, trunk_id)) is not None and last.is_open:
        raise Refused("test_running", _("A test of this trunk is under way; wait for its end."))
    if (session.scalar(lately) or 0) >= MOST:
        raise Refused("too_many_tests", _("This trunk was tested %(n)s times in ten minutes. Wait a little.", n=MOST))
    if trunk_numbers.written(phone, trunk.number_format, trunk.number_prefix) is None:
        raise InvalidInput({"number": _("This trunk writes numbers in ten digits: it calls Mexican numbers only.")})
    test = TrunkTest(
        call_id=uuid4(), trunk_id=trunk_id, number=phone, shown=phone[-4:], asked_by=user_id,
        deadline_at=real_now() + LIFE,
    )  # fmt: skip
    session.add(test)
    session.flush()
    audit.record(session, user_id, "trunks.test", f"trunk/{trunk_id}", test=test.id)
    enqueue_later(session, "callcenter.telephony.trunk_jobs.try_out", test.id, queue="urgent")
    _tell(session)
    return test


def claim(session: Session, test_id: int) -> Dial | None:
    """Take a planned test for placing; None when somebody else has it, or it is too late."""
    test = session.get(TrunkTest, test_id, with_for_update=True, populate_existing=True)
    if test is None or not test.is_due or test.number is None:
        return None
    trunk = trunk_book.find(session, test.trunk_id)
    test.state = "placing"
    _tell(session)
    shown = trunk.numbers[0].number if trunk.numbers else ""
    route = Route(
        shown, trunk.simulated, trunk.switch.name, trunk.id,
        trunk_numbers.written(test.number, trunk.number_format, trunk.number_prefix) or test.number,
        trunk_numbers.written(shown, trunk.number_format) or shown,
    )  # fmt: skip
    return Dial(test.call_id, test.number, shown, RING_SECONDS, route=route)


def heard(session: Session, call_id: UUID, event: Event) -> bool:
    """The switch says what became of a test of a trunk, or of a trial of a campaign; False when it is none of ours.
    Harmless when repeated."""
    test = session.scalar(
        select(TrunkTest)
        .where(TrunkTest.call_id == call_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if test is None:
        return trial_calls.heard(session, call_id, event) is not None
    if not test.is_open:
        return True
    is_end = test.hear(event)
    if test.state == "ringing":
        test.ringing_at = test.ringing_at or real_now()
    if is_end:
        _end(session, test, event)
    _tell(session)
    return True


def failed(session: Session, test_id: int, error: ProviderError) -> None:
    """The switch did not take the call."""
    test = session.get(TrunkTest, test_id, with_for_update=True, populate_existing=True)
    if test is not None and test.is_open and not error.unknown:
        test.end(f"switch:{error.code or 'refused'}")
        _tell(session)


def newest(session: Session, trunk_id: int) -> TrunkTest | None:
    """The trunk's last test."""
    of_trunk = select(TrunkTest).where(TrunkTest.trunk_id == trunk_id).order_by(TrunkTest.id.desc()).limit(1)
    return session.scalar(of_trunk.execution_options(populate_existing=True))


def find(session: Session, test_id: int) -> TrunkTest:
    """Raises NotFound."""
    test = session.get(TrunkTest, test_id, populate_existing=True)
    if test is None:
        raise NotFound(_("There is no such test."))
    return test


def sweep(session: Session) -> None:
    """Close tests of which nothing was heard any more."""
    if own_rings.sweep(session, TrunkTest):
        _tell(session)


def _read(text: str) -> str:
    found = phones.normalise(text[:100]).numbers
    if len(found) != 1 or not trunk_numbers.is_e164(found[0].e164):
        raise InvalidInput({"number": _("Write one phone number of ten digits, with its area code.")})
    return found[0].e164


def _end(session: Session, test: TrunkTest, event: Event) -> None:
    test.q850, test.sip_code = _number(event.payload.get("Cause")), _sip_code(event.payload.get("TechCause"))
    trunk = trunk_book.find(session, test.trunk_id, lock=True)
    if test.answered_at is not None:
        test.end("played")
        trunk_health.forgive(trunk)  # it has just shown that it works
    elif trunk_health.is_our_fault(test.q850, test.sip_code):
        test.end("trunk_fault")
    else:
        test.end(event.kind)


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None


def _sip_code(words: object) -> int | None:
    """The final code in `SIP 403 Forbidden`."""
    found = re.search(r"\b[3-6][0-9]{2}\b", str(words or ""))
    return int(found[0]) if found else None


def _tell(session: Session) -> None:
    tell_later(session, "trunks")
