"""Why an operator is in a pause: the reasons one chooses, and those the system gives. A code and its word."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput

CHOSEN: dict[str, LazyString] = {
    "break": _l("Short break"),
    "bathroom": _l("Bathroom"),
    "meal": _l("Meal"),
    "training": _l("Training or meeting"),
    "technical": _l("Technical problem"),
    "paperwork": _l("Writing up"),
}
GIVEN: dict[str, LazyString] = {
    "starting": _l("Connected, not yet available"),
    "difficult_call": _l("After a difficult call"),
    "supervisor": _l("By the supervisor"),
    "gone": _l("The page was closed or lost its connection"),
    "room_lost": _l("The telephone line was lost"),
    "consulted": _l("Consulted by another operator"),
}


def label(code: str | None) -> str:
    """The reason in the reader's language; '' for none, the operator's own word as it is."""
    if code is None:
        return ""
    return str(CHOSEN.get(code) or GIVEN.get(code) or code)


def chosen(code: object) -> str:
    """The code when it is one that an operator may choose. Raises InvalidInput."""
    if not isinstance(code, str) or code not in CHOSEN:
        raise InvalidInput({"reason": str(_l("Choose the reason of the pause."))})
    return code
