"""Rooms over Twilio's own protocol: the real client against the simulated carrier."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import Dial, Ear
from callcenter.carriers.twilio import rooms, tokens
from callcenter.carriers.twilio.carrier import TwilioCarrier
from callcenter.seats import operator_lines, operator_rooms
from scripts.simulated_carrier.options import Options
from tests.callcenter import cast
from tests.callcenter.carriers.twilio.documented import twiml_faults
from tests.scripts.simulated_carrier.line import ALICE, VOICE, Line, running

SUPERVISOR = "client:sup-3"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path / "journal.jsonl") as line:
        yield line


@pytest.fixture
def twilio(line: Line) -> TwilioCarrier:
    options = Options()
    account = Twilio(options.account_sid, options.auth_token, line.url, VOICE)
    return TwilioCarrier(account, public_url=line.product.url, simulated=True)


def in_room(line: Line, name: str) -> list[str]:
    found: list[str] = line.get("/control/state")["conferences"].get(name, [])
    return found


def joined(line: Line, to: str, room: str) -> str:
    """A leg in that room; its reference."""
    line.product.pages["/join"] = rooms.enter(room, "")
    if to != ALICE:
        line.product.pages["/join"] = line.product.pages["/join"].replace(
            'startConferenceOnEnter="false"', 'startConferenceOnEnter="true"'
        )
    leg = line.call(to, url=line.product.url + "/join")
    line.until(lambda: to in in_room(line, room), f"{to} in {room}")
    return str(leg.sid)


@pytest.fixture
def talk(line: Line) -> tuple[str, str]:
    """An operator and a citizen in the operator's room: their legs."""
    line.order(ALICE, does="answer", ring_seconds=0.1, silence_seconds=3600)
    return joined(line, "client:op-7", "op-7"), joined(line, ALICE, "op-7")


def test_hold_is_a_room_of_its_own_from_which_the_citizen_comes_back(
    line: Line, twilio: TwilioCarrier, talk: tuple[str, str]
) -> None:
    operator, citizen = talk
    twilio.move(citizen, "hold")
    line.until(lambda: in_room(line, f"hold-{citizen}") == [ALICE], "on hold")
    assert in_room(line, "op-7") == ["client:op-7"]
    twilio.move(citizen, "op-7")
    line.until(lambda: in_room(line, "op-7") == [ALICE, "client:op-7"], "back")
    assert line.status(operator) == "in-progress"


def test_keys_are_played_to_a_leg_that_comes_back_to_its_room(
    line: Line, twilio: TwilioCarrier, talk: tuple[str, str]
) -> None:
    twilio.send_keys(talk[1], "12", "op-7")
    line.until(lambda: in_room(line, "op-7") == ["client:op-7"], "away for the keys")
    line.until(lambda: in_room(line, "op-7") == [ALICE, "client:op-7"], "back")


def test_a_goodbye_is_said_and_ends_the_call(line: Line, twilio: TwilioCarrier, talk: tuple[str, str]) -> None:
    twilio.move(talk[1], "goodbye")
    line.until(lambda: line.status(talk[1]) == "completed", "the end")
    assert in_room(line, "op-7") == ["client:op-7"]


def test_a_supervisor_listens_coaches_joins_and_leaves(
    line: Line, twilio: TwilioCarrier, talk: tuple[str, str]
) -> None:
    operator, _citizen = talk
    ear = Ear(41, "sup-3", operator, "op-7", "listen")
    ref = twilio.listen(ear)
    line.until(lambda: SUPERVISOR in in_room(line, "op-7"), "the supervisor in the room")
    line.until(lambda: "in-progress" in line.product.of("/hooks/voice/listening/41"), "the news of it")

    def settings() -> tuple[bool, bool, str | None]:
        room = line.client.conferences.list(friendly_name="op-7", status="in-progress")[0]
        found = line.client.conferences(room.sid).participants(ref).fetch()
        return bool(found.muted), bool(found.coaching), found.call_sid_to_coach

    assert settings()[:2] == (True, False)
    twilio.set_listening(Ear(41, "sup-3", operator, "op-7", "coach", ref))
    assert settings() == (False, True, operator)
    twilio.set_listening(Ear(41, "sup-3", operator, "op-7", "join", ref))
    assert settings()[:2] == (False, False)
    twilio.hang_up(ref)
    line.until(lambda: SUPERVISOR not in in_room(line, "op-7"), "gone")
    assert len(in_room(line, "op-7")) == 2
    with pytest.raises(ProviderError) as caught:
        twilio.set_listening(Ear(41, "sup-3", operator, "op-7", "coach", ref))
    assert caught.value.code == "gone"


