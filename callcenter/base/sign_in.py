"""Sign-in, through Flask-Security: what it is told, and nothing of our own beside it."""

from flask import Flask
from flask_security import Security, SQLAlchemySessionUserDatastore

from callcenter.base.auth import Role, User
from callcenter.base.settings import Settings

BLUEPRINT = "security"


def init_app(app: Flask, settings: Settings) -> None:
    """Sign-in by user name and password, secure session cookies, sessions that an administrator can end."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECURITY_PASSWORD_SALT=settings.secret_key,
        SECURITY_PASSWORD_HASH="argon2",
        SECURITY_USERNAME_ENABLE=True,
        SECURITY_USERNAME_REQUIRED=True,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[{"username": {"mapper": str.strip, "case_insensitive": True}}],
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_TRACKABLE=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
    )
    datastore = SQLAlchemySessionUserDatastore(app.extensions["sessions"], User, Role)
    Security(app, datastore)
