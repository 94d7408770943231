"""Pages of segments: the rule, its live count."""

from flask import Blueprint

blueprint = Blueprint("segments", __name__, url_prefix="/segments", template_folder="templates", static_folder="static", static_url_path="/static/campaigns")
