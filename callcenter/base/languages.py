"""Languages: Spanish of Mexico by default, English by choice; times as a clock in Mexico City shows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, force_locale
from flask_security import current_user

LANGUAGES = ("es", "en")
LOCALES = {"es": "es_MX", "en": "en"}
COOKIE = "language"
ZONE = "America/Mexico_City"
# By 24 hours and with the month by its name, in both languages: no «a.m..» ends a sentence, and nobody takes the
# eleventh of October for the tenth of November.
DATE_FORMATS = {
    "time.short": "H:mm", "time.medium": "H:mm:ss",
    "datetime.short": "d MMM y, H:mm", "datetime.medium": "d MMM y, H:mm:ss",
}  # fmt: skip


def init_app(app: Flask) -> None:
    """Sentences, dates and numbers follow the person, then the cookie, then the browser; Spanish otherwise."""
    app.config.update(
        BABEL_DEFAULT_LOCALE="es_MX",
        BABEL_DEFAULT_TIMEZONE=ZONE,
        BABEL_TRANSLATION_DIRECTORIES="callcenter/base/translations",
    )
    formats = {**Babel.default_date_formats, **DATE_FORMATS}
    Babel(app, date_formats=formats, locale_selector=lambda: LOCALES[language()])


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Sentences, dates and numbers in this language ("es" or "en"), in a process that answers no request."""
    app = Flask("convoca", root_path=str(Path(__file__).parents[2]), static_folder=None)
    init_app(app)
    with app.app_context(), force_locale(LOCALES[language]):
        yield


def language() -> str:
    """The language of this request: "es" or "en"; Spanish outside a request."""
    if not has_request_context():
        return "es"
    # `is_bare`: the database may be what failed, so the person is not asked.
    person = None if g.get("is_bare") else current_user
    chosen = getattr(person, "language", None) or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "es"
