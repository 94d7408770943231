"""Dispositions: what an operator can say became of a call, each with its key, its effect and its AAPOR code.

AAPOR codes: Standard Definitions, 10th edition, telephone surveys (https://aapor.org/standards-and-ethics/standard-definitions/).
"""

from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput


@dataclass(frozen=True)
class Disposition:
    """`effect`: final (the person is done in this queue) | retry (again after the queue's pause) | callback (again at
    the promised time) | suppress (never again, on any channel). `key`: the number key in the console, or ''."""

    code: str
    key: str
    effect: str
    aapor: str
    label: LazyString


_LIST = (
    Disposition("completed", "1", "final", "1.1", _l("Completed")),
    Disposition("callback", "2", "callback", "2.20", _l("Call back at an agreed time")),
    Disposition("voicemail", "3", "retry", "2.22", _l("Voicemail or nobody speaks")),
    Disposition("not_available", "4", "retry", "2.21", _l("The person is not there now")),
    Disposition("refused", "5", "final", "2.11", _l("Refuses to take part")),
    Disposition("partial", "6", "final", "1.2", _l("Broke off half-way")),
    Disposition("wrong_number", "7", "final", "4.41", _l("Wrong number: nobody knows the person")),
    Disposition("language_barrier", "8", "final", "2.33", _l("Speaks another language")),
    Disposition("do_not_call", "9", "suppress", "2.11", _l("Do not contact again")),
    Disposition("cannot_answer", "", "final", "2.32", _l("Cannot answer for reasons of health")),
    Disposition("deceased", "", "final", "2.31", _l("The person has died")),
    Disposition("ineligible", "", "final", "4.70", _l("Does not belong to the group asked (age, moved away)")),
    Disposition("over_quota", "", "final", "4.80", _l("Enough interviews of this group: short interview")),
)
# What a recorded survey says of a call besides; no operator chooses it.
_OF_RECORDINGS = (Disposition("no_reply", "", "retry", "3.21", _l("Answered, and nobody pressed a key")),)
DISPOSITIONS: dict[str, Disposition] = {each.code: each for each in (*_LIST, *_OF_RECORDINGS)}

# What becomes of a try without an operator's word; the sentences stand beside the codes of ledger.call_states.
OUTCOMES: dict[str, LazyString] = {
    "busy": _l("Busy"),
    "no_answer": _l("Nobody answered"),
    "failed": _l("The line failed"),
    "machine": _l("An answering machine took the call"),
    "voicemail": DISPOSITIONS["voicemail"].label,  # and it hears our message (callcenter.ledger.voicemails)
    "invalid_number": _l("The number does not exist"),
    "canceled": _l("Given up before an answer"),
    "given_up": _l("Rung in vain, and left while nobody was free"),
    "abandoned": _l("Answered, and no operator was free"),
    "refused_by_gate": _l("Not called: a rule forbade it"),
    "not_placed": _l("Never reached the carrier"),
    "lost": _l("The carrier does not know what became of it"),
    "not_coded": _l("The operator left without an outcome"),
    "inbound_informed": _l("Rang back and heard who had called"),
    "inbound_message": _l("Rang back and left a message"),
    "inbound_missed": _l("Rang back while nobody was free"),
    "inbound_opted_out": _l("Rang back and asked not to be called again"),
}


def disposition(code: str) -> Disposition:
    """Raises InvalidInput that names the codes there are."""
    try:
        return DISPOSITIONS[code]
    except KeyError:
        known = ", ".join(DISPOSITIONS)
        sentence = _("There is no outcome %(code)s; choose one of: %(codes)s.", code=code, codes=known)
        raise InvalidInput({"code": sentence}) from None


def label(outcome: str | None) -> str:
    """An outcome or disposition in the reader's language; its code when it is none of ours, '' for None."""
    if outcome is None:
        return ""
    chosen = DISPOSITIONS.get(outcome)
    return str(chosen.label if chosen else OUTCOMES.get(outcome, outcome))


def listed() -> list[dict[str, Any]]:
    """For the console: code, label in the reader's language, key, effect; in the order of the keys."""
    return [{"code": d.code, "label": str(d.label), "key": d.key, "effect": d.effect} for d in _LIST]
