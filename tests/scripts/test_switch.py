"""The listener against a switch that misbehaves, and against a second listener."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from callcenter import switches
from callcenter.base import sealed
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.carriers.asterisk import events
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.events import Leg, News
from callcenter.ledger import waiting_calls
from callcenter.switches import Switch
from callcenter.telephony import switch_news
from scripts import switch as module
from scripts.daemon import Daemon
from scripts.switch import Listener
from tests.callcenter import cast
from tests.callcenter.carriers.asterisk import fake_ami
from tests.callcenter.carriers.asterisk.fake_ami import SECRET, FakeAmi, packet, saying
from tests.callcenter.telephony.test_switch_news import placed, waiting

BOOTED = packet(Event="FullyBooted", Uptime="100")


@pytest.fixture
def ami() -> Iterator[FakeAmi]:
    with fake_ami.running() as server:
        empty = packet(Response="Success", ActionID="%ID%", EventList="start")
        done = packet(Event="StatusComplete", ActionID="%ID%", EventList="Complete")
        server.answers["Status"] = saying(empty, done)
        server.answers["PJSIPShowContacts"] = saying(
            packet(Response="Error", ActionID="%ID%", Message="No Contacts found")
        )
        server.answers["CoreSettings"] = saying(packet(Response="Success", ActionID="%ID%", AsteriskVersion="22.10.1"))
        yield server


def register(session: Session, ami: FakeAmi, secret: str = SECRET) -> None:
    sealed.configure("secret-of-the-tests")
    switches.register(
        session, "local", host="127.0.0.1", ami_port=ami.port, ws_url="ws://x/ws",
        secrets=dict.fromkeys(switches.AMI_USERS, secret),
    )  # fmt: skip
    session.commit()


@pytest.fixture
def listener(session: Session, ami: FakeAmi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """Of the registered switch; its turns are short."""
    monkeypatch.setattr(module, "TURN", 0.4)
    monkeypatch.setattr(module, "LOOK", 0.05)
    register(session, ami)
    listener = Listener("local")
    yield listener
    listener.close()


def row(session: Session) -> Switch:
    return switches.named(session, "local")


def spoken(ami: FakeAmi) -> list[str]:
    return [name for connection in ami.connections for name in connection.actions() if name != "Ping"]


def answered(call_id: UUID) -> bytes:
    return packet(Event="UserEvent", UserEvent="Convoca", What="answered", Uniqueid=str(call_id))


def ended(call_id: UUID, cause: str = "16") -> bytes:
    return packet(Event="Hangup", Uniqueid=str(call_id), Channel="PJSIP/trunk-1-1", Cause=cause)


def test_an_answered_citizen_is_moved_in_the_same_turn_and_an_event_said_twice_moves_nobody_else(
    session: Session, ami: FakeAmi, listener: Listener
) -> None:
    operator, call_id = waiting(session), placed(session)
    session.commit()
    listener.turn(1)
    ami.now.say(answered(call_id) * 2 + ended(call_id) * 2)
    listener.turn(1)
    moves = [dict(headers) for headers in ami.now.asked if ("Action", "Redirect") in headers]
    assert [(move["Channel"], move["Exten"]) for move in moves] == [(str(call_id), "room")] * 2
    rooms = {dict(headers)["Value"] for headers in ami.now.asked if ("Action", "Setvar") in headers}
    assert rooms == {f"op-{operator.id}"}
    assert cast.call(session, call_id).state == "wrap_up"


def test_who_waits_is_moved_in_the_turn_in_which_somebody_is_free_and_nobody_looks_when_nobody_waits(
    session: Session, ami: FakeAmi, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = placed(session)
    session.commit()
    listener.turn(1)
    ami.now.say(answered(call_id))
    listener.turn(1)
    assert "Redirect" not in spoken(ami)
    assert cast.call(session, call_id).state == "answered"
    operator = waiting(session)
    session.commit()
    listener.turn(1)
    assert ("Value", f"op-{operator.id}") in [header for asked in ami.now.asked for header in asked]
    assert cast.call(session, call_id).operator_id == operator.id
    monkeypatch.setattr(waiting_calls, "ready", lambda *_: pytest.fail("nobody waits"))
    listener.turn(1)


def test_the_apology_of_the_dialplan_closes_the_call_and_nobody_is_asked_for_again(
    session: Session, ami: FakeAmi, listener: Listener
) -> None:
    call_id = placed(session)
    session.commit()
    listener.turn(1)
    abandoned = packet(Event="UserEvent", UserEvent="Convoca", What="abandoned", Uniqueid=str(call_id))
    ami.now.say(answered(call_id) + abandoned)
    listener.turn(1)
    waiting(session)
    session.commit()
    listener.turn(1)
    assert cast.call(session, call_id).attempt.outcome == "abandoned"
    assert "Redirect" not in spoken(ami)


@pytest.mark.parametrize(("value", "outcome"), [("1", "abandoned"), ("", "lost")])
def test_the_switch_is_asked_who_picked_up_while_nobody_listened(
    session: Session, ami: FakeAmi, listener: Listener, value: str, outcome: str
) -> None:
    ami.answers["Getvar"] = saying(packet(Response="Success", ActionID="%ID%", Value=value))
    call_id = placed(session)
    cast.call(session, call_id).placed_at = real_now() - timedelta(minutes=1)
    session.commit()
    listener.turn(1)
    ami.now.say(BOOTED)
    listener.turn(1)
    said = [header for connection in ami.connections for asked in connection.asked for header in asked]
    assert ("Variable", f"CONVOCA_WAITED_{call_id}") in said
    assert cast.call(session, call_id).attempt.outcome == outcome


def test_after_the_boot_and_after_every_cut_ledger_and_switch_are_made_one(
    session: Session, ami: FakeAmi, listener: Listener
) -> None:
    listener.turn(1)
    ami.now.say(BOOTED)
    listener.turn(1)
    assert {"PJSIPShowContacts", "CoreSettings", "Status"} <= set(spoken(ami))
    found = row(session)
    assert (found.version, found.fault, switches.is_away(found)) == ("22.10.1", None, False)
    assert found.booted_at is not None
    call_id = placed(session)
    cast.call(session, call_id).placed_at = found.booted_at
    session.commit()
    ami.now.cut()
    listener.turn(1)
    listener.turn(1)  # a new connection
    listener_connection = next(c for c in reversed(ami.connections) if ("Username", "switch") in c.asked[0])
    listener_connection.say(BOOTED)
    listener.turn(1)
    assert cast.call(session, call_id).attempt.outcome == "lost"


def test_a_switch_that_has_just_begun_and_cannot_say_who_is_there_is_asked_again(
    session: Session, ami: FakeAmi, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    nobody = ami.answers["PJSIPShowContacts"]
    ami.answers["PJSIPShowContacts"] = saying(
        packet(Response="Error", ActionID="%ID%", Message="Invalid/unknown command: PJSIPShowContacts")
    )
    listener.turn(1)
    ami.now.say(BOOTED)
    listener.turn(1)
    assert "Status" not in spoken(ami)
    ami.answers["PJSIPShowContacts"] = nobody
    listener.turn(1)
    assert "Status" in spoken(ami)
    assert row(session).version == "22.10.1"


def test_a_hang_up_that_came_just_before_the_cut_is_written(session: Session, ami: FakeAmi, listener: Listener) -> None:
    call_id = placed(session)
    session.commit()
    listener.turn(1)
    ami.now.say(ended(call_id, "17"))
    ami.now.cut()
    listener.turn(1)
    assert cast.call(session, call_id).attempt.outcome == "busy"


@pytest.mark.parametrize(("breaks", "code"), [("secret", "wrong_password"), ("port", "unreachable"), ("key", "sealed")])
def test_what_keeps_the_listener_out_is_noted_once_and_forgotten_when_it_is_in(
    session: Session, ami: FakeAmi, listener: Listener, breaks: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    if breaks == "secret":
        register(session, ami, "wrong")
    elif breaks == "port":
        row(session).ami_port = 9
        session.commit()
    else:
        sealed.configure("another key")
    for _ in range(3):
        listener.turn(1)
    assert (row(session).fault, switches.is_away(row(session))) == (code, True)
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    register(session, ami)
    listener.turn(1)
    assert (row(session).fault, switches.is_away(row(session))) == (None, False)


def test_a_listener_of_a_switch_that_is_not_registered_waits_for_it(session: Session, listener: Listener) -> None:
    listener.name = "north"
    listener.turn(1)


def test_a_burst_of_answers_and_hang_ups_loses_none(session: Session, ami: FakeAmi, listener: Listener) -> None:
    ids = [placed(session, answered_by="recording") for _ in range(25)]
    session.commit()
    listener.turn(1)
    ami.now.say(b"".join(map(answered, ids)) + b"".join(map(ended, ids)))
    for _ in range(20):
        listener.turn(1)
    assert {cast.call(session, call_id).state for call_id in ids} == {"wrap_up"}
    assert ami.now.actions().count("Redirect") == 25


def test_several_writers_share_a_burst_and_keep_the_order_of_each_leg(
    committed: Sessions,
    ami: FakeAmi,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TURN", 0.4)
    with committed() as session:
        register(session, ami)
        ids = [placed(session, answered_by="recording") for _ in range(12)]
        session.commit()
    listener = Listener("local", writers=3)
    try:
        listener.turn(1)
        rung = [packet(Event="Newstate", Uniqueid=str(call_id), ChannelState="5") for call_id in ids]
        ami.now.say(b"".join(rung) + b"".join(map(answered, ids)) + b"".join(map(ended, ids)))
        for _ in range(10):
            listener.turn(1)
    finally:
        listener.close()
    with committed() as session:
        for call_id in ids:
            call = cast.call(session, call_id)
            assert call.state == "wrap_up"
            assert all((call.ringing_at, call.answered_at, call.connected_at, call.hung_up_at))


def test_what_is_said_of_one_browser_trunk_or_registration_is_written_in_its_order() -> None:
    """A reload says gone and there again within one burst: the other way round, nobody would be there."""
    said: list[tuple[News, News]] = [
        (events.Browser("op-7", False, "sip:a@x"), events.Browser("op-7", True, "sip:a@x")),
        (events.TrunkContact(1, False, "Unreachable"), events.TrunkContact(1, True, "Reachable")),
        (events.Registration("sip:u@x", "sip:x", False, "Rejected 403"),
         events.Registration("sip:u@x", "sip:x", True, "Registered")),
        (events.Left(Leg.read("op-7-1"), "op-7"), events.Entered(Leg.read("op-7-2"), "op-7")),
    ]  # fmt: skip
    for before, after in said:
        assert events.whose(before) == events.whose(after)
    assert events.whose(events.Browser("op-7", True, "")) != events.whose(events.Browser("op-8", True, ""))


def test_news_that_cannot_be_written_are_said_and_keep_nobody_elses_out(
    session: Session,
    ami: FakeAmi,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = placed(session), placed(session)
    session.commit()
    take = switch_news.take

    def stumble(session: Session, switch: str, news: News) -> list[Action]:
        if news.leg.uuid == bad:  # type: ignore[union-attr]  # only legs are told of here
            raise ValueError("a fault of ours")
        return take(session, switch, news)

    monkeypatch.setattr(switch_news, "take", stumble)
    listener.turn(1)
    ami.now.say(ended(bad, "17") + ended(good, "17"))
    listener.turn(1)
    assert (cast.call(session, bad).state, cast.call(session, good).attempt.outcome) == ("placing", "busy")
    assert "was not written" in caplog.text


def test_news_wait_for_a_database_that_is_away(
    session: Session, ami: FakeAmi, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = placed(session)
    session.commit()
    listener.turn(1)
    ami.now.say(ended(call_id, "17"))

    def away(*_: object) -> list[Action]:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as broken:
        broken.setattr(switch_news, "take", away)
        with pytest.raises(OperationalError):
            listener.turn(1)
    listener.turn(1)
    assert cast.call(session, call_id).attempt.outcome == "busy"


def test_a_second_listener_stands_by_and_takes_over(
    committed: Sessions,
    ami: FakeAmi,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TURN", 0.05)
    with committed() as session:
        register(session, ami)
    one, two = Listener("local"), Listener("local")
    first, second = (Daemon("switch:local", each.turn, each.wait) for each in (one, two))
    first.holder, second.holder = "one", "two"
    for _ in range(3):
        for daemon, listener in ((first, one), (second, two)):
            daemon.step()
            listener.wait(0, daemon.stopping)
    assert len(ami.connections) == 1
    first._give_back()
    second.step()
    first.step()
    one.wait(0, first.stopping)
    assert len(ami.connections) == 2
    assert one._client is None
    two.close()
