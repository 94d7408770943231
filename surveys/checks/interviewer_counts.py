"""What was judged of interviews, counted for each of those who made them."""

from collections import Counter, defaultdict

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from callcenter.base.auth import User
from surveys.checks.quality_tables import SoundAudit
from surveys.checks.verification_tables import Verification
from surveys.fieldwork.interview_ledger import Interview


def by_interviewer(
    session: Session, survey_id: int, judged: type[SoundAudit | Verification], word: InstrumentedAttribute[str]
) -> list[tuple[str, Counter[str]]]:
    """(full name, rows of `judged` by their `word`), by name; two people of one name stay two."""
    rows = session.execute(
        select(User.full_name, User.id, word, func.count())
        .select_from(judged)
        .join(Interview, Interview.id == judged.interview_id)
        .join(User, User.id == Interview.interviewer_id)
        .where(judged.survey_id == survey_id)
        .group_by(User.full_name, User.id, word)
    )
    counts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for name, user_id, said, n in rows:
        counts[name, user_id][said] += n
    return [(name, found) for (name, _user_id), found in sorted(counts.items())]
