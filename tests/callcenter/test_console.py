import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import calls, operators
from callcenter.base import clock
from callcenter.base.auth import User
from callcenter.calls import Event
from callcenter.operators import Operator
from callcenter.seats import console_acts, operator_rooms
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn, token
from tests.callcenter import cast

Post = Callable[..., Any]  # an answer whose .json is what the test expects of it
make_person, sign_in = base.make_person, base.sign_in


@pytest.fixture
def olivia(make_person: MakePerson) -> User:
    return make_person("operator", username="olivia", full_name="Olivia Ruiz Ejemplo")


@pytest.fixture
def client(olivia: User, sign_in: SignIn) -> FlaskClient:
    return sign_in(olivia)


@pytest.fixture
def post(client: FlaskClient) -> Post:
    """Post as the console's page does."""
    csrf = token(client, "/console/")

    def send(path: str, body: dict[str, Any] | None = None, *, key: UUID | None = None) -> Any:
        headers = {"X-CSRFToken": csrf, "Accept": "application/json", "Idempotency-Key": str(key or uuid4())}
        return client.post(f"/console/{path}", json=body or {}, headers=headers)

    return send


@pytest.fixture
def seat(session: Session, olivia: User) -> Operator:
    return operators.of_user(session, olivia.id)


@pytest.fixture
def call_id(session: Session, post: Post, seat: Operator) -> UUID:
    """Olivia talks with Ana."""
    post("available")
    operator_rooms.opened(session, seat.id, "CA-room")
    call_id = cast.connected(session, cast.queue(session, cast.person(session, "Ana Invento")))
    session.commit()
    return call_id


def told(answer: TestResponse) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json


def test_connecting_opens_the_room_and_starts_in_a_pause(post: Post) -> None:
    shown = post("connect").json
    assert (shown["operator"]["state"], shown["operator"]["pause_reason"]) == ("paused", "starting")


def test_an_operator_goes_available_pauses_with_a_reason_and_leaves(post: Post) -> None:
    assert post("available").json["operator"]["state"] == "available"
    assert post("pause", {"reason": "meal"}).json["operator"]["pause_reason"] == "meal"
    assert post("leave").json["operator"]["state"] == "offline"


@pytest.mark.parametrize("reason", [None, "", "because", 7, "supervisor"])
def test_a_pause_without_one_of_the_reasons_is_refused_in_words(post: Post, reason: object) -> None:
    answer = post("pause", {"reason": reason})
    assert answer.status_code == 422
    assert "reason" in answer.json["detail"]


def test_the_card_of_the_call_is_shown_with_its_script_and_outcomes(client: FlaskClient, call_id: UUID) -> None:
    shown = told(client.get("/console/state"))
    assert shown["call"]["id"] == str(call_id)
    assert shown["call"]["contact"]["given_names"] == "Ana"
    assert shown["call"]["queue"]["on_behalf_of"] == "Casa Encuestadora"
    assert [each["key"] for each in shown["dispositions"][:3]] == ["1", "2", "3"]


def test_an_outcome_frees_the_operator_and_can_be_taken_back(post: Post, call_id: UUID) -> None:
    shown = post(f"calls/{call_id}/dispose", {"code": "completed", "note": "amable"}).json
    assert shown["call"] is None
    assert shown["undo"]["call_id"] == str(call_id)
    back = post(f"calls/{call_id}/undo").json
    assert back["call"]["state"] == "wrap_up"
    assert back["call"]["note"] == "amable"


def test_the_time_to_write_up_is_the_queues_and_can_be_had_again(post: Post, call_id: UUID, session: Session) -> None:
    assert post(f"calls/{call_id}/more-time").status_code == 409  # still talking
    calls.record_event(session, call_id, Event("hung_up", "hung_up"))
    session.commit()
    first = told(post(f"calls/{call_id}/note", {"note": "amable"}))["call"]["wrap_up_until"]
    assert timedelta(seconds=50) < datetime.fromisoformat(first) - clock.real_now() <= timedelta(seconds=60)
    second = told(post(f"calls/{call_id}/more-time"))["call"]["wrap_up_until"]
    assert datetime.fromisoformat(second) - datetime.fromisoformat(first) == timedelta(seconds=60)


def test_a_wrap_up_past_its_time_stays_open(post: Post, call_id: UUID, session: Session) -> None:
    calls.record_event(session, call_id, Event("hung_up", "hung_up"))
    cast.call(session, call_id).wrap_up_until = clock.real_now() - timedelta(minutes=5)
    session.commit()
    assert told(post(f"calls/{call_id}/note", {"note": "amable"}))["call"]["state"] == "wrap_up"
    again = told(post(f"calls/{call_id}/more-time"))["call"]["wrap_up_until"]
    assert datetime.fromisoformat(again) > clock.real_now() + timedelta(seconds=50)


def test_the_same_act_twice_is_done_once(post: Post, call_id: UUID, session: Session, seat: Operator) -> None:
    key = uuid4()
    post(f"calls/{call_id}/dispose", {"code": "completed"}, key=key)
    post(f"calls/{call_id}/undo")
    late = post(f"calls/{call_id}/dispose", {"code": "completed"}, key=key)
    assert late.status_code == 200
    assert late.json["call"]["id"] == str(call_id)
    assert not console_acts.is_first(session, seat.id, key)


