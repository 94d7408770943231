import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from callcenter.base import live, outbox
from callcenter.base.settings import Settings
from tests.base.conftest import MakePerson, SignIn
from wsgi import create_app


@pytest.fixture
def drawn() -> Iterator[list[int]]:
    """A topic kind `thing`, open to supervisors, whose snapshot counts how often it was drawn."""
    numbers: list[int] = []

    def draw(session: Session, user_id: int, number: int) -> dict[str, Any]:
        numbers.append(number)
        return {"number": number, "times": len(numbers)}

    live.register("thing", draw, roles=("supervisor",), owns=lambda session, user, number: number == user, pause=0.0)
    yield numbers
    del live._kinds["thing"]


@pytest.fixture
def supervisor(make_person: MakePerson, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_person("supervisor", username="sergio"))


class Reader:
    """Reads one stream message by message, in the thread of the test."""

    def __init__(self, client: FlaskClient, query: str) -> None:
        self.answer = client.get(f"/events?{query}", buffered=False)
        assert self.answer.status_code == 200
        self.parts = iter(self.answer.response)

    def next(self) -> tuple[str, dict[str, Any], int | None]:
        for part in self.parts:
            text = part.decode() if isinstance(part, bytes) else str(part)
            fields = dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))
            if "event" in fields:
                return fields["event"], json.loads(fields["data"]), int(fields["id"]) if "id" in fields else None
        raise AssertionError("the stream ended")


def test_a_stream_begins_with_a_full_snapshot_of_every_topic(supervisor: FlaskClient, drawn: list[int]) -> None:
    reader = Reader(supervisor, "topic=thing/3&topic=thing/4")
    assert reader.next() == ("snapshot", {"topic": "thing/3", "snapshot": {"number": 3, "times": 1}}, 1)
    assert reader.next() == ("snapshot", {"topic": "thing/4", "snapshot": {"number": 4, "times": 2}}, 2)
    assert reader.answer.headers["X-Accel-Buffering"] == "no"
    assert reader.answer.mimetype == "text/event-stream"


def test_a_quiet_stream_says_in_time_that_it_lives(
    supervisor: FlaskClient, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PING", 0.01)
    reader = Reader(supervisor, "topic=thing/3")
    assert reader.next()[0] == "snapshot"
    while (message := reader.next())[0] == "snapshot":
        pass
    assert message == ("ping", {}, None)
    script = (Path(live.__file__).parents[1] / "static" / "live.js").read_text()
    silence = re.search(r"SILENCE_MS = (\d+)", script)
    assert silence
    assert '"ping"' in script
    monkeypatch.undo()
    assert int(silence[1]) > 2 * live.PING * 1000


def test_news_bring_a_fresh_snapshot_of_their_topic_only(supervisor: FlaskClient, drawn: list[int]) -> None:
    reader = Reader(supervisor, "topic=thing/3&topic=thing/4")
    while not live.hub().hears or drawn[-2:] != [3, 4]:
        reader.next()
    outbox.redis().publish("thing/4", "{}")
    event, data, _ = reader.next()
    assert (event, data["topic"]) == ("snapshot", "thing/4")


def test_while_redis_is_away_the_snapshot_is_drawn_again_by_itself(
    supervisor: FlaskClient, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "POLL", 0.01)
    reader = Reader(supervisor, "topic=thing/3")
    reader.next()
    monkeypatch.setattr(live.hub(), "hears", False)
    assert reader.next()[0] == "snapshot"
    assert reader.next()[0] == "snapshot"


def test_a_database_that_is_away_is_told_and_the_stream_goes_on(
    supervisor: FlaskClient, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "POLL", 0.01)
    kind = live._kinds["thing"]
    faults = [OperationalError("SELECT", {}, Exception("away"))]

    def draw(session: Session, user_id: int, number: int) -> dict[str, Any]:
        if faults:
            raise faults.pop()
        return kind.draw(session, user_id, number)

    live.register("thing", draw, roles=("supervisor",), pause=0.0)
    reader = Reader(supervisor, "topic=thing/3")
    assert reader.next()[:2] == ("trouble", {"part": "database"})
    assert reader.next()[0] == "snapshot"


def test_numbers_go_on_where_the_browser_lost_the_stream(supervisor: FlaskClient, drawn: list[int]) -> None:
    answer = supervisor.get("/events?topic=thing/3", headers={"Last-Event-ID": "41"}, buffered=False)
    parts = iter(answer.response)
    next(parts)
    assert b"id: 42\n" in next(parts)


def test_a_stream_ends_when_its_reader_may_no_longer_see_it(
    supervisor: FlaskClient, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECHECK", 0.0)
    live.register("thing", live._kinds["thing"].draw, roles=("supervisor",), pause=0.0)
    reader = Reader(supervisor, "topic=thing/3")
    live.register("thing", live._kinds["thing"].draw, roles=("pollster",), pause=0.0)
    assert reader.next()[0] == "goodbye"


def test_a_topic_opens_to_its_roles_and_to_whom_it_belongs(
    make_person: MakePerson, sign_in: SignIn, drawn: list[int]
) -> None:
    olivia = make_person("operator", username="olivia")
    client = sign_in(olivia)
    assert client.get(f"/live/snapshot?topic=thing/{olivia.id}").json == {
        "topics": {f"thing/{olivia.id}": {"number": olivia.id, "times": 1}}
    }
    assert client.get(f"/live/snapshot?topic=thing/{olivia.id + 1}").status_code == 403
    assert client.get("/live/snapshot?topic=floor").status_code == 403


def test_one_person_does_not_take_all_the_threads(
    supervisor: FlaskClient, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_STREAMS", 2)
    first, _second = (Reader(supervisor, "topic=thing/1") for _ in range(2))
    assert supervisor.get("/events?topic=thing/1").status_code == 429
    first.answer.close()
    Reader(supervisor, "topic=thing/1")


def test_a_number_beyond_all_numbers_begins_the_stream_anew(supervisor: FlaskClient, drawn: list[int]) -> None:
    answer = supervisor.get("/events?topic=thing/1", headers={"Last-Event-ID": "9" * 5000}, buffered=False)
    assert answer.status_code == 200
    answer.close()


@pytest.mark.parametrize("query", ["", "topic=nothing/1", "topic=thing/x", "topic=thing/-1", "topic=thing/" + "9" * 30])
def test_a_topic_that_does_not_exist_is_refused(supervisor: FlaskClient, drawn: list[int], query: str) -> None:
    assert supervisor.get(f"/events?{query}").status_code in (400, 404)


def test_without_a_session_there_is_nothing_to_see(app: Flask, drawn: list[int]) -> None:
    answer = app.test_client().get("/events?topic=thing/1")
    assert answer.status_code == 302


def test_only_the_products_own_pages_may_read_across_ports(
    supervisor: FlaskClient, drawn: list[int], settings: Settings
) -> None:
    def allowed(origin: str) -> str | None:
        answer = supervisor.get("/live/snapshot?topic=thing/1", headers={"Origin": origin})
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed(settings.public_url) == settings.public_url
    assert allowed("http://localhost") == "http://localhost"  # the name under which the client asked
    assert allowed("http://evil.example") is None
    assert allowed("null") is None


def test_behind_a_proxy_the_stream_comes_from_the_pages_own_address(session: Session, settings: Settings) -> None:
    for proxies, origin in ((0, "http://convoca.test:8123"), (1, "")):
        app = create_app(replace(settings, live_port=8123, proxies=proxies))
        with app.test_request_context(base_url="http://convoca.test:8000"):
            assert live.live_origin() == origin
