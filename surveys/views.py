"""Pages of surveys: questionnaires, the interview in the console, results."""

from flask import Blueprint

blueprint = Blueprint(
    "surveys",
    __name__,
    url_prefix="/surveys",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/surveys",
)
