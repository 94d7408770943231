"""The supervisor's floor: wallboard, operators, alerts."""

from flask import Blueprint

blueprint = Blueprint("floor", __name__, url_prefix="/floor", template_folder="templates")


def compose() -> None: ...
