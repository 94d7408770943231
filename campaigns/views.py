"""Pages of campaigns: calls and messages, launch, pause, progress."""

from flask import Blueprint

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns", template_folder="templates")
