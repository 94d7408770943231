"""Sign-in, through Flask-Security: what it is told, how often it may be tried, and what is remembered of it."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request, session
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security import (
    LoginForm,
    Security,
    SQLAlchemySessionUserDatastore,
    TwoFactorRescueForm,
    TwoFactorSetupForm,
    password_changed,
    user_authenticated,
)
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from callcenter.base import audit
from callcenter.base.auth import Role, User
from callcenter.base.db import web_session
from callcenter.base.settings import Settings, web_settings
from callcenter.base.users import PASSWORD_LENGTH_MIN

BLUEPRINT = "security"
# Failed tries only. An office of operators shares one address, so an address may fail more often than a name.
TRIES_PER_NAME, TRIES_PER_ADDRESS = "8 per 5 minutes", "60 per 5 minutes"
CODE_TRIES = "6 per 5 minutes"
SESSION_LIFE = timedelta(hours=16)


def gettext_noop(text: str) -> str:
    """Mark a sentence for the catalogue; Flask-Security translates it when it is shown."""
    return text


MESSAGES = {
    "GENERIC_AUTHN_FAILED": (gettext_noop("The user name or the password is not right."), "error"),
    "PASSWORD_NOT_PROVIDED": (gettext_noop("Write the password."), "error"),
    "INVALID_PASSWORD": (gettext_noop("That is not your present password."), "error"),
    "PASSWORD_IS_THE_SAME": (gettext_noop("The new password must differ from the present one."), "error"),
    "PASSWORD_INVALID_LENGTH": (gettext_noop("The password needs at least %(length)s characters."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (gettext_noop("The two new passwords differ."), "error"),
    "PASSWORD_CHANGE": (gettext_noop("Your password was changed. Your other sessions were ended."), "success"),
    "UNAUTHENTICATED": (gettext_noop("Sign in first."), "error"),
    "DISABLED_ACCOUNT": (gettext_noop("This account is disabled. Ask your administrator."), "error"),
    "REAUTHENTICATION_REQUIRED": (gettext_noop("Confirm with your password that it is you."), "error"),
    "REAUTHENTICATION_SUCCESSFUL": (gettext_noop("Thank you."), "success"),
    "TWO_FACTOR_INVALID_TOKEN": (gettext_noop("That code is not valid. Wait for the next one and try again."), "error"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (gettext_noop("Signed in."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (gettext_noop("Your second factor is set up."), "success"),
    "TWO_FACTOR_PERMISSION_DENIED": (gettext_noop("Sign in first."), "error"),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (gettext_noop("That method is not available."), "error"),
    "TWO_FACTOR_DISABLED": (gettext_noop("Your second factor was removed."), "success"),
    "TWO_FACTOR_SETUP_EXPIRED": (gettext_noop("That took too long. Start again."), "error"),
    "API_ERROR": (gettext_noop("That did not work. Start again."), "error"),
}


class SignInForm(LoginForm):
    """User name and password, as they are; nobody stays signed in on a shared machine after the browser closes."""

    def validate(self, **kwargs: Any) -> bool:
        self.remember.data = False
        if not super().validate(**kwargs):
            return False
        assert isinstance(self.user, User)  # found by super().validate
        if self.user.has_demo_password and web_settings().demo_passwords_refused:
            self.form_errors.append(
                _("Demonstration passwords are refused here. An administrator sets a new one: flask users password.")
            )
            return False
        return True


class SecondFactorForm(TwoFactorSetupForm):
    """One method only; and Flask-Security's own field lists its choices in a way that WTForms is about to drop."""

    setup = RadioField(
        choices=[SelectChoice("disable"), SelectChoice("authenticator")],
        validate_choice=False,  # the form's own validate does it, by what the person may choose
    )


class RescueForm(TwoFactorRescueForm):
    """Built by Flask-Security beside the form for the code, never shown: a lost telephone is the administrator's."""

    help_setup = RadioField(choices=[SelectChoice("help")])


def init_app(app: Flask, settings: Settings) -> None:
    """Sign-in by user name and password, throttled, with secure cookies and sessions that an administrator can end."""
    app.config.update(_configuration(settings))
    app.config.update({f"SECURITY_MSG_{name}": message for name, message in MESSAGES.items()})
    datastore = SQLAlchemySessionUserDatastore(app.extensions["sessions"], User, Role)
    Security(
        app, datastore, login_form=SignInForm, two_factor_setup_form=SecondFactorForm, two_factor_rescue_form=RescueForm
    )
    # Sessions only: no tokens in headers or addresses.
    app.extensions["security"].login_manager.request_loader(lambda _request: None)
    app.before_request(_refuse_what_is_no_form)
    password_changed.connect(_own_password, app)
    user_authenticated.connect(_signed_in, app)
    _throttle(app, settings)


