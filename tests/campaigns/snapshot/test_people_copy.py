"""The copy of people says what SQL says, and both say what the rule means, whatever is written meanwhile."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from callcenter import suppressions
from callcenter.base import clock, db, outbox
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from callcenter.people import attributes
from campaigns import segments
from campaigns.segmenting import segment_counts, segment_facts
from campaigns.segmenting.frozen_segments import FrozenMember
from campaigns.snapshot import people_building, people_columns, people_jobs, people_masks
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
    _empty(engine)  # tests that roll back leave the numbers of their rows used up
    yield db.use(sessionmaker(engine, expire_on_commit=False))
    people_columns.configure(None)
    _empty(engine)


def _empty(engine: Engine) -> None:
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


# ---- the files


def test_without_files_sql_counts_and_the_chore_asks_for_them(sessions: db.Sessions) -> None:
    with sessions() as session:
        assert segment_counts.look(session, segment_counts.read(session, ASKED[0])) is None
        people_jobs.tend(session)
        assert [job.function for job in session.info["outbox"]] == [people_jobs.JOB]
    people_jobs.refresh()
    with sessions() as session:
        assert segment_counts.look(session, segment_counts.read(session, ASKED[0])) is not None
        people_jobs.tend(session)
        assert "outbox" not in session.info


def test_the_files_are_for_their_owner_only_and_hold_no_name_and_no_phone(sessions: db.Sessions, world: World) -> None:
    generation = people_columns.current()
    assert generation is not None
    assert generation.stat().st_mode & 0o077 == 0
    for path in generation.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        content = path.read_bytes()
        assert b"Persona" not in content
        assert b"52228123" not in content


def test_a_copy_of_another_form_or_database_or_too_old_is_left_alone(
    sessions: db.Sessions, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = people_columns.current()
    assert generation is not None
    meta = json.loads((generation / people_columns.META).read_text())
    with sessions() as session:
        node = segment_counts.read(session, ASKED[0])
        for other in (
            {"form": "x"}, {"database": "1/1"}, {"low": 2**60}, {"made_at": "2020-01-01T00:00:00+00:00"}, {"more": 1},
        ):  # fmt: skip
            people_columns.write_json(generation / people_columns.META, {**meta, **other})
            assert segment_counts.look(session, node) is None
        people_columns.write_json(generation / people_columns.META, meta)
        assert segment_counts.look(session, node) is not None
        monkeypatch.setattr(people_masks, "MOST_NEWS", 0)
        write(session, "insert", 1, 1)
        assert segment_counts.look(session, node) is None


def test_a_restored_or_truncated_table_makes_the_copy_anew(sessions: db.Sessions, world: World) -> None:
    with sessions() as session:
        session.execute(text("TRUNCATE attempts CASCADE"))
        node = segment_counts.read(session, {"all": [{"did": "called"}]})
        assert segment_counts.look(session, node) is None
        session.commit()
        assert people_building.refresh()
        looked = segment_counts.look(session, node)
        assert looked is not None
        assert not looked.masks[0].any()


def test_an_attribute_of_which_the_copy_does_not_know_is_counted_by_sql(sessions: db.Sessions, world: World) -> None:
    rule = {"all": [{"field": "attr:new", "op": "is", "value": 5}]}
    with sessions() as session:
        attributes.define(session, "new", "New", "number", user_id=None)
        session.commit()
        assert segment_counts.look(session, segment_counts.read(session, rule)) is None
        assert segments.count(session, rule).matching == 0
    assert people_building.refresh()
    with sessions() as session:
        assert segment_counts.look(session, segment_counts.read(session, rule)) is not None


def test_the_copy_freezes_samples_compares_and_counts_by_section_as_sql_does(
    sessions: db.Sessions, world: World, tmp_path: Path
) -> None:
    rule, other = ASKED[2], ASKED[4]
    said = []
    for var in (tmp_path, None):
        people_columns.configure(var)
        with sessions() as session:
            segment = segments.save(session, None, "Both", rule, None)
            frozen = segments.freeze(session, segment.id, None)
            members = select(FrozenMember.contact_id).where(FrozenMember.frozen_id == frozen.id)
            compared = segments.compare(session, rule, other)
            said.append((
                set(session.scalars(members)), frozen.people, [one.id for one in segments.sample(session, rule)],
                segments.by_section(session, rule), [part.excluded for part in (compared.only_a, compared.both)],
                segments.count(session, rule, purpose="persuasion").excluded,
            ))  # fmt: skip
            session.rollback()
    assert said[0] == said[1]
    assert said[0][1]


def test_one_process_of_a_host_makes_the_copy(sessions: db.Sessions, tmp_path: Path) -> None:
    people_building.refresh()
    with (tmp_path / "people" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not people_building.refresh()


def test_the_chore_asks_again_when_much_has_changed_and_nobody_holds_it_up(
    sessions: db.Sessions, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_jobs, "FEW", 2)

    def asks() -> bool:
        with sessions() as session:
            people_jobs.tend(session)
            return "outbox" in session.info

    with sessions() as session:
        for number in range(3):
            write(session, "insert", number, 1)
        assert not asks()  # not committed: a new copy would have to read it again
        session.commit()
    assert asks()
    people_jobs.refresh()
    assert not asks()
    made = people_columns.current()
    people_jobs.refresh()
    assert people_columns.current() == made  # asked for twice, made once
