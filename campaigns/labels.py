"""Codes of campaigns and messages beside their sentences. Jobs and rows keep the code, pages show the sentence."""

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter import carriers, consent, queues
from callcenter.queueing import entry_reasons
from callcenter.sound import recording_ledger
from callcenter.telephony.trunk_numbers import LOCAL
from campaigns.channels import channel_rules, channel_words
from campaigns.wording import FIELDS, MAX_CHARACTERS, Fault

PURPOSES: dict[str, LazyString] = {
    "survey": _l("Survey"),
    "data_verification": _l("Verification of data or consent"),
    "structure": _l("Structure: recruit, train, confirm representatives"),
    "persuasion": _l("Persuasion and promotion of the vote"),
    "neutral_reminder": _l("Neutral reminder of where and when to vote"),
    "mobilization": _l("Mobilisation of our own people"),
    "citizen_care": _l("Citizen care and thanks"),
    "privacy_request": _l("Answer to a privacy request"),
}

ANSWERED_BY: dict[str, LazyString] = {
    "operator": _l("Operators"),
    "recording": _l("A recorded survey: a machine asks, people answer by key"),
}

RECORDING = recording_ledger.MODES

# Codes of a queue's machine detection; its price stands beside it where it is chosen.
MACHINES: dict[str, LazyString] = {
    "off": _l("Off: whoever answers is talked to at once"),
    "on": _l("On: an answering machine is left alone; each person waits 1.9 s in silence"),
    "shadow": _l("On trial: it is only noted what it would have said; each person waits 1.9 s"),
}

# The same where the carrier judges while people talk already (Twilio).
MACHINES_MEANWHILE: dict[str, LazyString] = {
    "off": MACHINES["off"],
    "on": _l("On: a call that an answering machine took is ended within seconds; nobody waits in silence"),
    "shadow": _l("On trial: it is only noted what it would have said; nobody waits in silence"),
}


def machines() -> dict[str, LazyString]:
    """What detection means with the carrier of this installation."""
    return MACHINES if carriers.has_switchboard() else MACHINES_MEANWHILE


PHASES: dict[str, LazyString] = {
    "ordinary": _l("ordinary time"),
    "precampaign": _l("precampaign"),
    "intercampaign": _l("between campaigns"),
    "campaign": _l("campaign"),
    "silence": _l("silence before the election"),
    "election_day": _l("election day"),
    "post": _l("after the election"),
}

# state of a campaign -> label, colour, icon
CAMPAIGN_STATES: dict[str, tuple[LazyString, str, str]] = {
    "draft": (_l("Draft"), "secondary", "pencil"),
    "planning": (_l("Preparing the list"), "info", "hourglass-split"),
    "running": (_l("Running"), "success", "play-fill"),
    "paused": (_l("Paused"), "warning", "pause-fill"),
    "finished": (_l("Finished"), "secondary", "check-lg"),
    "stopped": (_l("Stopped"), "danger", "stop-fill"),
}

MESSAGE_STATES: dict[str, LazyString] = {
    "planned": _l("Waiting their turn"),
    "sending": _l("On the wire"),
    "accepted": _l("Taken by the provider"),
    "sent": _l("Sent, not confirmed yet"),
    "unknown": _l("Unknown: may have been sent"),
    "delivered": _l("Delivered"),
    "undelivered": _l("Not delivered"),
    "failed": _l("Failed"),
    "excluded": _l("Excluded"),
    "stopped": _l("Not sent: the campaign was stopped"),
}

REFUSALS: dict[str, LazyString] = {
    **consent.SENTENCES,
    **entry_reasons.REASONS,
    **channel_words.REFUSALS,
    "landline": _l("A landline takes no SMS."),
    "extension": _l("A phone behind an extension takes no SMS."),
    "household": _l("Somebody else at this phone is written to: one phone, one message."),
    "erased": _l("The person's record was erased."),
    "missing_value": _l("The text needs a value that this person does not have."),
    "survey_closed": _l("The survey that it asked to answer was closed."),
    "too_long": _l("With this person's values the text is too long."),
    "expired": _l("It could not be sent in time."),
    "left_out_by_hand": _l("Who was to let the message go left this person out."),
    "no_route": _l("No trunk serves this number; it is looked at again every hour."),
    "trunks_full": _l("Every trunk was full; the person is called soon."),
}

