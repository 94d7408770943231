"""Group commit: nothing is answered before it is committed, one bad receipt costs the others nothing."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base import db, group_commits, outbox
from callcenter.base.clock import real_now
from callcenter.base.group_commits import NotCommitted
from campaigns.channels import Receipt
from campaigns.dispatch import message_news, receipt_commits
from campaigns.dispatch.receipt_commits import ReceiptCommits
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessagePlan
from campaigns.messages import Message, MessageReceipt
from campaigns.segments import Segment

SECONDS = 30  # in which even a busy machine gets there


def receipt(state: str, payload: dict[str, str] | None = None) -> Receipt:
    return Receipt(state, state, "SM1", None, payload or {"MessageStatus": state})


@pytest.fixture
def ids(committed: db.Sessions) -> list[UUID]:
    """Twelve messages that the provider has."""
    made = [uuid4() for _ in range(12)]
    with committed() as session:
        segment = Segment(name="Everybody", rule={"all": []})
        session.add(segment)
        session.flush()
        plan = MessagePlan("Greeting", segment.id, "survey", "Hola. BAJA para salir", "+525512340001", "simulated")
        campaign = message_campaigns.create(session, plan, None)
        for number, message_id in enumerate(made):
            phone = f"+52922111{number:04}"
            session.add(Message(id=message_id, campaign_id=campaign.id, phone=phone, state="accepted", body="x"))
            session.add(Attempt(id=message_id, channel="sms", purpose="survey", phone=phone, at=real_now(),
                                deadline_at=real_now()))  # fmt: skip
        session.commit()
    return made


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What pages were told; nothing is told after the test."""
    told: list[str] = []
    monkeypatch.setattr(receipt_commits, "TELL_AFTER", 0.01)
    monkeypatch.setattr(outbox, "tell", lambda *topics: told.extend(topics))
    yield told
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(SECONDS)


@dataclass
class Crowd:
    """Many threads that bring a receipt each; what each of them was told."""

    commits: ReceiptCommits
    answers: dict[UUID, bool | Exception] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def bring(self, message_id: UUID, said: Receipt) -> None:
        thread = threading.Thread(target=self._bring, args=(message_id, said))
        self.threads.append(thread)
        thread.start()

    def _bring(self, message_id: UUID, said: Receipt) -> None:
        try:
            self.answers[message_id] = self.commits.commit(message_id, said)
        except Exception as error:  # noqa: BLE001  # shown by the test
            self.answers[message_id] = error

    def wait(self) -> dict[UUID, bool | Exception]:
        for thread in self.threads:
            thread.join(SECONDS)
        return self.answers


@dataclass
class Gate:
    """Holds the first group inside its transaction, and notes how large each group was."""

    sizes: list[int] = field(default_factory=list)
    is_in: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def around(self, real: Callable[..., message_news.Heard]) -> Callable[..., message_news.Heard]:
        def record(session: Session, news: list[tuple[UUID, Receipt]]) -> message_news.Heard:
            self.sizes.append(len(news))
            self.is_in.set()
            assert self.opened.wait(SECONDS)
            return real(session, news)

        return record


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(message_news, "record_receipts", gate.around(message_news.record_receipts))
    return gate


