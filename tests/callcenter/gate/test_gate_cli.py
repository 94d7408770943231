"""The gate's command beside the product."""

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.clock import real_now
from callcenter.contacts import Contact
from tests.callcenter.cast import person


def test_people_are_marked_by_the_suppression_list(app: Flask, session: Session) -> None:
    who = person(session)
    suppressions.add(session, who.phone, reason="call", source="t", at=real_now())
    session.execute(update(Contact).values(suppressed=False))
    session.commit()
    ran = app.test_cli_runner().invoke(args=["suppressions", "mark"])
    assert (ran.exit_code, ran.output) == (0, "1 people changed\n")
    session.expire_all()
    assert who.suppressed
