"""A full cell on every face: the same answers are the same interview, with the same end, wherever they are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.settings import Settings
from callcenter.operators import of_user
from callcenter.queues import CallQueue, QueueEntry
from campaigns import channels
from campaigns.correspondence import survey_chats
from campaigns.dispatch import message_claims
from surveys import interviews, questionnaire, quotas, views
from surveys.fieldwork import link_codes, quota_counts, quota_entries
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from surveys.interviews import Answer, Interview
from surveys.questionnaire import ReadForm, Survey
from surveys.sampling import outcomes
from surveys.sampling.outcomes import Scope
from surveys.voice import prompts
from tests.campaigns.cast import Campaign, Cast
from tests.campaigns.correspondence.interview_faces import FACES, FORM, Face, Setup, farewell, state_of_link
from tests.conftest import ClientAs
from tests.surveys.conftest import new_call, operator, rosa  # noqa: F401 - fixtures
from tests.surveys.link_cast import code_of

YOUNG_WOMEN, OLDER_WOMEN, YOUNG_MEN = ("M", "18-29"), ("M", "30+"), ("H", "18-29")
DIMENSIONS = (Dimension("sex", "sex", "code"), Dimension("age", "age", "number"))
REST = {"vote": "azul"}
ASKED = "Encuestas del Sur: ¿contesta tres preguntas? Responda SÍ. BAJA para no recibir"


def plan(young_women: int = 0, when_full: str = "screen") -> QuotaPlan:
    cells = (Cell(YOUNG_WOMEN, young_women), Cell(OLDER_WOMEN, 9), Cell(YOUNG_MEN, 9))
    return QuotaPlan(DIMENSIONS, cells, when_full)


@pytest.fixture
def survey(session: Session) -> Survey:
    return questionnaire.add_survey(session, "Cuotas", read())


@cache
def read() -> ReadForm:
    """Once: it takes as long as all the rest."""
    return questionnaire.read_form("cuotas.xlsx", FORM)


@pytest.fixture
def setup(
    app: Flask, session: Session, settings: Settings, survey: Survey, cast: Cast, campaign: Campaign,
    new_call: Callable[..., UUID], client_as: ClientAs, people: dict[str, User], monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> Setup:  # fmt: skip
    """Mario, of whom the record knows nothing, stands in the list of a campaign with quotas."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    channels.configure(settings)
    link_codes.configure(settings)
    views.compose()
    survey_chats.compose()
    queue = session.scalars(select(CallQueue).where(CallQueue.script == f"survey/{survey.id}")).one()
    session.add(QueueEntry(queue_id=queue.id, contact_id=cast.mario.id))
    sent = campaign(ASKED, survey_id=survey.id, on_behalf_of="Encuestas del Sur")
    message_claims.claim(session, sent.id, 10)
    quotas.set_plan(session, queue.id, plan(), None)
    seat = of_user(session, people["operator"].id)
    session.commit()
    return Setup(session, settings, app.test_client(), client_as("operator"), seat.id, survey.id, cast.mario, new_call)


def queue_id(setup: Setup) -> int:
    return setup.session.scalars(select(CallQueue.id).where(CallQueue.script == f"survey/{setup.survey_id}")).one()


def walk(face: Face, said: Mapping[str, str], *, until: str | None = None) -> list[str]:
    """Answer what is asked; returns what was asked."""
    way = []
    while face.asked is not None and face.asked != until:
        way.append(face.asked)
        assert len(way) < 20, way
        face.give(said.get(face.asked, ""))
    return [item for item in way if item not in ("intro", "bye")]


def kept(setup: Setup) -> dict[str, str]:
    """The answers that hold, notes left out."""
    rows = setup.session.execute(
        select(Answer.item, Answer.value)
        .where(Answer.interview_id == setup.interview().id, Answer.superseded_at.is_(None), Answer.counts)
        .order_by(Answer.id)
    )
    return {row.item: row.value for row in rows if row.item not in ("intro", "bye")}


def somebody(setup: Setup, sex: str, age: str) -> None:
    """Another person's complete interview of the campaign."""
    number = uuid4()
    like = questionnaire.current(setup.session, setup.survey_id)
    one = Interview(
        id=number, survey_id=setup.survey_id, questionnaire_id=like.id, queue_id=queue_id(setup), state="started",
        seed=1, hidden={}, at=real_now(), started_at=real_now() - timedelta(minutes=9),
    )  # fmt: skip
    setup.session.add(one)
    setup.session.flush()
    for item, value in {"consent": "yes", "age": age, "sex": sex, "vote": "rojo"}.items():
        interviews.record_answer(setup.session, number, item, value)
    interviews.close(setup.session, number)
    setup.session.commit()
    assert one.state == "complete"


