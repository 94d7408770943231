"""Pages of people: list, person, opt-out."""

from flask import Blueprint

blueprint = Blueprint("contacts", __name__, url_prefix="/contacts", template_folder="templates")
