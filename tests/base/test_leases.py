from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.base import leases


def _expire(session: Session) -> None:
    session.execute(text("UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'"))


def test_one_holder_at_a_time(session: Session) -> None:
    assert leases.take(session, "dialer", "one", 60) is not None
    assert leases.take(session, "dialer", "two", 60) is None
    assert leases.take(session, "clock", "two", 60) is not None


def test_a_holder_that_renews_keeps_its_token(session: Session) -> None:
    token = leases.take(session, "dialer", "one", 60)
    assert leases.take(session, "dialer", "one", 60) == token


def test_each_new_holder_gets_a_greater_token(session: Session) -> None:
    first = leases.take(session, "dialer", "one", 60)
    _expire(session)
    second = leases.take(session, "dialer", "two", 60)
    _expire(session)
    third = leases.take(session, "dialer", "one", 60)
    assert first is not None
    assert second is not None
    assert third is not None
    assert first < second < third


def test_a_lease_that_is_given_back_is_free_at_once(session: Session) -> None:
    leases.take(session, "dialer", "one", 60)
    leases.release(session, "dialer", "two")
    assert leases.take(session, "dialer", "two", 60) is None, "only the holder can give it back"
    leases.release(session, "dialer", "one")
    assert leases.take(session, "dialer", "two", 60) is not None
