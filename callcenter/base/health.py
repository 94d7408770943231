"""GET /healthz: of each part whether it works."""

from flask import Blueprint

blueprint = Blueprint("health", __name__)
