"""Listening, coaching and joining: who hears whom is the carrier's; who did what when is ours."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import carriers
from callcenter.base import flags
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.carriers import Ear
from callcenter.operators import Operator
from callcenter.supervision import supervision
from callcenter.supervision.supervision import Listening
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.switchboard_cast import FakeSwitchboard
from tests.queued import run_jobs


@pytest.fixture
def olga(session: Session, board: FakeSwitchboard) -> Operator:
    made = switchboard_cast.operator(session, "olga")
    session.commit()
    run_jobs()
    board.acts.clear()
    return made


@pytest.fixture
def boss(people: dict[str, User]) -> int:
    return people["supervisor"].id


def _begin(session: Session, boss: int, olga: Operator, mode: str) -> Listening:
    listening = supervision.start(session, boss, olga.id, mode)
    session.commit()
    run_jobs()
    session.refresh(listening)
    return listening


def test_a_supervisor_listens_coaches_and_joins_on_one_line(
    session: Session, board: FakeSwitchboard, olga: Operator, boss: int
) -> None:
    listening = _begin(session, boss, olga, "listen")
    assert listening.ref is not None
    assert listening.ref.startswith(f"local/sup-{boss}-")
    assert board.acts == [("listen", listening.ref, f"local/room-{olga.id}", "listen")]
    assert supervision.heard(session, listening.ref, "up")
    supervision.change(session, boss, "coach")
    session.commit()
    run_jobs()
    assert board.acts[-1] == ("set_listening", listening.ref, "coach")
    supervision.change(session, boss, "join")
    session.commit()
    run_jobs()
    assert board.acts[-1] == ("move", listening.ref, f"op-{olga.id}")
    again = supervision.change(session, boss, "listen")  # out of the room: a new leg
    session.commit()
    run_jobs()
    assert board.hung_up == [listening.ref]
    assert again.id != listening.id


def test_who_joins_at_once_is_moved_when_the_page_has_taken_the_line(
    session: Session, board: FakeSwitchboard, olga: Operator, boss: int
) -> None:
    listening = _begin(session, boss, olga, "join")
    assert board.acts[-1][0] == "listen"
    assert listening.ref is not None
    supervision.heard(session, listening.ref, "up")
    session.commit()
    run_jobs()
    assert board.acts[-1] == ("move", listening.ref, f"op-{olga.id}")


def test_every_act_is_kept_with_who_and_when(session: Session, olga: Operator, boss: int) -> None:
    listening = _begin(session, boss, olga, "listen")
    assert listening.ref is not None
    supervision.change(session, boss, "coach")
    supervision.heard(session, listening.ref, "ended")
    supervision.heard(session, listening.ref, "ended")
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"operator/{olga.id}").order_by("id"))
    assert list(acts) == ["floor.listen", "floor.coach", "floor.end"]


def test_the_operator_sees_who_speaks_and_a_mere_listener_only_by_policy(
    session: Session, olga: Operator, boss: int
) -> None:
    listening = _begin(session, boss, olga, "listen")
    assert listening.ref is not None
    assert supervision.at_line(session, olga.id) is None
    supervision.heard(session, listening.ref, "up")
    assert supervision.at_line(session, olga.id) is None
    flags.turn(session, supervision.OPERATOR_SEES, on=True)
    assert supervision.at_line(session, olga.id) == {"mode": "listen", "name": "Sofía Mena Prueba"}
    flags.turn(session, supervision.OPERATOR_SEES, on=False)
    supervision.change(session, boss, "coach")
    shown = supervision.at_line(session, olga.id)
    assert shown is not None
    assert shown["mode"] == "coach"


def test_a_second_line_ends_the_first(session: Session, board: FakeSwitchboard, olga: Operator, boss: int) -> None:
    first = _begin(session, boss, olga, "listen")
    omar = switchboard_cast.operator(session, "omar")
    _begin(session, boss, omar, "listen")
    session.refresh(first)
    assert first.ended_at is not None
    assert first.ref in board.hung_up


def test_what_cannot_be_listened_to_is_refused_in_words(
    session: Session, olga: Operator, boss: int, board: FakeSwitchboard
) -> None:
    with pytest.raises(InvalidInput, match="listen, coach or join"):
        supervision.start(session, boss, olga.id, "shout")
    with pytest.raises(Refused, match="your own line"):
        supervision.start(session, olga.user_id, olga.id, "listen")
    with pytest.raises(NotFound, match="listening to nobody"):
        supervision.change(session, boss, "coach")
    shut = cast.operator(session, "cerrada", free=False)
    with pytest.raises(Refused, match="no open line"):
        supervision.start(session, boss, shut.id, "listen")


def test_a_page_that_does_not_take_its_line_ends_it_with_the_reason(
    session: Session, board: FakeSwitchboard, olga: Operator, boss: int
) -> None:
    listening = _begin(session, boss, olga, "listen")
    listening.asked_at = real_now() - timedelta(minutes=1)
    session.flush()
    supervision.sweep(session)
    assert listening.fault == "not_taken"
    board.fails = None
    board.gone.add(f"local/room-{olga.id}")
    with_fault = supervision.start(session, boss, olga.id, "listen")
    session.commit()
    run_jobs()
    session.refresh(with_fault)
    assert with_fault.fault == "gone"


def test_news_of_a_line_that_is_none_of_ours_changes_nothing(session: Session) -> None:
    assert supervision.heard(session, "local/none", "up") is False


def test_who_was_disabled_listens_no_longer(
    session: Session, board: FakeSwitchboard, olga: Operator, boss: int
) -> None:
    listening = _begin(session, boss, olga, "listen")
    assert listening.ref is not None
    supervision.heard(session, listening.ref, "up")
    supervision.sweep(session)
    assert listening.ended_at is None
    session.get_one(User, boss).active = False
    session.flush()
    supervision.sweep(session)
    session.commit()
    run_jobs()
    assert board.hung_up == [listening.ref]
    assert listening.ended_at is not None


def test_the_leg_is_written_down_before_the_carrier_hears_of_it(
    session: Session, board: FakeSwitchboard, olga: Operator, boss: int
) -> None:
    """So that a page which takes its leg at once is on the line, whoever is faster."""
    listening = supervision.start(session, boss, olga.id, "coach")
    session.commit()
    wanted = supervision.claim(session, listening.id)
    assert wanted is not None
    assert wanted.ref is not None
    session.commit()
    assert supervision.claim(session, listening.id) is None, "a job that runs twice rings twice"
    assert supervision.heard(session, wanted.ref, "up")
    session.commit()
    assert listening.heard_at is not None


def test_a_leg_that_is_taken_after_the_listening_was_given_up_is_taken_down(
    session: Session, board: FakeSwitchboard, olga: Operator, boss: int
) -> None:
    listening = supervision.start(session, boss, olga.id, "listen")
    wanted = supervision.claim(session, listening.id)
    assert wanted is not None
    assert wanted.ref is not None
    supervision.stop(session, boss)
    session.commit()
    run_jobs()
    board.hung_up.clear()
    assert supervision.heard(session, wanted.ref, "up")
    session.commit()
    run_jobs()
    assert board.hung_up == [wanted.ref]
    assert supervision.at_line(session, olga.id) is None


class Twilio(FakeSwitchboard):
    """Names a supervisor's leg itself, and only when it has taken the order."""

    def listen(self, ear: Ear) -> str:
        super().listen(ear)
        return f"CA-sup-{ear.id}"


