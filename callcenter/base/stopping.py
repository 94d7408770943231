"""Has this process been asked to end? A job that works for long looks here between its steps."""

from threading import Event

_asked = Event()


def ask() -> None:
    """Called once, by the process's own signal handler."""
    _asked.set()


def is_asked() -> bool:
    return _asked.is_set()
