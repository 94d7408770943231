import signal
from collections.abc import Callable
from importlib import import_module

import pytest
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from callcenter.base import leases
from scripts import clock, daemon
from scripts.clock import Chore, Clock
from scripts.daemon import Daemon


def lead(session: Session) -> int:
    token = leases.take(session, clock.NAME, "me", 60)
    session.commit()
    assert token is not None
    return token


def test_a_chore_runs_when_it_is_due_and_not_before(session: Session) -> None:
    ran: list[str] = []
    work = Clock([Chore("often", 0, lambda: ran.append("often")), Chore("seldom", 999, lambda: ran.append("seldom"))])
    token = lead(session)
    work.turn(token)
    work.turn(token)
    assert ran == ["often", "seldom", "often"]


@pytest.mark.parametrize("bug", [ValueError("a bug"), ProgrammingError("SELECT nothing", {}, Exception("a bug"))])
def test_a_chore_that_fails_is_in_the_log_and_the_others_go_on(
    session: Session, caplog: pytest.LogCaptureFixture, bug: Exception
) -> None:
    ran: list[str] = []

    def broken() -> None:
        raise bug

    Clock([Chore("broken", 9, broken), Chore("whole", 9, lambda: ran.append("whole"))]).turn(lead(session))
    assert ran == ["whole"]
    assert "clock: broken failed; again in 9 s" in caplog.text


def test_a_clock_that_no_longer_leads_does_nothing(session: Session) -> None:
    ran: list[str] = []
    old = leases.take(session, clock.NAME, "old", 0)
    lead(session)
    assert old is not None
    Clock([Chore("chore", 0, lambda: ran.append("chore"))]).turn(old)
    assert ran == []


@pytest.mark.parametrize("error", [RedisError("away"), OperationalError("SELECT 1", {}, Exception("away"))])
def test_a_daemon_outlives_its_services_and_says_so_once(
    session: Session, error: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "FIRST_DELAY", 0.001)
    turns: list[int] = []

    def turn(token: int) -> None:
        turns.append(token)
        if len(turns) < 3:
            raise error
        made.stopping.set()

    made = Daemon("probe", turn)
    made._delay = 0.001
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        made.run(0)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert len(turns) == 3
    assert caplog.text.count("trying again until it works") == 1
    assert "probe: back at work" in caplog.text
    assert leases.take(session, "probe", "somebody else", 1) is not None  # the lease was given back


def test_each_chore_of_the_list_is_there() -> None:
    names = [chore.name for chore in clock.chores()]
    assert len(names) == len(set(names))
    assert {"calls", "operators", "rooms", "imports", "messages", "drill clock"} <= set(names)


@pytest.mark.parametrize("name", ["scripts.clock", "scripts.dialer"])
def test_each_daemon_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main: Callable[[list[str]], None] = import_module(name).main
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert f"python -m {name}" in capsys.readouterr().out
