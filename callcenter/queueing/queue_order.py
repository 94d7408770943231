"""What the order of a queue looks at besides the person's priority: which hour is the best for people like them, and
how far their section is from its goal. Both are learnt from what became of the calls, and stand in the entries."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, SmallInteger, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import ZONE, real_now
from callcenter.base.db import Base
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.queueing import queue_rules
from callcenter.queueing.queue_tables import CallQueue

LEARNS_FROM = timedelta(days=28)  # real time
LIKE_NOBODY = 20  # calls of the average that each group begins with: a few calls of its own prove little
OWN = 100  # group 100 + h: whom we talked with at hour h before; theirs is that hour
SLICE = 20_000  # entries that are arranged in one transaction
FAR, HALF, THERE = 0, -1, -2  # the standings of a section: `urgency`


class AnswerHour(Base):
    """How often a group of people picked up at one hour of the day (0–23), as the ledger had it at `learned_at`.

    Groups: 1–36 by kind of line, age and sex; hours are those of the house's own zone."""

    __tablename__ = "answer_hours"
    hour_group: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    tries: Mapped[int]
    answers: Mapped[int]
    learned_at: Mapped[datetime] = mapped_column(default=real_now)


class SectionStanding(Base):
    """How far a section is from its goal in one queue, as its entries have it: FAR (less than half), HALF, THERE."""

    __tablename__ = "section_standings"
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"), primary_key=True, index=True)
    urgency: Mapped[int] = mapped_column(SmallInteger)


def scores(session: Session, hour: int) -> Callable[[int], float]:
    """How good this hour is for each group: its share of answers now against that of all its hours (1: as ever)."""
    now = func.sum(AnswerHour.tries).filter(AnswerHour.hour == hour)
    answered_now = func.sum(AnswerHour.answers).filter(AnswerHour.hour == hour)
    rows = session.execute(
        select(AnswerHour.hour_group, now, answered_now, func.sum(AnswerHour.tries), func.sum(AnswerHour.answers))
        .group_by(AnswerHour.hour_group)
    ).all()  # fmt: skip
    found = {group: _lift(tries or 0, answers or 0, all_tries, all_answers)
             for group, tries, answers, all_tries, all_answers in rows if all_answers}  # fmt: skip

    def score(group: int) -> float:
        if group >= OWN:
            away = abs(group - OWN - hour)
            return {0: 2.0, 1: 1.5}.get(away, 0.5)
        return found.get(group, 1.0)

    return score


def _lift(tries: int, answers: int, all_tries: int, all_answers: int) -> float:
    usual = all_answers / all_tries
    return (answers + LIKE_NOBODY * usual) / (tries + LIKE_NOBODY) / usual


def learn(session: Session) -> None:
    """Count anew who picked up when."""
    now = real_now()
    session.execute(_LEARN, {"since": now - LEARNS_FROM, "now": now, "zone": ZONE.key})
    session.execute(delete(AnswerHour).where(AnswerHour.learned_at < now))


def learn_later(session: Session) -> None:
    """As `learn`, by a worker: it reads the whole ledger."""
    enqueue_later(session, "callcenter.queueing.queue_jobs.learn_hours", queue="bulk")


def arrange(session: Session, queue_id: int, after: int) -> int | None:
    """Write into the entries of the next SLICE people (contact ids above `after`) what the queue's order looks at;
    returns the last of them, None at the end."""
    queue = session.get(CallQueue, queue_id, populate_existing=True)
    if queue is None:
        return None
    rules = queue_rules.of_queue(queue)
    goal = rules.section_goal if "section_goal" in rules.order else None
    if goal is None:
        session.execute(delete(SectionStanding).where(SectionStanding.queue_id == queue_id))
    elif after == 0:
        _stand(session, queue_id, goal)
    by_hour = "hour" in rules.order
    bound = {"queue": queue_id, "after": after, "slice": SLICE, "by_hour": by_hour, "zone": ZONE.key}
    last = session.scalar(_ARRANGE, bound)
    return int(last) if last is not None else None


def follow_goals(session: Session) -> None:
    """Let sections that came nearer to their goal stand behind the others, in every running queue with a goal."""
    for queue in session.scalars(select(CallQueue).where(CallQueue.state == "running").order_by(CallQueue.id)):
        rules = queue_rules.of_queue(queue)
        if rules.section_goal is None or "section_goal" not in rules.order:
            continue
        changed = _stand(session, queue.id, rules.section_goal)
        for urgency in sorted(set(changed.values())):
            sections = [section for section, now in changed.items() if now == urgency]
            session.execute(_MOVE_SECTIONS, {"queue": queue.id, "sections": sections, "urgency": urgency})
        if changed:
            tell_later(session, f"queue/{queue.id}")


