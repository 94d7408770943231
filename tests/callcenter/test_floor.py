from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import calls, operators, queues, switches
from callcenter.base import clock, flags
from callcenter.base.audit import AuditEntry
from callcenter.calls import Event
from callcenter.queues import QueueEntry
from callcenter.supervision import floor_figures, floor_rows
from callcenter.supervision.floor_rows import Filter
from callcenter.telephony import softphones
from callcenter.telephony.line_quality import Measured
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn, token
from tests.callcenter import cast

make_person, sign_in = base.make_person, base.sign_in


@pytest.fixture
def sergio(make_person: MakePerson, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_person("supervisor", username="sergio"))


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    headers = {"X-CSRFToken": token(client, "/floor/"), "HX-Request": "true"}
    return client.post(f"/floor/{path}", data=form, headers=headers)


def difficult_call(session: Session) -> UUID:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    calls.mark_difficult(session, call_id, olga.id)
    session.commit()
    return call_id


def test_the_wallboard_counts_states_and_the_calls_of_the_last_hour(session: Session) -> None:
    first, second = cast.person(session), cast.person(session)
    queue = cast.queue(session, first, second)
    cast.abandoned(session, queue)
    cast.operator(session)
    calls.record_event(session, cast.rung(session, queue), Event("busy", "busy"))
    session.flush()
    board = floor_figures.board(session)
    assert board.states["available"] == 1
    assert (board.dialled, board.answered, board.abandoned) == (2, 1, 1)
    assert board.answer_rate == 0.5


def test_without_calls_there_is_no_rate(session: Session) -> None:
    board = floor_figures.board(session)
    assert (board.answer_rate, board.abandoned_share) == (None, None)


def test_operators_in_trouble_come_first_and_the_board_says_why(session: Session) -> None:
    cast.operator(session, "tranquila")
    lenta = cast.operator(session, "lenta")
    lenta.state, lenta.state_since = "wrap_up", lenta.state_since - timedelta(minutes=5)
    cast.operator(session, "ausente", free=False)
    session.flush()
    rows = floor_rows.rows(session)
    assert [row.name for row in rows] == ["Lenta", "Tranquila"]
    assert (rows[0].level, rows[1].level) == (2, 0)
    assert rows[0].trouble


def test_a_wrap_up_past_its_time_is_amber_and_one_with_more_time_is_not(session: Session) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    calls.record_event(session, call_id, Event("hung_up", "hung_up"))
    cast.call(session, call_id).wrap_up_until = clock.real_now() - timedelta(seconds=5)
    session.flush()
    (late,) = floor_rows.rows(session)
    assert (late.level, bool(late.trouble)) == (1, True)
    calls.more_time(session, call_id, olga.id)
    session.flush()
    (in_time,) = floor_rows.rows(session)
    assert (in_time.level, in_time.trouble) == (0, "")


def test_a_pause_past_the_limit_of_its_reason_is_amber_then_red_and_one_within_it_is_not(session: Session) -> None:
    olga = cast.operator(session)
    levels = []
    for minutes in (14, 16, 21):
        operators.pause(session, olga.id, "break")
        cast.seat(session, olga.id).state_since = clock.real_now() - timedelta(minutes=minutes)
        session.flush()
        (row,) = floor_rows.rows(session)
        levels.append((row.level, bool(row.trouble)))
    assert levels == [(0, False), (1, True), (2, True)]


def test_the_list_is_filtered_by_state_campaign_name_and_trouble(session: Session) -> None:
    own, other = cast.queue(session), cast.queue(session)
    ana, berta = cast.operator(session, "ana"), cast.operator(session, "berta")
    session.execute(operators.operator_queues.insert().values(operator_id=ana.id, queue_id=own.id))
    operators.pause(session, berta.id, "difficult_call")
    session.flush()

    def names(**asked: str) -> list[str]:
        return [row.name for row in floor_rows.rows(session, Filter.read(asked))]

    assert names() == ["Berta", "Ana"]
    assert names(state="available") == ["Ana"]
    assert names(trouble="1") == ["Berta"]
    assert names(name="AN") == ["Ana"]
    assert names(queue=str(other.id)) == ["Berta"]  # who has no campaigns of their own serves every one
    assert sorted(names(queue=str(own.id))) == ["Ana", "Berta"]
    assert Filter.read({"state": "asleep", "queue": "all", "trouble": "yes"}) == Filter()


def test_the_filter_is_kept_for_the_next_visit_and_given_up_on_request(session: Session, sergio: FlaskClient) -> None:
    cast.operator(session, "ana")
    session.commit()
    assert "1" in sergio.get("/floor/?state=paused&name=").text
    assert sergio.get("/floor/").headers["Location"] == "/floor/?state=paused"
    assert "Ana" not in sergio.get("/floor/board?state=paused").text
    sergio.get("/floor/?state=")
    assert "Ana" in sergio.get("/floor/").text


def test_a_campaign_above_its_limit_is_named_with_its_figures_and_rings(session: Session, sergio: FlaskClient) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(2)], name="Sondeo del puerto")
    for _call in range(2):
        cast.abandoned(session, queue)
    session.commit()
    page = sergio.get("/floor/", headers={"Accept-Language": "en"}).text
    assert "Too many people pick up to silence in: Sondeo del puerto." in page
    assert f'data-alarm="queue-{queue.id}"' in page
    assert "Abandoned: 100.0% of 2 answered; limit 1.0%" in page
    (figures,) = floor_figures.open_queues(session)
    assert figures.abandons_too_many


