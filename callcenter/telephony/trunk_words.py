"""Trunks in words: how one stands, what a test or a failure means, and what to do about it."""

from dataclasses import dataclass

from flask_babel import LazyString, format_time
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.telephony.trunk_book import Trunk
from callcenter.telephony.trunk_health import is_usable
from callcenter.telephony.trunk_tests import TrunkTest

TRANSPORTS = {"udp": "UDP", "tcp": "TCP", "tls": "TLS"}
FORMATS: dict[str, LazyString] = {
    "plus": _l("+52 55 1234 0000: country code with +"),
    "digits": _l("52 55 1234 0000: country code without +"),
    "national": _l("55 1234 0000: ten digits"),
    "prefixed": _l("a prefix of the provider's and ten digits"),
}

# Why a switch could not be asked, or a trunk not be written.
FAULTS: dict[str, LazyString] = {
    "unreachable": _l("The switch cannot be reached at its address and port. Is it running, and is the port open?"),
    "wrong_password": _l("The switch does not accept our AMI password. Enter the one of its manager.conf again."),
    "ami_refused": _l("The switch refused the change. Its AMI user `worker` needs the right `config`."),
    "not_ami": _l("What answers at this address and port is no Asterisk. Look at the port of AMI (usually 5038)."),
    "silent": _l("The switch takes the connection and does not answer. Look at its log."),
    "no_answer": _l("The switch did not answer in time. It is asked again by itself."),
    "cut_off": _l("The switch broke the connection. It is asked again by itself."),
    "bad_action": _l("An address, user or password has characters that a switch cannot take. Enter it again."),
    "sealed": _l("Its password was sealed with another secret key (CONVOCA_SECRET_KEY). Enter it again."),
    "no_switch": _l("There is no such switch any more."),
    "no_switchboard": _l(
        "This installation runs with another carrier. Choose Asterisk under «Carrier» and start anew."
    ),
}

# SIP's final answers, and Q.850 causes where there was none: what it means, what to do.
SIP: dict[int, tuple[LazyString, LazyString]] = {
    401: (_l("The provider does not know our user or password."), _l("Enter user and password again.")),
    403: (_l("The provider does not let us call."), _l(
        "Check user and password; ask the provider whether the address of this server and this caller ID are allowed, "
        "and whether there is credit.")),
    404: (_l("The provider knows no such number."), _l(
        "Check the number. If it is right, try another format of numbers: with or without country code, or a prefix.")),
    407: (_l("The provider asks for a user and password."), _l("Enter user and password again.")),
    408: (_l("Nobody answered us in time."), _l("Check host, port and transport, and the firewall between.")),
    480: (_l("The phone is off or cannot be reached now."), _l("Try another phone.")),
    484: (_l("The provider finds the number too short."), _l("Try another format of numbers.")),
    486: (_l("The phone is busy."), _l("The trunk works: the call got through. Hang up there and try again.")),
    487: (_l("It rang, and nobody answered."), _l("The trunk works: the call got through. Answer the next one.")),
    488: (_l("The other side takes none of our sound formats."), _l("Ask for G.711 (ulaw or alaw) and RFC 4733 keys.")),
    500: (_l("The provider has a fault."), _l("Try again later, or ask the provider.")),
    502: (_l("The provider could not pass the call on."), _l("Try again later, or ask the provider.")),
    503: (_l("The provider has no line free, or is out of service."), _l(
        "Try again later. If it happens often, ask for more channels and enter the true number here.")),
    504: (_l("The provider did not get an answer in time."), _l("Try again later, or ask the provider.")),
    580: (_l("The other side takes none of our sound formats."), _l("Ask for G.711 (ulaw or alaw) and RFC 4733 keys.")),
    603: (_l("The call was declined."), _l("Did somebody or a filter on the phone decline it? Then the trunk works.")),
    606: (_l("The other side takes none of our sound formats."), _l("Ask for G.711 (ulaw or alaw) and RFC 4733 keys.")),
}  # fmt: skip
# A Q.850 cause → the SIP answer that means the same.
CAUSES: dict[int, int] = {1: 404, 17: 486, 18: 408, 19: 487, 20: 480, 21: 603, 22: 404, 28: 484, 34: 503, 38: 500,
                          41: 503, 42: 503, 44: 503, 47: 503, 58: 488, 88: 488, 102: 504}  # fmt: skip

ONE_WAY = _l("If you heard nothing although the call was answered, the sound does not come through: open the ports of "
             "sound (RTP) in the firewall and say the public address of this server. If you heard us and we would not "
             "hear you, it is the same in the other direction.")  # fmt: skip


@dataclass(frozen=True)
class State:
    """`kind`: success, warning, danger, secondary; `advice`: what to do, where there is something."""

    words: str
    kind: str
    icon: str
    advice: str = ""


