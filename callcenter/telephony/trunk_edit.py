"""Entering, changing and removing trunks: everything checked, audited, and told to the switch after the commit."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from callcenter import trunks
from callcenter.base import audit, sealed
from callcenter.base.clock import real_now
from callcenter.base.errors import Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.carriers.asterisk.trunk_files import TrunkFile
from callcenter.telephony import trunk_book, trunk_entry, trunk_health
from callcenter.telephony.trunk_book import Trunk, TrunkNumber, TrunkPrefix
from callcenter.telephony.trunk_entry import Plan

AGAIN = timedelta(seconds=30)  # a change that its switch does not know after this lost its job


def save(session: Session, plan: Plan, user_id: int | None, *, trunk_id: int | None = None) -> Trunk:
    """Write a new trunk (not in use yet), or what is new about one. Raises InvalidInput with every fault, Refused."""
    trunk = trunk_book.find(session, trunk_id, lock=True) if trunk_id is not None else None
    lists = trunk_entry.read(session, plan, trunk)
    if trunk is not None and trunk.is_enabled and trunk.simulated != plan.simulated:
        raise Refused("in_use", _("Take the trunk out of use before you say that it leads to other people."))
    trunk = trunk or Trunk(is_enabled=False)
    _take(trunk, plan)
    trunk.prefixes.clear()
    trunk.numbers.clear()
    session.add(trunk)
    session.flush()  # the old rows are gone before the same ones come again
    trunk.prefixes = [TrunkPrefix(prefix=prefix, cost=cost) for prefix, cost in lists.prefixes.items()]
    trunk.numbers = [TrunkNumber(number=number, area_codes=areas, position=position)
                     for position, (number, areas) in enumerate(lists.numbers.items())]  # fmt: skip
    trunk_health.forgive(trunk)
    _changed(session, trunk)
    audit.record(session, user_id, "trunks.save", f"trunk/{trunk.id}", host=trunk.host, port=trunk.port,
                 simulated=trunk.simulated, channels=trunk.channels, new_password=bool(plan.password))  # fmt: skip
    return trunk


def enable(session: Session, trunk_id: int, user_id: int | None, *, on: bool) -> None:
    """Take a trunk into use, or out of it; calls under way go on. Raises Refused: simulated and real trunks are never
    in use together, and a trunk without a caller ID is not used."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("trunks.enable"))))  # two at once look in turn
    trunk = trunk_book.find(session, trunk_id, lock=True)
    if trunk.is_enabled is on:
        return
    if on and any(other.simulated != trunk.simulated for other in trunk_book.every(session) if other.is_enabled):
        raise Refused("mixed_trunks", _(
            "Trunks that lead to invented people and trunks that lead to real ones are never in use together: a person "
            "could be called by a drill. Take the others out of use first."
        ))  # fmt: skip
    if on and not trunk.numbers:
        raise Refused("no_caller_id", _("Say first which number this trunk shows to the people called."))
    trunk.is_enabled = on
    trunk_health.forgive(trunk)
    _changed(session, trunk)
    audit.record(session, user_id, "trunks.enable" if on else "trunks.disable", f"trunk/{trunk_id}")


def remove(session: Session, trunk_id: int, user_id: int | None) -> None:
    """For good. Raises Refused while it is in use or carries a call."""
    trunk = trunk_book.find(session, trunk_id, lock=True)
    if trunk.is_enabled:
        raise Refused("in_use", _("Take the trunk out of use first."))
    if trunks.calls_now(session, trunk_id):
        raise Refused("busy", _("Calls go through this trunk still. Wait until they have ended."))
    audit.record(session, user_id, "trunks.remove", f"trunk/{trunk_id}", name=trunk.name, host=trunk.host)
    enqueue_later(session, "callcenter.telephony.trunk_jobs.forget", trunk.switch.name, trunk_id)
    session.delete(trunk)
    session.flush()
    tell_later(session, "trunks")


def file_of(trunk: Trunk) -> TrunkFile:
    """What its switch must know. Raises sealed.Unreadable."""
    secret = sealed.unseal(trunk.secret_sealed) if trunk.secret_sealed else None
    number = trunk.numbers[0].number if trunk.numbers else ""
    return TrunkFile(trunk.id, trunk.host, trunk.port, trunk.transport, trunk.username, secret, trunk.registers,
                     trunk.asks_alive, number)  # fmt: skip


def note_written(session: Session, trunk_id: int, changed_at: datetime, fault: str | None) -> None:
    """The switch knows the trunk as it was at `changed_at`, or does not (`fault`: a code of trunk_words.FAULTS)."""
    trunk = trunk_book.find(session, trunk_id, lock=True)
    trunk.write_fault = fault
    if fault is None and (trunk.written_at is None or trunk.written_at < changed_at):
        trunk.written_at = changed_at
        # What was heard of it before is of the trunk that it was.
        trunk.registered = trunk.reachable = trunk.registered_at = trunk.detail = None
    tell_later(session, "trunks")
    tell_later(session, "dialer")


def write_again(session: Session) -> None:
    """Give changes that their switch does not know a new job."""
    unknown = or_(Trunk.written_at.is_(None), Trunk.written_at < Trunk.changed_at)
    for trunk_id in session.scalars(select(Trunk.id).where(unknown, Trunk.changed_at < real_now() - AGAIN)):
        enqueue_later(session, "callcenter.telephony.trunk_jobs.write", trunk_id)


def reconcile(session: Session, switch: str, known: set[int]) -> None:
    """`known`: the trunks in the file of a switch. One that it lost is written again, one that is none of ours any more
    is taken out."""
    ours = trunk_book.every(session)
    for trunk in ours:
        if trunk.switch.name == switch and trunk.is_written and trunk.id not in known:
            _changed(session, trunk)
    for trunk_id in known - {trunk.id for trunk in ours if trunk.switch.name == switch}:
        enqueue_later(session, "callcenter.telephony.trunk_jobs.forget", switch, trunk_id)


def _changed(session: Session, trunk: Trunk) -> None:
    trunk.changed_at, trunk.write_fault = real_now(), None
    session.flush()
    enqueue_later(session, "callcenter.telephony.trunk_jobs.write", trunk.id, queue="urgent")
    tell_later(session, "trunks")
    tell_later(session, "floor")


def _take(trunk: Trunk, plan: Plan) -> None:
    trunk.name, trunk.switch_id = plan.name.strip(), int(plan.switch_id)
    trunk.host, trunk.port, trunk.transport = plan.host.strip().lower(), int(plan.port), plan.transport
    trunk.username, trunk.registers = plan.username.strip() or None, plan.registers
    trunk.asks_alive, trunk.simulated = plan.asks_alive, plan.simulated
    trunk.number_format, trunk.number_prefix = plan.number_format, plan.number_prefix.strip()
    trunk.channels, trunk.calls_per_second = int(plan.channels), int(plan.calls_per_second)
    trunk.position = int(plan.position)
    if plan.password:
        trunk.secret_sealed = sealed.seal(plan.password)
    if trunk.username is None:
        trunk.secret_sealed = None
