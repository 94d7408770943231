"""AAPOR's codes of a telephone survey, and how the ledger's words become them. Pure: the one table.

Codes: AAPOR, Standard Definitions, 10th edition (https://aapor.org/standards-and-ethics/standard-definitions/). An
interview says more than the operator's word, that word more than the line's, and the line's own codes more than our
name for its end.
"""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from callcenter.ledger.dispositions import DISPOSITIONS


@dataclass(frozen=True)
class Code:
    """`group`: of outcome_rates.GROUPS. `reached`: somebody spoke with us. `weight`: of several tries of one case, the
    one that tells most decides; of equals the latest."""

    aapor: str
    group: str
    reached: bool
    weight: int
    label: LazyString


_LIST = (
    Code("1.1", "i", True, 100, _l("Complete interview")),
    Code("1.2", "p", True, 90, _l("Partial interview: broken off after the vote question")),
    Code("2.11", "r", True, 80, _l("Refusal")),
    Code("2.12", "r", True, 82, _l("Broken off before the vote question")),
    Code("2.20", "nc", True, 50, _l("Contact, to be called again")),
    Code("2.21", "nc", True, 50, _l("The person is never there")),
    Code("2.22", "nc", False, 50, _l("The person's voicemail")),
    Code("2.31", "o", True, 70, _l("Died")),
    Code("2.32", "o", True, 70, _l("Cannot answer for reasons of health")),
    Code("2.33", "o", True, 70, _l("Speaks another language")),
    Code("3.11", "uh", False, 0, _l("Not tried yet, or must not be called")),
    Code("3.12", "uh", False, 20, _l("Busy")),
    Code("3.13", "uh", False, 20, _l("Nobody answered")),
    Code("3.14", "uh", False, 20, _l("Answering machine, unknown whose")),
    Code("3.15", "uh", False, 20, _l("Declined, by hand or by a filter")),
    Code("3.16", "uh", False, 20, _l("The line failed")),
    Code("3.21", "uo", False, 40, _l("Answered, and nothing is known of the person")),
    Code("4.10", "ne", False, 60, _l("Counted elsewhere: answered in another campaign of the survey")),
    Code("4.31", "ne", False, 45, _l("The number is nobody's")),
    Code("4.41", "ne", True, 72, _l("Wrong or changed number")),
    Code("4.70", "ne", True, 72, _l("Does not belong to the population")),
    Code("4.80", "ne", True, 72, _l("Enough interviews of the group")),
    Code("4.81", "ne", False, 10, _l("Not called: enough interviews of the group")),
)
CODES: dict[str, Code] = {code.aapor: code for code in _LIST}
UNTRIED = "3.11"

# What an interview says of its call, by its state; one that was broken off: with its vote question answered, without.
BY_INTERVIEW: dict[str, str] = {"complete": "1.1", "screened": "4.80"}
BROKEN_OFF = ("1.2", "2.12")
# What a word claims that no interview bears out: somebody was talked with, and it came to nothing.
_UNBORNE = {"completed": "2.12", "partial": "2.12"}
BY_DISPOSITION: dict[str, str] = {code: _UNBORNE.get(code, each.aapor) for code, each in DISPOSITIONS.items()}
BY_OUTCOME: dict[str, str] = {
    "busy": "3.12",
    "no_answer": "3.13",
    "given_up": "3.13",
    "machine": "3.14",
    "voicemail": "2.22",  # and our message was left on it
    "failed": "3.16",
    "lost": "3.16",
    "abandoned": "3.21",
    "not_coded": "3.21",
    "invalid_number": "4.31",
    "inbound_informed": "2.20",
    "inbound_message": "2.20",
    "inbound_missed": "2.20",
    "inbound_opted_out": "2.11",
}
# It never left the house, or we took it down ourselves: no attempt.
NO_ATTEMPT = ("refused_by_gate", "not_placed", "canceled")
# What the line itself said, by our name for the end: (Q.850 causes, SIP codes) → code.
BY_CAUSE: dict[str, tuple[tuple[int, ...], tuple[int, ...], str]] = {
    "no_answer": ((21,), (603, 607, 608), "3.15"),
    "invalid_number": ((22,), (410,), "4.41"),
}
# Of somebody who was never tried: why their place in the list is closed.
BY_REASON: dict[str, str] = {
    "quota_full": "4.81", "quota_outside": "4.81", "over_quota": "4.80", "answered_elsewhere": "4.10",
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the ledger says of one try that is over. `interview`: its state, None without one."""

    outcome: str | None
    disposition: str | None = None
    interview: str | None = None
    has_vote: bool = False
    q850: int | None = None
    sip: int | None = None


def code_of(told: Told) -> str | None:
    """The code of one try; None when it was no attempt. An outcome that nobody knows is a failed line."""
    if told.interview == "partial":
        return BROKEN_OFF[0] if told.has_vote else BROKEN_OFF[1]
    if told.interview in BY_INTERVIEW:
        return BY_INTERVIEW[told.interview]
    if told.disposition is not None:
        return BY_DISPOSITION.get(told.disposition, "3.21")
    if told.outcome is None or told.outcome in NO_ATTEMPT:
        return None
    causes, sips, code = BY_CAUSE.get(told.outcome, ((), (), ""))
    if told.sip in sips or (told.sip is None and told.q850 in causes):
        return code
    return BY_OUTCOME.get(told.outcome, "3.16")
