"""A phone is asked about by one at a time, so that a household is reached one by one."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base import db


@pytest.fixture
def two_sessions(committed: db.Sessions) -> Iterator[tuple[Session, Session]]:
    with committed() as first, committed() as second:
        yield first, second
        first.rollback()
        second.rollback()


def test_a_phone_is_held_by_one_until_they_commit(two_sessions: tuple[Session, Session]) -> None:
    first, second = two_sessions
    mine, theirs = "+522281234567", "+522281234568"
    assert consent.hold_phones(first, [mine]) == {mine}
    assert consent.hold_phones(second, [mine, theirs]) == {theirs}
    first.commit()
    assert consent.hold_phones(second, [mine], wait=True) == {mine}
