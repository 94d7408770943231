"""What every page shares: the frame's templates, errors in words, paging."""

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect

from callcenter.base.errors import InvalidInput, NotFound, Refused

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    csrf.init_app(app)

    @app.errorhandler(InvalidInput)
    def invalid(error: InvalidInput) -> ResponseReturnValue:
        return _answer(422, str(error), error.faults)

    @app.errorhandler(NotFound)
    def missing(error: NotFound) -> ResponseReturnValue:
        return _answer(404, str(error))

    @app.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return _answer(409, str(error), {"code": error.code})


def wants_json() -> bool:
    """Did the page's script ask, rather than the browser itself?"""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _answer(status: int, sentence: str, detail: dict[str, str] | None = None) -> ResponseReturnValue:
    if wants_json() or request.is_json:
        return {"error": sentence, "detail": detail or {}}, status
    return render_template("base/error.html", status=status, sentence=sentence), status
