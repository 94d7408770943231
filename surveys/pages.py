"""The blueprint of the survey pages, and who may see what in them."""

from flask import Blueprint

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
