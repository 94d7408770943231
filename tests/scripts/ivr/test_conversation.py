"""A conversation over a switch that misbehaves, a database that goes away, and a disk that is full."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.errors import ProviderError
from callcenter.calls import Call
from scripts.ivr import line as lines
from scripts.ivr.conversation import Conversation
from scripts.ivr.line import Line
from surveys import interviews, views
from surveys.faces import wire
from surveys.faces.spoken import challenge
from surveys.fieldwork import call_material as material
from surveys.fieldwork import recorded_calls
from surveys.fieldwork.recorded_calls import Keystrokes
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from surveys.voice import speech
from surveys.voice.spool import Spool
from tests.scripts.ivr.fake_switch import LOST, FakeSwitch
from tests.surveys.conftest import interview, new_call, operator, rosa, survey  # noqa: F401 - fixtures
from tests.surveys.recorded_cast import recorded_call

PLAYED = "200 result=0 endpos=9000"
SILENT = "200 result= (timeout)"


class Stage:
    """One call, its material, and the conversation that holds it over a fake switch."""

    def __init__(self, session: Session, call_id: UUID, folder: Path) -> None:
        self.session, self.call_id, self.folder = session, call_id, folder
        subject = recorded_calls.subject(session, "local", str(call_id))
        assert subject is not None
        made = material.of_call(session, subject)
        assert made is not None
        self.material = made
        recorded_calls.begin(session, call_id, "local")
        session.commit()
        self.key = f"200 result={challenge(made.setting, 0)}"

    def talk(self, *script: str | ProviderError) -> tuple[str | None, FakeSwitch]:
        switch = FakeSwitch(*script)
        line = Line(cast(Any, switch), str(self.call_id))
        switch.line = line
        spool = Spool(self.folder, str(self.folder), lambda _name: b"")
        talk = Conversation(line, spool, self.material, "local", str(self.folder))
        return talk.talk(), switch

    def answers(self) -> dict[str, str]:
        found = interviews.of_call(self.session, self.call_id)
        return {one.item: one.value for one in interviews.trail(self.session, found.id)} if found else {}

    @property
    def disposition(self) -> str | None:
        return self.session.get_one(Call, self.call_id, populate_existing=True).disposition


@pytest.fixture
def stage(session: Session, new_call: Callable[..., UUID], tmp_path: Path) -> Stage:  # noqa: F811
    speech.configure(tmp_path / "speech")
    suppressions.configure(b"suppression-of-the-tests")
    views.compose()
    (tmp_path / "prompts").mkdir()
    return Stage(session, recorded_call(session, new_call), tmp_path)


def test_keys_become_answers_and_a_hang_up_leaves_them(stage: Stage, session: Session) -> None:
    code, switch = stage.talk(PLAYED, stage.key, PLAYED, "200 result=1", "200 result=34")
    assert (code, stage.disposition) == ("partial", "partial")
    assert stage.answers() == {"intro": "", "consent": "yes", "age": "34"}
    strokes = session.scalars(select(Keystrokes).order_by(Keystrokes.id)).all()
    assert [(one.item, one.keys, one.is_answer) for one in strokes] == [("consent", "1", True), ("age", "34", True)]
    assert switch.commands[0].startswith("STREAM FILE")
    assert switch.commands[3].startswith("GET DATA")


def test_an_answer_that_got_lost_is_asked_for_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "longest", lambda _step, _seconds: 0.0)
    monkeypatch.setattr(lines, "ROOM", 0.1)
    code, switch = stage.talk(PLAYED, LOST, stage.key, PLAYED, "200 result=2")
    assert switch.commands[1] == switch.commands[2]
    assert code == "refused"


def test_a_silent_line_is_closed_without_an_interview(stage: Stage, session: Session) -> None:
    code, switch = stage.talk(PLAYED, SILENT, SILENT, PLAYED)
    assert (code, stage.disposition) == ("no_reply", "no_reply")
    assert session.scalars(select(Interview)).all() == []
    assert switch.commands[-1] == "HANGUP"


def test_never_again_is_written_before_the_goodbye_has_ended(stage: Stage, session: Session) -> None:
    code, _switch = stage.talk("200 result=57 endpos=100", LOST)
    phone = session.get_one(Call, stage.call_id).attempt.phone
    assert code == "do_not_call"
    assert suppressions.find(session, phone) is not None


def test_a_switch_that_goes_away_closes_the_call_with_what_there_is(stage: Stage) -> None:
    away = ProviderError("x", code="unreachable")
    code, _switch = stage.talk(PLAYED, stage.key, PLAYED, "200 result=1", "200 result=34", away)
    assert (code, stage.disposition) == ("partial", "partial")


def test_a_full_disk_ends_the_call_instead_of_holding_the_line(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(speech, "write_whole", full)
    code, switch = stage.talk()
    assert (code, stage.disposition) == ("no_reply", "no_reply")
    assert switch.commands == ["HANGUP"]


def test_answers_wait_for_a_database_that_went_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = interviews.record_answer, [0]

    def flaky(*args: Any, **kwargs: Any) -> Any:
        refused[0] += 1
        if refused[0] in (2, 3):
            raise OperationalError("x", {}, Exception("away"))
        return real(*args, **kwargs)

    monkeypatch.setattr(interviews, "record_answer", flaky)
    stage.talk(PLAYED, stage.key, PLAYED, "200 result=1", "200 result=34", "200 result=2")
    assert stage.answers() == {"intro": "", "consent": "yes", "age": "34", "sex": "M"}


def test_a_leg_that_is_elsewhere_is_neither_closed_nor_hung_up(stage: Stage) -> None:
    refused = ProviderError("x", code="ami_refused", permanent=True)
    code, switch = stage.talk(refused)
    assert (code, stage.disposition, len(switch.commands)) == (None, None, 1)


def test_a_survey_that_was_closed_meanwhile_says_nothing(stage: Stage, session: Session) -> None:
    subject = recorded_calls.subject(session, "local", str(stage.call_id))
    assert subject is not None
    session.get_one(Survey, subject.survey_id).state = "closed"
    session.flush()
    assert material.of_call(session, subject) is None
