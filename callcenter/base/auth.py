"""People who work here, their six roles, and the default: no route is open unless its view says to whom."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import RoleMixin, UserMixin, current_user
from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from callcenter.base.clock import real_now
from callcenter.base.db import Base

V = TypeVar("V", bound=Callable[..., Any])
ROLES = ("administrator", "strategist", "supervisor", "pollster", "operator", "data_clerk")

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
    """A person with a log-in. `fs_uniquifier` changes when their sessions are ended."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
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
    last_login_at: Mapped[datetime | None]
    current_login_at: Mapped[datetime | None]
    last_login_ip: Mapped[str | None]
    current_login_ip: Mapped[str | None]
    login_count: Mapped[int | None]
    roles: Mapped[list[Role]] = relationship(secondary=roles_users, lazy="selectin")


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
    """Refuse every request whose view is neither public nor open to one of the person's roles."""

    @app.before_request
    def check() -> ResponseReturnValue | None:
        endpoint = request.endpoint
        if endpoint is None:
            return None
        view = current_app.view_functions[endpoint]
        if endpoint == "static" or endpoint.endswith(".static") or getattr(view, "access_public", None):
            return None
        if endpoint.startswith("security."):
            return None  # Flask-Security guards its own views; tests/test_routes.py lists them
        if not current_user.is_authenticated:
            return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
        if not may(getattr(view, "access_roles", frozenset())):
            abort(403)
        return None


def may(roles: frozenset[str]) -> bool:
    """Does the current person have one of these roles?"""
    return bool(roles & {role.name for role in current_user.roles})
