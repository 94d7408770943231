"""Trying a trunk out, from the button to what the switch says of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import carriers, suppressions
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from callcenter.calls import Event
from callcenter.carriers import Dial
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.client import Answer
from callcenter.carriers.asterisk.packets import Packet
from callcenter.telephony import trunk_jobs, trunk_tests, trunk_words
from callcenter.telephony.trunk_tests import TrunkTest
from tests.callcenter import cast
from tests.callcenter.trunk_cast import fresh, trunk

MINE = "55 9876 0001"


@dataclass
class Switchboard(cast.FakeCarrier):
    """An Asterisk: keeps what it is asked, or fails."""

    tried: list[Dial] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    def try_trunk(self, dial: Dial) -> str:
        if self.fails:
            raise self.fails
        self.tried.append(dial)
        return f"local/{dial.call_id}"

    def ask(self, switch: str, action: Action) -> Answer:
        if self.fails:
            raise self.fails
        self.actions.append(action)
        return Answer(Packet((("Response", "Success"),)))


@pytest.fixture
def board(app: Flask) -> Iterator[Switchboard]:
    fake = Switchboard()
    carriers.use({"asterisk": fake})
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield fake
    carriers.use({})


def begun(session: Session, trunk_id: int, number: str = MINE) -> TrunkTest:
    test = trunk_tests.begin(session, trunk_id, number, None)
    session.commit()
    return test


def hear(session: Session, test: TrunkTest, kind: str, **payload: str) -> TrunkTest:
    assert trunk_tests.heard(session, test.call_id, Event(kind, kind, payload))
    session.flush()
    return trunk_tests.find(session, test.id)


def words(session: Session, test: TrunkTest) -> str:
    found = trunk_words.result(trunk_tests.find(session, test.id))
    return f"{found.words} {found.advice}"


def test_a_test_rings_the_number_as_the_trunk_wants_it_and_ends_with_the_sentence(
    session: Session, board: Switchboard
) -> None:
    line = trunk(session, number_format="national")
    test = begun(session, line.id)
    trunk_jobs.try_out(test.id)
    (dial,) = board.tried
    assert dial.route is not None
    assert (dial.call_id, dial.route.number, dial.route.shows) == (test.call_id, "5598760001", "5512340000")
    trunk_jobs.try_out(test.id)  # the job comes twice
    assert len(board.tried) == 1
    assert hear(session, test, "ringing").state == "ringing"
    assert "It rings" in words(session, test)
    assert hear(session, test, "answered").state == "answered"
    ended = hear(session, test, "hung_up", Cause="16")
    assert (ended.state, ended.result, ended.number) == ("ended", "played", None)
    assert "played" in words(session, test)
    assert "firewall" in words(session, test)


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("not_placed", {"Cause": "21", "TechCause": "SIP 403 Forbidden"}, ("did not take", "does not let us call")),
        ("not_placed", {"Cause": "21", "TechCause": "403"}, ("Check user and password", "address of this server")),
        ("not_placed", {"Cause": "21", "TechCause": "401"}, ("does not know our user", "Enter user")),
        ("invalid_number", {"Cause": "1", "TechCause": "404"}, ("no such number", "another format")),
        ("busy", {"Cause": "17", "TechCause": "486"}, ("busy", "The trunk works")),
        ("no_answer", {"Cause": "19"}, ("nobody answered", "The trunk works")),
        ("not_placed", {"Cause": "34"}, ("did not take", "no line free")),
        ("no_answer", {"Cause": "18", "TechCause": "408"}, ("Nobody answered us in time", "firewall")),
        ("failed", {}, ("did not get through",)),
    ],
)  # fmt: skip
def test_what_answered_is_said_in_words_with_what_to_do(
    session: Session, board: Switchboard, kind: str, payload: dict[str, str], says: tuple[str, ...]
) -> None:
    test = begun(session, trunk(session).id)
    hear(session, test, kind, **payload)
    assert [part for part in says if part not in words(session, test)] == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("wrong_password", "does not accept our AMI password"),
        ("unreachable", "cannot be reached at its address"),
        ("not_ami", "no Asterisk"),
        ("strange", "does not work with us (strange)"),
    ],
)
def test_a_switch_that_does_not_take_the_call_is_said_in_words(
    session: Session, board: Switchboard, code: str, says: str
) -> None:
    board.fails = ProviderError("no", code=code)
    test = begun(session, trunk(session).id)
    trunk_jobs.try_out(test.id)
    assert says in words(session, test)


def test_a_number_with_letters_is_refused_in_words(session: Session, board: Switchboard) -> None:
    for number in ("55 CALL ME", "", "55 9876 0001, 55 9876 0002", "123"):
        with pytest.raises(InvalidInput, match="ten digits"):
            trunk_tests.begin(session, trunk(session).id, number, None)


def test_a_suppressed_phone_is_not_called_for_a_test_either(session: Session, board: Switchboard) -> None:
    suppressions.add(session, "+525598760001", reason="call", source="operator", at=real_now())
    with pytest.raises(Refused, match="suppression list"):
        trunk_tests.begin(session, trunk(session, simulated=False).id, MINE, None)
    assert begun(session, trunk(session).id).state == "planned"  # nobody real is behind a simulated trunk


def test_one_test_at_a_time_and_ten_in_ten_minutes(session: Session, board: Switchboard) -> None:
    line = trunk(session)
    for _ in range(10):
        test = begun(session, line.id)
        with pytest.raises(Refused, match="under way"):
            trunk_tests.begin(session, line.id, MINE, None)
        hear(session, test, "busy")
    with pytest.raises(Refused, match="ten minutes"):
        trunk_tests.begin(session, line.id, MINE, None)


def test_a_good_test_ends_a_rest(session: Session, board: Switchboard) -> None:
    line = trunk(session, faults=3, rest_seconds=60, resting_until=real_now() + timedelta(minutes=1))
    test = begun(session, line.id)
    hear(session, test, "answered")
    hear(session, test, "hung_up")
    assert (fresh(session, line.id).faults, fresh(session, line.id).is_resting) == (0, False)


def test_a_test_of_which_nothing_is_heard_is_closed(session: Session, board: Switchboard) -> None:
    test = begun(session, trunk(session).id)
    trunk_jobs.try_out(test.id)
    test.deadline_at = real_now() - timedelta(seconds=1)
    session.flush()
    trunk_jobs.tend(session)
    assert "Nothing was heard" in words(session, test)
    assert hear(session, test, "answered").result == "unheard"  # late news change nothing
    assert not trunk_tests.heard(session, cast.planned(session, cast.queue(session, cast.person(session))),
                                 Event("ringing", "ringing"))  # fmt: skip


def test_a_trunk_is_told_to_its_switch_and_its_failure_is_kept(session: Session, board: Switchboard) -> None:
    line = trunk(session, written_at=None)
    session.commit()
    board.fails = ProviderError("no", code="wrong_password", permanent=True)
    trunk_jobs.write(line.id)
    assert "AMI password" in trunk_words.state(fresh(session, line.id)).advice
    board.fails = None
    trunk_jobs.write(line.id)
    assert fresh(session, line.id).is_written
    assert [action["Action"] for action in board.actions] == ["GetConfig", "UpdateConfig"]
    trunk_jobs.write(99_999)  # deleted meanwhile
    trunk_jobs.forget("local", 99_999)
    assert [action["Action"] for action in board.actions][2:] == ["GetConfig"]


@pytest.mark.parametrize("job", [lambda: trunk_jobs.look("local"), lambda: trunk_jobs.forget("local", 1)])
def test_without_asterisk_nothing_is_asked(session: Session, job: Callable[[], object]) -> None:
    carriers.use({"simulated": cast.FakeCarrier()})
    assert job() in ("no_switchboard", None)
    carriers.use({})
