"""What voice carriers ask and tell us: verified, committed, answered fast."""

from flask import Blueprint

blueprint = Blueprint("voice_webhooks", __name__, url_prefix="/hooks/voice")
