"""What is wrong with a file, as a message and its values: a worker stores it, a page says it in its own language."""

import json

from flask_babel import gettext
from sqlalchemy.exc import DataError

from callcenter.base.errors import InvalidInput

Values = str | int
# What a hostile or damaged file does to a library that reads it, or to the database. Left to the queue, the file would
# be given to one worker after the other for ever, and its page would wait.
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, TypeError, ValueError, DataError)


def N_(message: str) -> str:  # noqa: N802  # the name under which Babel finds a message that is translated later
    return message


class UnreadableFileError(InvalidInput):
    """The file cannot be read as what it was sent for. `message` is marked with N_; `values` fill its places."""

    def __init__(self, message: str, **values: Values) -> None:
        self.message, self.values = message, values
        super().__init__(gettext(message, **values))


def stored(fault: InvalidInput) -> str:
    """The fault as a row keeps it."""
    if isinstance(fault, UnreadableFileError):
        return json.dumps({"message": fault.message, "values": fault.values})
    return json.dumps({"message": str(fault).replace("%", "%%"), "values": {}})


def sentence(kept: str) -> str:
    """A stored fault in the reader's language."""
    fault = json.loads(kept)
    return str(gettext(fault["message"], **fault["values"])) if fault["values"] else _without_values(fault["message"])


def _without_values(message: str) -> str:
    return str(gettext(message)).replace("%%", "%")
