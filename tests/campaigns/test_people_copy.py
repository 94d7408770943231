"""The copy of people says what SQL says, and both say what the rule means, whatever is written meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from callcenter import suppressions
from callcenter.base import clock, db, outbox
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from campaigns import people_building, people_columns, segment_counts, segment_facts, segments
from tests.campaigns import segment_people
from tests.campaigns.segment_people import World, holds, rules

# The numbers that an empty database gives to the first of everything.
EMPTY = World(clock.real_now(), [1, 2], [1, 2], 1, 1, 1, 1, 1)


@pytest.fixture
def sessions(engine: Engine, settings: Settings, tmp_path: Path) -> Iterator[db.Sessions]:
    """Sessions whose commits are real, and a folder for copies; every table is emptied afterwards."""
    outbox.connect(settings.redis_url)
    clock.configure(is_drill=settings.is_drill)
    suppressions.configure(settings.suppression_key)
    people_columns.configure(tmp_path)
    yield db.use(sessionmaker(engine, expire_on_commit=False))
    people_columns.configure(None)
    with engine.begin() as connection:
        tables = text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        names = ", ".join(name for name in connection.scalars(tables) if name != "alembic_version")
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def world(sessions: db.Sessions, monkeypatch: pytest.MonkeyPatch) -> World:
    with sessions() as session:
        made = segment_people.make(session)
        session.commit()
    numbers = (made.queues, made.campaigns, made.survey, made.organization, made.promoter, made.frozen, made.segment)
    assert numbers == (EMPTY.queues, EMPTY.campaigns, 1, 1, 1, 1, 1)  # what the drawn rules name
    monkeypatch.setattr(segment_facts, "campaign_now", lambda _session: made.now)  # the clock stands still
    assert people_building.refresh()
    return made


def said_by_both(session: Session, rule: Any) -> tuple[set[int], set[int]]:
    """The people of a rule (those with blocked data left out) by the copy and by SQL."""
    looked = segment_counts.look(session, segment_counts.read(session, rule))
    assert looked is not None
    return set(map(int, looked.ids(looked.masks[0]))), set(session.scalars(segments.compile_rule(session, rule)))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=rules(EMPTY))
def test_a_rule_means_the_same_to_the_copy_to_sql_and_in_words(sessions: db.Sessions, world: World, rule: Any) -> None:
    with sessions() as session:
        try:
            segments.validate(session, rule)
        except InvalidInput as fault:
            assert "deep" in str(fault)  # noqa: PT017  # the one limit that these rules can break
            return
        in_copy, in_sql = said_by_both(session, rule)
    expected = {one["id"] for one in world.people if not one["blocked_at"] and holds(world, rule, one)}
    assert in_sql == expected
    assert in_copy == expected


# ---- whatever is written meanwhile


ASKED: tuple[dict[str, Any], ...] = (
    {"all": []},
    {"all": [{"field": "age", "op": "at_least", "value": 30}, {"field": "sex", "op": "is_not", "value": "H"}]},
    {"any": [{"field": "municipality", "op": "in", "value": ["minatitlan", "nuevo 7"]}, {"did": "reached"}]},
    {"all": [{"did_not": "called", "within_days": 7}]},
    {"all": [{"did": "called", "at_least": 2}]},
    {"all": [{"field": "attr:team", "op": "is", "value": "roble"}]},
    {"any": [{"field": "has_pledge", "op": "is", "value": True}, {"field": "section_kind", "op": "is", "value": "U"}]},
)
ACTS = ("insert", "update", "delete", "call", "end", "forget", "merge")
WRITES = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 10**6), st.integers(0, 2)), max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 2), WRITES),
        st.tuples(st.sampled_from(["commit", "rollback"]), st.integers(0, 2), st.just([])),
        st.tuples(st.sampled_from(["refresh", "anew", "look"]), st.just(0), st.just([])),
    ),
    min_size=4,
    max_size=25,
)


def write(session: Session, what: str, dice: int, free: int) -> None:
    """One change of a person or an attempt. Rows that another transaction holds are left alone, nobody waits."""
    chosen = "SELECT id FROM {} ORDER BY hashint8(('x' || substr(md5(id::text || :dice), 1, 8))::bit(32)::int) LIMIT 1"
    person, attempt = chosen.format("contacts"), chosen.format("attempts")
    free_person, free_attempt = f"({person} FOR UPDATE SKIP LOCKED)", f"({attempt} FOR UPDATE SKIP LOCKED)"
    statements = {
        "insert": "INSERT INTO contacts (name, given_names, name_key, phone, source, language, line_kind, municipality,"
        " age) VALUES ('N', 'N', 'n' || :dice || random(), '+5299', 'c', 'es', 'mobile', 'Nuevo ' || :free + 6, 40)",
        "update": f"UPDATE contacts SET age = 15 * :free, municipality = 'Nuevo 7' WHERE id = {free_person}",
        "delete": f"DELETE FROM contacts WHERE id = {free_person}",
        "call": "INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at, closed_at,"
        f" outcome) SELECT gen_random_uuid(), 'call', 'survey', p.id, 'x', now(), now(), now(), now(), 'no_answer'"
        f" FROM ({person} FOR KEY SHARE SKIP LOCKED) p",
        "end": f"UPDATE attempts SET outcome = 'completed', closed_at = now() WHERE id = {free_attempt}",
        "forget": f"DELETE FROM attempts WHERE id = {free_attempt}",
        "merge": f"UPDATE attempts SET contact_id = ({person} FOR KEY SHARE SKIP LOCKED) WHERE id = {free_attempt}",
    }
    with session.begin_nested() as savepoint:
        try:
            session.execute(text("SET LOCAL lock_timeout = '20ms'"))
            values = {"dice": str(dice), "free": free}
            session.execute(
                text(statements[what]),
                {name: value for name, value in values.items() if f":{name}" in statements[what]},
            )
        except OperationalError:
            savepoint.rollback()


def look_everywhere(sessions: db.Sessions) -> None:
    """In one snapshot, the copy and SQL mean the same people by every rule."""
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        for rule in ASKED:
            in_copy, in_sql = said_by_both(session, rule)
            assert in_copy == in_sql, rule


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_copy_is_exact_whatever_is_written_and_however_late_it_is_committed(
    sessions: db.Sessions, world: World, steps: list[tuple[str, int, list[Any]]]
) -> None:
    """Three writers keep transactions open over refreshes and looks, end them in any order, or take all back."""
    with sessions() as first, sessions() as second, sessions() as third:
        writers = (first, second, third)
        for what, who, writes in steps:
            if what == "write":
                for act, dice, free in writes:
                    write(writers[who], act, dice, free)
            elif what in ("commit", "rollback"):
                getattr(writers[who], what)()
            elif what in ("refresh", "anew"):
                assert people_building.refresh(anew=what == "anew")
            else:
                look_everywhere(sessions)
        for writer in writers:
            writer.commit()
    look_everywhere(sessions)
    assert people_building.refresh()
    look_everywhere(sessions)


def test_an_uncommitted_change_of_ones_own_counts_and_is_in_no_file(sessions: db.Sessions, world: World) -> None:
    everybody: dict[str, Any] = {"all": []}
    with sessions() as session:
        before = segments.count(session, everybody).matching
        write(session, "insert", 1, 1)
        assert people_building.refresh()
        assert segments.count(session, everybody).matching == before + 1
        session.rollback()
        assert segments.count(session, everybody).matching == before
