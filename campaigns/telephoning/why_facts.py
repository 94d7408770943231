"""What the question «why is this campaign not dialling?» looks at, read at one moment. The answer: campaigns.why."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import carriers, queues, trunks
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.leases import Lease
from callcenter.carriers import NoCarrier
from callcenter.ledger import call_floor
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator, is_free, serves
from callcenter.queueing import dial_decisions, queue_outlook, queue_pace, queue_rules, queue_spending
from callcenter.queueing.dial_decisions import DialDecision
from callcenter.queueing.queue_outlook import Outlook
from callcenter.queueing.queue_pace import Pace
from callcenter.queues import CallQueue
from callcenter.telephony import trunk_book
from callcenter.telephony.trunk_health import CARRIER, is_usable
from surveys.fieldwork import quota_standing, recorded_calls
from surveys.fieldwork.quota_standing import Standing

DIALER = "dialer"  # the lease of the daemon that dials
SECOND = timedelta(seconds=1)
KEPT = 10.0  # seconds that the counts of a long list are shown again, however many look
_counted: dict[int, tuple[float, tuple[dict[str, int], Outlook]]] = {}  # by queue; since when by `monotonic`


@dataclass(frozen=True)
class LastChange:
    """Who last started, paused or finished it, and when (real time). `who` None: it did so by itself."""

    who: str | None
    at: datetime


@dataclass(frozen=True)
class Team:
    """Operators who serve this campaign. `talking`: or looking at the person whom they call next. `no_line`: available,
    and no call can be given to them: their room is not open, or their page is not heard of."""

    free: int = 0
    no_line: int = 0
    talking: int = 0
    writing_up: int = 0
    paused: int = 0

    @property
    def at_work(self) -> int:
        return self.free + self.no_line + self.talking + self.writing_up


@dataclass(frozen=True)
class Lines:
    """`fault`: a code of queues.WHY_IDLE when the carrier takes no call at all. `total`: calls it carries at once, of
    which `used` are under way, of every campaign. `a_second`: calls that may begin each second on its trunks, None
    where nobody limits them; `begun`: those of this campaign that did in the last one."""

    fault: str | None = None
    total: int = 0
    used: int = 0
    a_second: int | None = None
    begun: int = 0


@dataclass(frozen=True)
class Sessions:
    """Of a recorded survey: conversations that its campaign may hold at once (None: no limit of its own), that the
    switches may hold (None: no program that does runs), and that are held by this campaign and by all."""

    limit: int | None
    capacity: int | None
    held: int
    all_held: int


@dataclass(frozen=True)
class Money:
    """MXN that the campaign has spent and may spend, today and in all (None: no limit). `stop`: a code of
    queues.WHY_IDLE once a limit is reached."""

    day: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    day_limit: Decimal | None = None
    limit: Decimal | None = None
    stop: str | None = None


@dataclass(frozen=True)
class Facts:
    """`decided_ago`: seconds since the dialer last decided or the campaign last changed, None before both.
    `has_dialer`: a dialer holds the lead. `sessions`: of a recorded survey only; `quota`: where there are quotas.
    `only_callbacks`: it closes, and only keeps what was agreed."""

    state: str
    reason: str | None
    why_idle: str | None
    falls_back: str | None
    decided_ago: float | None
    has_dialer: bool
    changed: LastChange | None
    pace: Pace
    team: Team
    ringing: int
    waiting: int
    lines: Lines
    sessions: Sessions | None
    progress: dict[str, int]
    only_callbacks: bool
    outlook: Outlook
    quota: Standing | None
    money: Money
    as_of: datetime
    decisions: list[DialDecision] = field(default_factory=list)


def read(session: Session, queue: CallQueue, *, everybody: bool = False, decisions: int = 10) -> Facts:
    """All of it. `everybody`: count a long list whole instead of estimating it."""
    floor = call_floor.read(session)
    progress, outlook = _people(session, queue, everybody=everybody)
    changed = _last_change(session, queue)
    of_queue = floor.of_queue(queue.id)
    return Facts(
        state=queue.state, reason=queue.state_reason, why_idle=queue.why_idle, falls_back=queue.falls_back,
        decided_ago=_decided_ago(queue, changed), has_dialer=_has_dialer(session), changed=changed,
        pace=queue_pace.of_queue(queue), team=_team(session, queue.id),
        ringing=_ringing(floor, queue.id), waiting=of_queue.waiting,
        lines=_lines(session, queue, len(floor.rings) + floor.talking),
        sessions=_sessions(session, queue, floor) if queue.answered_by == "recording" else None, progress=progress,
        only_callbacks=queue.only_callbacks, quota=quota_standing.read(session, queue.id),
        money=_money(session, queue),
        outlook=outlook,
        as_of=campaign_now(session), decisions=dial_decisions.latest(session, queue.id, decisions),
    )  # fmt: skip


def _people(session: Session, queue: CallQueue, *, everybody: bool) -> tuple[dict[str, int], Outlook]:
    """The list by state, and who may be called when. Of a long list as of a few seconds ago: the outlook says when."""
    counted = _counted.get(queue.id)
    if counted is not None and not everybody and monotonic() - counted[0] < KEPT:
        return counted[1]
    progress = queues.progress(session, queue.id)
    simulated = trunks.reach_invented(session, queue.carrier)
    outlook = queue_outlook.read(session, queue, progress["waiting"], simulated=simulated, everybody=everybody)
    if progress["total"] > queue_outlook.ALL:
        _counted[queue.id] = monotonic(), (progress, outlook)
    return progress, outlook


def _ringing(floor: call_floor.Floor, queue_id: int) -> int:
    """Its phones that nobody has answered yet."""
    return sum(ring == queue_id and state not in ("answered", call_floor.HELD) for ring, _, state in floor.rings)


def _last_change(session: Session, queue: CallQueue) -> LastChange | None:
    changes = audit.search(action="queues.set_state", subject=f"queue/{queue.id}")
    newest = session.execute(changes.limit(1)).first()
    return LastChange(newest[1], newest[0].at) if newest else None


def _decided_ago(queue: CallQueue, changed: LastChange | None) -> float | None:
    times = [at for at in (queue.decided_at, changed.at if changed else None) if at is not None]
    return (real_now() - max(times)).total_seconds() if times else None


def _has_dialer(session: Session) -> bool:
    alive = select(Lease.token).where(Lease.name == DIALER, Lease.expires_at > func.clock_timestamp())
    return session.scalar(alive) is not None


def _team(session: Session, queue_id: int) -> Team:
    free = func.count().filter(is_free(real_now()))
    serving = select(Operator.state, func.count(), free).where(serves(queue_id)).group_by(Operator.state)
    counts = {state: (number, able) for state, number, able in session.execute(serving)}
    available, able = counts.get("available", (0, 0))
    number = Counter({state: people for state, (people, _able) in counts.items()})
    talking = number["in_call"] + number["preview"]
    return Team(able, available - able, talking, number["wrap_up"], number["paused"])


def _lines(session: Session, queue: CallQueue, used: int) -> Lines:
    try:
        total = carriers.carrier(queue.carrier).lines(session)
    except NoCarrier:
        return Lines("carrier_missing", used=used)
    lately = (Call.queue_id == queue.id, Call.state != "ended", Call.placed_at > real_now() - SECOND)
    begun = session.scalar(select(func.count()).where(*lately)) or 0
    if queue.carrier != CARRIER:
        return Lines(None, total, used, None, begun)
    usable = [trunk for trunk in trunk_book.enabled(session) if is_usable(trunk)]
    fault = None if usable else trunks.why_none(session)
    return Lines(fault, total, used, sum(trunk.calls_per_second for trunk in usable), begun)


def _sessions(session: Session, queue: CallQueue, floor: call_floor.Floor) -> Sessions:
    return Sessions(queue.sessions, recorded_calls.capacity(session), floor.held(queue.id), floor.all_held)


def _money(session: Session, queue: CallQueue) -> Money:
    rules, spent = queue_rules.of_queue(queue), queue_spending.so_far(session, queue.id)
    stop = queue_spending.stop(session, queue)
    return Money(spent.day, spent.total, rules.spend_day_limit, rules.spend_limit, stop)
