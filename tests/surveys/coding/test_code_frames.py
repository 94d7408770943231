"""Frames of codes: how they are written, and what becomes of a code that is taken out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound
from surveys.coding import code_frames
from surveys.coding.code_frames import Wanted, read_lines
from surveys.questionnaire import Survey
from tests.surveys import quality_cast


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.mark.parametrize(("text", "rows"), [
    ("1 Seguridad\n2 Agua potable", [("1", "Seguridad"), ("2", "Agua potable")]),
    ("\n  inseg   La   inseguridad \n\n", [("inseg", "La inseguridad")]),
    ("ñandú-2 Otra cosa", [("ñandú-2", "Otra cosa")]),
])  # fmt: skip
def test_a_line_is_a_code_and_what_it_means(text: str, rows: list[tuple[str, str]]) -> None:
    assert read_lines(text) == rows


@pytest.mark.parametrize(("text", "told"), [
    ("", "at least one"), ("1", "Line 1"), ("1 Sí\n!x No", "Line 2"), ("1 Sí\n1 No", "twice"),
    ("\n".join(f"{number} Algo" for number in range(201)), "200"),
])  # fmt: skip
def test_a_fault_names_its_line(session: Session, survey: Survey, rosa: User, text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        code_frames.save(session, survey.id, "why", Wanted(text, False, "20"), rosa.id)
    assert told in fault.value.faults["codes"]


@given(st.text(max_size=300))
def test_whatever_is_written_gives_codes_or_a_sentence(text: str) -> None:
    faults: dict[str, str] = {}
    rows: list[tuple[str, str]] = []
    try:
        rows = read_lines(text)
    except InvalidInput as fault:
        faults = dict(fault.faults)
    assert bool(rows) != bool(faults)
    assert len(dict(rows)) == len(rows)


@pytest.mark.parametrize("percent", ["", "abc", "-1", "101", "nan", "inf"])
def test_a_share_that_is_none_is_refused(session: Session, survey: Survey, rosa: User, percent: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        code_frames.save(session, survey.id, "why", Wanted("1 Sí", False, percent), rosa.id)
    assert "double_percent" in fault.value.faults


def test_a_code_that_is_taken_out_retires_and_can_come_back(session: Session, survey: Survey, rosa: User) -> None:
    frame = code_frames.save(session, survey.id, "why", Wanted("1 Sí\n2 No", False, "10,5 %"), rosa.id)
    assert frame.double_share == pytest.approx(0.105)
    seed = frame.seed
    code_frames.save(session, survey.id, "why", Wanted("2 No", False, "10"), rosa.id)
    assert [one.code for one in code_frames.codes(session, frame.id)] == ["2"]
    assert [one.code for one in code_frames.codes(session, frame.id, with_retired=True)] == ["1", "2"]
    code_frames.save(session, survey.id, "why", Wanted("2 Nunca\n1 Sí", True, "10"), rosa.id)
    assert [(one.code, one.label) for one in code_frames.codes(session, frame.id)] == [("2", "Nunca"), ("1", "Sí")]
    assert frame.seed == seed, "who is coded twice does not change"


def test_only_open_questions_have_frames(session: Session, survey: Survey, rosa: User) -> None:
    assert [one.item for one in code_frames.open_questions(session, survey.id)] == ["why", "voice"]
    with pytest.raises(NotFound):
        code_frames.save(session, survey.id, "vote", Wanted("1 Sí", False, "10"), rosa.id)
