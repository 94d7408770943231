"""Our end of an AMI connection against a server that misbehaves in every way that was ever seen."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk.client import PACE, Client, Lost, Pace, Packet
from callcenter.ledger.call_placing import WIRE
from tests.callcenter.carriers.asterisk import fake_ami
from tests.callcenter.carriers.asterisk.fake_ami import FakeAmi, packet, saying, until

QUICK = Pace(connect=0.6, answer=5.0, ping=0.1, dead=10.0)
PING = {"Action": "Ping"}


@pytest.fixture
def ami() -> Iterator[FakeAmi]:
    with fake_ami.running() as server:
        yield server


@pytest.fixture
def client(ami: FakeAmi) -> Iterator[Client]:
    """A worker's."""
    client = Client(ami.door(), pace=QUICK)
    yield client
    client.close()


@pytest.fixture
def listener(ami: FakeAmi) -> Iterator[Client]:
    """A listener's, logged in."""
    client = Client(ami.door("switch"), listens=True, pace=QUICK)
    client.connect()
    yield client
    client.close()


def heard(client: Client, seconds: float = 5) -> Packet | Lost:
    return client.events.get(timeout=seconds)


def event_of(client: Client) -> Packet:
    found = heard(client)
    assert isinstance(found, Packet)
    return found


