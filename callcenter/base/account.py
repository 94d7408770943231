"""Pages about oneself: start page by role, language, theme, password."""

from flask import Blueprint

blueprint = Blueprint("account", __name__, template_folder="templates", static_folder="static", static_url_path="/static/base")