def _stand(session: Session, queue_id: int, goal: int) -> dict[int, int]:
    """Write down how far each section is; returns the standings that changed."""
    known = select(SectionStanding.section_id, SectionStanding.urgency).where(SectionStanding.queue_id == queue_id)
    before = {section: urgency for section, urgency in session.execute(known)}  # noqa: C416  # rows are no pairs
    reached = session.execute(_CONVERSATIONS, {"queue": queue_id})
    now = dict.fromkeys(before, FAR) | {section: _standing(number, goal) for section, number in reached}
    changed = {section: urgency for section, urgency in now.items() if before.get(section, FAR) != urgency}
    if changed:
        rows = [{"queue_id": queue_id, "section_id": one, "urgency": urgency} for one, urgency in changed.items()]
        written = insert(SectionStanding).values(rows)
        session.execute(written.on_conflict_do_update(
            index_elements=["queue_id", "section_id"], set_={"urgency": written.excluded.urgency}
        ))  # fmt: skip
    return changed


def _standing(conversations: int, goal: int) -> int:
    return THERE if conversations >= goal else HALF if 2 * conversations >= goal else FAR


_GROUP = """1 + 12 * CASE p.line_kind WHEN 'mobile' THEN 0 WHEN 'landline' THEN 1 ELSE 2 END
    + 3 * CASE WHEN p.age IS NULL THEN 0 WHEN p.age < 35 THEN 1 WHEN p.age < 60 THEN 2 ELSE 3 END
    + CASE p.sex WHEN 'H' THEN 0 WHEN 'M' THEN 1 ELSE 2 END"""
_LEARN = text(f"""
    INSERT INTO answer_hours (hour_group, hour, tries, answers, learned_at)
    SELECT {_GROUP}, EXTRACT(HOUR FROM a.at AT TIME ZONE :zone), count(*), count(c.answered_at), :now
    FROM calls c JOIN attempts a ON a.id = c.id JOIN contacts p ON p.id = a.contact_id
    WHERE c.placed_at > :since AND c.direction = 'out' GROUP BY 1, 2
    ON CONFLICT (hour_group, hour) DO UPDATE SET tries = EXCLUDED.tries, answers = EXCLUDED.answers,
        learned_at = EXCLUDED.learned_at""")  # noqa: S608  # our own words only
_ARRANGE = text(f"""
    WITH slice AS (
        SELECT e.id, e.contact_id,
            CASE WHEN :by_hour THEN COALESCE((
                SELECT {OWN} + EXTRACT(HOUR FROM a.at AT TIME ZONE :zone) FROM attempts a
                WHERE a.contact_id = e.contact_id AND a.channel = 'call'
                    AND a.outcome IN ('completed', 'partial', 'callback', 'refused')
                ORDER BY a.at DESC LIMIT 1), {_GROUP}) ELSE 0 END AS hour_group,
            COALESCE(s.urgency, 0) AS urgency
        FROM queue_entries e JOIN contacts p ON p.id = e.contact_id
        LEFT JOIN section_standings s ON s.queue_id = e.queue_id AND s.section_id = p.section_id
        WHERE e.queue_id = :queue AND e.contact_id > :after ORDER BY e.contact_id LIMIT :slice
    ), written AS (
        UPDATE queue_entries e SET hour_group = slice.hour_group, urgency = slice.urgency FROM slice
        WHERE e.id = slice.id AND e.state IN ('waiting', 'calling')
            AND (e.hour_group, e.urgency) IS DISTINCT FROM (slice.hour_group, slice.urgency)
    ) SELECT max(contact_id) FROM slice""")  # noqa: S608  # our own words only
_CONVERSATIONS = text("""
    SELECT p.section_id, count(*) FROM queue_entries e JOIN contacts p ON p.id = e.contact_id
    WHERE e.queue_id = :queue AND e.state = 'done' AND e.reason = 'completed' AND p.section_id IS NOT NULL
    GROUP BY p.section_id""")
_MOVE_SECTIONS = text("""
    UPDATE queue_entries e SET urgency = :urgency FROM contacts p
    WHERE p.section_id = ANY(:sections) AND e.contact_id = p.id AND e.queue_id = :queue
        AND e.state IN ('waiting', 'calling') AND e.urgency <> :urgency""")
