"""The copy of people says what SQL says, and both say what the rule means, whatever is written meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from callcenter import suppressions
from callcenter.base import clock, db, outbox
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from campaigns import people_building, people_columns, segment_counts, segment_facts, segments
from tests.campaigns import segment_people
from tests.campaigns.segment_people import World, holds, rules

# The numbers that an empty database gives to the first of everything.
EMPTY = World(clock.real_now(), [], [1, 2], [1, 2], 1, 1, 1, 1, 1)


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