def _configuration(settings: Settings) -> Mapping[str, Any]:
    is_https = settings.public_url.startswith("https://")
    return {
        "SECRET_KEY": settings.secret_key,
        "SECURITY_PASSWORD_SALT": settings.secret_key,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        # Argon2 salts each password; without a second key over it, passwords survive a lost secret key.
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        "SECURITY_PASSWORD_LENGTH_MIN": PASSWORD_LENGTH_MIN,
        "SECURITY_CLI_USERS_NAME": False,  # ours: callcenter.base.cli
        "SECURITY_CLI_ROLES_NAME": False,
        "SECURITY_USERNAME_ENABLE": True,
        "SECURITY_USERNAME_REQUIRED": True,
        "SECURITY_USERNAME_MIN_LENGTH": 2,
        "SECURITY_USERNAME_ALLOWED_CHARS": ["L", "N", "Pc", "Pd", "Po"],
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"username": {"mapper": str.strip, "case_insensitive": True}}],
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_SEND_REGISTER_EMAIL": False,
        "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": False,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_TRACKABLE": True,
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_POST_LOGOUT_VIEW": "/login",
        "SECURITY_POST_CHANGE_VIEW": "/",
        "SECURITY_FRESHNESS": timedelta(hours=1),
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "/account",
        "SECURITY_TOTP_ISSUER": "Convoca",
        "SECURITY_TOTP_SECRETS": {"1": _totp_key(settings.secret_key)},
        # Not under Flask-Security's own names: its blueprint's folder would be looked into first.
        "SECURITY_LOGIN_USER_TEMPLATE": "base/door/sign_in.html",
        "SECURITY_CHANGE_PASSWORD_TEMPLATE": "base/door/change_password.html",
        "SECURITY_VERIFY_TEMPLATE": "base/door/verify.html",
        "SECURITY_TWO_FACTOR_SETUP_TEMPLATE": "base/door/two_factor_setup.html",
        "SECURITY_TWO_FACTOR_VERIFY_CODE_TEMPLATE": "base/door/two_factor_verify_code.html",
        "SECURITY_I18N_DOMAIN": "messages",
        "SECURITY_I18N_DIRNAME": [str(Path(__file__).parent / "translations")],
        "SESSION_COOKIE_NAME": "convoca",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": is_https,
        # The signature of a session is good for so long: a copied cookie is not a key for ever, and a shift is shorter.
        "PERMANENT_SESSION_LIFETIME": SESSION_LIFE,
        "REMEMBER_COOKIE_SECURE": is_https,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "SECURITY_TWO_FACTOR_VALIDITY_COOKIE": {"httponly": True, "secure": is_https, "samesite": "Strict"},
        "WTF_CSRF_TIME_LIMIT": None,  # a console stays open for a whole shift; the token ends with the session
    }


def _totp_key(secret_key: str) -> str:
    """The key under which second-factor secrets are stored: derived, so that there is one secret to keep."""
    return base64.b64encode(hashlib.sha256(b"second factor:" + secret_key.encode()).digest()).decode()


def _refuse_what_is_no_form() -> None:
    # Flask-Security takes JSON too, and any JSON for a form.
    if request.blueprint == BLUEPRINT and request.is_json and not isinstance(request.get_json(silent=True), dict):
        abort(400)


def _own_password(_sender: Flask, user: User, **_more: Any) -> None:
    user.must_change_password = user.has_demo_password = False
    audit.record(web_session(), user.id, "user.password_changed", f"user/{user.id}")


def _signed_in(_sender: Flask, user: User, **_more: Any) -> None:
    audit.record(web_session(), user.id, "user.signed_in", f"user/{user.id}")


def _throttle(app: Flask, settings: Settings) -> None:
    """Count failed sign-ins in Redis; in this process's memory while Redis is away."""
    url = settings.redis_url
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=f"redis+{url}" if url.startswith("unix:") else url,
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        in_memory_fallback_enabled=True,
        key_prefix="convoca",
        headers_enabled=False,
    )
    views: dict[str, Any] = app.view_functions
    failed_posts: dict[str, Any] = {"methods": ["POST"], "deduct_when": _failed}
    by_name = limiter.limit(TRIES_PER_NAME, key_func=_name_tried, **failed_posts)
    by_address = limiter.limit(TRIES_PER_ADDRESS, **failed_posts)
    views["security.login"] = by_name(by_address(views["security.login"]))
    for endpoint in ("security.two_factor_token_validation", "security.verify", "security.change_password"):
        by_person = limiter.limit(CODE_TRIES, key_func=_person_tried, **failed_posts)
        views[endpoint] = by_person(views[endpoint])


def _name_tried() -> str:
    given = request.get_json(silent=True) if request.is_json else request.form
    name = given.get("username", "") if isinstance(given, Mapping) else ""
    return "name:" + str(name).strip().casefold()[:100]


def _person_tried() -> str:
    return f"person:{session.get('_user_id') or session.get('tf_user_id') or get_remote_address()}"


def _failed(response: Response) -> bool:
    # Success redirects a browser; to a script it answers 200.
    return response.status_code >= 400 or (response.status_code == 200 and response.mimetype == "text/html")