def test_an_outsider_is_called_into_the_room_that_the_house_says(
    line: Line, twilio: TwilioCarrier, talk: tuple[str, str]
) -> None:
    leg_id, outside = uuid4(), "+529220100077"
    line.order(outside, does="answer", ring_seconds=0.1)
    line.product.pages[f"/hooks/voice/leg/{leg_id}"] = rooms.enter("op-7", "")
    ref = twilio.invite(Dial(leg_id, outside, VOICE, 25), "op-7")
    line.until(lambda: len(in_room(line, "op-7")) == 3, "all three")
    told = line.product.of(f"/hooks/voice/leg-status/{leg_id}")
    line.until(lambda: len(line.product.of(f"/hooks/voice/leg-status/{leg_id}")) >= 3, f"its news, not only {told}")
    for each, room in ((ref, "meet-1"), (talk[1], "meet-1")):
        twilio.move(each, room)
    line.until(lambda: in_room(line, "meet-1") == sorted([ALICE, outside]), "without us")
    twilio.hang_up(ref)
    line.until(lambda: line.status(talk[1]) == "completed", "the citizen's end with it")


def test_a_leg_that_has_ended_is_gone_and_ending_it_again_does_no_harm(
    line: Line, twilio: TwilioCarrier, talk: tuple[str, str]
) -> None:
    twilio.hang_up(talk[1])
    line.until(lambda: line.status(talk[1]) == "completed", "the end")
    with pytest.raises(ProviderError) as caught:
        twilio.move(talk[1], "hold")
    assert caught.value.code == "gone"
    with pytest.raises(ProviderError) as caught:
        twilio.send_keys("CA" + "0" * 32, "1", "op-7")
    assert caught.value.code == "gone"
    twilio.close_room(talk[1])
    with pytest.raises(ProviderError) as caught:
        twilio.link("", "op-7", "op-8", uuid4())
    assert caught.value.permanent


def test_who_is_rung_is_the_page_or_the_confirmed_telephone(
    line: Line, twilio: TwilioCarrier, session: Session, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = cast.operator(session, free=False)
    olga.state = "available"
    assert operator_rooms.ask(session, olga.id)
    session.commit()
    twilio.open_room(olga.id)
    operator_lines.set_phone(session, olga.id, "922 010 0055", olga.user_id)
    operator_lines.check(session, olga.id, operator_lines.begin_check(session, olga.id))
    operator_lines.choose(session, olga.id, "ring", olga.user_id)
    session.commit()
    twilio.open_room(olga.id)
    phone, page = line.client.calls.list(limit=2)
    assert (page.to, phone.to, phone._from) == (f"client:op-{olga.id}", "+529220100055", VOICE)
    operator_lines.choose(session, olga.id, "dial_in", olga.user_id)
    session.commit()
    with pytest.raises(ProviderError) as caught:
        twilio.open_room(olga.id)
    assert caught.value.code == "not_rung"
    assert not caught.value.permanent


def test_a_token_lets_a_page_be_rung_under_one_name_and_call_nobody() -> None:
    account = Twilio("AC" + "5" * 32, "token", api_key="SK" + "7" * 32, api_secret="secret-of-the-key-0123456789abcdef")
    made = jwt.decode(tokens.mint(account, "op-7"), account.api_secret, algorithms=["HS256"])
    assert made["sub"] == account.account_sid
    assert made["grants"] == {"identity": "op-7", "voice": {"incoming": {"allow": True}}}
    assert made["exp"] - made["nbf"] == tokens.SECONDS
    with pytest.raises(ProviderError, match="API key"):
        tokens.mint(Twilio("AC" + "5" * 32, "token"), "op-7")


def test_a_page_reaches_the_edge_and_region_of_the_account() -> None:
    plain = Twilio("AC", "t")
    assert tokens.origins(plain) == ["https://eventgw.twilio.com", "wss://voice-js.roaming.twilio.com"]
    there = Twilio("AC", "t", region="au1", edge="sydney")
    assert tokens.origins(there) == ["https://eventgw.au1.twilio.com", "wss://voice-js.sydney.twilio.com"]


def test_every_document_of_a_room_is_twiml_as_documented() -> None:
    documents = [rooms.enter(room, "CA1") for room in ("hold", "goodbye", "op-7", "meet-1")]
    documents += [rooms.press("12*#", "op-7", "CA1"), rooms.ask_to_take("/x"), rooms.say_and_end(rooms.SHUT)]
    documents += [rooms.ask_for_code("/x", rooms.WRONG, rooms.CODE)]
    assert [twiml_faults(document) for document in documents] == [[]] * len(documents)
    with pytest.raises(ValueError, match="no room of Twilio's"):
        rooms.enter("kitchen", "CA1")
