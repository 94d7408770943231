"""Why a queue does not dial now, and why it was paused by itself: each code beside its sentence."""

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.carriers.twilio import errors

WHY_IDLE: dict[str, LazyString] = {
    "no_operators": _l("No operator is available. Operators go available in their console."),
    "operators_busy": _l("Every operator is in a call or writing one up."),
    "enough_ringing": _l("As many phones ring as operators wait."),
    "no_lines": _l("Every line of the carrier is in use."),
    "trunks_full": _l("Every trunk carries as many calls as it may."),
    "trunks_resting": _l("The trunks rest after failures of their own; a call is tried when the rest is over."),
    "trunks_not_registered": _l("No trunk is registered with its provider. An administrator looks under Telephony."),
    "switch_away": _l("The telephone switch is not heard of. An administrator looks under Telephony."),
    "no_trunk": _l("No trunk is set up and in use. An administrator adds one under Telephony."),
    "list_exhausted": _l("Everybody on the list has been dealt with. Add people or finish the campaign."),
    "all_resting": _l("Nobody may be called yet: retries and callbacks wait for their time."),
    "spend_limit": _l("The campaign has spent what it may. Raise its limit to go on."),
    "spend_day_limit": _l(
        "The campaign has spent what it may today. It goes on tomorrow, or when the limit is raised."
    ),
    "carrier_missing": _l("The carrier of this campaign is not set up on this installation."),
    "sessions_busy": _l("As many conversations as this recorded survey may hold at once are under way."),
    "ivr_away": _l("No switch holds recorded surveys now: their program is not running, or its disk is full."),
    "calls_per_second": _l("As many calls begin each second as the carrier or this campaign takes."),
    "manual": _l("Operators pick whom to call: the dialer rings nobody by itself."),
    "preview": _l("Operators see each person first: the dialer rings nobody by itself."),
    "small_team": _l("As many phones ring as operators wait: so few operators work one to one."),
    "warming_up": _l("As many phones ring as operators wait, until enough calls have shown how people answer."),
    "risk_budget": _l("As many phones ring as operators wait: one more abandoned call would pass the limit."),
    "dialer_fault": _l("An error in the program keeps this campaign from dialling. It is in the log of the dialer."),
    "mode_unknown": _l("The dialling mode of this campaign is not known to this version."),
}  # fmt: skip

# Why a queue was paused by itself: `carrier:<code>` of call_queues.state_reason.
PAUSES: dict[str, LazyString] = {
    "": _l("Paused by itself: the carrier takes no calls of ours. Look at its settings, then resume."),
    "carrier_missing": _l("Paused by itself: the carrier of this campaign is not set up on this installation."),
    "no_trunk": _l("Paused by itself: no trunk is set up and in use. Add one under Telephony, then resume."),
    "no_caller_id": _l("Paused by itself: no trunk in use may show the number of this campaign. Allow it under "
                       "Telephony, then resume."),
    "trunks_refused": _l("Paused by itself: the provider refuses our user or password, or this server's address, and "
                         "no other trunk is left. Look under Telephony, then resume."),
}  # fmt: skip

# Why its quotas paused a queue: all of call_queues.state_reason.
ENOUGH: dict[str, LazyString] = {
    "quota:full": _l("Paused by itself: every cell of its quotas has as many interviews as wanted. Finish it, or raise "
                     "a target and resume."),
    "quota:margin": _l("Paused by itself: its interviews have reached the margin of error wanted. Finish it, or resume "
                       "to go on all the same."),
}  # fmt: skip


def pause_sentence(reason: str | None) -> str | None:
    """Why a queue was paused by itself, in the reader's language; None when a person paused it."""
    if reason in ENOUGH:
        return str(ENOUGH[reason])
    code = (reason or "").removeprefix("carrier:")
    if errors.knows(code) and reason != code:
        return str(_("Paused by itself. %(why)s Then resume.", why=errors.sentence(code)))
    return str(PAUSES.get(code, PAUSES[""])) if reason and reason.startswith("carrier:") else None


def why_sentence(code: str | None) -> str | None:
    """The dialer's code in the reader's language; None while it dials."""
    return None if code is None else str(WHY_IDLE.get(code, code))
