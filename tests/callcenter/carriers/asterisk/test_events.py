from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.carriers.asterisk import events
from callcenter.carriers.asterisk.events import Leg
from callcenter.carriers.asterisk.packets import Packet

CALL = "6f1d0f4e-1111-4222-8333-444455556666"
CITIZEN = Leg(CALL, "ours", UUID(CALL))


def said(event: str, **headers: str) -> events.News | None:
    return events.read(Packet((("Event", event), *((k.replace("_", "-"), v) for k, v in headers.items()))))


@pytest.mark.parametrize(
    ("unique_id", "leg"),
    [
        (CALL, CITIZEN),
        ("op-7-0a0b0c0d", Leg("op-7-0a0b0c0d", "operator", number=7)),
        ("sup-3-0a0b0c0d", Leg("sup-3-0a0b0c0d", "supervisor", number=3)),
        ("asterisk-1700000000.12", Leg("asterisk-1700000000.12", "foreign")),
        (f"{CALL}-far", Leg(f"{CALL}-far", "foreign")),
        (CALL.upper(), Leg(CALL.upper(), "foreign")),
        ("op-x-1", Leg("op-x-1", "foreign")),
        ("", Leg("", "foreign")),
    ],
)
def test_whose_a_channel_is_stands_in_its_id(unique_id: str, leg: Leg) -> None:
    assert Leg.read(unique_id) == leg


def test_a_call_from_its_ringing_to_its_end() -> None:
    assert said("Newstate", Uniqueid=CALL, ChannelState="5") == events.Ringing(CITIZEN)
    assert said("Newstate", Uniqueid=CALL, ChannelState="6") == events.Up(CITIZEN)
    assert said("Newstate", Uniqueid=CALL, ChannelState="4") is None
    assert said("UserEvent", UserEvent="Convoca", What="answered", Uniqueid=CALL) == events.Answered(CITIZEN)
    assert said("UserEvent", UserEvent="Convoca", What="abandoned", Uniqueid=CALL) == events.Abandoned(CITIZEN)
    ended = said(
        "Hangup", Uniqueid=CALL, Channel="PJSIP/trunk-12-00000001", Cause="17", Cause_txt="User busy", TechCause="486"
    )
    assert ended == events.Ended(CITIZEN, 17, 486, 12, {"Cause": "17", "Cause-txt": "User busy", "TechCause": "486"})


def test_an_order_that_came_to_nothing_with_a_channel_and_without() -> None:
    failed = {"Response": "Failure", "ActionID": CALL}
    assert said("OriginateResponse", **failed, Reason="3", Uniqueid=CALL) == events.Refused(CITIZEN, 3, True)
    assert said("OriginateResponse", **failed, Reason="0", Uniqueid="<null>") == events.Refused(CITIZEN, 0, False)
    assert said("OriginateResponse", Response="Success", ActionID=CALL, Uniqueid=CALL) is None


def test_a_judgement_keeps_what_it_stands_on() -> None:
    amd = {"UserEvent": "Convoca", "What": "amd", "Uniqueid": CALL}
    assert said("UserEvent", **amd, Status="MACHINE", Cause="LONGGREETING-1500-1500", Ms="2020") == events.Judged(
        CITIZEN, "MACHINE", "LONGGREETING-1500-1500", 2020
    )


def test_browsers_trunks_and_registrations_are_told_apart() -> None:
    uri = "sip:op-7@127.0.0.1:5060;transport=ws"
    contact = {"URI": uri, "EndpointName": "op-7"}
    assert said("ContactStatus", AOR="op-7", ContactStatus="Created", **contact) == events.Browser("op-7", True, uri)
    assert said("ContactStatus", AOR="op-7", ContactStatus="Removed", **contact) == events.Browser("op-7", False, uri)
    gone = said("ContactStatus", AOR="trunk-3", ContactStatus="Unreachable")
    assert gone == events.TrunkContact(3, False, "Unreachable")
    assert said("ContactStatus", AOR="trunk-3", ContactStatus="Removed") is None
    assert said("ContactStatus", AOR="somebody", ContactStatus="Created") is None
    registry = {"Username": "sip:us@voz.example", "Domain": "sip:voz.example"}
    assert said("Registry", **registry, Status="Rejected", Cause="403") == events.Registration(
        "sip:us@voz.example", "sip:voz.example", False, "Rejected 403"
    )


def test_rooms_arrivals_and_the_boot() -> None:
    operator = Leg.read("op-7-0a0b0c0d")
    assert said("ConfbridgeJoin", Conference="op-7", Uniqueid=operator.id) == events.Entered(operator, "op-7")
    assert said("ConfbridgeLeave", Conference="op-7", Uniqueid=operator.id) == events.Left(operator, "op-7")
    inbound = {"UserEvent": "Convoca", "What": "inbound", "Uniqueid": "a-1.2"}
    assert said("UserEvent", **inbound, From="5512345678", To="5512340000") == events.Arrived(
        Leg("a-1.2", "foreign"), "5512345678", "5512340000"
    )
    assert said("FullyBooted", Uptime="77") == events.Booted(77)


@given(st.sampled_from(sorted(events._READERS)), st.dictionaries(
    st.sampled_from(["Uniqueid", "ChannelState", "Cause", "TechCause", "Reason", "UserEvent", "What", "AOR", "Uptime",
                     "ContactStatus", "Response", "ActionID", "Channel", "Ms"]),
    st.one_of(st.text(max_size=30), st.sampled_from(["Convoca", "answered", "amd", "5", "6", "trunk-1", "Removed"])),
))  # fmt: skip
def test_no_event_whatever_stands_in_it_makes_the_reader_fail(event: str, headers: dict[str, str]) -> None:
    events.read(Packet((("Event", event), *headers.items())))


@pytest.mark.parametrize(
    ("words", "code"), [("486", 486), ("SIP 486 Busy Here", 486), ("200", None), ("", None), ("SIP 180 Ringing", None)]
)
def test_the_sip_code_is_the_final_one(words: str, code: int | None) -> None:
    assert events.sip_code(words) == code
