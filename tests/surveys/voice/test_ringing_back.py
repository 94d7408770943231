"""A citizen rings back over Twilio's own protocol: the simulated carrier asks our pages, the real client asks it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callcenter import suppressions
from callcenter.base.db import Sessions
from callcenter.base.settings import Settings
from callcenter.ledger.call_ledger import Call
from callcenter.sound import recording_files, voice_messages
from tests.callcenter import cast
from tests.telephone.house import CALLER
from tests.telephone.sides import TwilioSide, twilio_side

Ring = Callable[..., str]


@pytest.fixture
def side(committed: Sessions, settings: Settings) -> Iterator[TwilioSide]:
    with twilio_side(committed, settings) as side:
        client = side.line.client
        (number,) = client.incoming_phone_numbers.list(phone_number=CALLER)
        hooks = side.carrier._hooks  # type: ignore[attr-defined]
        client.incoming_phone_numbers(number.sid).update(
            voice_url=f"{hooks}/inbound", status_callback=f"{hooks}/inbound-status"
        )
        yield side


@pytest.fixture
def phone(side: TwilioSide) -> str:
    """Somebody whom we called, and who was busy."""
    call_id = side.call("busy", on_behalf_of="Casa Encuestadora")
    assert side.outcome(call_id) == "busy"
    return side.ledger(call_id).attempt.phone


@pytest.fixture
def ring(side: TwilioSide) -> Ring:
    def ring(phone: str, *presses: str, **order: Any) -> str:
        wanted = {"from": phone, "to": CALLER, "presses": list(presses), "stay_seconds": 36_000} | order
        return str(side.line.post("/control/call-in", wanted)["sid"])

    return ring


def came_in(side: TwilioSide, sid: str) -> Call | None:
    with side.sessions() as session:
        call_id = session.scalar(select(Call.id).where(Call.carrier_ref == sid))
    return side.ledger(call_id) if call_id else None


def heard(side: TwilioSide, sid: str) -> str:
    return " ".join(each["text"] or "" for each in side.line.get(f"/control/calls/{sid}")["heard"])


def outcome(side: TwilioSide, sid: str) -> str | None:
    def ended() -> bool:
        call = came_in(side, sid)
        return call is not None and call.state == "ended"

    side.until(ended, "the call ends")
    call = came_in(side, sid)
    assert call is not None
    return call.attempt.outcome


def test_who_rings_back_talks_with_an_operator_and_both_are_free_again(
    side: TwilioSide, phone: str, ring: Ring
) -> None:
    olga = side.operator()
    sid = ring(phone, "1")
    side.until(lambda: (call := came_in(side, sid)) is not None and call.state == "connected", "they are put through")
    side.until(lambda: side.line.get(f"/control/calls/{sid}")["room"] == f"op-{olga}", "they meet in the room")
    assert "Le llamamos de parte de Casa Encuestadora para una encuesta de opinión." in heard(side, sid)
    assert side.seat(olga).state == "in_call"
    side.line.post("/control/hang-up", {"sid": sid})
    side.until(lambda: side.seat(olga).state == "wrap_up", "the operator writes it up")


def test_who_presses_two_is_never_called_again(side: TwilioSide, phone: str, ring: Ring) -> None:
    sid = ring(phone, "2")
    assert outcome(side, sid) == "inbound_opted_out"
    with side.sessions() as session:
        assert suppressions.find(session, phone) is not None
    side.until(lambda: side.line.status(sid) == "completed", "the line is down")
    assert "No volveremos a llamarle" in heard(side, sid)


def test_a_message_is_stored_here_and_deleted_there(
    side: TwilioSide, phone: str, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_messages, "AGAIN", timedelta())  # the clock's 30 seconds: Twilio works on it at first
    sid = ring(phone, "3", says=4)
    assert outcome(side, sid) == "inbound_message"

    def kept() -> bool:
        with side.sessions() as session:
            call = came_in(side, sid)
            voice_messages.sweep(session)
            session.commit()
            return call is not None and voice_messages.of_call(session, call.id).state == "kept"

    side.until(kept, "the message is ours")
    side.until(lambda: side.line.client.recordings.list() == [], "Twilio has it no more")
    with side.sessions() as session:
        call = came_in(side, sid)
        assert call is not None
        message = voice_messages.of_call(session, call.id)
        assert (message.duration_ms or 0) >= 2000
        sound = recording_files.storage(message.storage or "").read(message.id, 0, message.size or 0)
        assert b"".join(sound).startswith(b"fLaC")


def test_who_finds_nobody_is_promised_a_call_and_hangs_up(side: TwilioSide, phone: str, ring: Ring) -> None:
    sid = ring(phone, "1", "")
    assert outcome(side, sid) == "inbound_missed"
    call = came_in(side, sid)
    assert call is not None
    with side.sessions() as session:
        assert cast.entry(session, call.id).is_callback
    side.until(lambda: side.line.status(sid) == "completed", "the line is down")
    assert "Le llamaremos en unos minutos" in heard(side, sid)


def test_who_hides_their_number_hears_whose_it_is(side: TwilioSide, phone: str, ring: Ring) -> None:
    sid = ring("anonymous", "", "")
    assert outcome(side, sid) == "inbound_informed"
    assert "Llama usted a un número de Casa Encuestadora" in heard(side, sid)
