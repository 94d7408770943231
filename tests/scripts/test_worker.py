"""A worker, in this process, with jobs that look at how it is seen from outside."""

import signal
from collections.abc import Callable, Iterator

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from callcenter.base import health, outbox
from scripts.worker import Worker

seen: list[str | None] = []


def look() -> None:
    seen.append(health.unserved_queues())


def lose_everything_and_look() -> None:
    """Redis dies, comes back empty, and is asked for the next thing."""
    outbox.redis().flushall()
    enqueue(look)


def enqueue(job: Callable[[], None]) -> None:
    Queue("bulk", connection=outbox.redis(), serializer=JSONSerializer).enqueue(job, result_ttl=0)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    seen.clear()
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("job", [look, lose_everything_and_look])
def test_a_worker_is_known_to_serve_its_queues_also_after_a_redis_that_lost_everything_meanwhile(
    job: Callable[[], None],
) -> None:
    enqueue(job)
    worker = Worker(list(outbox.JOB_QUEUES), connection=outbox.redis(), serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")
    assert seen == [None]
