"""Work and news leave only after the transaction that caused them has been committed.

What is lost when Redis is away is found again: sweeps re-enqueue rows whose job is gone, screens ask for a snapshot.
"""

import json
import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

log = logging.getLogger(__name__)
JOB_QUEUES = ("urgent", "default", "messages", "bulk")  # a worker takes them in this order
# Seconds; a national list on a slow computer takes a while.
TIMEOUTS = {"urgent": 900, "default": 900, "messages": 900, "bulk": 7_200}
_redis_url: str | None = None


@dataclass(frozen=True)
class _Job:
    queue: str
    function: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class _News:
    topic: str
    payload: dict[str, Any]


def connect(url: str) -> None:
    """Make `url` the Redis of this process."""
    global _redis_url  # noqa: PLW0603  # one process, one Redis
    _redis_url = url
    redis.cache_clear()


@lru_cache(maxsize=1)
def redis() -> Redis:
    """The process's Redis client; short time-outs, because nothing that matters waits for it."""
    if _redis_url is None:
        raise RuntimeError("callcenter.base.outbox.connect(url) was not called in this process")
    return Redis.from_url(_redis_url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=15)


def enqueue_later(session: Session, function: str, *args: Any, queue: str = "default") -> None:
    """After this session's commit, run `function` (a dotted path to a job) with JSON-able `args` in a worker."""
    session.info.setdefault("outbox", []).append(_Job(queue, function, args))


def tell_later(session: Session, topic: str, **payload: Any) -> None:
    """After this session's commit, publish `payload` on the live topic `topic` (see callcenter.base.live)."""
    session.info.setdefault("outbox", []).append(_News(topic, payload))


def tell(*topics: str) -> None:
    """Publish on these live topics now: news of what has been committed already. Does nothing when Redis is away."""
    _send([_News(topic, {}) for topic in topics])


@event.listens_for(Session, "after_commit")
def _mark_committed(session: Session) -> None:
    # The event also fires when a savepoint is released: only the outermost commit counts.
    if not session.in_nested_transaction():
        session.info["outbox_committed"] = True


@event.listens_for(Session, "after_transaction_end")
def _flush(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested or transaction.parent is not None:
        return
    items = session.info.pop("outbox", [])
    if session.info.pop("outbox_committed", False) and items:
        _send(items)


def _send(items: list[_Job | _News]) -> None:
    try:
        client = redis()
        news = {(item.topic, json.dumps(item.payload)): None for item in items if isinstance(item, _News)}
        with client.pipeline(transaction=False) as together:  # one way there and back; the same said twice is said once
            for topic, payload in news:
                together.publish(topic, payload)
            together.execute()
        for item in items:
            if isinstance(item, _Job):
                Queue(item.queue, connection=client, serializer=JSONSerializer).enqueue(
                    item.function, args=item.args, job_timeout=TIMEOUTS[item.queue], result_ttl=0, failure_ttl=86_400
                )
    except RedisError as error:
        log.warning("outbox: Redis is away (%s); sweeps will find %d items again", type(error).__name__, len(items))
