"""From the ledger to the analysis: what is in the table, and that what is kept follows every change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from callcenter.base import db
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound
from surveys import interviews, questionnaire, responses
from surveys.analysis import response_items
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.questionnaire import Survey
from tests.surveys.survey_forms import SAMPLE, workbook

GIVEN = {"consent": "yes", "age": "34", "sex": "M", "registered": "yes", "likely": "8", "vote": "azul"}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Nothing kept from an earlier test, and nothing for a later one."""
    responses.forget()
    yield
    responses.forget()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is looked after each time."""
    monkeypatch.setattr(responses, "KEPT_SECONDS", 0.0)


@pytest.fixture
def interview_with(session: Session, new_call: Callable[..., UUID], rosa: User) -> Callable[..., Interview]:
    """An interview with these answers; `_person`: fields of the contact."""

    def make(_person: dict[str, Any] | None = None, **given: str) -> Interview:
        made = interviews.open_for_call(session, new_call(**(_person or {})), rosa.id)
        for item, value in given.items():
            interviews.record_answer(session, made.id, item, value, 2.5)
        session.commit()
        return made

    return make


Maker = Callable[..., Interview]


def _row(found: responses.Responses, at: int = 0) -> dict[str, Any]:
    return found.frame.row(at, named=True)


def test_an_interview_is_a_row_with_its_answers_by_type(
    session: Session, survey: Survey, interview_with: Maker, rosa: User
) -> None:
    interview_with(**GIVEN, second="rojo", problems="water jobs", why="x")
    words = "Línea uno\nlínea «dos»\tcon \\ barra, \\n y \\N"
    session.execute(update(Answer).where(Answer.item == "why").values(value=words))
    found = responses.read(session, survey.id)
    row = _row(found)
    assert (row["interview"], row["state"], row["version"], row["face"]) == (1, "started", 1, "screen")
    assert (row["interviewer"], row["base_weight"], row["over_quota"]) == (rosa.id, 1.0, False)
    assert (row["vote"], row["age"], row["problems"]) == ("azul", 34.0, ["water", "jobs"])
    assert row["why"] == words
    assert row["seconds"] == 2.5 * 9
    assert found.frame.schema["vote"] == pl.Enum(found.items["vote"].codes)
    assert sorted(row["o_vote"]) == sorted(found.items["vote"].codes)
    assert (found.vote_question, found.likely_question) == ("vote", "likely")


def test_facts_of_the_call_come_along_but_nothing_that_names_a_person(
    session: Session, survey: Survey, interview_with: Maker
) -> None:
    interview_with(**GIVEN)
    row = _row(responses.read(session, survey.id))
    assert (row["h_section"], row["h_section_kind"], row["h_state"]) == ("9001", "R", "30")
    assert not [name for name in row if any(word in name for word in ("name", "phone", "contact", "call_id"))]
    assert "Persona" not in str(row)


@pytest.mark.parametrize(
    ("person", "given", "expected"),
    [
        ({"sex": "H", "age": 70}, {"sex": "M", "age": "34"}, ("M", "30-44")),
        ({"sex": "H", "age": 70}, {}, ("H", "60+")),
        ({"sex": None, "age": None}, {}, (None, None)),
        ({"sex": "X", "age": 17}, {}, ("X", None)),
    ],
    ids=["what they said", "else the record", "else not known", "too young for a band"],
)
def test_sex_and_age_are_what_the_person_said_else_the_record(
    session: Session, survey: Survey, interview_with: Maker, person: dict[str, Any], given: dict[str, str],
    expected: tuple[str | None, str | None],
) -> None:  # fmt: skip
    interview_with(person, consent="yes", **given)
    row = _row(responses.read(session, survey.id))
    assert (row["d_sex"], row["d_age_band"]) == expected


def test_void_and_empty_interviews_are_left_out_and_a_changed_answer_counts_once(
    session: Session, survey: Survey, interview_with: Maker
) -> None:
    interview_with()
    interview_with(**GIVEN).state = "void"
    changed = interview_with(**GIVEN)
    interviews.record_answer(session, changed.id, "vote", "rojo")
    interviews.record_answer(session, changed.id, "registered", "no")  # then the vote is no longer asked
    session.commit()
    found = responses.read(session, survey.id)
    assert found.frame["interview"].to_list() == [1]
    assert found.frame["registered"].to_list() == ["no"]
    before = found.items["vote"]
    assert before.codes[0] == "azul"


def test_a_survey_that_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        responses.read(session, 999_999)


def test_a_survey_without_answers_is_an_empty_table_with_all_its_columns(session: Session, survey: Survey) -> None:
    found = responses.read(session, survey.id)
    assert found.frame.height == 0
    assert {"interview", "vote", "o_vote", "d_sex", "d_age_band", "h_section"} <= set(found.frame.columns)


@pytest.mark.usefixtures("at_once")
def test_what_is_kept_follows_new_changed_voided_and_deleted_interviews(
    session: Session, survey: Survey, interview_with: Maker
) -> None:
    def votes() -> list[str | None]:
        kept, read = responses.kept(session, survey.id).frame, responses.read(session, survey.id).frame
        assert kept.drop("interview").equals(read.drop("interview"))
        return kept["vote"].to_list()

    assert votes() == []
    first = interview_with(**GIVEN)
    assert votes() == ["azul"]
    second = interview_with(**GIVEN | {"vote": "rojo"})
    assert votes() == ["azul", "rojo"]
    interviews.record_answer(session, first.id, "vote", "verde")
    session.commit()
    assert votes() == ["verde", "rojo"]
    second.state = "void"
    session.commit()
    assert votes() == ["verde"]
    session.execute(delete(Interview).where(Interview.id == first.id))
    session.commit()
    assert votes() == []


@pytest.mark.usefixtures("at_once")
def test_a_change_made_by_bare_sql_is_seen_too(session: Session, survey: Survey, interview_with: Maker) -> None:
    interview_with(**GIVEN)
    responses.kept(session, survey.id)
    session.execute(text("UPDATE answers SET value = 'rojo' WHERE item = 'vote'"))
    assert responses.kept(session, survey.id).frame["vote"].to_list() == ["rojo"]


@pytest.mark.usefixtures("at_once")
def test_what_did_not_change_is_the_same_table_with_what_was_reckoned_from_it(
    session: Session, survey: Survey, interview_with: Maker
) -> None:
    interview_with(**GIVEN)
    first = responses.kept(session, survey.id)
    first.memo["something"] = 1
    session.execute(text("UPDATE interviews SET changed = changed"))  # own changes are read again
    second = responses.kept(session, survey.id)
    assert second.as_of >= first.as_of
    assert second.frame.equals(first.frame)


def test_within_two_seconds_the_same_is_given_without_asking(
    session: Session, survey: Survey, interview_with: Maker
) -> None:
    first = responses.kept(session, survey.id)
    interview_with(**GIVEN)
    assert responses.kept(session, survey.id) is first


@pytest.mark.usefixtures("at_once")
def test_a_new_version_of_the_questionnaire_brings_its_questions(
    session: Session, survey: Survey, interview_with: Maker
) -> None:
    interview_with(**GIVEN)
    responses.kept(session, survey.id)
    later = workbook(
        [["type", "name", "label"], ["select_one v", "vote", "¿Y hoy?"], ["text", "extra", "¿Más?"]],
        [["list_name", "name", "label", "role"], ["v", "nuevo", "Nuevo", "candidate"]],
        [["vote_question"], ["vote"]],
    )
    questionnaire.replace_form(session, survey.id, questionnaire.read_form("v2.xlsx", later))
    session.commit()
    found = responses.kept(session, survey.id)
    assert found.items["vote"].words("es") == "¿Y hoy?"
    assert found.items["vote"].codes[:2] == ("nuevo", "azul")
    assert found.frame["vote"].to_list() == ["azul"]
    assert list(found.items)[:2] == ["vote", "extra"]


def test_an_item_called_like_a_column_of_ours_stands_beside_it() -> None:
    form = {"type": "integer", "label": {}, "choices": [], "randomize": False}
    merged = response_items.merged([{"items": [{**form, "name": name} for name in ("wave", "h_x", "years")]}])
    assert [item.column for item in merged.values()] == ["q_wave", "q_h_x", "years"]


@contextmanager
def _survey_of_its_own(sessions: db.Sessions) -> Iterator[int]:
    with sessions() as session:
        survey = questionnaire.create_survey(session, "Ola", SAMPLE.name, SAMPLE.read_bytes())
        questionnaire.current(session, survey.id).frozen_at = real_now()  # else the first answer would hold the form
        session.commit()
        yield survey.id


@pytest.mark.usefixtures("at_once")
def test_an_answer_that_was_being_saved_while_others_were_read_is_not_missed(committed: db.Sessions) -> None:
    """The slow writer began first and commits last: numbers of rows alone would have passed it by."""

    def begin(session: Session) -> Interview:
        form = questionnaire.current(session, survey_id)
        made = Interview(
            id=UUID(int=session.execute(text("SELECT count(*) FROM interviews")).scalar_one() + 1),
            survey_id=survey_id, questionnaire_id=form.id, seed=1, hidden={}, at=form.created_at,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made

    with _survey_of_its_own(committed) as survey_id, committed() as slow, committed() as quick, committed() as reader:
        slow_one = begin(slow)
        slow.commit()
        interviews.record_answer(slow, slow_one.id, "consent", "yes")
        quick_one = begin(quick)
        interviews.record_answer(quick, quick_one.id, "consent", "yes")
        quick.commit()
        assert responses.kept(reader, survey_id).frame.height == 1
        reader.commit()
        slow.commit()
        assert responses.kept(reader, survey_id).frame.height == 2
        reader.commit()
        again = responses.kept(reader, survey_id)
        assert again.frame is responses.kept(reader, survey_id).frame
