"""Administration of people: create (in bulk, with slips), disable, reset, end sessions, audit."""

from flask import Blueprint

blueprint = Blueprint("users", __name__, url_prefix="/people")
