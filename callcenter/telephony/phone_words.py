"""What the telephone in a page says: the state of the line, and for each fault what the person can do."""

from typing import Any

from flask_babel import gettext as _


def of_page() -> dict[str, Any]:
    """Sentences by key, in the reader's language; %(name)s stays for the script to fill."""
    return {
        "mute": _("Mute"),
        "unmute": _("Unmute"),
        "default_device": _("The system's own"),
        "lines": {
            "off": _("No line"),
            "opening": _("Line is being opened…"),
            "reconnecting": _("Reconnecting… the call continues"),
            "good": _("Good line"),
            "poor": _("Poor line"),
            "none": _("Line open"),
        },
        "microphone_try": _("Try it: you see here whether you are heard."),
        "microphone_speak": _("Say something: the bar moves when you are heard."),
        "microphone_heard": _("You are heard."),
        "line_open": _("Your line is open."),
        "line_opening": _("Your line is being opened. Calls come only when it is open."),
        "line_closed": _("Opened when you press «Connect»."),
        "echo_later": _("Possible when you are connected."),
        "echo_try": _("You hear yourself for 8 seconds, as others hear you."),
        "echo_now": _("Speak: you should hear yourself now."),
        "echo_done": _("Did you hear yourself? If not, choose another microphone or speaker and try again."),
        "echo_failed": _("The test did not reach the switch. Try again; if it stays so, tell your supervisor."),
        "network_later": _("Measured by itself when your line is open."),
        "network_good": _("Good: %(trip)s there and back, %(loss)s lost."),
        "network_poor": _(
            "Poor: %(trip)s there and back, %(loss)s lost. Use a cable instead of wifi, and close what else uses it."
        ),
        "faults": faults(),
    }


def faults() -> dict[str, str]:
    """What the person can do about each code of microphone.js and page_phone.js; for every page that telephones."""
    return {
        "insecure": _(
            "The browser gives no microphone to an address without https. Open the console by its https address."
            " Your administrator knows it."
        ),
        "no_webrtc": _("This browser cannot telephone. Use a present Chrome, Edge, Firefox or Safari."),
        "blocked": _(
            "The microphone is blocked. Allow it with the sign beside the address of this page, then press «Try again»."
        ),
        "no_microphone": _("No microphone was found. Plug your headset in, then press «Try again»."),
        "busy": _("Another program holds the microphone. Close it (another call, a recorder), then press «Try again»."),
        "unplugged": _(
            "Your microphone was unplugged: you are not heard. Plug it in again, or choose another one here."
            " The call goes on."
        ),
        "click": _("The browser waits for a click before it plays sound: click anywhere."),
        "no_switch": _("There is no telephone switch to connect to. Tell your administrator."),
        "unreachable": _(
            "The telephone switch cannot be reached from this computer. It is tried again by itself; if it stays so,"
            " tell your supervisor."
        ),
        "refused": _("The switch did not accept this page. Press «Try again»; if it stays so, tell your supervisor."),
        "not_opened": _("The switch does not answer yet. It is tried again by itself."),
    }
