"""Coding open answers: whose turn is which answer, blind second codings, agreement, decisions where coders differ."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, exists, func, literal, select, union
from sqlalchemy.dialects.postgresql import BIT, insert
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound
from surveys.coding import code_frames
from surveys.coding.agreement import Agreement, by_code, cohen
from surveys.coding.code_frames import CodeFrame
from surveys.coding.coding_tables import Coding, CodingDecision
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.voice.voice_answers import VoiceAnswer


@dataclass(frozen=True)
class Verbatim:
    """What one person said, in words. No name and no phone, unless they said one."""

    interview_id: UUID
    text: str


@dataclass(frozen=True)
class Progress:
    """Counts of answers: all, coded by anybody, chosen for a second coder, of these coded by two, and those on which
    coders differ while nobody has decided."""

    answers: int
    coded: int
    double: int
    coded_twice: int
    open: int


def _verbatims(frame: CodeFrame) -> Any:
    """columns: interview_id, text. Written answers, and voices that somebody wrote down."""
    written = (
        select(Answer.interview_id, Answer.value.label("text"))
        .join(Interview, Interview.id == Answer.interview_id)
        .where(Interview.survey_id == frame.survey_id, Interview.state != "void", Answer.item == frame.item)
        .where(Answer.superseded_at.is_(None), Answer.counts, Answer.value != "")
    )
    spoken = (
        select(VoiceAnswer.interview_id, func.string_agg(VoiceAnswer.transcript, literal(" · ")).label("text"))
        .join(Interview, Interview.id == VoiceAnswer.interview_id)
        .where(Interview.survey_id == frame.survey_id, Interview.state != "void", VoiceAnswer.item == frame.item)
        .where(VoiceAnswer.transcript.is_not(None))
        .group_by(VoiceAnswer.interview_id)
    )
    is_spoken = exists().where(VoiceAnswer.interview_id == Answer.interview_id, VoiceAnswer.item == frame.item)
    return union(written.where(~is_spoken), spoken).subquery()


def is_double(frame: CodeFrame, interview_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """SQL: is this answer among those that two people code? The seed chooses, and nobody else can."""
    digest = func.substr(func.md5(func.concat(str(frame.seed), "/", cast(interview_id, Text))), 1, 8)
    number = cast(cast(func.concat("x", digest), BIT(32)), BigInteger)
    return number < literal(round(frame.double_share * 2**32), BigInteger)


def _coders(frame: CodeFrame, interview_id: ColumnElement[Any]) -> ColumnElement[int]:
    """SQL: how many have coded the answer."""
    coded = select(func.count()).where(Coding.frame_id == frame.id, Coding.interview_id == interview_id)
    return coded.correlate_except(Coding).scalar_subquery()


def progress(session: Session, frame: CodeFrame) -> Progress:
    """How far a frame's answers are coded."""
    said = _verbatims(frame)
    rows = select(is_double(frame, said.c.interview_id).label("double"), _coders(frame, said.c.interview_id).label("n"))
    one = rows.select_from(said).subquery()
    counts = session.execute(
        select(
            func.count(), func.count().filter(one.c.n > 0), func.count().filter(one.c.double),
            func.count().filter(one.c.double, one.c.n > 1),
        )
    ).one()  # fmt: skip
    return Progress(*counts, open=session.scalar(select(func.count()).select_from(_differing(frame).subquery())) or 0)


def next_answer(session: Session, frame: CodeFrame, coder_id: int) -> Verbatim | None:
    """What this coder should code now: first what waits for a second coder, then what nobody has coded."""
    said = _verbatims(frame)
    who, n = said.c.interview_id, _coders(frame, said.c.interview_id)
    own = exists().where(Coding.frame_id == frame.id, Coding.interview_id == who, Coding.coder_id == coder_id)
    waits = (n == 0) | ((n == 1) & is_double(frame, who))
    row = session.execute(
        select(who, said.c.text).where(~own, waits).order_by(n.desc(), func.md5(cast(who, Text))).limit(1)
    ).first()
    return Verbatim(*row) if row else None


def verbatim(session: Session, frame: CodeFrame, interview_id: UUID) -> Verbatim:
    """Raises NotFound."""
    said = _verbatims(frame)
    row = session.execute(select(said.c.interview_id, said.c.text).where(said.c.interview_id == interview_id)).first()
    if row is None:
        raise NotFound(_("There is no such answer to code."))
    return Verbatim(*row)


