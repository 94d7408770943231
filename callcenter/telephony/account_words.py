"""Our account at the carrier in words: each question, and what every answer means with what to do."""

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.carriers.twilio import errors

LABELS: dict[str, LazyString] = {
    "account": _l("Account and token"),
    "address": _l("Our address"),
    "reach": _l("Twilio reaches us"),
    "balance": _l("Balance"),
    "numbers": _l("Number shown"),
    "countries": _l("Calls to Mexico"),
    "prices": _l("Prices"),
    "point": _l("Last change of a number"),
}
STATES: dict[str, tuple[LazyString, str, str]] = {
    "ok": (_l("In order"), "success", "check-circle"),
    "warning": (_l("Take note"), "warning", "exclamation-triangle"),
    "fault": (_l("Keeps campaigns from starting"), "danger", "x-circle"),
    "unknown": (_l("Not known"), "secondary", "question-circle"),
    "asked": (_l("Being asked…"), "info", "hourglass-split"),
}
# Why an answer is as it is, where Twilio has no code of its own for it.
REASONS: dict[str, LazyString] = {
    "suspended": _l("The Twilio account is suspended: usually its balance is used up. Pay in at Twilio's console, or "
                    "write to Twilio's support."),
    "closed": _l("The Twilio account is closed for good. Set up another one, and enter its account SID and token."),
    "trial": _l("The Twilio account is a trial: it may only call numbers verified there. Upgrade it in Twilio's "
                "console."),
    "empty": _l("The balance of the Twilio account is used up: calls are refused. Pay in at Twilio's console."),
    "low": _l("The balance of the Twilio account is nearly used up. Pay in at Twilio's console before a campaign stops "
              "by itself."),
    "no_balance": _l("Twilio does not say a balance: a subaccount has none of its own."),
    "no_number": _l("No number of ours is set. Set CONVOCA_TWILIO_VOICE_NUMBER to one of the account's numbers."),
    "not_owned": _l("The number shown is not one of this Twilio account. Choose one of the list, or buy or verify it "
                    "in Twilio's console."),
    "country_off": _l("The account may not call Mexico. Allow it in Twilio's console under Voice › Settings › Geo "
                      "permissions."),
    "no_prices": _l("Twilio says no prices for Mexico."),
    "not_https": _l("CONVOCA_PUBLIC_URL does not begin with https: Twilio would not call it, or anybody could read "
                    "along. Set it to the https address of this server."),
    "private_address": _l("CONVOCA_PUBLIC_URL is an address of this network only: Twilio cannot reach it from outside. "
                          "Set it to one that anybody on the Internet can open."),
    "unreached": _l("Twilio could not reach this server at CONVOCA_PUBLIC_URL. Is the address right, its certificate "
                    "valid, the proxy and the firewall open?"),
    "no_connection": _l("Twilio cannot be reached from this server. Look at its connection to the Internet."),
}  # fmt: skip


def sentence(name: str, code: str) -> str:
    """What an answer means and what to do; '' when there is nothing to say."""
    if not code:
        return ""
    if code in REASONS:
        return str(REASONS[code])
    if errors.knows(code):
        return errors.sentence(code)
    return str(_("%(question)s: Twilio did not answer (%(code)s). It is asked again by itself.",
                 question=LABELS.get(name, name), code=code))  # fmt: skip
