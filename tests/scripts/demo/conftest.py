"""The demonstration in a test's own database, smaller than the one of `make run`."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter.base.settings import Settings
from scripts.demo import load
from wsgi import create_app


@pytest.fixture
def app(session: Session, settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def demo(app: Flask, session: Session, settings: Settings) -> Session:
    with app.app_context():
        load.load(session, settings, contacts=400, calls=120)
    return session


@pytest.fixture
def panel_demo(app: Flask, session: Session, settings: Settings) -> Session:
    """With enough people in the panel's ten sections for a trend, and few calls."""
    with app.app_context():
        load.load(session, settings, contacts=3000, calls=150)
    return session