def test_an_act_that_was_refused_keeps_no_key(post: Post, call_id: UUID, session: Session, seat: Operator) -> None:
    key = uuid4()
    assert post(f"calls/{call_id}/undo", key=key).status_code == 409
    assert console_acts.is_first(session, seat.id, key)


def test_a_callback_in_plain_words_is_echoed_and_then_kept(client: FlaskClient, post: Post, call_id: UUID) -> None:
    understood = client.get(
        f"/console/calls/{call_id}/when?text=en 5 días a las 11", headers={"Accept": "application/json"}
    )
    assert understood.status_code == 422
    understood = told(client.get(f"/console/calls/{call_id}/when?text=pasado mañana 11 am"))
    assert understood["says"]
    body = {"code": "callback", "callback_at": understood["at"], "callback_mine": True}
    shown = post(f"calls/{call_id}/dispose", body).json
    assert shown["next_callback"]["name"] == "Ana Invento"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"callback_text": "cuando pueda"},
        {"callback_text": "mañana 3 am"},
        {"callback_at": "2020-01-01T10:00:00+00:00"},
        {"callback_at": "mañana"},
        {"callback_at": "2027-05-12T10:00:00"},
        {"callback_at": ["x"]},
    ],
)
def test_a_callback_without_a_time_that_can_be_kept_is_refused(
    post: Post, call_id: UUID, given: dict[str, Any]
) -> None:
    answer = post(f"calls/{call_id}/dispose", {"code": "callback", **given})
    assert answer.status_code == 422
    assert answer.json["error"]


def test_suggested_times_come_with_their_words(client: FlaskClient, call_id: UUID) -> None:
    times = told(client.get(f"/console/calls/{call_id}/times"))["times"]
    assert times
    assert all(each["at"] and each["says"] and each["label"] for each in times)


def test_a_note_is_kept_as_it_is_typed(client: FlaskClient, post: Post, call_id: UUID) -> None:
    post(f"calls/{call_id}/note", {"note": "Vuelve a las seis"})
    assert told(client.get("/console/state"))["call"]["note"] == "Vuelve a las seis"
    assert post(f"calls/{call_id}/note", {"note": "x" * 501}).status_code == 422
    assert post(f"calls/{call_id}/note", {"note": {"a": 1}}).status_code == 422


def test_a_difficult_call_is_followed_by_a_pause(post: Post, call_id: UUID) -> None:
    assert post(f"calls/{call_id}/difficult").json["call"]["difficult"] is True
    shown = post(f"calls/{call_id}/dispose", {"code": "refused"}).json
    assert (shown["operator"]["state"], shown["operator"]["pause_reason"]) == ("paused", "difficult_call")


@pytest.mark.parametrize("act", ["dispose", "undo", "difficult", "hang-up", "note"])
def test_the_call_of_somebody_else_cannot_be_touched(
    act: str, call_id: UUID, make_person: MakePerson, sign_in: SignIn
) -> None:
    other = sign_in(make_person("operator", username="oscar"))
    headers = {"X-CSRFToken": token(other, "/console/"), "Accept": "application/json"}
    answer = other.post(f"/console/calls/{call_id}/{act}", json={"code": "completed", "note": ""}, headers=headers)
    assert answer.status_code == 404


def test_the_heartbeat_tells_what_the_page_may_have_missed(post: Post, call_id: UUID) -> None:
    assert post("seen").json["call_id"] == str(call_id)


def test_an_act_without_the_pages_token_is_refused(client: FlaskClient) -> None:
    assert client.post("/console/available", json={}).status_code == 400


@pytest.mark.parametrize("key", ["x", "", "1234"])
def test_a_key_that_is_no_uuid_is_refused(client: FlaskClient, key: str) -> None:
    headers = {"X-CSRFToken": token(client, "/console/"), "Accept": "application/json", "Idempotency-Key": key}
    assert client.post("/console/available", json={}, headers=headers).status_code == 422


def test_the_page_carries_the_state_that_it_draws(client: FlaskClient, call_id: UUID) -> None:
    page = client.get("/console/").text
    island = page.split('id="console-state">')[1].split("</script>")[0]
    assert json.loads(island)["call"]["id"] == str(call_id)
    assert "<script>" not in page
    assert " style=" not in page


def test_the_training_records_nothing(client: FlaskClient, session: Session, seat: Operator) -> None:
    page = client.get("/console/training")
    assert page.status_code == 200
    assert "data-training" in page.text
    assert cast.seat(session, seat.id).state == "offline"


def test_the_console_is_for_operators_and_supervisors(make_person: MakePerson, sign_in: SignIn) -> None:
    assert sign_in(make_person("pollster", username="pola")).get("/console/").status_code == 403
    assert sign_in(make_person("supervisor", username="sergio")).get("/console/").status_code == 200


def test_an_operator_follows_their_own_topic_only(client: FlaskClient, seat: Operator, post: Post) -> None:
    own = client.get(f"/live/snapshot?topic=operator/{seat.id}")
    assert told(own)["topics"][f"operator/{seat.id}"]["operator"]["id"] == seat.id
    assert client.get(f"/live/snapshot?topic=operator/{seat.id + 1}").status_code == 403
