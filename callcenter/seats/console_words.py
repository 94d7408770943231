"""The words that the console's scripts show, and the invented people of the training."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from callcenter import carriers
from callcenter.base.clock import real_now
from callcenter.ledger import dispositions
from callcenter.ledger.call_scripts import script_for
from callcenter.queueing import preview_card
from callcenter.queues import CallQueue
from callcenter.telephony import phone_words


def of_page(pauses: Mapping[str, str]) -> dict[str, Any]:
    """Sentences by key, in the reader's language; %(name)s stays for the script to fill. `pauses`: reasons by code."""
    return {
        "states": {
            "offline": _("Not connected"),
            "paused": _("Paused"),
            "available": _("Available"),
            "preview": _("Before a call"),
            "in_call": _("In a call"),
            "wrap_up": _("Writing up the call"),
        },
        "hints": {
            "offline": _("Connect to open your line. You start in a pause."),
            "paused": _("You get no calls. Press «Available» when you are ready."),
            "available": _("The next call comes by itself: card, script and a short tone at once."),
            "room": _("Your line is being opened…"),
        },
        "pauses": dict(pauses),
        "pause_limit": {
            "calm": _("Time left of this pause"),
            "soon": _("This pause ends soon"),
            "over": _("This pause is over its limit. Your supervisor sees it, too."),
        },
        "left": _("You were logged off at %(time)s: %(reason)s."),
        "preview": {
            "calm": _("Time to look"),
            "soon": _("Little time left: call, or skip"),
            "ended": _("The last ring: %(says)s."),
            "skips": preview_card.reasons(),
        },
        "note_by": _("Note of %(name)s"),
        "note_seen": _("Seen"),
        "effects": {
            "final": _("done, not called again"),
            "retry": _("called again later"),
            "callback": _("called again at the agreed time"),
            "suppress": _("never again, on any channel"),
        },
        "sexes": {"H": _("man"), "M": _("woman"), "X": _("non-binary")},
        "channels": {
            "call": _("Call"),
            "sms": _("SMS"),
            "whatsapp": _("WhatsApp"),
            "telegram": _("Telegram"),
            "email": _("E-mail"),
        },
        "speaking": _("YOU ARE SPEAKING WITH %(name)s"),
        "someone": _("a person whose data were erased"),
        "caller": _("somebody who rang us"),
        "hung_up": _("The call has ended. Choose what became of it."),
        "wrap": {
            "calm": _("Time to write up"),
            "soon": _("Little time left"),
            "over": _("Time is over: what became of the call? Choose the outcome, or take more time."),
        },
        "greeting": _(
            "Good day, am I speaking with %(name)s? My name is %(operator)s and I am calling on behalf of %(behalf)s."
        ),
        "greeting_in": _("Good day, thank you for calling. My name is %(operator)s, on behalf of %(behalf)s."),
        "notice": _("The privacy notice is at %(url)s."),
        "years": _("%(n)s years"),
        "section": _("section %(n)s"),
        "attempt": _("attempt %(n)s"),
        "rang_us": _("they rang us"),
        "unsaid": _(
            "This campaign does not say on whose behalf it calls, or where its privacy notice is:"
            " the script stays closed. Tell your supervisor."
        ),
        "saved_note": _("Saved %(time)s"),
        "saving": _("Saving…"),
        "unsent": _("Kept here until the connection is back"),
        "unsent_act": _("The server has not answered yet. What you did is kept and goes through by itself, once."),
        "undo": _("Saved: %(label)s"),
        "undone": _("The outcome was taken back."),
        "rare": _("Other outcomes"),
        "callback_none": _("none"),
        "first_call": _("First contact with this person."),
        "difficult": _("Your supervisor has been told. A pause follows this call."),
        "refused": _("That was not accepted: %(why)s"),
        "session_over": _("Your session has ended. Sign in again in another tab; what you wrote is kept here."),
        "script_failed": _("The script did not load. Try again."),
        "keys_on": _("Single keys are on"),
        "keys_off": _("Single keys are off"),
        "none_running": _("No campaign is running. Your supervisor opens the queues."),
        "ringing": _("%(n)s ringing"),
        "phone": phone_words.of_page() if carriers.has_switchboard() or carriers.can("browser_leg") else None,
        "acts": {
            "held": _("The citizen hears music."),
            "ringing": _("Ringing: %(name)s. The citizen hears music."),
            "consulting": _("You are talking with %(name)s. The citizen hears music."),
            "all_three": _("All three are talking: you, the citizen and %(name)s."),
            "not_reached": _("%(name)s was not reached. The citizen still hears music."),
            "operators": _("Operators who are free"),
            "queues": _("Campaigns: whoever has waited longest"),
            "outside": _("Outside numbers"),
            "consult": _("Ask first"),
            "transfer": _("Hand over at once"),
        },
        "at_line": {
            "listen": _("%(name)s is listening."),
            "coach": _("%(name)s is speaking to you; the citizen does not hear it."),
            "join": _("%(name)s is in the call."),
        },
    }