# https://www.twilio.com/docs/api/errors, and our own words for what no provider has a number for
ERRORS: dict[str, LazyString] = {
    **channel_words.ERRORS,
    "21211": _l("The number does not exist."),
    "21610": _l("The person told the carrier to stop; the phone is suppressed here too."),
    "21612": _l("This sender cannot write to that number."),
    "21614": _l("The number is a landline."),
    "21617": _l("The text is too long."),
    "30001": _l("The provider's queue overflowed."),
    "30002": _l("The provider suspended the account."),
    "30003": _l("The phone is off or out of reach."),
    "30004": _l("The message was blocked."),
    "30005": _l("The number is not in service."),
    "30006": _l("The number is a landline or its carrier takes no SMS."),
    "30007": _l("A carrier's filter took it for unwanted."),
    "30008": _l("The carrier gave no reason."),
    "30036": _l("It could not be delivered in time."),
    "never_taken": _l("The provider never took it (its own list does not have it)."),
}

REASONS: dict[str, LazyString] = {
    **channel_rules.SENTENCES,
    "carrier_filter": _l("Paused by itself: carriers' filters take too many messages. Look at the text and sender."),
    "breaker": _l("Paused by itself: the newest results are too bad. What turned bad, and where, is said below."),
    "carrier_missing": _l("The carrier of this campaign is not set up on this installation."),
    "provider": _l("Paused by itself: the provider refuses the account or sender. Check its settings, then resume."),
    "no_sender": _l("Paused by itself: no sender of the campaign may send now. See Senders, then resume."),
    "planning_failed": _l("Paused by itself: the list could not be prepared. The log of the worker says why."),
    "review": _l("To review the results"),
    "wrong_text": _l("The text or script has a mistake"),
    "wrong_people": _l("The segment is wrong"),
    "complaints": _l("Complaints"),
    "end_of_day": _l("End of the working day"),
    "emergency": _l("Emergency stop"),
}
CHOSEN_REASONS = ("review", "wrong_text", "wrong_people", "complaints", "end_of_day")


def reason(code: str | None) -> str:
    """Why a campaign is in its state, in words; a person's own words stay as they are."""
    if not code:
        return ""
    if sentence := queues.pause_sentence(code):
        return sentence
    kind, _colon, detail = code.partition(":")
    return str(REASONS.get(kind, code)) + (f" ({detail})" if kind == "provider" and detail else "")


def caller_id(number: str) -> str:
    """The number that people called are shown, in words where it differs from person to person."""
    return str(_("The number of each person's own area, else the main one")) if number == LOCAL else number


def survey(name: str) -> str:
    """A survey among the scripts to choose from."""
    return str(_("Survey: %(name)s", name=name))


def refusal(code: str) -> str:
    return str(REFUSALS.get(code, code))


def error(code: str | None) -> str:
    return str(ERRORS.get(code or "", _("Error %(code)s of the provider", code=code) if code else _("No reason given")))


def fault(found: Fault) -> str:
    """What is wrong with a wording, and what to do."""
    sentences = {
        "empty": _("Write a text."),
        "unknown_field": _(
            "{%(field)s} is not a field. The fields are %(fields)s.",
            field=found.detail,
            fields=", ".join(f"{{{field}}}" for field in FIELDS),
        ),
        "loose_brace": _("A brace { or } stands alone. A field is written {given_names} or {given_names|neighbor}."),
        "too_long": _(
            "The text has %(length)s characters; the limit is %(limit)s.", length=found.detail, limit=MAX_CHARACTERS
        ),
        "no_sender_name": _("The text does not say who writes. Name %(who)s in it.", who=found.detail),
        "no_way_out": _(
            "The text does not say how to get no more messages. Add a line such as «BAJA para no recibir más»."
        ),
        "way_out_needs_link": _(
            "Nobody can answer to a sender that is a word: add the address of the page where people opt out."
        ),
        "field_in_link": _("An address cannot hold a field: write %(link)s… as a whole address.", link=found.detail),
        "link_too_long": _("An address has %(length)s characters; the limit is 2,000.", length=found.detail),
        "survey_link_without_survey": _("{survey_link} leads to no survey yet: choose the survey below the text."),
        "too_many_links": _("The text names %(n)s addresses; the limit is 9.", n=found.detail),
    }
    return str(sentences[found.code])
