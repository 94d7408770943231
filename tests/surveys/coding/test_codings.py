"""Coding open answers: by chance twice, blind, with agreement told and differences decided."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound
from surveys.coding import code_frames, coded_answers, codings
from surveys.coding.code_frames import CodeFrame, Wanted
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from surveys.voice.voice_answers import VoiceAnswer
from tests.surveys import quality_cast
from tests.surveys.quality_cast import person

NewCall = Callable[..., UUID]
CODES = "1 Seguridad\n2 Agua\n9 Otra"


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.fixture
def said(session: Session, survey: Survey, new_call: NewCall, rosa: User) -> list[Interview]:
    """Eight people with reasons of their own."""
    return [quality_cast.ended(session, new_call(), rosa.id, {"why": (f"Razón {number}", 9.0)}) for number in range(8)]


def frame_of(session: Session, survey: Survey, rosa: User, *, double: str = "100", several: bool = False) -> CodeFrame:
    return code_frames.save(session, survey.id, "why", Wanted(CODES, several, double), rosa.id)


def code_all(session: Session, frame: CodeFrame, coder: User, codes: Callable[[str], list[str]]) -> int:
    """Let the coder work until nothing is left for them; returns how many answers that was."""
    done = 0
    while (answer := codings.next_answer(session, frame, coder.id)) is not None:
        codings.code(session, frame, answer.interview_id, coder.id, codes(answer.text))
        done += 1
    return done


def test_every_answer_waits_for_two_where_all_are_coded_twice(
    session: Session, survey: Survey, said: list[Interview], rosa: User
) -> None:
    frame = frame_of(session, survey, rosa)
    carla, dora, elena = (person(session, name) for name in ("Carla", "Dora", "Elena"))
    assert [code_all(session, frame, who, lambda _text: ["1"]) for who in (carla, dora, elena)] == [8, 8, 0]
    assert codings.progress(session, frame) == codings.Progress(8, 8, 8, 8, 0)


def test_without_a_share_nobody_codes_after_somebody_else(
    session: Session, survey: Survey, said: list[Interview], rosa: User
) -> None:
    frame = frame_of(session, survey, rosa, double="0")
    carla, dora = person(session, "Carla"), person(session, "Dora")
    assert [code_all(session, frame, who, lambda _text: ["1"]) for who in (carla, dora)] == [8, 0]


def test_a_share_is_drawn_by_the_seed_and_stays(
    session: Session, survey: Survey, new_call: NewCall, rosa: User
) -> None:
    for number in range(60):
        quality_cast.ended(session, new_call(), rosa.id, {"why": (f"Razón {number}", 9.0)})
    frame = frame_of(session, survey, rosa, double="50")
    frame.seed = 7
    session.flush()
    first = codings.progress(session, frame).double
    assert 10 < first < 50
    assert codings.progress(session, frame).double == first
    frame.double_share = 1.0
    session.flush()
    assert codings.progress(session, frame).double == 60


def test_coders_who_differ_are_told_apart_and_somebody_decides(
    session: Session, survey: Survey, said: list[Interview], rosa: User
) -> None:
    frame = frame_of(session, survey, rosa)
    carla, dora = person(session, "Carla"), person(session, "Dora")
    code_all(session, frame, carla, lambda _text: ["1"])
    code_all(session, frame, dora, lambda text: ["2"] if text.endswith(("0", "1")) else ["1"])
    found = codings.disagreements(session, frame)
    assert {one.verbatim.text for one in found} == {"Razón 0", "Razón 1"}
    assert set(found[0].given) == {("Carla", ("1",)), ("Dora", ("2",))}
    coded = coded_answers.codes(session, survey.id, "why")
    assert len(coded) == 6, "an open difference is no code"
    codings.decide(session, frame, said[0].id, ["9"], rosa.id)
    assert coded_answers.codes(session, survey.id, "why")[said[0].id] == ("9",)
    assert codings.progress(session, frame).open == 1


def test_agreement_stands_on_what_each_said_before_the_decision(
    session: Session, survey: Survey, said: list[Interview], rosa: User
) -> None:
    frame = frame_of(session, survey, rosa)
    carla, dora = person(session, "Carla"), person(session, "Dora")
    code_all(session, frame, carla, lambda text: ["1"] if int(text[-1]) < 4 else ["2"])
    code_all(session, frame, dora, lambda text: ["1"] if int(text[-1]) < 3 else ["2"])
    codings.decide(session, frame, said[3].id, ["1"], rosa.id)
    (pair,) = codings.agreement(session, frame)
    assert (pair.first, pair.second, pair.whole.n, pair.whole.share) == ("Carla", "Dora", 8, 0.875)
    assert pair.whole.kappa == pytest.approx(0.75)
    assert set(pair.codes) == {"1", "2"}


def test_several_codes_are_kept_in_the_frames_order(
    session: Session, survey: Survey, said: list[Interview], rosa: User
) -> None:
    frame = frame_of(session, survey, rosa, several=True)
    codings.code(session, frame, said[0].id, rosa.id, ["9", "1"])
    assert coded_answers.codes(session, survey.id, "why") == {said[0].id: ("1", "9")}


def test_coding_again_changes_ones_own_code(
    session: Session, survey: Survey, said: list[Interview], rosa: User
) -> None:
    frame = frame_of(session, survey, rosa)
    for code in ("1", "2"):
        codings.code(session, frame, said[0].id, rosa.id, [code])
    assert coded_answers.codes(session, survey.id, "why") == {said[0].id: ("2",)}


@pytest.mark.parametrize(("codes", "told"), [([], "Choose"), (["7"], "7"), (["1", "2"], "one code")])
def test_a_code_that_cannot_be_is_refused_in_words(
    session: Session, survey: Survey, said: list[Interview], rosa: User, codes: list[str], told: str
) -> None:
    frame = frame_of(session, survey, rosa)
    with pytest.raises(InvalidInput) as fault:
        codings.code(session, frame, said[0].id, rosa.id, codes)
    assert told in fault.value.faults["codes"]


def test_an_answer_of_nobody_cannot_be_coded(session: Session, survey: Survey, rosa: User) -> None:
    frame = frame_of(session, survey, rosa)
    with pytest.raises(NotFound):
        codings.code(session, frame, uuid4(), rosa.id, ["1"])


def test_a_voice_is_coded_once_it_is_written_down(
    session: Session, survey: Survey, new_call: NewCall, rosa: User
) -> None:
    one = quality_cast.ended(session, new_call(), rosa.id, {})
    voice = VoiceAnswer(id=uuid4(), interview_id=one.id, item="voice", switch="s", state="kept")
    session.add(voice)
    session.flush()
    frame = code_frames.save(session, survey.id, "voice", Wanted(CODES, False, "0"), rosa.id)
    assert codings.next_answer(session, frame, rosa.id) is None
    voice.transcript = "Por el agua"
    session.flush()
    assert codings.next_answer(session, frame, rosa.id) == codings.Verbatim(one.id, "Por el agua")


def test_tables_learn_the_frame_with_its_retired_codes(
    session: Session, survey: Survey, said: list[Interview], rosa: User
) -> None:
    frame_of(session, survey, rosa)
    code_frames.save(session, survey.id, "why", Wanted("1 Seguridad", False, "0"), rosa.id)
    (question,) = coded_answers.coded_questions(session, survey.id)
    assert (question.item, question.name, question.is_multiple) == ("why", "why_coded", False)
    assert dict(question.choices) == {"1": "Seguridad", "2": "Agua", "9": "Otra"}
    assert coded_answers.codes(session, survey.id, "none") == {}
