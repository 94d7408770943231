"""A recorded survey from the dialled number to the kept voice, over Twilio's protocol and its real client."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.serving import BaseWSGIServer, make_server

from callcenter import carriers
from callcenter.base.settings import Settings
from callcenter.calls import Call
from callcenter.carriers import Dial
from callcenter.queues import CallQueue
from callcenter.sound import recording_files
from surveys import interviews, jobs, views
from surveys.faces.turns import Heard
from surveys.fieldwork import call_material
from surveys.forms.items import Items
from surveys.voice.voice_answers import VoiceAnswer
from tests.scripts.simulated_carrier.conftest import journal_path, line  # noqa: F401 - fixtures
from tests.scripts.simulated_carrier.line import Line
from tests.surveys.faces.people import Walk, setting

NUMBER = UUID("5d1f4a52-7c34-4a0b-9d8e-0c5f1c2b7a11")
SPOKEN = Heard("voice", value="x")


@pytest.fixture
def served(app: Flask, line: Line, settings: Settings) -> Iterator[BaseWSGIServer]:  # noqa: F811
    """The product on a port of its own; one request at a time, since a test has one connection."""
    server = make_server("127.0.0.1", 0, app)
    here = replace(settings, public_url=f"http://127.0.0.1:{server.server_port}",
                   twilio=replace(settings.twilio, base_url=line.url,
                                  auth_token=line.exchange.options.auth_token))  # fmt: skip
    app.config["SETTINGS"] = here
    carriers.configure(here)
    recording_files.configure(here)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    carriers.use({})
    recording_files.configure(settings)


@pytest.fixture
def walk(sample_items: Items) -> Walk:
    """What the citizen will hear and press: the order of the choices and the challenge hang on the interview's id."""
    walk = Walk(setting(sample_items, seed=interviews.seed_of(NUMBER)))
    walk.begin_questions().press("1", "34", "2", "1", "8").choose("rojo").choose("azul").press("12", "2").press("1")
    return walk.hear(Heard("silence"), SPOKEN, Heard("silence"))


def presses(walk: Walk) -> list[str]:
    """One item a menu, as the carrier's control wants it."""
    heard = [str(one["heard"]) for one in walk.trace[1:]]
    return [
        told.removeprefix("keys").strip() if told.startswith("keys") else "" for told in heard if "voice" not in told
    ]


@pytest.mark.usefixtures("served")
def test_a_citizen_is_asked_everything_and_their_voice_is_fetched_and_deleted_there(
    session: Session,
    line: Line,  # noqa: F811
    new_call: Callable[..., UUID],
    walk: Walk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views.compose()
    monkeypatch.setattr(call_material, "uuid4", lambda: NUMBER)
    call_id = new_call()
    session.execute(update(CallQueue).values(answered_by="recording"))
    call = session.get_one(Call, call_id, populate_existing=True)
    call.operator_id, call.state, phone = None, "placing", call.attempt.phone
    session.commit()
    line.order(phone, does="answer", presses=presses(walk), says=4)
    sid = carriers.the_carrier().place(Dial(call_id, phone, "+525512340000", 25, answered_by="recording"))
    line.until(lambda: line.get(f"/control/calls/{sid}")["status"] == "completed", "the end of the call", 30)
    line.until(lambda: line.exchange.webhooks.waiting == 0, "the last callback")
    heard = [one["text"] for one in line.get(f"/control/calls/{sid}")["heard"] if one["verb"] == "Say"]
    assert heard == [told for step in walk.trace for told in step["says"]]
    session.expire_all()
    assert (call.state, call.disposition) == ("ended", "completed")
    given = {one.item: one.value for one in interviews.trail(session, NUMBER) if one.superseded_at is None}
    voice = session.scalars(select(VoiceAnswer)).one()
    assert given == {**walk.answers(), "why_voice": str(voice.id)}
    kept(session, line, voice)


def kept(session: Session, line: Line, voice: VoiceAnswer) -> None:  # noqa: F811
    """The worker's part: fetched with the real client, and gone there."""
    assert voice.carrier_ref is not None
    until = time.monotonic() + 20
    while voice.state == "left":
        assert time.monotonic() < until
        jobs.keep_voice(str(voice.id))
        session.refresh(voice)
    assert [voice.state, voice.carrier_ref] == ["kept", None]
    assert (voice.duration_ms or 0) > 1000
    assert line.client.recordings.list() == []