@dataclass(frozen=True)
class Case:
    """What is said, and what comes of it on every face. `record`: what the list knew; `asked`: in their order; `over`:
    the group has enough."""

    said: Mapping[str, str]
    state: str
    aapor: str
    asked: str
    record: Mapping[str, object] = field(default_factory=dict)
    plan: QuotaPlan = field(default_factory=plan)
    over: bool = False


YOUNG: Mapping[str, object] = {"sex": "M", "age": 22}
AGREES = {"consent": "yes", "age": "22", "sex": "M", **REST}
CASES = {
    "who says to be of a full cell": Case(AGREES, "screened", "4.80", "consent age sex", over=True),
    "who says to be of an open cell": Case(AGREES | {"sex": "H"}, "complete", "1.1", "consent age sex vote"),
    "who is of no cell": Case(AGREES | {"sex": "H", "age": "70"}, "complete", "1.1", "consent age sex vote"),
    "of whom the record knew it": Case(AGREES, "screened", "4.80", "consent age sex", YOUNG, over=True),
    "of whom the record was wrong": Case(AGREES | {"age": "40"}, "complete", "1.1", "consent age sex vote", YOUNG),
    "who declines": Case({"consent": "no"}, "void", "2.11", "consent", YOUNG, over=True),
    "a plan that asks everybody everything": Case(
        AGREES, "complete", "1.1", "consent age sex vote", plan=plan(when_full="finish")
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("face", FACES)
def test_the_same_answers_are_the_same_interview_on_every_face(setup: Setup, face: str, name: str) -> None:
    case = CASES[name]
    quotas.set_plan(setup.session, queue_id(setup), case.plan, None)
    for what, value in case.record.items():
        setattr(setup.mario, what, value)
    setup.session.commit()
    asked = FACES[face](setup)
    asked.begin()
    assert walk(asked, case.said) == case.asked.split()
    one = setup.interview()
    assert (one.face, one.state, one.over_quota) == (face, case.state, case.over)
    assert kept(setup) == {item: value for item, value in case.said.items() if item in case.asked.split()}
    assert one.ended_at is not None
    assert (farewell(setup) in asked.words) is (case.state == "screened")
    assert ("Muchas gracias por todo." in asked.words) is (case.state == "complete" and face in ("web", "sms"))
    assert one.queue_id == queue_id(setup)
    assert aapor(setup, face) == ({case.aapor: 1} if case.state != "void" or face in CALLS else {"3.11": 1})


CALLS = ("screen", "agi", "twiml")


def aapor(setup: Setup, face: str) -> dict[str, int]:
    """The code of Mario's case."""
    setup.session.execute(update(Attempt).where(Attempt.channel == "call").values(closed_at=real_now()))
    found = outcomes.count(setup.session, Scope(setup.survey_id))
    assert sum(found.attempts.values()) == (face in CALLS)
    return found.cases


def begun(setup: Setup, face: str, said: Mapping[str, str] = AGREES, *, until: str | None = None) -> Face:
    """An interview on this face up to a question."""
    made = FACES[face](setup)
    made.begin()
    walk(made, said, until=until)
    return made


def wanted(setup: Setup, young_women: int) -> None:
    """Let the campaign want so many young women."""
    quotas.set_plan(setup.session, queue_id(setup), plan(young_women), None)
    setup.session.commit()


@pytest.mark.parametrize("face", FACES)
def test_a_cell_that_fills_up_after_the_strata_ends_nobodys_interview_and_it_is_marked(setup: Setup, face: str) -> None:
    wanted(setup, 1)
    slow = begun(setup, face, until="vote")
    somebody(setup, "M", "20")
    assert walk(slow, AGREES) == ["vote"]
    marks = quota_counts.marks(setup.session, queue_id(setup), plan(1))
    assert {mark.interview_id: mark.is_extra for mark in marks}[setup.interview().id] is True
    assert (setup.interview().state, setup.interview().over_quota) == ("complete", False)


@pytest.mark.parametrize("face", FACES)
def test_who_goes_back_to_another_stratum_is_asked_everything(setup: Setup, face: str) -> None:
    everybody_young = QuotaPlan(DIMENSIONS, (Cell(YOUNG_WOMEN, 0), Cell(YOUNG_MEN, 0), Cell(OLDER_WOMEN, 9)))
    quotas.set_plan(setup.session, queue_id(setup), everybody_young, None)
    one = begun(setup, face, until="sex")
    assert setup.interview().over_quota, "young people are enough, women and men"
    one.back()
    assert one.asked == "age"
    assert walk(one, AGREES | {"age": "40"}) == ["age", "sex", "vote"]
    assert (setup.interview().state, setup.interview().over_quota) == ("complete", False)


@pytest.mark.parametrize("face", FACES)
def test_who_broke_off_on_the_short_way_finds_the_cell_open_again(setup: Setup, face: str) -> None:
    for what, value in YOUNG.items():
        setattr(setup.mario, what, value)
    begun(setup, "web", until="age").leave()
    assert setup.interview().over_quota
    wanted(setup, 5)
    again = begun(setup, face, until="vote")
    assert again.asked == "vote"
    walk(again, AGREES)
    assert (setup.interview().state, setup.interview().face, setup.interview().over_quota) == ("complete", face, False)


WAYS = [("web", face) for face in FACES] + [(face, "web") for face in FACES if face != "web"]


@pytest.mark.parametrize(("first", "then"), WAYS)
def test_who_was_told_to_go_on_goes_on_elsewhere_though_the_cell_is_full_by_then(
    setup: Setup, first: str, then: str
) -> None:
    wanted(setup, 1)
    begun(setup, first, until="vote").leave()
    assert setup.interview().state == "partial"
    somebody(setup, "M", "20")
    again = begun(setup, then, until="vote")
    assert walk(again, AGREES) == ["vote"]
    found = setup.session.scalars(select(Interview).where(Interview.hidden != {})).all()
    assert [(one.state, one.over_quota) for one in found] == [("complete", False)]


@pytest.mark.parametrize(("first", "then"), WAYS)
def test_who_had_not_said_all_strata_is_judged_elsewhere_as_the_cell_stands_then(
    setup: Setup, first: str, then: str
) -> None:
    wanted(setup, 1)
    begun(setup, first, until="sex").leave()
    somebody(setup, "M", "20")
    again = begun(setup, then)
    assert farewell(setup) in again.words
    found = setup.session.scalars(select(Interview).where(Interview.hidden != {})).all()
    assert [(one.state, one.over_quota) for one in found] == [("screened", True)]


@pytest.mark.parametrize("face", ["web", "sms"])
def test_a_short_interview_is_over_for_good_and_nobody_calls_for_it(setup: Setup, face: str) -> None:
    begun(setup, face)
    entry = setup.session.scalars(select(QueueEntry).where(QueueEntry.contact_id == setup.mario.id)).one()
    assert (entry.state, entry.reason) == ("excluded", "over_quota")
    wanted(setup, 5)
    quota_entries.sort_all(setup.session, queue_id(setup))
    setup.session.refresh(entry)
    assert (entry.state, state_of_link(setup)) == ("excluded", "used")
    way = f"/e/{code_of(setup.session, setup.survey_id, setup.mario)}"
    for _ in range(2):  # the same link, and an answer that is sent again
        assert farewell(setup) in setup.client.get(way).text
        said = {"item": "sex", "value": "H", "key": uuid4().hex}
        assert farewell(setup) in setup.client.post(f"{way}/answers", data=said).text
    assert setup.client.post(f"{way}/begin").status_code == 200
    assert (setup.interview().state, kept(setup)["sex"]) == ("screened", "M")


def test_whom_the_quotas_had_left_out_is_not_taken_back_after_an_interview_by_link(setup: Setup) -> None:
    for what, value in YOUNG.items():
        setattr(setup.mario, what, value)
    setup.session.flush()
    quota_entries.sort_all(setup.session, queue_id(setup))
    entry = setup.session.scalars(select(QueueEntry).where(QueueEntry.contact_id == setup.mario.id)).one()
    assert entry.reason == "quota_full"
    begun(setup, "web", AGREES | {"age": "40"})
    wanted(setup, 5)
    quota_entries.sort_all(setup.session, queue_id(setup))
    setup.session.refresh(entry)
    assert (entry.state, entry.reason) == ("excluded", "answered_elsewhere")


def test_the_survey_words_the_farewell_itself_and_every_face_says_it_so(setup: Setup) -> None:
    items = questionnaire.current(setup.session, setup.survey_id).items
    prompts.reword(setup.session, (setup.survey_id, "es", "system/over_quota"), "Ya somos muchas.", items, None)
    setup.session.commit()
    assert "Ya somos muchas." in begun(setup, "web").words
    assert farewell(setup) == "Ya somos muchas."
