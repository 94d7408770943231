"""Twilio's numbers in our words: each error code and each answer of the telephone network, what it means for the call,
whether to try again, and a sentence with what to do. An unknown number is said as such, never guessed.

Which code is of which kind stands in errors.toml, with its sources. Light: no library of Twilio's is imported."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

# What a code says of trying again.
NEVER, BY_RULES, GIVEN_BACK, NOT_BEFORE_CHANGE, SAYS_NOTHING = "never", "rules", "given_back", "after_change", ""


@dataclass(frozen=True)
class Meaning:
    """`outcome`: of a call that ends with it, '' when it tells nothing of one. `retry`: `never` this number; as the
    queue's `rules` say; `given_back`: nobody's try, again in minutes; `after_change`: every call would fail the same
    way until somebody changed something; '' when it tells nothing of that."""

    kind: str
    outcome: str
    retry: str
    what: LazyString
    advice: LazyString

    @property
    def halts(self) -> bool:
        """Must nobody be called until something is changed?"""
        return self.retry == NOT_BEFORE_CHANGE


_CONSOLE = _l("Twilio's console says more under Monitor › Logs › Errors.")
_AGAIN_LATER = _l("It passes by itself; nothing has to be done.")
_OF_PERSON = _l("Nothing has to be done.")
_TELL_US = _l("Tell whoever maintains this installation, with the number of the error.")
_LIST: tuple[Meaning, ...] = (
    Meaning("credentials", "not_placed", NOT_BEFORE_CHANGE, _l("Twilio does not accept our account SID or auth token."),
            _l("Copy both again from Twilio's console (CONVOCA_TWILIO_ACCOUNT_SID, CONVOCA_TWILIO_AUTH_TOKEN) and "
               "start anew. If the token was changed there, the new one counts.")),
    Meaning("suspended", "not_placed", NOT_BEFORE_CHANGE, _l("The Twilio account is suspended or closed."),
            _l("Usually its balance is used up: pay in at Twilio's console. Otherwise write to Twilio's support.")),
    Meaning("disabled", "not_placed", NOT_BEFORE_CHANGE, _l("Twilio has switched calls off for this account."),
            _l("Write to Twilio's support: only they can switch them on.")),
    Meaning("forbidden", "not_placed", NOT_BEFORE_CHANGE, _l("These credentials may not do that."),
            _l("Use the main account's auth token, or a subaccount's own; a restricted API key is not enough.")),
    Meaning("trial", "not_placed", NOT_BEFORE_CHANGE,
            _l("The Twilio account is a trial: it may only call numbers verified there."),
            _l("Upgrade the account in Twilio's console.")),
    Meaning("test_credentials", "not_placed", NOT_BEFORE_CHANGE, _l("These are Twilio's test credentials."),
            _l("They call nobody: use the live ones to make calls.")),
    Meaning("caller_id", "not_placed", NOT_BEFORE_CHANGE,
            _l("The number shown is not one of this Twilio account."),
            _l("Choose one of the account's numbers, or verify it under Verified Caller IDs in Twilio's console.")),
    Meaning("caller_blocked", "failed", BY_RULES, _l("The other network does not take calls from our number."),
            _l("If it happens often, the number has a bad name there: call fewer people a day from it, or use "
               "another.")),
    Meaning("geo", "not_placed", NOT_BEFORE_CHANGE, _l("The account may not call this country."),
            _l("Allow Mexico in Twilio's console under Voice › Settings › Geo permissions.")),
    Meaning("bad_number", "invalid_number", NEVER, _l("The number cannot be called."), _OF_PERSON),
    Meaning("blocked_number", "invalid_number", NEVER, _l("Twilio lets nobody call this number."), _OF_PERSON),
    Meaning("busy", "busy", BY_RULES, _l("The phone is busy."), _OF_PERSON),
    Meaning("silent", "no_answer", BY_RULES, _l("It rang, and nobody answered."), _OF_PERSON),
    Meaning("rate", "not_placed", GIVEN_BACK, _l("More calls or requests than the account may begin in a second."),
            _l("The calls wait and go out later. If it lasts, raise calls a second, in Twilio's console and here.")),
    Meaning("concurrency", "not_placed", GIVEN_BACK, _l("More calls at once than the account may hold."),
            _l("The calls wait until others end. Ask Twilio for more, or set a lower limit here.")),
    Meaning("twilio", "failed", BY_RULES, _l("Twilio has a fault of its own."), _AGAIN_LATER),
    Meaning("network", "failed", BY_RULES, _l("The telephone network lost the call."), _AGAIN_LATER),
    Meaning("address", "not_placed", NOT_BEFORE_CHANGE,
            _l("Twilio does not take the address at which it should reach us."),
            _l("CONVOCA_PUBLIC_URL must be an https address that anybody on the Internet can open.")),
    Meaning("webhook", "failed", BY_RULES, _l("Twilio could not reach this server."),
            _l("Is CONVOCA_PUBLIC_URL right, its certificate valid, the proxy and the firewall open? Check it on the "
               "page Twilio.")),
    Meaning("document", "failed", BY_RULES, _l("Twilio did not understand what this server told it to do."), _TELL_US),
    Meaning("over", "", SAYS_NOTHING, _l("What was asked for has ended, or is not there."), _OF_PERSON),
    Meaning("program", "not_placed", NOT_BEFORE_CHANGE, _l("Twilio did not understand a request of this server."),
            _TELL_US),
    Meaning("amd", "", SAYS_NOTHING, _l("Twilio could not tell whether a person or a machine answered."), _TELL_US),
    Meaning("recording", "", SAYS_NOTHING, _l("There is no recording."), _CONSOLE),
    Meaning("conference", "", SAYS_NOTHING, _l("The room of the call could not be entered."), _CONSOLE),
    Meaning("number_setup", "", SAYS_NOTHING, _l("The number could not be changed at Twilio."),
            _l("Change it in Twilio's console.")),
    Meaning("token", "", SAYS_NOTHING, _l("The browser's key to the telephone is not accepted."),
            _l("Load the page again. If it stays, the API key of this installation is not right.")),
    Meaning("phone", "", SAYS_NOTHING, _l("The browser's telephone has no connection to Twilio, or no microphone."),
            _l("Look at the network and at the browser's permission for the microphone; then load the page again.")),
    Meaning("unused", "", SAYS_NOTHING, _l("It speaks of a part of Twilio that is not used here."), _CONSOLE),
    Meaning("sip_nobody", "invalid_number", NEVER, _l("The provider knows no such number."), _OF_PERSON),
    Meaning("sip_busy", "busy", BY_RULES, _l("The phone is busy."), _OF_PERSON),
    Meaning("sip_silent", "no_answer", BY_RULES, _l("The phone is off or cannot be reached now."), _OF_PERSON),
    Meaning("sip_declined", "no_answer", BY_RULES, _l("The call was declined, by hand or by a filter."), _OF_PERSON),
    Meaning("sip_barred", "failed", BY_RULES, _l("The other network does not let the call in."),
            _l("If it happens often, ask Twilio's support about the number shown.")),
    Meaning("sip_moved", "failed", BY_RULES, _l("The number has moved, and the network does not say where."),
            _OF_PERSON),
    Meaning("sip_format", "failed", BY_RULES, _l("The networks did not understand one another."), _CONSOLE),
    Meaning("sip_broken", "failed", BY_RULES, _l("The telephone network could not pass the call on."), _AGAIN_LATER),
    Meaning("sip_no_line", "not_placed", GIVEN_BACK, _l("The telephone network has a fault, or no line free."),
            _AGAIN_LATER),
    Meaning("sip_no_sound", "not_placed", GIVEN_BACK, _l("The other side takes none of our sound formats."), _CONSOLE),
)  # fmt: skip
KINDS: Mapping[str, Meaning] = {meaning.kind: meaning for meaning in _LIST}
UNKNOWN = Meaning("unknown", "not_placed", NOT_BEFORE_CHANGE, _l("unknown"), _CONSOLE)
UNKNOWN_SIP = Meaning("unknown", "failed", BY_RULES, _l("unknown"), _CONSOLE)


def _read() -> tuple[dict[int, Meaning], dict[int, Meaning]]:
    kinds = tomllib.loads(Path(__file__).with_name("errors.toml").read_text())
    twilio, sip = (
        {code: KINDS[kind] for kind, codes in kinds[part].items() for code in codes} for part in ("twilio", "sip")
    )
    return twilio, sip


BY_CODE, BY_SIP = _read()


def meaning(code: object) -> Meaning:
    """What an error code of Twilio's means; UNKNOWN for one that stands in no list, and for what is no code."""
    return BY_CODE.get(_number(code), UNKNOWN)