def failure(client: Client, action: dict[str, str] = PING, *, seconds: float | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        client.ask(action, seconds=seconds)
    return caught.value


def test_a_worker_logs_in_without_events_and_a_listener_with_them(
    ami: FakeAmi, client: Client, listener: Client
) -> None:
    client.connect()
    logins = [dict(connection.asked[0]) for connection in ami.connections]
    assert [(login["Username"], login["Events"]) for login in logins] == [("switch", "on"), ("worker", "off")]
    assert "s3cret" not in repr(client.door)


def test_an_order_ends_within_the_time_that_its_lease_keeps_for_it() -> None:
    assert 2 * PACE.connect + 2 * PACE.answer <= WIRE.total_seconds()


def test_silence_longer_than_the_connect_time_out_ends_nothing(ami: FakeAmi, listener: Client) -> None:
    assert PACE.dead > 10 > PACE.connect  # ten seconds of silence are borne; here the same in small
    ami.is_mute = True
    with pytest.raises(queue.Empty):
        heard(listener, 2 * QUICK.connect)
    ami.now.say(packet(Event="Hangup", Uniqueid="x"))
    assert event_of(listener).event == "Hangup"
    ami.is_mute = False
    assert listener.ask(PING).response.get("Response") == "Success"
    assert len(ami.connections) == 1


def test_a_connection_that_says_nothing_is_asked_for_a_sign_of_life_and_given_up_in_the_end(ami: FakeAmi) -> None:
    client = Client(ami.door("switch"), listens=True, pace=Pace(connect=0.3, answer=0.5, ping=0.05, dead=0.4))
    client.connect()
    ami.now.say(packet(Event="FullyBooted"))
    assert event_of(client).event == "FullyBooted"
    with pytest.raises(queue.Empty):
        heard(client, 0.8)  # the server answers its pings: all is well
    ami.is_mute = True
    assert isinstance(heard(client), Lost)
    assert not client.is_connected
    assert ami.now.actions().count("Ping") > 3


def test_a_connection_cut_in_mid_packet_is_told_and_the_half_packet_is_not(ami: FakeAmi, listener: Client) -> None:
    ami.now.say(packet(Event="Newstate", Uniqueid="1"))
    ami.now.say(b"Event: Hangup\r\nUniqueid: 1\r\nCau")
    ami.now.cut()
    assert event_of(listener).event == "Newstate"
    assert isinstance(heard(listener), Lost)
    assert listener.events.empty()


def test_the_next_question_after_a_cut_goes_over_a_new_connection(ami: FakeAmi, client: Client) -> None:
    client.connect()
    ami.now.cut()
    until(lambda: not client.is_connected)
    assert client.ask(PING).response.get("Message") == "Fine"
    assert [connection.actions()[0] for connection in ami.connections] == ["Login", "Login"]


def test_a_question_that_was_sent_and_not_answered_is_unknown(ami: FakeAmi, client: Client) -> None:
    ami.answers["Originate"] = lambda connection, headers: None
    silent = failure(client, {"Action": "Originate"}, seconds=0.3)
    assert (silent.code, silent.unknown, silent.permanent) == ("no_answer", True, False)
    ami.answers["Originate"] = lambda connection, headers: connection.cut()
    cut = failure(client, {"Action": "Originate"})
    assert (cut.code, cut.unknown) == ("cut_off", True)
    assert sum(connection.actions().count("Originate") for connection in ami.connections) == 2  # never asked again


def test_an_answer_that_comes_too_late_is_nobody_elses(ami: FakeAmi, client: Client) -> None:
    late = []
    ami.answers["Hangup"] = lambda connection, headers: late.append(dict(headers)["ActionID"])
    assert failure(client, {"Action": "Hangup"}, seconds=0.3).unknown
    ami.now.say(packet(Response="Success", ActionID=late[0], Message="Too late"))
    assert client.ask(PING).response.get("Message") == "Fine"


def test_an_unreachable_switch_a_stranger_and_a_silent_one_are_told_apart(ami: FakeAmi) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    ami.port, kept = port, ami.port
    nowhere = failure(Client(ami.door(), pace=QUICK))
    ami.port = kept
    ami.greeting = b""
    silent = failure(Client(ami.door(), pace=QUICK))
    ami.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
    stranger = failure(Client(ami.door(), pace=QUICK))
    told = [(error.code, error.permanent, error.unknown) for error in (nowhere, silent, stranger)]
    assert told == [("unreachable", False, False), ("silent", False, False), ("not_ami", True, False)]


def test_a_wrong_password_is_said_in_words_and_not_tried_for_ever(ami: FakeAmi) -> None:
    error = failure(Client(ami.door(secret="wrong"), pace=QUICK))
    assert (error.code, error.permanent) == ("wrong_password", True)
    assert "does not accept the secret of its user worker" in str(error)
    assert len(ami.connections) == 1


def test_what_asterisk_refuses_has_a_reason_and_no_telephone_number(ami: FakeAmi, client: Client) -> None:
    message = "Extension 5512345678 does not exist"
    ami.answers["Originate"] = saying(packet(Response="Error", ActionID="%ID%", Message=message))
    ami.answers["Hangup"] = saying(packet(Response="Error", ActionID="%ID%", Message="No such channel"))
    refused = failure(client, {"Action": "Originate"})
    assert (refused.code, refused.permanent, refused.unknown) == ("ami_refused", True, False)
    assert "5512345678" not in str(refused)
    assert failure(client, {"Action": "Hangup"}).code == "gone"
    ami.answers["PJSIPShowContacts"] = saying(packet(Response="Error", ActionID="%ID%", Message="No Contacts found"))
    assert failure(client, {"Action": "PJSIPShowContacts"}).code == "none"


def test_ten_thousand_events_in_a_burst_all_come_and_in_their_order(ami: FakeAmi, listener: Client) -> None:
    burst = b"".join(packet(Event="Newexten", Uniqueid=str(n), Filler="x" * 200) for n in range(10_000))
    threading.Thread(target=ami.now.say, args=[burst]).start()
    assert [event_of(listener).get("Uniqueid") for _ in range(10_000)] == [str(n) for n in range(10_000)]


def test_events_that_nobody_reads_keep_no_answer_back(ami: FakeAmi, listener: Client) -> None:
    ami.now.say(b"".join(packet(Event="Newexten", Uniqueid=str(n)) for n in range(5_000)))
    assert listener.ask(PING).response.get("Message") == "Fine"
    assert listener.events.qsize() == 5_000


def test_a_server_that_reads_no_more_is_given_up_and_nothing_was_asked_of_it(ami: FakeAmi, client: Client) -> None:
    client.connect()
    ami.reads = False

    def ask_until_it_fails() -> None:
        for _ in range(100_000):
            client.begin({"Action": "Setvar", "Value": "x" * 900})

    with pytest.raises(ProviderError) as caught:
        ask_until_it_fails()
    assert not caught.value.unknown


def test_events_twice_are_given_twice_and_sorted_out_by_the_ledger(ami: FakeAmi, listener: Client) -> None:
    ami.now.say(packet(Event="Hangup", Uniqueid="1") * 2)
    assert [event_of(listener).get("Uniqueid") for _ in range(2)] == ["1", "1"]


def test_names_that_are_not_utf_8_end_nothing(ami: FakeAmi, listener: Client) -> None:
    ami.now.say("Event: Newstate\r\nCallerIDName: José Peña\r\n\r\n".encode("latin-1"))
    assert event_of(listener).get("CallerIDName") == "Jos� Pe�a"
    ami.now.say("Event: Newstate\r\nCallerIDName: José Peña\r\n\r\n".encode())
    assert event_of(listener).get("CallerIDName") == "José Peña"


@pytest.mark.parametrize(
    "junk", [b"\r\n\r\n", b"no colon\r\n\r\n", b": nameless\r\n\r\n", b"\x00\xff\r\n\r\n", b"Event\r\n\r\n"]
)
def test_junk_between_packets_is_passed_over(ami: FakeAmi, listener: Client, junk: bytes) -> None:
    ami.now.say(junk + packet(Event="Hangup", Uniqueid="1"))
    assert event_of(listener).event == "Hangup"


def test_what_never_ends_is_no_packet_and_the_connection_is_given_up(ami: FakeAmi, listener: Client) -> None:
    ami.now.say(packet(Event="FullyBooted"))
    assert event_of(listener).event == "FullyBooted"
    threading.Thread(target=ami.now.say, args=[b"Event: Endless\r\n" + b"A: b\r\n" * 300_000]).start()
    assert isinstance(heard(listener), Lost)


def test_an_order_that_came_to_nothing_is_an_event_although_it_has_a_response(ami: FakeAmi, listener: Client) -> None:
    ami.now.say(packet(Event="OriginateResponse", ActionID="call-1", Response="Failure", Reason="3"))
    assert event_of(listener).get("Reason") == "3"


def test_a_list_is_answered_with_all_of_its_events(ami: FakeAmi, listener: Client) -> None:
    ami.answers["Status"] = saying(
        packet(Response="Success", ActionID="%ID%", EventList="start"),
        packet(Event="Status", ActionID="%ID%", Uniqueid="1"),
        packet(Event="Newstate", Uniqueid="9"),
        packet(Event="Status", ActionID="%ID%", Uniqueid="2"),
        packet(Event="StatusComplete", ActionID="%ID%", EventList="Complete"),
    )
    answer = listener.ask({"Action": "Status"})
    assert [told.get("Uniqueid") for told in answer.events] == ["1", "2"]
    assert event_of(listener).get("Uniqueid") == "9"


def test_headers_that_come_more_than_once_are_all_kept(ami: FakeAmi, client: Client) -> None:
    ami.answers["Getvar"] = saying(b"Response: Success\r\nActionID: %ID%\r\nLine: a\r\nLine: b\r\n\r\n")
    assert client.ask({"Action": "Getvar"}).response.all("line") == ["a", "b"]


def test_no_value_begins_a_header_of_its_own(ami: FakeAmi, client: Client) -> None:
    client.ask({"Action": "Setvar", "Value": "Ana\r\nAction: Originate\r\n\r\nAction: Hangup\nChannel: x\x00"})
    assert ami.now.actions() == ["Login", "Setvar"]
    assert dict(ami.now.asked[-1])["Value"] == "AnaAction: OriginateAction: HangupChannel: x"


def test_many_threads_share_a_connection_and_each_gets_its_own_answer(ami: FakeAmi, client: Client) -> None:
    def echo(connection: fake_ami.Connection, headers: fake_ami.Headers) -> None:
        said = dict(headers)
        connection.say(packet(Response="Success", ActionID=said["ActionID"], Value=said["Variable"]))

    ami.answers["Getvar"] = echo
    wrong: list[str] = []

    def ask(thread: int) -> None:
        for number in range(50):
            wanted = f"{thread}.{number}" + "x" * 500
            if client.ask({"Action": "Getvar", "Variable": wanted}, seconds=20).response.get("Value") != wanted:
                wrong.append(wanted)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(ami.connections)) == ([], 1)
    ids = [UUID(dict(headers)["ActionID"]) for headers in ami.now.asked if ("Action", "Ping") not in headers]
    assert len(set(ids)) == 401  # the log-in too: never 0, 1, 2… that another process uses as well


def test_closing_ends_the_readers_thread_and_the_next_use_begins_anew(ami: FakeAmi, client: Client) -> None:
    client.ask(PING)
    client.close()
    client.close()
    names = [thread.name for thread in threading.enumerate()]
    assert "ami 127.0.0.1" not in names
    assert client.ask(PING).response.get("Message") == "Fine"


def test_several_questions_may_be_on_their_way_at_once(client: Client) -> None:
    began = time.monotonic()
    questions = [client.begin(PING) for _ in range(200)]
    assert {question.wait().response.get("Message") for question in questions} == {"Fine"}
    assert time.monotonic() - began < 5
