"""Why somebody in a queue is done, left out, or waits: each code of `queue_entries.reason` beside its sentence."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from callcenter.gate.refusals import SENTENCES
from callcenter.ledger import dispositions

REASONS: dict[str, LazyString] = {
    **SENTENCES,
    "callback": _l("They asked to be called back at a certain time."),
    "max_attempts": _l("They were tried as often as the campaign allows."),
    "no_route": _l("No trunk serves this number; it is looked at again every hour."),
    "answered_elsewhere": _l("They have answered this in another campaign."),
    "skipped": _l("An operator looked at them and did not call."),
    "voted": _l("They are reported to have voted."),
    "moved": _l("Another campaign keeps the promise to call them back."),
    "quota_full": _l("Enough of their group were interviewed; they come back when the quota asks for more."),
    "quota_outside": _l("The quotas of the campaign want nobody of their group."),
    "trunks_full": _l("Every trunk was full; the person is called soon."),
}


def sentence(code: str | None) -> str:
    """The reason in the reader's language: a rule's, else the outcome of the last try; '' for none."""
    if not code:
        return ""
    return str(REASONS[code]) if code in REASONS else dispositions.label(code)
