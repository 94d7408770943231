"""Two real dialers over one database: one leads, is killed or held up, and the other goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.attempts import Attempt
from callcenter.base.db import Sessions
from callcenter.base.leases import Lease
from callcenter.base.settings import Settings
from callcenter.operators import Operator
from scripts.dialer import NAME
from scripts.embedded import ROOT
from tests.callcenter import cast
from tests.callcenter.conftest import carrier  # noqa: F401 - fixture

pytestmark = pytest.mark.usefixtures("carrier")
REPLACED_IN = 10.0  # seconds
PATIENCE = 60.0


@pytest.fixture
def dialers(committed: Sessions, settings: Settings) -> Iterator[list[int]]:
    """The processes of two dialers."""
    named = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "CONVOCA_VAR": str(settings.var),
             "CONVOCA_PUBLIC_URL": "http://convoca.test", "CONVOCA_SIMULATED_URL": "http://127.0.0.1:9",
             "CONVOCA_SECRET_KEY": "secret-of-the-tests", "CONVOCA_SUPPRESSION_KEY": "suppression-of-the-tests",
             "CONVOCA_DEMO_PASSWORDS": "allowed"}  # fmt: skip
    with ExitStack() as stack:
        command = [sys.executable, "-m", "scripts.dialer"]
        running = [subprocess.Popen(command, cwd=ROOT, env=os.environ | named) for _ in range(2)]
        for process in running:
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield [process.pid for process in running]


def eventually(committed: Sessions, is_so: Callable[[Session], bool]) -> float:
    """Wait, with every operator at their page, until it is so; returns the seconds that it took."""
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE:
        with committed() as session:
            for operator_id in session.scalars(select(Operator.id)):
                operators.seen(session, operator_id)
            session.commit()
            if is_so(session):
                return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError("it never came to be so")


def leader(session: Session) -> int:
    """The process that leads; 0 while none does."""
    alive = select(Lease.holder).where(Lease.name == NAME, Lease.expires_at > func.clock_timestamp())
    return int((session.scalar(alive) or ":0").rpartition(":")[2])


def dialled(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Attempt)) or 0


def hire(committed: Sessions, number: int) -> None:
    with committed() as session:
        for each in range(number):
            cast.operator(session, f"op{each}")
        session.commit()


def dialled_twice(session: Session) -> int:
    twice = "SELECT count(*) FROM (SELECT contact_id FROM attempts GROUP BY contact_id HAVING count(*) > 1) people"
    return session.scalar(text(twice)) or 0


def test_a_dialer_killed_dead_is_replaced_within_ten_seconds_and_nobody_is_dialled_twice(
    committed: Sessions,
    dialers: list[int],
) -> None:
    with committed() as session:
        cast.queue(session, *[cast.person(session) for _ in range(30)])
        session.commit()
    hire(committed, 3)
    eventually(committed, lambda session: dialled(session) == 3 and leader(session) in dialers)
    with committed() as session:
        first, token = leader(session), session.scalar(select(Lease.token).where(Lease.name == NAME))
    os.kill(first, signal.SIGKILL)
    hire(committed, 2)  # while nobody leads
    assert eventually(committed, lambda session: dialled(session) == 5) < REPLACED_IN
    with committed() as session:
        assert leader(session) in set(dialers) - {first}
        assert session.scalar(select(Lease.token).where(Lease.name == NAME)) == (token or 0) + 1
        assert dialled_twice(session) == 0


def test_a_dialer_that_was_held_up_and_comes_back_late_dials_nobody(
    committed: Sessions,
    dialers: list[int],
) -> None:
    with committed() as session:
        cast.queue(session, *[cast.person(session) for _ in range(30)])
        session.commit()
    hire(committed, 2)
    eventually(committed, lambda session: dialled(session) == 2 and leader(session) in dialers)
    with committed() as session:
        first = leader(session)
    os.kill(first, signal.SIGSTOP)  # perhaps in the middle of a transaction that holds the lease
    hire(committed, 2)
    eventually(committed, lambda session: dialled(session) == 4)
    os.kill(first, signal.SIGCONT)
    hire(committed, 2)
    eventually(committed, lambda session: dialled(session) == 6)
    eventually(committed, lambda session: leader(session) in set(dialers) - {first})
    with committed() as session:
        assert (dialled(session), dialled_twice(session)) == (6, 0)
