"""The operator's console: pages and the JSON they post to."""

from flask import Blueprint

blueprint = Blueprint("console", __name__, url_prefix="/console", template_folder="templates", static_folder="static", static_url_path="/static/callcenter")
