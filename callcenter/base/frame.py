"""What the frame around every page shows: person, menu, language, theme, and the drill's banner with its clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import format_date, format_datetime, format_decimal, format_percent, format_time
from flask_security import current_user
from werkzeug.local import LocalProxy

from callcenter.base import clock, languages, navigation, static_files
from callcenter.base.auth import ROLE_LABELS, User
from callcenter.base.db import web_session
from callcenter.base.settings import Settings

THEMES = ("system", "light", "dark")
COOKIE = "theme"


@dataclass(frozen=True)
class Frame:
    language: str
    theme: str
    person: User | None
    role_labels: tuple[str, ...]
    sections: tuple[navigation.Section, ...]
    header_parts: tuple[str, ...]
    drill: datetime | None  # the campaign clock, in drill mode
    here: str

    @property
    def is_narrow(self) -> bool:
        """Few entries (an operator's): no side bar, the screen is for the work."""
        return sum(len(section.items) for section in self.sections) <= 3


def init_app(app: Flask, settings: Settings) -> None:
    app.context_processor(lambda: _context(settings))
    app.add_template_filter(format_decimal, "numberformat")
    app.add_template_filter(format_percent, "percentformat")
    app.add_template_filter(format_date, "dateformat")
    app.add_template_filter(format_time, "timeformat")
    app.add_template_filter(format_datetime, "datetimeformat")


def _context(settings: Settings) -> dict[str, Any]:
    return {
        # A page without the frame (the one that says the database is away) asks the database nothing.
        "frame": LocalProxy(lambda: _frame_of_request(settings)),
        "vendor_url": static_files.vendor_url,
        "icons_url": static_files.vendor_url("bootstrap-icons", "icons.svg"),
        "page_url": page_url,
    }


def _frame_of_request(settings: Settings) -> Frame:
    if "frame" not in g:
        g.frame = make_frame(settings)
    frame: Frame = g.frame
    return frame


def make_frame(settings: Settings) -> Frame:
    person = current_user if current_user and current_user.is_authenticated else None
    return Frame(
        language=languages.language(),
        theme=theme(),
        person=person,
        role_labels=tuple(str(ROLE_LABELS[role.name]) for role in person.roles) if person else (),
        sections=navigation.sections() if person else (),
        header_parts=navigation.header_parts() if person else (),
        drill=_drill_clock() if settings.is_drill else None,
        here=request.full_path.rstrip("?") if request.method == "GET" else url_for("account.start"),
    )


def theme() -> str:
    """The person's choice, else the cookie's, else the system's."""
    chosen = getattr(current_user, "theme", None) or request.cookies.get(COOKIE)
    return chosen if chosen in THEMES else "system"


def page_url(number: int) -> str:
    """This address with its filter, at another page of the list."""
    view = {**(request.view_args or {}), **request.args.to_dict(flat=False), "page": number}
    return url_for(request.endpoint or "account.start", **view)


def _drill_clock() -> datetime:
    return clock.campaign_now(web_session())
