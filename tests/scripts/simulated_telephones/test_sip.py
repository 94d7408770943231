"""SIP as the invented telephones read and write it."""

from hypothesis import given
from hypothesis import strategies as st

from scripts.simulated_telephones import sip
from scripts.simulated_telephones.behaviour import BEHAVIOURS, behaviour

INVITE = (
    b"INVITE sip:+525512340099@127.0.0.1:5090 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:12002;branch=z9hG4bK1\r\n"
    b"v: SIP/2.0/UDP 10.0.0.1\r\nf: <sip:5512340000@127.0.0.1>;tag=a\r\nTo: <sip:+525512340099@127.0.0.1>\r\n"
    b"Call-ID: 77\r\nCSeq: 9 INVITE\r\nContact: <sip:asterisk@127.0.0.1:12002>\r\n\r\n"
    b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 12100 RTP/AVP 0 101\r\n"
)


def test_an_invitation_is_read() -> None:
    message = sip.read(INVITE)
    assert message is not None
    assert (message.method, message.number, message.sequence) == ("INVITE", "+525512340099", (9, "INVITE"))
    assert len(message.all("via")) == 2
    assert sip.uri(message.get("contact")) == "sip:asterisk@127.0.0.1:12002"
    assert sip.media_address(message.body) == ("127.0.0.1", 12100)


def test_an_answer_repeats_whom_it_answers() -> None:
    message = sip.read(INVITE)
    assert message is not None
    answer = sip.read(sip.respond(message, 486, tag="b"))
    assert answer is not None
    assert (answer.method, answer.status, answer.sequence) == (None, 486, (9, "INVITE"))
    assert answer.all("via") == message.all("via")
    assert answer.get("to") == "<sip:+525512340099@127.0.0.1>;tag=b"


@given(st.binary(max_size=400))
def test_noise_is_no_message_or_a_harmless_one(packet: bytes) -> None:
    message = sip.read(packet)
    if message is not None:
        assert isinstance(message.number, str)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=40), st.booleans())
def test_a_proof_is_believed_with_its_own_password_only(password: str, has_quality: bool) -> None:
    challenge = 'Digest realm="invented", nonce="n1"' + (', qop="auth"' if has_quality else "")
    proof = sip.prove(challenge, "REGISTER", "sip:127.0.0.1", "us", password)
    assert sip.digest_matches(proof, "REGISTER", password)
    assert not sip.digest_matches(proof, "REGISTER", password + "x")
    assert not sip.digest_matches(proof, "INVITE", password)


def test_the_last_digits_say_what_a_telephone_does() -> None:
    assert behaviour("+525512340001") is BEHAVIOURS["01"]
    assert behaviour("+525512340055").status == 200
    assert [digits for digits, says in BEHAVIOURS.items() if says.status not in (None, *sip.REASONS)] == []
