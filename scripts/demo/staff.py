"""The demonstration's people at work: one log-in a role, and the simulated floor."""

import uuid

from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.auth import ROLES, Role, User
from scripts.demo import FLOOR, LOGINS, PASSWORD, Login


def load(session: Session) -> dict[str, int]:
    """Make roles and users; returns user ids by user name. Needs an application context (for the password's hash)."""
    roles = {role.name: role for role in session.scalars(select(Role))}
    for name in ROLES:
        if name not in roles:
            roles[name] = Role(name=name)
            session.add(roles[name])
    # One hash for all: the password is public, and hashing it 26 times would take longer than the rest.
    secret = hash_password(PASSWORD)
    users = [_user(login, roles[login.role], secret) for login in (*LOGINS, *FLOOR)]
    session.add_all(users)
    session.flush()
    for user in users:
        if user.roles[0].name == "operator":
            operators.of_user(session, user.id)
    return {user.username: user.id for user in users}


def _user(login: Login, role: Role, secret: str) -> User:
    return User(
        username=login.username,
        full_name=login.full_name,
        password=secret,
        has_demo_password=True,
        fs_uniquifier=uuid.uuid4().hex,
        roles=[role],
    )
