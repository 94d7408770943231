"""Fixtures of the survey tests: the sample's questionnaire, and calls of invented people that run it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.calls import Call
from callcenter.contacts import Contact
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from callcenter.territory import Section
from surveys import interviews, questionnaire
from surveys.forms import items, xlsform
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests.surveys.survey_forms import SAMPLE

NOW = datetime(2027, 5, 10, 16, 0, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="write the engine's golden traces anew")


@pytest.fixture(scope="session")
def sample_items() -> items.Items:
    """The items of the sample's questionnaire."""
    return items.read_items(xlsform.read_workbook(SAMPLE.read_bytes()))


@pytest.fixture
def survey(session: Session) -> Survey:
    return questionnaire.create_survey(session, "Ola 1", SAMPLE.name, SAMPLE.read_bytes())


@pytest.fixture
def rosa(session: Session) -> User:
    """An operator."""
    user = User(username="rosa.surveys", full_name="Rosa Lira", password="x", fs_uniquifier=uuid4().hex)
    session.add(user)
    session.flush()
    return user


@pytest.fixture
def operator(session: Session, rosa: User) -> Operator:
    place = Operator(user_id=rosa.id, state="in_call", state_since=real_now())
    session.add(place)
    session.flush()
    return place


@pytest.fixture
def new_call(session: Session, survey: Survey, operator: Operator) -> Callable[..., UUID]:
    """Make a call of an invented person that runs the survey; keywords change the person."""
    section = Section(state=30, number=9001, municipality_code=108, kind="R", nominal_list=10, men=5, women=5)
    queue = CallQueue(
        name="Ola 1",
        purpose="survey",
        script=f"survey/{survey.id}",
        carrier="simulated",
        caller_id="+525500000000",
        state="running",
        on_behalf_of="Instituto Inventado",
        privacy_notice_url="http://convoca.test/aviso",
    )
    session.add_all([section, queue])
    session.flush()

    def make(**person: Any) -> UUID:
        number = session.scalar(select(func.count()).select_from(Contact)) or 0
        phone = f"+5299{number:08}"
        fields = {
            "name": f"Persona {number}",
            "given_names": "Persona",
            "name_key": f"persona {number}",
            "sex": "M",
            "age": 40,
            "phone": phone,
            "source": "test",
            "section_id": section.id,
        } | person
        contact = Contact(**fields)
        session.add(contact)
        session.flush()
        call_id = uuid4()
        session.add(
            Attempt(
                id=call_id,
                channel="call",
                purpose="survey",
                contact_id=contact.id,
                phone=phone,
                at=NOW,
                deadline_at=real_now() + timedelta(hours=1),
            )
        )
        session.flush()
        session.add(
            Call(
                id=call_id,
                queue_id=queue.id,
                script=queue.script,
                carrier="simulated",
                caller_id="+525500000000",
                state="connected",
                operator_id=operator.id,
            )
        )
        session.flush()
        return call_id

    return make


@pytest.fixture
def interview(session: Session, new_call: Callable[..., UUID], rosa: User) -> Interview:
    return interviews.open_for_call(session, new_call(), rosa.id)
