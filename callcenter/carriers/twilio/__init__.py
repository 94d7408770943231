"""Twilio, and whatever speaks its protocol."""
