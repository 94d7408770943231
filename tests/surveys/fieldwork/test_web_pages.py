"""The survey by a link, as a person with a telephone meets it: no log-in, one question a page, nothing lost."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.calls import Call
from callcenter.contacts import Contact
from surveys import interviews, questionnaire, quotas
from surveys.fieldwork import survey_links, web_pages
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Survey
from tests.surveys.fieldwork.test_survey_links import BY_LINK
from tests.surveys.link_cast import SPONSOR, code_of, person
from tests.surveys.survey_forms import workbook

HTMX = {"HX-Request": "true"}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(autouse=True)
def _without_tokens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)


@pytest.fixture
def lupita(session: Session) -> Contact:
    return person(session)


@pytest.fixture
def way(session: Session, survey: Survey, lupita: Contact) -> str:
    """The path of her link."""
    return f"/e/{code_of(session, survey.id, lupita)}"


def give(client: FlaskClient, way: str, item: str, value: str | list[str], **more: str) -> str:
    form = {"item": item, "value": value, "key": item, **more}
    return client.post(f"{way}/answers", data=form, headers=HTMX).get_data(as_text=True)


def asked(html: str) -> str | None:
    found = re.search(r'name="item" value="(\w+)"', html)
    return found[1] if found else None


def test_opening_a_link_says_who_asks_and_begins_nothing(session: Session, client: FlaskClient, way: str) -> None:
    for _ in range(3):
        answer = client.get(way, headers=ENGLISH)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert SPONSOR in page
    assert "voluntary" in page
    assert "/privacidad" in page or "/baja" in page
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert session.scalar(select(func.count()).select_from(Interview)) == 0


def test_an_answer_is_saved_by_few_statements(session: Session, client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin")
    page = give(client, way, asked(client.get(way).get_data(as_text=True)) or "", "yes")
    item, said = asked(page) or "", list[str]()
    connection = session.connection()

    def hear(*call: Any) -> None:
        said.append(call[2])

    event.listen(connection, "before_cursor_execute", hear)
    give(client, way, item, BY_LINK.get(item, ""))
    event.remove(connection, "before_cursor_execute", hear)
    work = [each for each in said if not each.startswith(("SAVEPOINT", "RELEASE"))]
    assert 1 < len(work) <= 5, work  # the link, the interview, its answers, the new one; what it changes


def test_quotas_cost_no_answer_a_statement(
    session: Session, client: FlaskClient, way: str, new_call: Callable[..., UUID]
) -> None:
    queue_id = session.get_one(Call, new_call()).queue_id
    assert queue_id is not None
    wanted = (Cell(("M",), 9), Cell(("H",), 0))
    quotas.set_plan(session, queue_id, QuotaPlan((Dimension("sex", "sex", "code"),), wanted), None)
    session.commit()
    client.post(f"{way}/begin")
    for item in ("consent", "age"):
        give(client, way, item, BY_LINK[item])
    said = list[str]()
    connection = session.connection()

    def hear(*call: Any) -> None:
        said.append(call[2])

    event.listen(connection, "before_cursor_execute", hear)
    assert asked(give(client, way, "sex", "M")) == "registered"
    event.remove(connection, "before_cursor_execute", hear)
    work = [each for each in said if not each.startswith(("SAVEPOINT", "RELEASE"))]
    assert len(work) == 4, work  # the link, the interview, its answers, the new one
    assert session.scalars(select(Interview.queue_id)).one() == queue_id


def test_a_person_answers_the_whole_questionnaire_and_the_page_thanks_them(
    session: Session, client: FlaskClient, way: str
) -> None:
    assert client.post(f"{way}/begin").status_code == 302
    page = client.get(way).get_data(as_text=True)
    answers = dict(BY_LINK)
    while (item := asked(page)) is not None:
        page = give(client, way, item, answers.pop(item, ""))
    assert "Muchas gracias por su tiempo." in page
    assert answers == {}
    interview = session.scalars(select(Interview)).one()
    assert (interview.state, interview.face) == ("complete", "web")
    assert interview.ended_at is not None
    later = client.get(way, headers=ENGLISH)
    assert later.status_code == 200
    assert '<section class="interview" lang="es"' in later.get_data(as_text=True)  # as the interview, not the browser
    assert "sus respuestas están guardadas" in later.get_data(as_text=True)


def test_nobodys_name_or_phone_stands_on_the_pages(client: FlaskClient, way: str, lupita: Contact) -> None:
    pages = client.get(way).get_data(as_text=True)
    client.post(f"{way}/begin")
    pages += client.get(way).get_data(as_text=True) + give(client, way, "consent", "yes")
    assert lupita.phone not in pages
    assert lupita.phone[-10:] not in pages
    assert "Lupita" not in pages


def test_it_works_without_scripts_by_plain_forms(client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin")
    answer = client.post(f"{way}/answers", data={"item": "consent", "value": "yes"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == way
    assert asked(client.get(way).get_data(as_text=True)) == "age"


def test_an_answer_outside_of_what_is_allowed_says_so_beside_its_question(
    session: Session, client: FlaskClient, way: str
) -> None:
    client.post(f"{way}/begin")
    give(client, way, "consent", "yes")
    page = give(client, way, "age", "7")
    assert asked(page) == "age"
    assert 'id="fault"' in page
    assert session.scalar(select(func.count()).select_from(Answer).where(Answer.item == "age")) == 0


def test_the_same_answer_sent_twice_is_one(session: Session, client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin")
    assert [asked(give(client, way, "consent", "yes")) for _ in range(2)] == ["age", "age"]
    assert session.scalar(select(func.count()).select_from(Answer)) == 1


def test_one_may_go_back_and_change_ones_mind(session: Session, client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin")
    give(client, way, "consent", "yes")
    give(client, way, "age", "34")
    page = client.get(f"{way}?item=age").get_data(as_text=True)
    assert asked(page) == "age"
    assert 'value="34"' in page
    give(client, way, "age", "35", key="again")
    said = session.execute(select(Answer.value, Answer.superseded_at.is_(None)).where(Answer.item == "age"))
    assert {(value, holds) for value, holds in said} == {("34", False), ("35", True)}


def test_the_same_link_goes_on_where_it_was(client: FlaskClient, app: Flask, way: str) -> None:
    client.post(f"{way}/begin")
    give(client, way, "consent", "yes")
    other_phone = app.test_client()
    assert asked(other_phone.get(way).get_data(as_text=True)) == "age"


def test_whoever_comes_back_after_a_long_time_goes_on_too(session: Session, client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin")
    give(client, way, "consent", "yes")
    give(client, way, "age", "34")
    interview = session.scalars(select(Interview)).one()
    interviews.close(session, interview.id)
    session.commit()
    assert interview.state == "partial"
    assert "begin" in client.get(way).get_data(as_text=True)
    assert asked(give(client, way, "sex", "M")) == "registered"
    session.refresh(interview)
    assert (interview.state, interview.ended_at) == ("started", None)


def test_refusing_is_no_dont_know(session: Session, client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin")
    for item in ("consent", "age", "sex", "registered", "likely"):
        give(client, way, item, BY_LINK[item])
    give(client, way, "vote", "refused")
    give(client, way, "vote", "dk", key="second thought")
    said = session.execute(select(Answer.value).where(Answer.item == "vote").order_by(Answer.id)).scalars().all()
    assert said == ["refused", "dk"]


def test_who_declines_ends_there(session: Session, client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin")
    give(client, way, "consent", "no")
    assert session.scalars(select(Interview.state)).one() == "void"
    assert "Usted decidió no participar" in client.get(way).get_data(as_text=True)


@pytest.mark.parametrize("code", ["2" * 16, "short", "x" * 300, "%00", "..", "ñ" * 16])
def test_a_code_that_we_did_not_make_opens_nothing(client: FlaskClient, code: str) -> None:
    assert client.get(f"/e/{code}").status_code in (404, 308)
    assert client.post(f"/e/{code}/begin").status_code in (404, 405)


def test_a_closed_survey_and_a_link_that_is_too_old_say_so_and_keep_nothing_open(
    session: Session, survey: Survey, client: FlaskClient, way: str
) -> None:
    client.post(f"{way}/begin")
    questionnaire.set_state(session, survey.id, "closed")
    session.commit()
    assert "Esta encuesta ya terminó" in client.get(way).get_data(as_text=True)
    assert asked(give(client, way, "consent", "yes")) is None
    assert session.scalar(select(func.count()).select_from(Answer)) == 0
    questionnaire.set_state(session, survey.id, "open")
    link = session.scalars(select(SurveyLink)).one()
    link.expires_at = link.created_at
    session.commit()
    late = client.get(way)
    assert late.status_code == 410
    assert "Esta liga ya no sirve" in late.get_data(as_text=True)


def test_an_answer_before_the_beginning_is_not_taken(session: Session, client: FlaskClient, way: str) -> None:
    assert asked(give(client, way, "consent", "yes")) is None
    assert session.scalar(select(func.count()).select_from(Interview)) == 0


def test_one_press_ends_all_calls_and_messages_and_looking_at_the_page_does_not(
    session: Session, client: FlaskClient, way: str, lupita: Contact
) -> None:
    client.get(f"{way}/stop")
    assert suppressions.find(session, lupita.phone) is None
    done = client.post(f"{way}/stop", headers=ENGLISH).get_data(as_text=True)
    assert suppressions.find(session, lupita.phone) is not None
    assert "Done." in done
    assert "is not open for you" in client.get(way, headers=ENGLISH).get_data(as_text=True)


def test_the_house_speaks_the_interviews_language(client: FlaskClient, way: str) -> None:
    client.post(f"{way}/begin", data={"language": "en"})
    assert "Survey on behalf of" in client.get(way, headers={"Accept-Language": "es"}).get_data(as_text=True)


@pytest.mark.parametrize("wanted", ["es", "en"])
def test_the_readers_language_is_chosen_beforehand_where_the_survey_has_it(
    client: FlaskClient, way: str, wanted: str
) -> None:
    page = client.get(way, headers={"Accept-Language": wanted}).get_data(as_text=True)
    assert re.findall(r'name="language"[^>]*value="(\w+)" checked', page) == [wanted]


def test_a_link_that_is_asked_too_often_has_to_wait(
    client: FlaskClient, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_pages, "LIMIT", "3 per hour")
    assert [client.get(way).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_who_guesses_has_to_wait_and_who_has_a_link_does_not(
    client: FlaskClient, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_pages, "GUESSES", "2 per hour")
    assert [client.get("/e/22222222222222bb").status_code for _ in range(4)] == [404, 404, 429, 429]
    assert client.get(way).status_code == 200


def test_while_an_operator_asks_the_link_waits(
    session: Session, client: FlaskClient, way: str, interview: Interview, survey: Survey, lupita: Contact
) -> None:
    link = session.scalars(select(SurveyLink)).one()
    link.interview_id = interview.id  # the interview of a call that is going on
    session.commit()
    refused = client.post(f"{way}/begin", headers=ENGLISH)
    assert refused.status_code == 409
    assert "by telephone just now" in refused.get_data(as_text=True)
    assert survey_links.door(session, way.rpartition("/")[2]).state == "new"


def test_whoever_began_before_a_correction_ends_with_the_questions_they_began_with(
    session: Session, survey: Survey, client: FlaskClient, way: str
) -> None:
    client.post(f"{way}/begin")
    give(client, way, "consent", "yes")
    short = workbook([["type", "name", "label"], ["integer", "years", "¿Edad?"]])
    changed = questionnaire.replace_form(session, survey.id, questionnaire.read_form("corta.xlsx", short))
    session.commit()
    assert changed.version == 2
    page = give(client, way, "years", "34")  # a question of the new version
    assert asked(page) == "age"
    assert 'id="fault"' in page
    assert asked(give(client, way, "age", "34")) == "sex"