def test_the_screen_on_the_wall_shows_the_figures_and_offers_no_act(session: Session, sergio: FlaskClient) -> None:
    cast.operator(session, "ana")
    cast.queue(session, cast.person(session, "Zoraida Luna"), name="Sondeo del puerto")
    session.commit()
    for address in ("/floor/tv", "/floor/board?tv=1"):
        page = sergio.get(address).text
        assert "Sondeo del puerto" in page
        assert "Ana" in page
        assert "data-post" not in page
        assert "Zoraida" not in page


def test_a_supervisors_log_out_is_kept_with_its_reason(session: Session, sergio: FlaskClient) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    session.commit()
    post(sergio, f"operators/{olga.id}/log-out")
    assert cast.seat(session, olga.id).state == "in_call"
    calls.dispose(session, call_id, olga.id, "completed")
    assert cast.last_change(session, olga.id) == ("offline", "supervisor")


def test_a_difficult_call_stands_on_the_board_until_somebody_takes_it(session: Session, sergio: FlaskClient) -> None:
    call_id = difficult_call(session)
    assert str(call_id) in sergio.get("/floor/").text
    answer = post(sergio, f"alerts/{call_id}/take")
    assert answer.status_code == 200
    assert str(call_id) not in answer.text
    assert floor_figures.alerts(session) == []


def test_an_alert_that_is_none_is_not_found(session: Session, sergio: FlaskClient) -> None:
    assert post(sergio, "alerts/00000000-0000-4000-8000-000000000000/take").status_code == 404


def test_a_supervisor_pauses_and_logs_out_an_operator_and_it_is_audited(session: Session, sergio: FlaskClient) -> None:
    olga = cast.operator(session)
    session.commit()
    post(sergio, f"operators/{olga.id}/pause")
    assert (cast.seat(session, olga.id).state, cast.seat(session, olga.id).pause_reason) == ("paused", "supervisor")
    post(sergio, f"operators/{olga.id}/log-out")
    assert cast.seat(session, olga.id).state == "offline"
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"operator/{olga.id}")).all()
    assert sorted(actions) == ["operators.log_out", "operators.pause"]


def test_a_queue_is_paused_with_a_reason_and_resumed(session: Session, sergio: FlaskClient) -> None:
    queue = cast.queue(session, cast.person(session))
    session.commit()
    assert post(sergio, f"queues/{queue.id}/pause").status_code == 422
    post(sergio, f"queues/{queue.id}/pause", reason="complaints")
    assert (queues.get(session, queue.id).state, queues.get(session, queue.id).state_reason) == ("paused", "complaints")
    post(sergio, f"queues/{queue.id}/resume")
    assert queues.get(session, queue.id).state == "running"


def test_simulated_operators_are_switched_in_the_drill(session: Session, sergio: FlaskClient) -> None:
    post(sergio, "simulated-operators", on="1")
    assert flags.is_on(session, "simulated_operators")
    post(sergio, "simulated-operators", on="0")
    assert not flags.is_on(session, "simulated_operators")


def test_a_real_carrier_has_no_simulated_operators(
    session: Session, sergio: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.base.settings.Settings.is_drill", False)
    assert post(sergio, "simulated-operators", on="1").status_code == 409
    assert not flags.is_on(session, "simulated_operators")


def test_the_floor_is_closed_to_operators(make_person: MakePerson, sign_in: SignIn) -> None:
    assert sign_in(make_person("operator", username="olivia")).get("/floor/").status_code == 403


def test_the_live_topic_says_when_it_is_of(session: Session, sergio: FlaskClient) -> None:
    clock.start_drill(session)
    session.commit()
    answer: Any = sergio.get("/live/snapshot?topic=floor").json
    shown = answer["topics"]["floor"]
    assert shown["as_of"].startswith("2027-05-10")  # the campaign's day, as the banner says
    assert shown["alerts"] == 0


def test_the_board_says_how_good_an_operators_line_is(session: Session, sergio: FlaskClient) -> None:
    olga = cast.operator(session)
    switches.register(session, "norte", host="127.0.0.1", ami_port=5038, ws_url="/ws", secrets={})
    softphones.log_in(session, f"op-{olga.id}", olga.user_id)
    assert [row.line for row in floor_rows.rows(session)] == [None]
    softphones.measured(session, f"op-{olga.id}", Measured(0.1, None, None))
    session.commit()
    assert [row.line for row in floor_rows.rows(session)] == ["poor"]
    assert "Poor line" in sergio.get("/floor/", headers={"Accept-Language": "en"}).text


def test_a_large_queue_is_not_counted_each_second_and_a_small_one_is(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = cast.queue(session, cast.person(session), cast.person(session))

    def total() -> int:
        (figures,) = floor_figures.open_queues(session)
        return figures.progress["total"]

    first = total()
    session.execute(delete(QueueEntry).where(QueueEntry.id == cast.entry(session, cast.rung(session, queue)).id))
    assert (first, total()) == (2, 1)
    monkeypatch.setattr(floor_figures, "LARGE", 1)
    session.execute(delete(QueueEntry).where(QueueEntry.queue_id == queue.id))
    assert total() == 1
    monkeypatch.setattr(floor_figures, "STALE", 0.0)
    assert total() == 0
