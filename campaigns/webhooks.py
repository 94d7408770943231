"""Receipts and replies: verified, committed, answered fast."""

from flask import Blueprint

blueprint = Blueprint("message_webhooks", __name__, url_prefix="/hooks/messages")