def of_sip(code: object) -> Meaning:
    """What a final answer of the telephone network (3xx to 6xx) means; UNKNOWN_SIP for one in no list."""
    return BY_SIP.get(_number(code), UNKNOWN_SIP)


def outcome_of_failed(sip: object, code: object) -> str:
    """What became of a call of which Twilio says only that it `failed`: what the network or the error code tells of
    the person's line, or that the call never got so far and is given back; else `failed`."""
    told = (each for each in (BY_SIP.get(_number(sip)), BY_CODE.get(_number(code))) if each is not None)
    of_line = ("invalid_number", "busy", "no_answer")
    return next((each.outcome for each in told if each.outcome in of_line or each.retry == GIVEN_BACK), "failed")


def knows(code: object) -> bool:
    """Is this one of Twilio's codes, rather than a word of ours?"""
    return _number(code) >= 400


def sentence(code: object) -> str:
    """An error code in the reader's language: what it means, what to do, and its number."""
    return _said("Twilio", code, meaning(code))


def sip_sentence(code: object) -> str:
    """The same of an answer of the telephone network."""
    return _said("SIP", code, of_sip(code))


def _said(whose: str, code: object, found: Meaning) -> str:
    number = f"{whose} {_number(code) or str(code)[:20]}"
    if found.kind == "unknown":
        return str(_("%(number)s: unknown. %(advice)s", number=number, advice=found.advice))
    return f"{found.what} {found.advice} ({number})"


def _number(code: object) -> int:
    """0 for what is no number."""
    text = str(code or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