def state(trunk: Trunk) -> State:
    """How a trunk stands now."""
    if not trunk.is_enabled:
        found = _now(trunk)
        return State(_("Not in use"), "secondary", "pause-circle", f"{found.words}. {found.advice}".strip())
    return _now(trunk)


def _now(trunk: Trunk) -> State:
    if trunk.write_fault:
        return State(_("The switch does not know it"), "danger", "x-circle", fault(trunk.write_fault))
    if not trunk.is_written:
        return State(_("Being told to the switch"), "info", "hourglass-split")
    if trunk.is_resting and trunk.resting_until:
        until = format_time(trunk.resting_until, "HH:mm:ss")
        return State(_("Rests until %(time)s", time=until), "danger", "moon-stars", why_resting(trunk))
    return _connected(trunk)


def _connected(trunk: Trunk) -> State:
    if trunk.asks_alive and trunk.reachable is False:
        return State(_("Does not answer"), "danger", "x-circle", _(
            "Check host, port and transport, and the firewall. Some providers never answer: then switch the question "
            "whether it is there off."))  # fmt: skip
    if trunk.registers and not trunk.registered:
        if trunk.registered is None or trunk.detail == "Unregistered":
            return State(
                _("Waits for its registration"),
                "warning",
                "hourglass-split",
                _("The provider has not taken our registration yet. If it stays so, check host, port and transport."),
            )
        return State(_("Registration refused"), "danger", "x-circle", _(
            "The provider does not take our user and password, or not from this address. Enter them again, and ask the "
            "provider which addresses are allowed."))  # fmt: skip
    if not is_usable(trunk):
        return State(_("Its switch is away"), "danger", "x-circle", fault("unreachable"))
    if trunk.is_on_probation:
        return State(_("On trial: one call at a time"), "warning", "hourglass-split", why_resting(trunk))
    if trunk.registers and trunk.registered_at:
        since = format_time(trunk.registered_at, "HH:mm")
        return State(_("Registered since %(time)s", time=since), "success", "check-circle")
    return State(_("Ready"), "success", "check-circle")


def why_resting(trunk: Trunk) -> str:
    """What sent it to rest, and what to do."""
    kind, _space, number = (trunk.last_fault or "").partition(" ")
    meaning = explain(int(number), None) if kind == "sip" else explain(None, int(number or 0))
    failures = _("%(n)s failures in a row.", n=trunk.faults)
    return " ".join((failures, *meaning))


def fault(code: str) -> str:
    """A code of FAULTS in words."""
    return str(FAULTS.get(code, _("The switch does not work with us (%(code)s).", code=code)))


def explain(sip_code: int | None, q850: int | None) -> tuple[str, ...]:
    """What an answer of the telephone network means and what to do; () when it tells nothing."""
    known = SIP.get(sip_code if sip_code in SIP else CAUSES.get(q850 or 0, 0))
    return tuple(str(sentence) for sentence in known) if known else ()


TEST_STATES: dict[str, LazyString] = {
    "planned": _l("Getting ready…"),
    "placing": _l("Calling…"),
    "ringing": _l("It rings. Answer it."),
    "answered": _l("Answered: you should hear a sentence and then a tone."),
}
_RESULTS: dict[str, tuple[LazyString, str]] = {
    "played": (_l("The call was answered and the sentence was played."), "success"),
    "hung_up": (_l("The call ended before it was answered."), "warning"),
    "busy": (_l("The phone is busy."), "warning"),
    "no_answer": (_l("It rang, and nobody answered."), "warning"),
    "canceled": (_l("The call was given up."), "warning"),
    "failed": (_l("The call did not get through."), "danger"),
    "invalid_number": (_l("The provider knows no such number."), "danger"),
    "not_placed": (_l("The trunk did not take the call."), "danger"),
    "trunk_fault": (_l("The trunk did not take the call."), "danger"),
    "lost": (_l("The switch lost the call."), "danger"),
    "unheard": (_l("Nothing was heard of the call. Is the switch's listener running?"), "danger"),
}


def result(test: TrunkTest) -> State:
    """How a test stands, or ended: what answered, and what to do."""
    if test.is_open:
        return State(str(TEST_STATES[test.state]), "info", "telephone-outbound")
    code = test.result or "lost"
    if code.startswith("switch:"):
        return State(_("The switch did not take the call."), "danger", "x-circle", fault(code.removeprefix("switch:")))
    sentence, kind = _RESULTS.get(code, _RESULTS["failed"])
    advice = (str(ONE_WAY),) if code == "played" else explain(test.sip_code, test.q850)
    icons = {"success": "check-circle", "warning": "exclamation-triangle", "danger": "x-circle"}
    return State(str(sentence), kind, icons[kind], " ".join(advice))


def answer(test: TrunkTest) -> str:
    """The code that the network answered, as technicians call it; '' for a call that went well."""
    if test.result == "played":
        return ""
    if test.sip_code:
        return f"SIP {test.sip_code}"
    return f"Q.850 {test.q850}" if test.q850 else ""
