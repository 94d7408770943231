"""People to sign in as, through the page and with the page's own token."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base import users
from callcenter.base.auth import User

PASSWORD = "una clave de prueba"
MakePerson: TypeAlias = Callable[..., User]
SignIn: TypeAlias = Callable[[User], FlaskClient]


@pytest.fixture
def make_person(session: Session, monkeypatch: pytest.MonkeyPatch) -> MakePerson:
    """`make_person("supervisor")`: a person with that role and the password PASSWORD, hashed at little cost."""
    monkeypatch.setattr(users, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))

    def make(*roles: str, username: str = "", full_name: str = "Rosa Invento Prueba") -> User:
        user = users.create(session, users.NewPerson(full_name, roles, username), PASSWORD, by=None)
        session.commit()
        return user

    return make


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """A new client in which this person has signed in through the page."""

    def enter(user: User) -> FlaskClient:
        client = app.test_client()
        answer = post(client, "/login", {"username": user.username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return client

    return enter


def token(client: FlaskClient, path: str = "/login") -> str:
    """The CSRF token that the page at `path` carries."""
    return token_in(client.get(path, follow_redirects=True).text)


def token_in(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def post(client: FlaskClient, path: str, form: Mapping[str, object], *, page: str = "/login"):  # type: ignore[no-untyped-def]
    """Post a form as a browser does: with the token of the page it stands on."""
    return client.post(path, data={**form, "csrf_token": token(client, page)})
