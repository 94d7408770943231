"""The telephone: from a citizen's answer to the operator's ear and eye, many calls at once, the pace of a recorded
survey, and what is left when Asterisk is killed in mid-call. A real Asterisk, invented telephones on this machine."""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from scripts.asterisk.instance import is_booted
from scripts.bench import Figure, phone_ivr, phone_seat
from scripts.bench.chaos import doubles
from scripts.bench.floor import p95, rows
from scripts.bench.phone_seat import Seat
from scripts.bench.phone_stage import BARE, Stage, bare_calls, stage

ABOUT = "answer → operator's ear and card; calls followed to their end; calls at once; survey steps; Asterisk killed"
FULL = {"talks": 20, "calls": 300, "at_once": 60, "interviews": 20, "questions": 8, "live": 30, "lines": 60}
QUICK = {"talks": 8, "calls": 200, "at_once": 60, "interviews": 20, "questions": 4, "live": 30, "lines": 60}
SEED = 1
HELD = 15.0  # seconds for which so many calls are up at once
ANSWERS, SHORT, RINGS = "98", "06", "05"  # what a telephone does is said by the last digits of its number
SETTLED = 60.0
# What the ledger lacks of calls that were answered and are over, one row a piece of news.
LOST = """
    SELECT c.id FROM calls c
        CROSS JOIN LATERAL (VALUES (c.ringing_at), (c.answered_at), (c.connected_at), (c.hung_up_at)) AS told (at)
        WHERE c.queue_id = :queue_id AND told.at IS NULL
    UNION ALL
    SELECT c.id FROM calls c LEFT JOIN recordings r ON r.call_id = c.id AND r.state IN ('ended', 'stored')
        WHERE c.queue_id = :queue_id AND r.id IS NULL
"""

OPEN = "SELECT id FROM calls WHERE queue_id = ANY(:queues) AND state <> 'ended' AND hung_up_at IS NULL"
REASONLESS = "SELECT id FROM calls WHERE queue_id = ANY(:queues) AND (cause IS NULL OR cause = '{}')"
IN_ROOM = """
    SELECT o.id FROM operators o JOIN users u ON u.id = o.user_id WHERE u.username = :name AND o.room_opened_at > :since
"""


class DidNotHappen(Exception):
    """What was to be measured did not come about; the message says what."""


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:  # noqa: ARG001 - nothing here is drawn
    with stage() as found, tempfile.TemporaryDirectory() as folder:
        figures = followed(found, size["calls"], size["lines"])
        figures += phone_ivr.steps(found, size["interviews"], size["questions"])
        with phone_seat.take(found.product, Path(folder)) as seat:
            figures += talks(found, seat, size["talks"])
            figures += at_once(found, size["at_once"])
            seat.finish()
            figures += killed(found, size["live"])
    return figures


def followed(found: Stage, number: int, lines: int) -> list[Figure]:
    """Calls that are answered and last a second, over so many lines: by the product, and by a bare AMI loop."""
    queue = found.worker.do("make_queue", people=number, digits=SHORT, columns={})
    bare = [bare_calls(found, number, SHORT, lines)]
    ours = found.worker.do("place", queue_id=queue, number=number, window=lines)["seconds"]
    bare.append(bare_calls(found, number, SHORT, lines))
    seconds = statistics.mean(bare)
    return [
        Figure("originate_ratio", seconds / ours, "of bare AMI", target=0.9),
        Figure("originates_per_s", number / ours, "calls/s", ratio_to=f"{number / seconds:.1f}/s of a bare AMI loop",
               ratio=seconds / ours),
    ]  # fmt: skip


def talks(found: Stage, seat: Seat, number: int) -> list[Figure]:
    """From a citizen's 200 OK to their tone in the operator's browser, and to the card on the screen."""
    queue = found.worker.do("make_queue", people=number, digits=ANSWERS, columns={})
    sounds, cards = [], []
    for _ in range(number):
        seat.arm()
        seen = len(found.network.calls)
        found.worker.do("begin", queue_id=queue, number=1)
        card, sound = seat.noted()
        call = found.network.calls[seen]
        if call.answered_at is None:
            raise DidNotHappen("the citizen did not answer")
        answered = call.answered_at + time.time() - time.monotonic()
        sounds.append((sound - answered) * 1000)
        cards.append((card - answered) * 1000)
        found.network.hang_up(call)
        seat.finish()
    return [
        Figure("audio_p95_ms", p95(sounds), "ms", target=150),
        Figure("audio_median_ms", statistics.median(sounds), "ms"),
        Figure("card_p95_ms", p95(cards), "ms", target=300),
        Figure("card_median_ms", statistics.median(cards), "ms"),
    ]


def at_once(found: Stage, number: int) -> list[Figure]:
    """So many recorded talks at the same time, each in an operator's room."""
    seats = found.worker.do("seat", number=number)
    queue = found.worker.do("make_queue", people=number, digits=ANSWERS, columns={}, records=True)
    seen = len(found.network.calls)
    found.worker.do("begin", queue_id=queue, number=number)
    state = "SELECT id FROM calls WHERE queue_id = :queue_id AND state = :state"
    _await(lambda: len(rows(found.engine, state, queue_id=queue, state="connected")) >= number, 30)
    time.sleep(HELD)
    calls = found.network.calls[seen:]
    up = sum(call.state == "up" for call in calls)
    for call in calls:
        found.network.hang_up(call)
    _await(lambda: not rows(found.engine, LOST, queue_id=queue), 30)
    lost = rows(found.engine, LOST, queue_id=queue)
    found.worker.do("unseat", ids=seats)
    return [
        Figure("simultaneous_calls", up, "calls", target=number),
        Figure("lost_events", len(lost), "events", target=0),
    ]


def killed(found: Stage, number: int) -> list[Figure]:
    """Asterisk is killed with so many calls live: when the ledger is right again, and operators in their rooms."""
    found.worker.do("seat", number=number)
    seen = len(found.network.calls)
    queues = [found.worker.do("make_queue", people=number, digits=digits, columns={}) for digits in (ANSWERS, RINGS)]
    found.worker.do("begin", queue_id=queues[0], number=number)
    found.worker.do("begin", queue_id=queues[1], number=number // 5)
    _await(lambda: sum(call.state == "up" for call in found.network.calls[seen:]) >= 2 * number, 30)
    os.kill(found.product.pids()["asterisk"], signal.SIGKILL)
    killed_at = datetime.now(UTC)
    _await(lambda: not is_booted(found.instance), 5)
    _await(lambda: is_booted(found.instance), 30)
    back = time.monotonic()
    closed = _await(lambda: not rows(found.engine, OPEN, queues=queues), SETTLED) - back
    in_room = _await(lambda: rows(found.engine, IN_ROOM, name=phone_seat.USERNAME, since=killed_at), SETTLED) - back
    dials = [(call.number, call.rang_at) for call in found.network.calls if not call.number.startswith(BARE)]
    return [
        Figure("recovery_s", closed, "s", target=60),
        Figure("rooms_back_s", in_room, "s", target=15),
        Figure("without_reason", len(rows(found.engine, REASONLESS, queues=queues)), "calls", target=0),
        Figure("double_dials", doubles(dials), "pairs", target=0),
    ]


def _await(true: Callable[[], object], seconds: float) -> float:
    """When it became true, on the monotonic clock; infinity when it did not within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return time.monotonic()
        time.sleep(0.05)
    return float("inf")