@pytest.fixture
def twilio(session: Session) -> Iterator[Twilio]:
    board = Twilio()
    carriers.use({"simulated": board})
    yield board
    carriers.use({})


def test_a_carrier_that_names_legs_itself_is_believed_whichever_word_comes_first(
    session: Session, twilio: Twilio, boss: int
) -> None:
    for is_news_first in (True, False):
        olga = cast.operator(session)
        listening = supervision.start(session, boss, olga.id, "listen")
        ear = supervision.claim(session, listening.id)
        assert ear is not None
        assert supervision.claim(session, listening.id) is None
        told = [
            lambda of=listening.id: supervision.heard_of(session, of, f"CA-sup-{of}", "up"),
            lambda of=listening.id: supervision.begun(session, of, f"CA-sup-{of}"),
        ]
        for tell in told if is_news_first else reversed(told):
            tell()
        assert (listening.ref, listening.heard_at is not None) == (f"CA-sup-{listening.id}", True)


def test_who_has_joined_goes_back_to_listening_on_the_same_leg(session: Session, twilio: Twilio, boss: int) -> None:
    olga = cast.operator(session)
    session.commit()
    run_jobs()
    listening = _begin(session, boss, olga, "join")
    ref = f"CA-sup-{listening.id}"
    assert supervision.heard_of(session, listening.id, ref, "up")
    assert supervision.change(session, boss, "coach").id == listening.id
    session.commit()
    run_jobs()
    assert twilio.acts[-1] == ("set_listening", ref, "coach")
    supervision.stop(session, boss)
    session.commit()
    run_jobs()
    assert twilio.hung_up == [ref]


def test_a_listening_given_up_before_its_leg_has_a_name_is_ended_when_it_has_one(
    session: Session, twilio: Twilio, boss: int
) -> None:
    olga = cast.operator(session)
    listening = supervision.start(session, boss, olga.id, "listen")
    assert supervision.claim(session, listening.id) is not None
    supervision.stop(session, boss)
    supervision.begun(session, listening.id, "CA-late")
    session.commit()
    run_jobs()
    assert twilio.hung_up == ["CA-late"]
