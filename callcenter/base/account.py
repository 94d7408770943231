"""Pages about oneself: start page by role, language, theme, password, second factor."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from callcenter.base import frame, languages, navigation
from callcenter.base.auth import ROLES, access, public
from callcenter.base.db import web_session
from callcenter.base.web import back_to

blueprint = Blueprint(
    "account", __name__, template_folder="templates", static_folder="static", static_url_path="/static/base"
)
KEPT = timedelta(days=400)  # the longest a browser keeps a cookie


@blueprint.get("/")
@access(*ROLES)
def start() -> ResponseReturnValue:
    """Send each person to where their work begins."""
    return redirect(url_for(navigation.start_endpoint()))


@blueprint.get("/account")
@access(*ROLES)
def show() -> ResponseReturnValue:
    return render_template("base/account.html")


@blueprint.post("/language")
@public("the language of the sign-in page is chosen before anybody has signed in")
def choose_language() -> ResponseReturnValue:
    return _keep("language", languages.COOKIE, languages.LANGUAGES)


@blueprint.post("/theme")
@public("the theme of the sign-in page is chosen before anybody has signed in")
def choose_theme() -> ResponseReturnValue:
    return _keep("theme", frame.COOKIE, frame.THEMES)


def _keep(field: str, cookie: str, allowed: tuple[str, ...]) -> ResponseReturnValue:
    """Remember the choice in the browser, and with the person when somebody is signed in."""
    chosen = request.form.get(field, "")
    response = back_to("account.start")
    if chosen not in allowed:
        return response
    response.set_cookie(cookie, chosen, max_age=KEPT, samesite="Lax", httponly=True, secure=request.is_secure, path="/")
    if current_user.is_authenticated:
        setattr(current_user, field, chosen)
        web_session().commit()
    return response
