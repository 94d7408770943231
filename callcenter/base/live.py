"""Live pages by server-sent events: every message is a full snapshot, so late, lost or doubled news do no harm."""

from flask import Blueprint

blueprint = Blueprint("live", __name__)
