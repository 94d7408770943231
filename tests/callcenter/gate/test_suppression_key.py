"""A lost suppression key stops the start: nobody who opted out is called again by an accident of files."""

import hmac

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.clock import real_now
from callcenter.base.settings import Settings
from callcenter.gate import suppression_key
from callcenter.gate.suppression_key import WrongKey
from callcenter.privacy import privacy_cli
from tests.callcenter.cast import person

KEY, OTHER = b"the key of this house", b"made anew by mistake"


def test_the_first_start_remembers_the_key_and_another_one_is_refused(session: Session) -> None:
    suppression_key.check(session, KEY)
    suppression_key.check(session, KEY)
    with pytest.raises(WrongKey, match="flask privacy accept-key"):
        suppression_key.check(session, OTHER)


def test_the_fingerprint_is_not_the_key(session: Session) -> None:
    assert KEY not in suppression_key.fingerprint(KEY)
    assert suppression_key.fingerprint(KEY) != suppressions.phone_hash("+522281234567")


@pytest.mark.parametrize("length", [1, 32, 64, 65, 200])
def test_a_phone_is_hashed_as_the_standard_says_with_a_key_of_any_length(length: int) -> None:
    suppressions.configure(bytes(range(200))[:length])
    said = hmac.digest(bytes(range(200))[:length], b"+522281234567", "sha256")
    assert [suppressions.phone_hash("+522281234567") for _ in range(2)] == [said, said]


def test_another_key_is_accepted_knowingly(session: Session) -> None:
    suppression_key.check(session, KEY)
    suppressions.add(session, "+522281234567", reason="call", source="test", at=real_now())
    assert suppression_key.accept(session, OTHER) == 1
    suppression_key.check(session, OTHER)


def test_who_is_in_the_lists_stays_out_under_the_new_key(session: Session) -> None:
    who = person(session, phone="+522281234567")
    for phone in (who.phone, "+522281234568"):
        suppressions.add(session, phone, reason="call", source="test", at=real_now())
    who.suppressed = True
    session.flush()
    suppressions.configure(OTHER)
    assert suppression_key.accept(session, OTHER) == 1
    assert suppressions.find(session, who.phone) is not None
    assert suppressions.find(session, "+522281234568") is None


def test_the_command_asks_before_it_accepts(app: Flask, session: Session, settings: Settings) -> None:
    suppression_key.check(session, OTHER)
    session.commit()
    run = app.test_cli_runner()
    assert run.invoke(privacy_cli.accept_key, input="n\n").exit_code == 1
    session.expire_all()
    with pytest.raises(WrongKey):
        suppression_key.check(session, settings.suppression_key)
    assert "accepted" in run.invoke(privacy_cli.accept_key, ["--yes"]).output
    suppression_key.check(session, settings.suppression_key)


def test_a_database_that_is_away_is_left_to_whoever_needs_it() -> None:
    suppression_key.check_at("postgresql://convoca@127.0.0.1:9/none", KEY)
