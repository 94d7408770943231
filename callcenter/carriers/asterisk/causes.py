"""How a call ended, in the line's own codes, and what that means for the person called. Pure, and the one table.

Q.850 causes and the SIP codes that Asterisk makes them of: https://docs.asterisk.org/Configuration/Miscellaneous/Hangup-Cause-Mappings/
A SIP code tells more than the cause that was made of it, so it is read first. What the line said is kept raw beside.
"""

from dataclasses import dataclass

from callcenter.queueing.queue_rules import DEAD_PHONE, RETRIES


@dataclass(frozen=True)
class Meaning:
    """`event`: of ledger.call_states. `is_ours`: our trunk failed, not the person: the try is given back, and the
    trunk's alarm counts it. `why`: in words, for whoever reads the table."""

    event: str
    is_ours: bool
    why: str

    @property
    def retry_minutes(self) -> float | None:
        """Until the next try at this phone, unless the queue says otherwise; None: never again in this queue."""
        return None if self.event in DEAD_PHONE or self.event not in RETRIES else RETRIES[self.event].minutes


_NOBODY = Meaning("invalid_number", False, "the number is nobody's, or nobody's any more")
_BUSY = Meaning("busy", False, "they speak with somebody else")
_SILENT = Meaning("no_answer", False, "it rang, or the phone is off")
_DECLINED = Meaning("no_answer", False, "the call was declined, by hand or by a filter: hours of rest")
BROKEN = Meaning("failed", False, "the person's line is out of order")
_OURS = Meaning("not_placed", True, "our trunk did not take it: no line, out of order, not let in, no common codec")

# (meaning, Q.850 causes, SIP codes). A SIP code means the same here and at Twilio (carriers/twilio/errors.toml), but
# for 401, 403 and 407: here our own account at the provider is refused, and the trunk rests until it is mended; at
# Twilio they come from a network beyond, which refuses this call and would refuse it again.
TABLE: tuple[tuple[Meaning, tuple[int, ...], tuple[int, ...]], ...] = (
    (_NOBODY, (1, 22, 28), (404, 410, 484, 485, 604)),
    (_BUSY, (17,), (486, 600)),
    (_SILENT, (18, 19, 20), (408, 480, 487)),
    (_DECLINED, (21,), (603, 607, 608)),
    # Asterisk makes a quiet end of 3xx (16) and of 483 (19): where the call went astray, nobody was silent.
    (BROKEN, (27, 127), (300, 301, 302, 305, 380, 483, 502)),
    (_OURS, (34, 38, 41, 42, 44, 47, 58, 88, 102), (401, 403, 407, 488, 500, 503, 504, 580, 606)),
)
BY_CAUSE = {cause: meaning for meaning, causes, _ in TABLE for cause in causes}
BY_SIP = {code: meaning for meaning, _, codes in TABLE for code in codes}
OPEN = (0, 16)  # tell nothing of a call that nobody answered (0: also at our own time-out, asterisk#1660)
# OriginateResponse's Reason (AST_CONTROL_*): 3 it rang until our time-out, 5 busy, 8 congestion; 0 and 1 say nothing.
BY_REASON = {3: _SILENT, 5: _BUSY, 8: _OURS}
NEVER_RANG = _OURS  # no channel came to be: the trunk is not there
NOT_ANSWERED = _SILENT
CANCELED = Meaning("canceled", False, "we took it down ourselves")


def meaning(q850: int | None, sip_code: int | None, reason: int | None = None) -> Meaning | None:
    """What the end of an unanswered call means; None when these codes leave it open (then our own timer says)."""
    if sip_code in BY_SIP:
        return BY_SIP[sip_code]
    if q850 is not None and q850 not in OPEN:
        return BY_CAUSE.get(q850, BROKEN)
    return BY_REASON.get(reason) if reason is not None else None


def is_ours(q850: int | None, sip_code: int | None) -> bool:
    """Is this end our trunk's fault?"""
    found = meaning(q850, sip_code)
    return found is not None and found.is_ours