def states(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        rows = connection.execute(select(Message.state, func.count()).group_by(Message.state))
        return {state: number for state, number in rows}  # noqa: C416  # a row is no pair for mypy


def test_one_receipt_alone_is_committed_at_once(ids: list[UUID], engine: Engine, untold: list[str]) -> None:
    assert ReceiptCommits().commit(ids[0], receipt("delivered"))
    assert states(engine) == {"accepted": 11, "delivered": 1}


def test_those_who_come_meanwhile_are_committed_together(ids: list[UUID], engine: Engine, gate: Gate) -> None:
    crowd = Crowd(ReceiptCommits())
    crowd.bring(ids[0], receipt("delivered"))
    assert gate.is_in.wait(SECONDS)
    for message_id in ids[1:]:
        crowd.bring(message_id, receipt("delivered"))
    while crowd.commits.groups.waiting() < 11:
        threading.Event().wait(0.01)
    gate.opened.set()
    assert set(crowd.wait().values()) == {True}
    assert gate.sizes == [1, 11]
    assert states(engine) == {"delivered": 12}


def test_nobody_is_answered_before_the_commit(ids: list[UUID], engine: Engine, gate: Gate) -> None:
    crowd = Crowd(ReceiptCommits())
    crowd.bring(ids[0], receipt("delivered"))
    assert gate.is_in.wait(SECONDS)
    assert crowd.answers == {}
    gate.opened.set()
    assert crowd.wait() == {ids[0]: True}


def test_an_unknown_message_is_told_from_the_others_of_its_group(ids: list[UUID], engine: Engine, gate: Gate) -> None:
    crowd, stranger = Crowd(ReceiptCommits()), uuid4()
    crowd.bring(ids[0], receipt("sent"))
    assert gate.is_in.wait(SECONDS)
    crowd.bring(stranger, receipt("delivered"))
    crowd.bring(ids[1], receipt("delivered"))
    while crowd.commits.groups.waiting() < 2:
        threading.Event().wait(0.01)
    gate.opened.set()
    assert crowd.wait() == {ids[0]: True, ids[1]: True, stranger: False}


def test_a_receipt_that_cannot_be_stored_costs_the_others_nothing(ids: list[UUID], engine: Engine, gate: Gate) -> None:
    crowd = Crowd(ReceiptCommits())
    crowd.bring(ids[0], receipt("sent"))
    assert gate.is_in.wait(SECONDS)
    crowd.bring(ids[1], Receipt("delivered", "delivered", "SM1\0", None, {}))  # no text holds a zero byte
    crowd.bring(ids[2], receipt("delivered"))
    while crowd.commits.groups.waiting() < 2:
        threading.Event().wait(0.01)
    gate.opened.set()
    answers = crowd.wait()
    assert (answers[ids[0]], answers[ids[2]]) == (True, True)
    assert isinstance(answers[ids[1]], Exception)
    assert states(engine) == {"accepted": 10, "sent": 1, "delivered": 1}


def test_a_postgresql_that_restarts_meanwhile_loses_no_receipt(
    ids: list[UUID], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, falls = message_news.record_receipts, iter([True, True])

    def record(session: Session, news: list[tuple[UUID, Receipt]]) -> message_news.Heard:
        if next(falls, False):
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return real(session, news)

    monkeypatch.setattr(message_news, "record_receipts", record)
    assert ReceiptCommits().commit(ids[0], receipt("delivered"))
    assert states(engine)["delivered"] == 1


def test_a_postgresql_that_stays_away_is_said_and_not_called_received(
    ids: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> message_news.Heard:
        raise OperationalError("SELECT", {}, Exception("no connection"))

    monkeypatch.setattr(group_commits, "PATIENCE", 0.0)
    monkeypatch.setattr(message_news, "record_receipts", away)
    with pytest.raises(NotCommitted):
        ReceiptCommits().commit(ids[0], receipt("delivered"))


def test_a_row_that_somebody_holds_keeps_only_its_own_receipt_waiting(
    ids: list[UUID], engine: Engine, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commits, "_PATIENT", text("SET LOCAL lock_timeout = '200ms'"))
    crowd = Crowd(ReceiptCommits())
    with engine.connect() as connection, connection.begin():
        connection.execute(select(Message.id).where(Message.id == ids[1]).with_for_update())
        crowd.bring(ids[0], receipt("delivered"))
        assert gate.is_in.wait(SECONDS)
        crowd.bring(ids[1], receipt("delivered"))
        crowd.bring(ids[2], receipt("delivered"))
        while crowd.commits.groups.waiting() < 2:
            threading.Event().wait(0.01)
        gate.opened.set()
        answers = crowd.wait()
    assert (answers[ids[0]], answers[ids[2]]) == (True, True)
    assert isinstance(answers[ids[1]], OperationalError)


def test_two_processes_with_the_same_receipts_in_other_orders_do_not_block_each_other(
    ids: list[UUID], engine: Engine
) -> None:
    crowds = [Crowd(ReceiptCommits()), Crowd(ReceiptCommits())]
    for _ in range(3):
        for one, other in zip(ids, reversed(ids), strict=True):
            crowds[0].bring(one, receipt("sent"))
            crowds[1].bring(other, receipt("delivered"))
    assert {answer for crowd in crowds for answer in crowd.wait().values()} == {True}
    assert states(engine) == {"delivered": 12}
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(MessageReceipt)) == 24
        assert connection.scalar(select(func.count()).where(Attempt.outcome == "delivered")) == 12


def test_pages_are_told_once_for_all_that_came(ids: list[UUID], untold: list[str]) -> None:
    commits = ReceiptCommits()
    for message_id in ids:
        commits.commit(message_id, receipt("delivered"))
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(SECONDS)
    assert set(untold) == {untold[0]}
    assert len(untold) <= len(ids)