def training_state(name: str, now: datetime, running: Sequence[CallQueue]) -> dict[str, Any]:
    """A snapshot in the form of `operator_snapshot.snapshot` for a console that is played in the browser only."""
    queue = next((each for each in running if each.script != "operator"), running[0] if running else None)
    return {
        "server_now": real_now().isoformat(),
        "campaign_now": now.isoformat(),
        "simulated": True,
        "operator": {
            "id": 0, "name": name, "state": "paused", "since": real_now().isoformat(), "pause_reason": "training",
            "leave_after_call": False, "room_open": True, "calls_today": 0, "talk_seconds_today": 0,
        },
        "call": None,
        "dispositions": dispositions.listed(),
        "undo": None,
        "next_callback": None,
        "queues": [{"id": 0, "name": _("Training"), "state": "running", "why_idle": None, "ringing": 1}],
        "training_queue": {
            "id": 0,
            "name": queue.name if queue else _("Training"),
            "on_behalf_of": queue.on_behalf_of if queue else _("the training"),
            "privacy_notice_url": queue.privacy_notice_url if queue else "https://example.org/aviso",
            "script_text": (queue.script_text if queue else None) or _(
                "Explain why you call, ask whether this is a good moment, and thank {given_names} at the end."
            ),
            "script": queue.script if queue else "operator",
            "script_url": _preview(queue.script) if queue else None,
        },
    }  # fmt: skip


def training_people() -> list[dict[str, Any]]:
    """Invented people, one for each thing that can happen in a first shift."""
    zone, town = "America/Mexico_City", "Minatitlán"
    return [
        {
            "contact": {
                "id": 0, "name": "Rosa Elvira Practicante Luna", "given_names": "Rosa Elvira", "age": 43, "sex": "M",
                "section": 2441, "neighborhood": "Centro", "municipality": town, "zone": zone,
                "phone": "+52 ••• ••• ••01",
            },
            "says": _("Yes, speaking. What is it about?"),
        },
        {
            "contact": {
                "id": 0, "name": "Tomás Ensayo Hernández", "given_names": "Tomás", "age": 61, "sex": "H",
                "section": 2450, "neighborhood": "Obrera", "municipality": town, "zone": zone,
                "phone": "+52 ••• ••• ••02",
            },
            "says": _("I am at work now. Could you call me tomorrow after six?"),
        },
        {
            "contact": {
                "id": 0, "name": "Araceli Prueba Domínguez", "given_names": "Araceli", "age": 29, "sex": "M",
                "section": 2437, "neighborhood": "Insurgentes", "municipality": town, "zone": zone,
                "phone": "+52 ••• ••• ••03",
            },
            "says": _("Who gave you my number? Do not call me again!"),
        },
    ]  # fmt: skip


def _preview(script: str) -> str | None:
    """The address at which the script can be tried without a call, when its kind offers one."""
    kind, number = script_for(script), script.partition("/")[2]
    return kind.preview(int(number)) if kind and kind.preview and number.isdecimal() else None
