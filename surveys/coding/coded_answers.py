"""Open answers as codes, for tables and files: codes of the frame alone, never what was said."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveys.coding import code_frames
from surveys.coding.code_frames import CodeFrame
from surveys.coding.coding_tables import Coding, CodingDecision
from surveys.fieldwork.interview_ledger import Interview


@dataclass(frozen=True)
class CodedQuestion:
    """A question with a frame. `name` is that of its codes; `choices`: (code, label), retired ones included."""

    item: str
    name: str
    label: str
    is_multiple: bool
    choices: tuple[tuple[str, str], ...]


def coded_questions(session: Session, survey_id: int, language: str = "") -> list[CodedQuestion]:
    """Every question of the survey that somebody has coded into a frame."""
    labels = {one.item: one.label for one in code_frames.open_questions(session, survey_id, language)}
    frames = session.scalars(select(CodeFrame).where(CodeFrame.survey_id == survey_id).order_by(CodeFrame.id))
    return [
        CodedQuestion(
            frame.item, f"{frame.item}_coded", labels.get(frame.item, frame.item), frame.is_multiple,
            tuple((one.code, one.label) for one in code_frames.codes(session, frame.id, with_retired=True)),
        )
        for frame in frames
    ]  # fmt: skip


def codes(session: Session, survey_id: int, item: str) -> dict[UUID, tuple[str, ...]]:
    """By interview (interviews.id): what was decided, else what every coder said. Where coders differ and nobody has
    decided, the interview is missing; so is one that nobody has coded."""
    frame_id = session.scalar(select(CodeFrame.id).where(CodeFrame.survey_id == survey_id, CodeFrame.item == item))
    if frame_id is None:
        return {}
    given: dict[UUID, set[str]] = defaultdict(set)
    coded = select(Coding.interview_id, Coding.codes).join(Interview, Interview.id == Coding.interview_id)
    for interview_id, chosen in session.execute(coded.where(Coding.frame_id == frame_id, Interview.state != "void")):
        given[interview_id].add(chosen)
    decided = select(CodingDecision.interview_id, CodingDecision.codes).where(CodingDecision.frame_id == frame_id)
    given |= {interview_id: {chosen} for interview_id, chosen in session.execute(decided)}
    return {one: tuple(next(iter(said)).split()) for one, said in given.items() if len(said) == 1}
