import json
import logging

import pytest
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.base import outbox
from callcenter.base.settings import Settings


def _jobs(queue: str = "default") -> list[tuple[str | None, tuple[object, ...]]]:
    found = Queue(queue, connection=outbox.redis(), serializer=JSONSerializer).jobs
    return [(job.func_name, tuple(job.args)) for job in found]


def test_work_leaves_after_the_commit_and_not_before(session: Session) -> None:
    outbox.enqueue_later(session, "callcenter.jobs.place_calls", 1, [2, 3], queue="urgent")
    session.execute(text("SELECT 1"))
    session.flush()
    assert _jobs("urgent") == []
    session.commit()
    assert _jobs("urgent") == [("callcenter.jobs.place_calls", (1, [2, 3]))]


def test_a_rollback_forgets_the_work(session: Session) -> None:
    session.execute(text("SELECT 1"))
    outbox.enqueue_later(session, "callcenter.jobs.place_calls", 1)
    session.rollback()
    session.execute(text("SELECT 1"))
    session.commit()
    assert _jobs() == []


def test_a_released_savepoint_sends_nothing_yet(session: Session) -> None:
    with session.begin_nested():
        outbox.enqueue_later(session, "callcenter.jobs.place_calls", 1)
    assert _jobs() == []
    session.commit()
    assert len(_jobs()) == 1


def test_news_are_published_after_the_commit(session: Session) -> None:
    with outbox.redis().pubsub(ignore_subscribe_messages=True) as ear:
        ear.subscribe("queue/3")
        ear.get_message(timeout=1)
        outbox.tell_later(session, "queue/3", changed=True)
        session.execute(text("SELECT 1"))
        session.commit()
        heard = ear.get_message(timeout=1)
    assert heard is not None
    assert json.loads(heard["data"]) == {"changed": True}


def test_a_redis_that_is_away_neither_loses_nor_fails_the_commit(
    session: Session, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.connect("unix:///nowhere/redis.sock")
    outbox.enqueue_later(session, "callcenter.jobs.place_calls", 1)
    session.execute(text("SELECT 1"))
    with caplog.at_level(logging.WARNING):
        session.commit()
    assert "Redis is away" in caplog.text
    with pytest.raises(RedisError):
        outbox.redis().ping()
    outbox.connect(settings.redis_url)
    assert _jobs() == []
