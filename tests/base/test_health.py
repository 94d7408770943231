from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter import switches
from callcenter.base import health, leases, outbox, sealed
from callcenter.base.clock import real_now
from callcenter.base.settings import Settings


def _worker(name: str, queues: str, *, age: float = 0, state: str = "idle") -> None:
    heartbeat = (real_now() - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = ["last_heartbeat", heartbeat, "queues", queues, "state", state]
    outbox.redis().hset(f"rq:worker:{name}", items=fields)
    outbox.redis().sadd("rq:workers", f"rq:worker:{name}")


@pytest.fixture
def parts(session: Session) -> Iterator[None]:
    """Daemons and workers that live."""
    for name in ("dialer", "clock"):
        leases.take(session, name, "test", 60)
    session.commit()
    _worker("one", "urgent,default")
    _worker("two", "bulk,default")
    _worker("three", "messages")
    yield
    outbox.redis().flushall()


def _why(client: FlaskClient, part: str) -> str:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    return str(answer.json["parts"][part]["why"])  # type: ignore[index]  # the answer is JSON


@pytest.mark.usefixtures("parts")
def test_all_is_well_when_every_part_works(client: FlaskClient, session: Session) -> None:
    answer = client.get("/healthz")
    assert answer.json is not None
    ill = {name for name, part in answer.json["parts"].items() if not part["ok"]}
    assert ill == {"carrier"}, "the carrier of the tests listens nowhere"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("parts")
def test_a_daemon_that_lets_its_lease_run_out_is_ill(client: FlaskClient, session: Session) -> None:
    leases.release(session, "dialer", "test")
    session.commit()
    assert _why(client, "dialer") == "no dialer holds the lease"


@pytest.mark.usefixtures("parts")
def test_a_queue_that_no_living_worker_serves_is_named(client: FlaskClient) -> None:
    _worker("two", "bulk,default", age=60)
    assert _why(client, "worker") == "no worker serves bulk"


@pytest.mark.usefixtures("parts")
def test_a_worker_in_a_long_job_lives_though_it_is_silent(client: FlaskClient) -> None:
    _worker("two", "bulk,default", age=600, state="busy")
    answer = client.get("/healthz")
    assert answer.json is not None
    assert answer.json["parts"]["worker"]["ok"]


@pytest.mark.usefixtures("parts")
def test_without_redis_it_still_answers(client: FlaskClient, settings: Settings) -> None:
    outbox.connect("unix:///nowhere/redis.sock")
    assert "Redis does not answer" in _why(client, "redis")
    assert "Redis does not answer" in _why(client, "worker")
    outbox.connect(settings.redis_url)


@pytest.mark.usefixtures("parts")
def test_it_tells_a_stranger_no_address(client: FlaskClient, settings: Settings) -> None:
    said = client.get("/healthz").text
    for secret in (settings.database_url, settings.redis_url, str(settings.var), settings.secret_key, "127.0.0.1"):
        assert secret not in said


def test_a_telephone_switch_that_is_not_heard_of_is_ill_and_says_why(session: Session, settings: Settings) -> None:
    sealed.configure(settings.secret_key)
    for name, fault in (("local", None), ("north", "wrong_password"), ("south", None)):
        switches.register(session, name, host="127.0.0.1", ami_port=1, ws_url="ws://x/ws", secrets={})
        if fault:
            switches.failed(session, name, fault)
    switches.heard(session, "local")
    telephone = replace(settings, carrier="asterisk")
    parts = health.examine(session, telephone)
    assert parts["switch:local"] == {"ok": True, "essential": True}
    assert parts["switch:north"]["why"] == "its listener does not hear it (wrong_password)"
    assert parts["switch:south"]["why"] == "its listener does not hear it (no listener)"
    switches.named(session, "local").seen_at = real_now() - switches.SILENCE
    session.flush()
    assert not health.examine(session, telephone)["switch:local"]["ok"]
    assert "switch:local" not in health.examine(session, settings)
