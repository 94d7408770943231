"""What an operator works through in a call: `survey/17` names a kind and a number, and the kind's floor registers here.

The ground floor thereby never imports a floor above it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class CallScript:
    """`endpoint` draws the script of a call in the console (url_for(endpoint, call_id=…)). `ended` hears, in the same
    transaction, that the call got its disposition; `reopened` that the operator took it back within the ten seconds.
    `suggested` names the disposition that the answers imply, or None. `preview(17)` is the address at which script 17
    can be tried without a call (the console's training)."""

    endpoint: str
    ended: Callable[[Session, UUID], None]
    suggested: Callable[[Session, UUID], str | None]
    reopened: Callable[[Session, UUID], None] | None = None
    preview: Callable[[int], str] | None = None


_kinds: dict[str, CallScript] = {}


def register(kind: str, script: CallScript) -> None:
    _kinds[kind] = script


def script_for(script: str) -> CallScript | None:
    """The kind of a call's script; None for `operator`, whose text stands in the queue."""
    return _kinds.get(script.partition("/")[0])
