"""What every page shares: the frame, errors in words, paging, protection against forged requests."""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy import Select, func, select
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from callcenter.base import compression, frame, headers, languages, static_files
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.settings import Settings

log = logging.getLogger(__name__)
csrf = CSRFProtect()
T = TypeVar("T")
V = TypeVar("V", bound=Callable[..., Any])
PAGE_SIZE = 50
FORM_BYTES = 1_000_000  # the body of any request but an upload: nobody fills the disk from outside


def init_app(app: Flask) -> None:
    """The frame of every page and its manners. Comes after `db` and `sign_in`, before the blueprints."""
    settings: Settings = app.config["SETTINGS"]
    app.config["MAX_CONTENT_LENGTH"] = FORM_BYTES
    app.before_request(_let_uploads_in)  # before the form is read for its token
    csrf.init_app(app)
    languages.init_app(app)
    frame.init_app(app, settings)
    static_files.init_app(app)
    compression.init_app(app)
    headers.init_app(app, settings)
    for cause, answer in (
        (InvalidInput, _invalid), (NotFound, _missing), (Refused, _refused), (CSRFError, _stale_form),
        (HTTPException, _http_error), (IntegrityError, _collided), (DataError, _unstorable),
        (OperationalError, _database_away), (InterfaceError, _database_away), (PoolTimeout, _database_away),
        (Exception, _broken),
    ):  # fmt: skip
        app.register_error_handler(cause, answer)


def takes_upload(limit: int) -> Callable[[V], V]:
    """Let a view take a body of `limit` bytes (and the form around it). Every other view takes FORM_BYTES."""

    def mark(view: V) -> V:
        view.upload_bytes = limit + FORM_BYTES  # type: ignore[attr-defined]  # read again by _let_uploads_in
        return view

    return mark


def takes_form(limit: int) -> Callable[[V], V]:
    """Let a view take a form of `limit` bytes, where people paste long texts. Stands above `access`."""

    def mark(view: V) -> V:
        view.form_bytes = limit  # type: ignore[attr-defined]  # read again by _let_uploads_in
        return view

    return mark


def _let_uploads_in() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    allowed = getattr(view, "upload_bytes", None)
    if allowed is not None:
        request.max_content_length = allowed
    allowed = getattr(view, "form_bytes", None)
    if allowed is not None:
        request.max_content_length = request.max_form_memory_size = allowed


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list, for the macro `pager`. `total` is None where counting would cost too much."""

    rows: Sequence[T]
    number: int
    has_next: bool
    total: int | None = None


def page_number() -> int:
    """The page the address asks for; the first when it asks for nonsense."""
    text = request.args.get("page", "1")
    return min(int(text), 100_000) if text.isascii() and text.isdigit() and int(text) > 0 else 1


def paged(session: Session, query: Select[Any], number: int, *, size: int = PAGE_SIZE, count: bool = True) -> Page[Any]:
    """Page `number` of an ordered select of one entity."""
    rows = session.scalars(query.limit(size + 1).offset((number - 1) * size)).all()
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    total = session.execute(counted).scalar_one() if count else None
    return Page(rows[:size], number, len(rows) > size, total)


def wants_json() -> bool:
    """Did the page's script ask, rather than the browser itself?"""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def is_htmx() -> bool:
    """Does htmx ask, for a part of a page?"""
    return request.headers.get("HX-Request") == "true"


def back_to(fallback: str) -> Response:
    """To the address the form came from (`next`, ours only), else to the endpoint `fallback`."""
    target = request.form.get("next", "")
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return redirect(target if is_ours else url_for(fallback))


def _invalid(error: InvalidInput) -> ResponseReturnValue:
    return _answer(422, str(error), error.faults)


def _missing(error: NotFound) -> ResponseReturnValue:
    return _answer(404, str(error) or _("There is no such page."))


def _refused(error: Refused) -> ResponseReturnValue:
    return _answer(409, str(error), {"code": error.code})


def _stale_form(_error: CSRFError) -> ResponseReturnValue:
    return _answer(400, _("This page was open too long, or in another session. Go back, reload it and try again."))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error  # a redirect, or an answer that is complete already
    code = error.code or 500
    sentences = {
        400: _("The request was incomplete. Go back, reload the page and try again."),
        401: _("Sign in first."),
        403: _("Your role does not open this page. If you need it, ask your administrator."),
        404: _("There is no such page. It may have moved, or the address is mistyped."),
        405: _("This address does not take that kind of request."),
        413: _("The file is too large."),
        429: _("Too many attempts. Wait a few minutes and try again."),
    }
    return _answer(code, sentences.get(code, _("The request could not be answered.")))


def _collided(error: IntegrityError) -> ResponseReturnValue:
    """Two did the same at once, and the first of them has it."""
    g.is_bare = True
    # Not the error's own words: PostgreSQL quotes the key, and a key may be a phone.
    diagnosis = getattr(error.orig, "diag", None)
    log.warning("%s collided on %s", request.endpoint, getattr(diagnosis, "constraint_name", None))
    return _bare(409, _("Somebody else changed the same at that moment. Go back, reload the page and look again."))


def _unstorable(error: DataError) -> ResponseReturnValue:
    """A number beyond all numbers, a text with a zero byte: no page of ours sends it."""
    g.is_bare = True
    log.warning("%s was given what cannot be stored: %s", request.endpoint, type(error.orig).__name__)
    return _bare(400, _("The request was incomplete. Go back, reload the page and try again."))


def _database_away(error: Exception) -> ResponseReturnValue:
    g.is_bare = True
    log.error("the database does not answer (%s)", type(getattr(error, "orig", None) or error).__name__)
    return _bare(503, _("The database does not answer. Nothing is lost; try again in a few seconds."))


def _broken(error: Exception) -> ResponseReturnValue:
    g.is_bare = True
    # Only the lines of code: an exception's message may hold a row, and a row holds a person.
    lines = "".join(traceback.format_tb(error.__traceback__))
    log.error("a page failed: %s at %s\n%s", type(error).__name__, request.endpoint, lines)
    return _bare(
        500, _("Something failed on our side, and it has been logged. Try again; if it stays, tell your administrator.")
    )


def _answer(status: int, sentence: str, detail: dict[str, str] | None = None) -> ResponseReturnValue:
    if wants_json() or request.is_json or is_htmx():
        return {"error": sentence, "detail": detail or {}}, status
    return render_template("base/error.html", status=status, sentence=sentence), status


def _bare(status: int, sentence: str) -> ResponseReturnValue:
    """An answer that asks the database nothing: the database may be what failed."""
    if wants_json() or request.is_json or is_htmx():
        return {"error": sentence, "detail": {}}, status
    return render_template("base/bare.html", status=status, sentence=sentence), status