def code(session: Session, frame: CodeFrame, interview_id: UUID, coder_id: int, given: Sequence[str]) -> None:
    """Keep one coder's codes; coding again changes one's own. Raises InvalidInput({"codes": sentence}), NotFound."""
    chosen = _chosen(session, frame, given)
    verbatim(session, frame, interview_id)
    row = {"frame_id": frame.id, "interview_id": interview_id, "coder_id": coder_id, "codes": chosen, "at": real_now()}
    written = insert(Coding).values(row)
    unique = ["frame_id", "interview_id", "coder_id"]
    session.execute(written.on_conflict_do_update(index_elements=unique, set_={"codes": chosen, "at": row["at"]}))


def _chosen(session: Session, frame: CodeFrame, given: Sequence[str]) -> str:
    """The codes in the frame's order, separated by spaces."""
    known = [one.code for one in code_frames.codes(session, frame.id)]
    wanted = set(given)
    if not wanted:
        raise InvalidInput({"codes": _("Choose a code. When none fits, add one to the frame.")})
    if unknown := sorted(wanted - set(known)):
        raise InvalidInput({"codes": _("The frame has no code “%(code)s” now. Load the page again.", code=unknown[0])})
    if len(wanted) > 1 and not frame.is_multiple:
        raise InvalidInput({"codes": _("This frame takes one code for each answer.")})
    return " ".join(one for one in known if one in wanted)


def _differing(frame: CodeFrame) -> Select[Any]:
    """columns: interview_id. Coded differently, and nobody has decided."""
    decided = exists().where(CodingDecision.frame_id == frame.id, CodingDecision.interview_id == Coding.interview_id)
    wanted = select(Coding.interview_id).where(Coding.frame_id == frame.id, ~decided).group_by(Coding.interview_id)
    return wanted.having(func.count(func.distinct(Coding.codes)) > 1)


@dataclass(frozen=True)
class Disagreement:
    """An answer with what each coder said: (coder's name, codes)."""

    verbatim: Verbatim
    given: tuple[tuple[str, tuple[str, ...]], ...]


def disagreements(session: Session, frame: CodeFrame, limit: int = 25) -> list[Disagreement]:
    """Answers on which coders differ, until somebody decides."""
    ids = list(session.scalars(_differing(frame).order_by(Coding.interview_id).limit(limit)))
    said = _verbatims(frame)
    words: dict[UUID, str] = dict(session.execute(select(said).where(said.c.interview_id.in_(ids))).all())
    given: dict[UUID, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    rows = session.execute(
        select(Coding.interview_id, User.full_name, Coding.codes)
        .join(User, User.id == Coding.coder_id)
        .where(Coding.frame_id == frame.id, Coding.interview_id.in_(ids)).order_by(Coding.id)
    )  # fmt: skip
    for interview_id, name, codes in rows:
        given[interview_id].append((name, tuple(codes.split())))
    return [Disagreement(Verbatim(one, words.get(one, "…")), tuple(given[one])) for one in ids]


def decide(session: Session, frame: CodeFrame, interview_id: UUID, given: Sequence[str], user_id: int) -> None:
    """What holds where coders differ; what each of them said stays. Raises InvalidInput({"codes": sentence})."""
    chosen = _chosen(session, frame, given)
    row = {"frame_id": frame.id, "interview_id": interview_id, "codes": chosen, "decided_by": user_id, "at": real_now()}
    verbatim(session, frame, interview_id)
    written = insert(CodingDecision).values(row)
    changed = {"codes": chosen, "decided_by": user_id, "at": row["at"]}
    session.execute(written.on_conflict_do_update(index_elements=["frame_id", "interview_id"], set_=changed))
    audit.record(session, user_id, "coding.decide", f"code-frame/{frame.id}", interview=str(interview_id))


@dataclass(frozen=True)
class PairAgreement:
    """Two coders by name: their agreement on whole answers, and code by code."""

    first: str
    second: str
    whole: Agreement
    codes: dict[str, Agreement]


def agreement(session: Session, frame: CodeFrame) -> list[PairAgreement]:
    """Of every two coders who coded answers in common, before anything was decided."""
    given: dict[int, dict[UUID, str]] = defaultdict(dict)
    for coding in session.scalars(select(Coding).where(Coding.frame_id == frame.id)):
        given[coding.coder_id][coding.interview_id] = coding.codes
    names = dict(session.execute(select(User.id, User.full_name).where(User.id.in_(given))).all())
    codes = [one.code for one in code_frames.codes(session, frame.id, with_retired=True)]
    found = []
    for first, second in combinations(sorted(given), 2):
        common = sorted(given[first].keys() & given[second].keys())
        pairs = [(given[first][one], given[second][one]) for one in common]
        whole = cohen(pairs)
        if whole is not None:
            sets = [(frozenset(one.split()), frozenset(other.split())) for one, other in pairs]
            used = [one for one in codes if any(one in first_set | second_set for first_set, second_set in sets)]
            found.append(PairAgreement(names[first], names[second], whole, by_code(sets, used)))
    return found
