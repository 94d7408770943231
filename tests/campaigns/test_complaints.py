"""What people say of other dialers cannot happen here: the tests of docs/dialer.md that stand nowhere else."""

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import jobs, operators, trunks
from callcenter.base import leases
from callcenter.ledger import call_floor
from callcenter.ledger.call_ledger import Call
from callcenter.queues import CallQueue
from scripts.dialer import NAME, Dialer
from tests.callcenter import cast, trunk_cast
from tests.callcenter.conftest import carrier  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs" / "dialer.md").read_text().partition("## Fifteen complaints")[2]
ROW = re.compile(r"^\| (\d+) \|", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def turn(session: Session, dialer: Dialer) -> None:
    """One turn of a dialer that leads."""
    session.commit()
    token = leases.take(session, NAME, "me", 60)
    session.commit()
    assert token is not None
    dialer.turn(token)
    session.expire_all()


def planned(session: Session, queue: CallQueue) -> int:
    return session.scalar(select(func.count()).select_from(Call).where(Call.queue_id == queue.id)) or 0


def test_each_of_the_fifteen_names_a_test_that_there_is() -> None:
    assert [int(number) for number in ROW.findall(SECTION)] == list(range(1, 16))
    rows = [row for row in SECTION.splitlines() if ROW.match(row)]
    assert [row for row in rows if not NAMED.search(row)] == []
    missing = [
        f"{file}::{name}" for file, name in NAMED.findall(SECTION)
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text()
    ]  # fmt: skip
    assert missing == []


@pytest.mark.usefixtures("carrier")
def test_what_rings_is_counted_from_the_ledger_and_nothing_is_left_of_a_call_whose_news_never_came(
    session: Session,
) -> None:
    queue = cast.queue(session, cast.person(session), cast.person(session))
    rung = [cast.rung(session, queue), cast.rung(session, queue)]
    assert len(call_floor.read(session).rings) == 2
    for call_id in rung:
        cast.age(session, call_id)
    jobs.sweep_calls()
    session.expire_all()
    assert call_floor.read(session).rings == []


@pytest.mark.parametrize("mode", ["progressive", "power", "predictive"])
@pytest.mark.usefixtures("carrier")
def test_nobody_is_dialled_after_the_last_operator_has_left(session: Session, mode: str) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(30)], mode=mode)
    team = [cast.operator(session, f"olga{n}") for n in range(5)]
    dialer = Dialer()
    turn(session, dialer)
    before = planned(session, queue)
    assert before >= 5
    for operator in team:
        operators.leave(session, operator.id)
    for _turn in range(3):
        turn(session, dialer)
    assert planned(session, queue) == before
    session.refresh(queue)
    assert queue.why_idle == "no_operators"


@pytest.mark.parametrize("mode", ["progressive", "power", "predictive"])
@pytest.mark.usefixtures("carrier")
def test_when_half_of_the_team_leaves_no_further_phone_rings_for_them(session: Session, mode: str) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(30)], mode=mode)
    team = [cast.operator(session, f"olga{n}") for n in range(6)]
    dialer = Dialer()
    turn(session, dialer)
    before = planned(session, queue)
    for operator in team[:3]:
        operators.leave(session, operator.id)
    turn(session, dialer)
    assert planned(session, queue) == before


def test_a_person_sees_the_same_number_at_every_try(session: Session) -> None:
    numbers = {trunk_cast.MEXICO_CITY: ["55", "56"], trunk_cast.XALAPA: ["228"]}
    trunk_cast.trunk(session, numbers=numbers, channels=20)
    queue = cast.queue(session)
    for caller_id, phone, shown in (
        (trunk_cast.MEXICO_CITY, "+522281234567", trunk_cast.MEXICO_CITY),
        ("local", "+522281234567", trunk_cast.XALAPA),
        ("local", "+525512345678", trunk_cast.MEXICO_CITY),
    ):
        routes = {trunks.choose(session, phone, caller_id, queue.id).caller_id for _ in range(5)}
        assert routes == {shown}
