"""What the house asks for, as the switch gets it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter import switches
from callcenter.base import sealed
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound, ProviderError
from callcenter.carriers import Dial, Ear, Known, Route, Trace
from callcenter.carriers.asterisk import switchboard
from callcenter.carriers.asterisk.actions import BadAction
from callcenter.carriers.asterisk.switchboard import AsteriskCarrier
from callcenter.ledger import apologies
from callcenter.telephony import softphones
from tests.callcenter import cast
from tests.callcenter.carriers.asterisk import fake_ami
from tests.callcenter.carriers.asterisk.fake_ami import SECRET, FakeAmi, packet, saying, until

CALL = UUID("6f1d0f4e-1111-4222-8333-444455556666")
DIAL = Dial(
    CALL, "+525512345678", "+525512340000", 25,
    route=Route("+525512340000", True, "local", 3, number="5512345678", shows="5512340000"),
)  # fmt: skip
REF = f"local/{CALL}"


@pytest.fixture
def ami(session: Session) -> Iterator[FakeAmi]:
    sealed.configure("secret-of-the-tests")
    with fake_ami.running() as server:
        switches.register(
            session, "local", host="127.0.0.1", ami_port=server.port, ws_url="ws://x/ws",
            secrets=dict.fromkeys(switches.AMI_USERS, SECRET), folder="/spool",
        )  # fmt: skip
        session.commit()
        yield server


@pytest.fixture
def board(ami: FakeAmi) -> Iterator[AsteriskCarrier]:
    board = AsteriskCarrier()
    yield board
    board.close()


def asked(ami: FakeAmi) -> list[dict[str, str]]:
    """Every action but the log-in, the ids left out unless they are ours."""
    return [dict(headers) for connection in ami.connections for headers in connection.asked[1:]]


def gone(ami: FakeAmi, *actions: str) -> None:
    for action in actions:
        ami.answers[action] = saying(packet(Response="Error", ActionID="%ID%", Message="No such channel"))


def status_of(ami: FakeAmi, unique_id: str, state: str) -> None:
    ami.answers["Status"] = saying(
        packet(Response="Success", ActionID="%ID%", EventList="start"),
        packet(Event="Status", ActionID="%ID%", Uniqueid=unique_id, ChannelState=state),
        packet(Event="StatusComplete", ActionID="%ID%", EventList="Complete"),
    )


def test_a_call_goes_straight_to_its_trunk_under_its_own_id(ami: FakeAmi, board: AsteriskCarrier) -> None:
    assert board.place(DIAL) == REF
    (order,) = asked(ami)
    assert order == {
        "Action": "Originate", "ActionID": str(CALL), "ChannelId": str(CALL), "Channel": "PJSIP/5512345678@trunk-3",
        "Context": "citizen", "Exten": "wait", "Priority": "1", "Async": "true", "Timeout": "25000",
        "CallerID": "5512340000", "Variable": "CONVOCA_PATIENCE=2",
    }  # fmt: skip


@pytest.mark.parametrize(("by", "apology", "expected"), [
    ("operator", "", ["CONVOCA_PATIENCE=2"]),
    ("operator", apologies.name("Casa"), ["CONVOCA_PATIENCE=2", f"CONVOCA_APOLOGY={apologies.name('Casa')}"]),
    ("recording", "", []),
])  # fmt: skip
def test_the_dialplan_is_told_how_long_a_citizen_waits_for_an_operator_and_what_they_hear_then(
    ami: FakeAmi, board: AsteriskCarrier, by: str, apology: str, expected: list[str]
) -> None:
    board.place(replace(DIAL, answered_by=by, apology=apology))
    (headers,) = ami.now.asked[1:]
    assert [value for name, value in headers if name == "Variable"] == [f"CONVOCA_CALL={CALL}", *expected]


def test_no_other_file_than_an_apology_of_ours_is_ever_named(ami: FakeAmi, board: AsteriskCarrier) -> None:
    with pytest.raises(BadAction):
        board.place(replace(DIAL, apology="../voices/someone"))


@pytest.mark.parametrize(("detection", "exten"), [("off", "wait"), ("on", "amd"), ("shadow", "amd")])
def test_a_machine_is_listened_for_only_where_it_is_wanted(
    ami: FakeAmi, board: AsteriskCarrier, detection: str, exten: str
) -> None:
    board.place(Dial(CALL, DIAL.phone, DIAL.caller_id, 25, DIAL.route, "operator", detection))
    assert asked(ami)[0]["Exten"] == exten


def test_a_call_without_a_trunk_is_refused_before_any_switch_hears_of_it(ami: FakeAmi, board: AsteriskCarrier) -> None:
    with pytest.raises(ProviderError) as caught:
        board.place(Dial(CALL, DIAL.phone, DIAL.caller_id, 25))
    assert (caught.value.code, caught.value.permanent, ami.connections) == ("no_trunk", True, [])


def test_every_action_goes_over_one_kept_connection(ami: FakeAmi, board: AsteriskCarrier) -> None:
    for _ in range(3):
        board.hang_up(REF)
    assert len(ami.connections) == 1


def test_a_leg_that_has_ended_is_hung_up_without_harm_and_cannot_be_moved(ami: FakeAmi, board: AsteriskCarrier) -> None:
    gone(ami, "Hangup", "Setvar", "Redirect")
    board.hang_up(REF)
    board.close_room("local/op-7-00000001")
    with pytest.raises(ProviderError) as caught:
        board.move(REF, "op-7")
    assert caught.value.code == "gone"
    with pytest.raises(ProviderError) as foreign:
        board.move("CA123", "op-7")
    assert foreign.value.code == "gone"


@pytest.mark.parametrize(("state", "event"), [("6", "answered"), ("5", "ringing"), ("0", "placed")])
def test_a_call_is_found_by_its_reference_or_by_its_id(
    ami: FakeAmi, board: AsteriskCarrier, state: str, event: str
) -> None:
    status_of(ami, str(CALL), state)
    for ref in (REF, None):
        known = board.find(Trace(CALL, ref, DIAL.phone, DIAL.caller_id, real_now()))
        assert known == Known(REF, event, {"asked": True})


def test_a_call_that_is_not_there_never_was_unless_the_switch_has_been_started_anew(
    session: Session, ami: FakeAmi, board: AsteriskCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone(ami, "Status")
    trace = Trace(CALL, None, DIAL.phone, DIAL.caller_id, real_now() - timedelta(seconds=30))
    with pytest.raises(ProviderError) as too_soon:  # it may have been, and nobody has noted it yet
        board.find(trace)
    assert (too_soon.value.code, too_soon.value.permanent) == ("just_back", False)
    monkeypatch.setattr(switchboard, "SETTLED", 0.0)
    assert board.find(trace) is None
    switches.heard(session, "local", booted_at=real_now() - timedelta(seconds=5))
    session.commit()
    assert board.find(trace) == Known(REF, "lost", {"why": "switch_restarted"})


def test_a_room_is_the_browsers_leg_in_it(session: Session, ami: FakeAmi, board: AsteriskCarrier) -> None:
    operator = cast.operator(session, free=False)
    name = f"op-{operator.id}"
    with pytest.raises(NotFound):
        board.open_room(operator.id)
    softphones.log_in(session, name, operator.user_id)
    session.commit()
    ref = board.open_room(operator.id)
    order = asked(ami)[-1]
    assert ref == f"local/{order['ChannelId']}"
    assert order["ChannelId"].startswith(f"{name}-")
    assert (order["Channel"], order["Context"], order["Exten"]) == (f"PJSIP/{name}", "operator", "room")
    assert order["Variable"] == f"CONVOCA_ROOM={name}"
    status_of(ami, order["ChannelId"], "6")
    assert board.is_room_open(ref)
    gone(ami, "Status")
    assert not board.is_room_open(ref)


def test_a_supervisor_hears_the_operators_leg_and_changes_to_coaching_by_key(
    ami: FakeAmi, board: AsteriskCarrier
) -> None:
    ref = "local/sup-3-1a1b1c1d"
    ear = Ear(1, "sup-3", "local/op-7-0a0b0c0d", "op-7", "listen", ref)
    assert board.listen(ear) == ref
    board.set_listening(replace(ear, mode="coach"))
    board.set_listening(replace(ear, mode="join"))
    order, key, room, redirect = asked(ami)
    assert (order["Channel"], order["Context"], order["Exten"]) == ("PJSIP/sup-3", "supervisor", "listen")
    assert (key["Digit"], key["Receive"]) == ("5", "true")
    assert (room["Value"], redirect["Context"], redirect["Exten"]) == ("op-7", "supervisor", "room")


def test_a_recording_is_named_by_its_id_alone(ami: FakeAmi, board: AsteriskCarrier) -> None:
    name = "0d7c4a5e-0000-4000-8000-000000000001"
    for act in ("start", "pause", "resume", "stop"):
        board.record(REF, name, act)
    start, pause, resume, stop = asked(ami)
    assert (start["Action"], start["File"], start["Options"]) == ("MixMonitor", f"/spool/recordings/{name}.raw", "D")
    assert [(mute["Action"], mute["Direction"], mute["State"]) for mute in (pause, resume)] == [
        ("MixMonitorMute", "both", "1"), ("MixMonitorMute", "both", "0"),
    ]  # fmt: skip
    assert stop["Action"] == "StopMixMonitor"
    with pytest.raises(ValueError, match="UUID"):
        board.record(REF, "x;rm -rf /", "start")


def test_keys_are_played_one_after_the_other_and_nothing_else_is(ami: FakeAmi, board: AsteriskCarrier) -> None:
    board.send_keys(REF, "12#", "op-7")
    assert [key["Digit"] for key in asked(ami)] == ["1", "2", "#"]
    with pytest.raises(ProviderError):
        board.send_keys(REF, "1,2", "op-7")
    assert len(asked(ami)) == 3


def test_an_account_that_is_there_gets_the_new_secret_and_none_is_missed(ami: FakeAmi, board: AsteriskCarrier) -> None:
    refuse = saying(packet(Response="Error", ActionID="%ID%", Message="Delete category did not complete successfully"))
    board.open_account("local", "op-7", "uno")
    assert [step for step in asked(ami)[0].values() if step in ("DelCat", "NewCat", "Append")] == [
        "DelCat", "NewCat", "Append", "Append",
    ]  # fmt: skip
    ami.answers["UpdateConfig"] = refuse
    board.close_account("local", "op-7")
    with pytest.raises(ProviderError):
        board.open_account("local", "op-7", "dos")
    assert [step for step in asked(ami)[-1].values() if step in ("DelCat", "NewCat")] == ["NewCat"]


def test_an_outside_number_an_operators_line_and_a_trunks_test_are_calls_of_their_own_kind(
    ami: FakeAmi, board: AsteriskCarrier
) -> None:
    room = "meet-6f1d0f4e-1111-4222-8333-444455556666"
    assert board.invite(DIAL, room) == board.try_trunk(DIAL) == board.link("local", "op-7", "op-8", CALL) == REF
    invited, tried, linked = asked(ami)
    assert (invited["Context"], invited["Exten"]) == ("outside", "room")
    assert (tried["Context"], tried["Exten"]) == ("trunk-test", "s")
    assert (linked["Channel"], linked["OtherChannelId"]) == ("Local/link@outside/n", f"{CALL}-far")


def test_a_switch_that_moved_is_found_at_its_new_place(session: Session, ami: FakeAmi, board: AsteriskCarrier) -> None:
    board.hang_up(REF)
    with fake_ami.running() as other:
        switches.register(
            session, "local", host="127.0.0.1", ami_port=other.port, ws_url="ws://x/ws",
            secrets=dict.fromkeys(switches.AMI_USERS, SECRET), folder="/spool",
        )  # fmt: skip
        session.commit()
        ami.greeting = b"HTTP/1.1 400 Bad Request\r\n"  # somebody else listens at the old place now
        ami.now.cut()
        until(lambda: not board._client("local").is_connected)
        with pytest.raises(ProviderError) as stranger:
            board.hang_up(REF)
        assert stranger.value.code == "not_ami"
        board.hang_up(REF)
        assert other.now.actions()[-1] == "Hangup"


def test_a_switch_that_nobody_knows_or_whose_secret_cannot_be_read_says_so(
    session: Session, ami: FakeAmi, board: AsteriskCarrier
) -> None:
    with pytest.raises(ProviderError) as unknown:
        board.hang_up(f"north/{CALL}")
    assert (unknown.value.code, unknown.value.permanent) == ("no_switch", True)
    sealed.configure("another key")
    with pytest.raises(ProviderError) as unreadable:
        board.hang_up(REF)
    assert (unreadable.value.code, unreadable.value.permanent) == ("sealed", True)
