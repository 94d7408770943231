"""Code frames: the list of codes into which the open answers to one question are sorted, and how many are coded twice.

A code that was used is never deleted: it retires, and what was coded with it stays.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from surveys import questionnaire
from surveys.engine import wording

OPEN = ("text", "audio")
MOST_CODES = 200
CODE = re.compile(r"[^\W_][\w-]{0,39}")


class CodeFrame(Base):
    """One question's frame. `double_share` (0–1) of the answers are coded by two people, chosen by the `seed`."""

    __tablename__ = "code_frames"
    __table_args__ = (
        UniqueConstraint("survey_id", "item"),
        CheckConstraint("double_share BETWEEN 0 AND 1", name="double_share"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    item: Mapped[str]
    is_multiple: Mapped[bool]
    double_share: Mapped[float]
    seed: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now)


class FrameCode(Base):
    """One code of a frame; retired ones are offered no more."""

    __tablename__ = "frame_codes"
    __table_args__ = (UniqueConstraint("frame_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    frame_id: Mapped[int] = mapped_column(ForeignKey("code_frames.id", ondelete="CASCADE"))
    code: Mapped[str]
    label: Mapped[str]
    place: Mapped[int]
    retired_at: Mapped[datetime | None]


@dataclass(frozen=True)
class OpenQuestion:
    """A question that is answered in words. `frame_id` is None while nobody has made a frame."""

    item: str
    kind: str
    label: str
    frame_id: int | None


def open_questions(session: Session, survey_id: int, language: str = "") -> list[OpenQuestion]:
    """The open questions of every version of a survey, the newest wording first in `label`."""
    frames = dict(session.execute(select(CodeFrame.item, CodeFrame.id).where(CodeFrame.survey_id == survey_id)).all())
    found: dict[str, OpenQuestion] = {}
    for version in questionnaire.versions(session, survey_id):
        for item in version.items["items"]:
            if item["type"] in OPEN and item["name"] not in found:
                label = wording(version.items, item["label"], language or version.items["default_language"])
                found[item["name"]] = OpenQuestion(item["name"], item["type"], label, frames.get(item["name"]))
    return list(found.values())


def find(session: Session, survey_id: int, item: str) -> CodeFrame:
    """Raises NotFound."""
    found = session.scalar(select(CodeFrame).where(CodeFrame.survey_id == survey_id, CodeFrame.item == item))
    if found is None:
        raise NotFound(_("This question has no code frame yet."))
    return found


def codes(session: Session, frame_id: int, *, with_retired: bool = False) -> list[FrameCode]:
    """In their order."""
    wanted = select(FrameCode).where(FrameCode.frame_id == frame_id).order_by(FrameCode.place, FrameCode.id)
    return list(session.scalars(wanted if with_retired else wanted.where(FrameCode.retired_at.is_(None))))


@dataclass(frozen=True)
class Wanted:
    """A frame as somebody writes it. `lines`: «code label», one a line; `double_percent`: 0–100."""

    lines: str
    is_multiple: bool
    double_percent: str


def save(session: Session, survey_id: int, item: str, wanted: Wanted, user_id: int) -> CodeFrame:
    """Make the frame of a question, or change its codes. A code that is missing now retires; one that comes back is
    offered again. Raises InvalidInput({"codes" | "double_percent": sentence}), NotFound for a question that is none."""
    if item not in {question.item for question in open_questions(session, survey_id)}:
        raise NotFound(_("There is no open question of this name."))
    rows, share = read_lines(wanted.lines), _share(wanted.double_percent)
    frame = session.scalar(
        select(CodeFrame).where(CodeFrame.survey_id == survey_id, CodeFrame.item == item).with_for_update()
    )
    if frame is None:
        frame = CodeFrame(survey_id=survey_id, item=item, seed=secrets.randbits(62), made_by=user_id,
                          is_multiple=wanted.is_multiple, double_share=share)  # fmt: skip
        session.add(frame)
    frame.is_multiple, frame.double_share = wanted.is_multiple, share
    session.flush()
    _write(session, frame.id, rows)
    audit.record(session, user_id, "code_frame.save", f"survey/{survey_id}", item=item, codes=len(rows))
    return frame


def read_lines(text: str) -> list[tuple[str, str]]:
    """(code, label) of each line. Raises InvalidInput naming the line."""
    rows: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        code, _space, label = " ".join(line.split()).partition(" ")
        if not code:
            continue
        if not CODE.fullmatch(code):
            sentence = _("Line %(n)s: “%(code)s” is not a code; use letters, digits and -.", n=number, code=code[:40])
            raise InvalidInput({"codes": sentence})
        if not label:
            raise InvalidInput({"codes": _("Line %(n)s: write what “%(code)s” means after it.", n=number, code=code)})
        if code in dict(rows):
            raise InvalidInput({"codes": _("Line %(n)s: the code “%(code)s” stands twice.", n=number, code=code)})
        rows.append((code, label[:200]))
    if not rows:
        raise InvalidInput({"codes": _("Write at least one code, for example “1 Security”.")})
    if len(rows) > MOST_CODES:
        raise InvalidInput({"codes": _("A frame has at most %(most)s codes.", most=MOST_CODES)})
    return rows


def _share(text: str) -> float:
    try:
        percent = float(text.replace(",", ".").removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise InvalidInput({"double_percent": _("Write how many of 100 answers are coded twice, from 0 to 100.")})
    return percent / 100


def _write(session: Session, frame_id: int, rows: Sequence[tuple[str, str]]) -> None:
    present = {code.code: code for code in codes(session, frame_id, with_retired=True)}
    for place, (code, label) in enumerate(rows):
        known = present.pop(code, None)
        if known is None:
            session.add(FrameCode(frame_id=frame_id, code=code, label=label, place=place))
        else:
            known.label, known.place, known.retired_at = label, place, None
    for left in present.values():
        left.retired_at = left.retired_at or real_now()
    session.flush()
