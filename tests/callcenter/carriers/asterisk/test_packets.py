import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.carriers.asterisk.packets import LONGEST, Packet, Parser, TooLong

names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True).filter(
    lambda name: name.lower() not in ("event", "response")
)
values = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).map(str.strip)
packets = st.tuples(st.sampled_from(["Event", "Response"]), values, st.lists(st.tuples(names, values), max_size=6)).map(
    lambda made: ((made[0], made[1]), *made[2])
)


def written(headers: tuple[tuple[str, str], ...]) -> bytes:
    return ("\r\n".join(f"{name}: {value}" for name, value in headers) + "\r\n\r\n").encode()


@given(st.lists(packets, max_size=5), st.lists(st.integers(1, 40), max_size=60))
def test_packets_are_read_the_same_however_the_network_cuts_them(
    sent: list[tuple[tuple[str, str], ...]], cuts: list[int]
) -> None:
    stream, parser, found = b"".join(map(written, sent)), Parser(), []
    for size in cuts:
        found += parser.feed(stream[:size])
        stream = stream[size:]
    found += parser.feed(stream)
    assert [packet.headers for packet in found] == sent


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fail_and_it_reads_on_after_them(noise: bytes) -> None:
    parser = Parser()
    parser.feed(noise + b"\r\n\r\n")
    assert parser.feed(b"Event: Hangup\r\nCause: 16\r\n\r\n")[-1].get("cause") == "16"


def test_a_packet_whose_end_was_written_wrongly_does_not_swallow_the_next_one() -> None:
    glued = (
        b"Event: CoreShowChannelMapComplete\r\nActionID: 1\r\nEvent: Hangup\r\nUniqueid: 2\r\nResponse: Success\r\n\r\n"
    )
    found = Parser().feed(glued)
    assert [(packet.event, packet.get("Response")) for packet in found] == [
        ("CoreShowChannelMapComplete", ""), ("Hangup", ""), ("", "Success"),
    ]  # fmt: skip


def test_the_response_in_an_originate_response_begins_no_packet() -> None:
    (packet,) = Parser().feed(b"Event: OriginateResponse\r\nResponse: Failure\r\nReason: 3\r\n\r\n")
    assert (packet.event, packet.get("Response"), packet.get("Reason")) == ("OriginateResponse", "Failure", "3")


def test_a_packet_shows_no_number_in_a_log() -> None:
    assert "5512345678" not in repr(Packet((("Event", "Newchannel"), ("CallerIDNum", "5512345678"))))


def test_bytes_without_an_end_are_given_up() -> None:
    with pytest.raises(TooLong):
        Parser().feed(b"x" * (LONGEST + 1))
