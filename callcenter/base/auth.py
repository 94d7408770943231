"""People who work here, their six roles, and the default: no route is open unless its view says to whom."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_security import RoleMixin, UserMixin, current_user, logout_user
from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.settings import web_settings

V = TypeVar("V", bound=Callable[..., Any])
ROLES = ("administrator", "strategist", "supervisor", "pollster", "operator", "data_clerk")
ROLE_LABELS = {
    "administrator": _l("Administrator"),
    "strategist": _l("Strategist"),
    "supervisor": _l("Supervisor"),
    "pollster": _l("Pollster"),
    "operator": _l("Operator"),
    "data_clerk": _l("Data clerk"),
}
# Flask-Security's views carry no mark of ours: each one that may be entered is named here, all others answer 403.
SIGN_IN_VIEWS = frozenset(
    {"security.login", "security.logout", "security.two_factor_setup", "security.two_factor_token_validation"}
)
ACCOUNT_VIEWS = frozenset({"security.change_password", "security.verify", "security.two_factor_setup_validate"})
# What a person may do who must first choose a password of their own.
BEFORE_OWN_PASSWORD = frozenset({"security.change_password", "account.choose_language", "account.choose_theme"})

roles_users = Table(
    "roles_users",
    Base.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("roles.id"), primary_key=True),
)


class Role(Base, RoleMixin):
    __tablename__ = "roles"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]


class User(Base, UserMixin):
    """A person with a log-in. `fs_uniquifier` changes when their sessions are ended.

    `type: ignore[assignment]`: Flask-Security's mixin declares these as never None, its documentation lets them be.
    """

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)  # type: ignore[assignment]
    full_name: Mapped[str]
    password: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str | None]  # "es" | "en"; None follows the browser
    theme: Mapped[str | None]  # "light" | "dark"; None follows the system
    must_change_password: Mapped[bool] = mapped_column(default=False)
    must_use_second_factor: Mapped[bool] = mapped_column(default=False)
    has_demo_password: Mapped[bool] = mapped_column(default=False)
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    last_login_at: Mapped[datetime | None]  # type: ignore[assignment]
    current_login_at: Mapped[datetime | None]  # type: ignore[assignment]
    last_login_ip: Mapped[str | None]
    current_login_ip: Mapped[str | None]
    login_count: Mapped[int | None]  # type: ignore[assignment]
    roles: Mapped[list[Role]] = relationship(secondary=roles_users, lazy="selectin")  # type: ignore[assignment]

    def check_tf_required(
        self, tf_setup_methods: list[tuple[str, str]], tf_fresh: bool
    ) -> tuple[bool, list[tuple[str, str]]]:
        """Asked by Flask-Security once the password is right: is a second factor needed to go on?"""
        required, methods = super().check_tf_required(tf_setup_methods, tf_fresh)
        return required or self.must_use_second_factor, methods

    def check_tf_required_setup(self) -> bool:
        """Asked by Flask-Security's page: may this person not remove the second factor?"""
        return self.must_use_second_factor


def access(*roles: str) -> Callable[[V], V]:
    """Open a view to these roles. Goes below `@blueprint.route`; without it, or `public`, a view answers 403."""
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"unknown roles {sorted(unknown)}; the roles are {', '.join(ROLES)}")
    return _mark("access_roles", frozenset(roles))


def public(why: str) -> Callable[[V], V]:
    """Open a view to everybody, and say why (a signed webhook, the opt-out page)."""
    return _mark("access_public", why)


def _mark(name: str, value: Any) -> Callable[[V], V]:
    def mark(view: V) -> V:
        setattr(view, name, value)
        return view

    return mark


def guard(app: Flask) -> None:
    """Refuse every request whose view is neither public nor open to one of the person's roles.

    Also for HEAD and for Flask's own OPTIONS answers. An address that leads to no view is a 404 for everybody.
    """

    @app.before_request
    def check() -> ResponseReturnValue | None:
        endpoint = request.endpoint
        if endpoint is None or is_open_to_all(endpoint):
            return None
        if not current_user.is_authenticated:
            return _to_sign_in()
        if _has_refused_demo_password():
            logout_user()
            return _to_sign_in()
        if current_user.must_change_password and endpoint not in BEFORE_OWN_PASSWORD:
            return redirect(url_for("security.change_password")) if _is_page() else abort(403)
        if endpoint in ACCOUNT_VIEWS or may(access_roles(endpoint)):
            return None
        return abort(403)


def is_open_to_all(endpoint: str) -> bool:
    """May everybody enter: static files of our blueprints, views marked public, and the steps of signing in?"""
    name, _, view_name = endpoint.rpartition(".")
    if view_name == "static" and name in current_app.blueprints and current_app.blueprints[name].has_static_folder:
        return name != "security"  # Flask-Security's own style sheet and scripts are not used
    return endpoint in SIGN_IN_VIEWS or bool(getattr(current_app.view_functions[endpoint], "access_public", None))


def access_roles(endpoint: str) -> frozenset[str]:
    """The roles that may enter this view; none when it carries no mark."""
    roles: frozenset[str] = getattr(current_app.view_functions[endpoint], "access_roles", frozenset())
    return roles


def may(roles: frozenset[str]) -> bool:
    """Does the current person have one of these roles?"""
    return bool(roles & {role.name for role in current_user.roles})


def _is_page() -> bool:
    """Does the browser ask for a page, rather than a script for a part or an answer?"""
    is_script = request.headers.get("HX-Request") == "true" or request.is_json
    preferred = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return not is_script and preferred != "application/json"


def _to_sign_in() -> ResponseReturnValue:
    if not _is_page():
        abort(401)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("security.login", next=wanted if wanted != "/" else None))


def _has_refused_demo_password() -> bool:
    return bool(web_settings().demo_passwords_refused and current_user.has_demo_password)
