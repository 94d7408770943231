"""Asterisk: calls over its manager interface (AMI), what happens in them by the events that scripts.switch reads."""
