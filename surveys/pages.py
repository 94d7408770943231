"""The blueprint of the survey pages, and who may see what in them."""

from typing import Any

from flask import Blueprint

from callcenter.base import navigation
from callcenter.base.db import web_session
from surveys import tabs

blueprint = Blueprint(
    "surveys",
    __name__,
    url_prefix="/surveys",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/surveys",
)
MAKERS = ("administrator", "pollster")
READERS = ("administrator", "strategist", "supervisor", "pollster")
OPERATORS = ("operator", "supervisor")
EVERYBODY = ("administrator", "strategist", "supervisor", "pollster", "operator")
WATCHERS = ("administrator", "supervisor", "pollster")  # who looks at how interviews are done
LISTENERS = ("administrator", "supervisor")  # who hears calls: as in callcenter.sound.recording_views


@blueprint.context_processor
def _doors() -> dict[str, Any]:
    """Tabs lead where the person may go."""
    return {"is_open": navigation.is_open, "survey_sections": _sections}


def _sections(survey_id: int) -> list[tabs.Section]:
    return tabs.sections(web_session(), survey_id)
