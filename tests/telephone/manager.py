"""What every telephone test asks Asterisk with."""

from scripts.asterisk.manager import Manager, Packet, entered, open_trunk, until

__all__ = ["Manager", "Packet", "entered", "open_trunk", "until"]
