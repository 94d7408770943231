"""Pages of recordings: the list, one recording with its sound, and what may be done with it."""

from flask import Blueprint

blueprint = Blueprint("recordings", __name__, url_prefix="/recordings", template_folder="templates")
