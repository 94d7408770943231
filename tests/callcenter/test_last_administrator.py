"""Somebody can always administer: also when two administrators act on each other at the same moment."""

from contextlib import suppress
from threading import Thread

from sqlalchemy import func, select

from callcenter.base import users
from callcenter.base.auth import User
from callcenter.base.db import Sessions
from callcenter.base.errors import Refused
from callcenter.base.users import NewPerson


def test_two_administrators_who_disable_each_other_leave_one(committed: Sessions) -> None:
    with committed() as session:
        pair = [NewPerson(name, ("administrator",)) for name in ("Ana Prueba", "Eva Prueba")]
        ana, eva = (users.create(session, person, "una clave larga", by=None).id for person in pair)
        session.commit()

    def disable_ana() -> None:
        with committed() as session, suppress(Refused):
            users.set_active(session, ana, active=False, by=eva)
            session.commit()

    with committed() as session:
        users.set_active(session, eva, active=False, by=ana)
        session.flush()
        other = Thread(target=disable_ana)
        other.start()
        other.join(0.5)  # it waits for us, or is done already
        session.commit()
    other.join(10)
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(User).where(User.active)) == 1
