"""The one table of what may happen to a call, as data: states, the events that move it, what each end is called.

Pure. An event that the table does not know in a state changes nothing: events come late, twice, in any order, or never,
and `ended` is final (only the operator's own undo leads out of it).
"""

from datetime import timedelta

# What a carrier may say of a call that nobody has answered yet, and where it leads.
_HEARD = {
    "ringing": "ringing",
    "answered": "answered",
    "hung_up": "ended",
    "busy": "ended",
    "no_answer": "ended",
    "failed": "ended",
    "invalid_number": "ended",
    "canceled": "ended",
    "machine": "ended",
    "voicemail": "ended",
}

MOVES: dict[str, dict[str, str]] = {
    "planned": {"claimed": "placing", "not_placed": "ended", "refused_by_gate": "ended"},
    "placing": {
        **_HEARD,
        "placed": "placing",
        "unknown": "unknown",
        "refused_by_gate": "ended",
        "not_placed": "ended",
        "lost": "ended",
    },
    "unknown": {**_HEARD, "placed": "placing", "not_placed": "ended", "lost": "ended"},
    "ringing": {
        **{kind: state for kind, state in _HEARD.items() if kind != "ringing"},
        "not_placed": "ended",
        "lost": "ended",
    },
    "answered": {
        "connected": "connected",
        **dict.fromkeys(("inbound_informed", "inbound_message", "inbound_missed", "inbound_opted_out"), "ended"),
        "abandoned": "ended",
        "machine": "ended",
        "voicemail": "ended",
        "hung_up": "ended",
        "failed": "ended",
        "lost": "ended",
    },
    "connected": {
        "machine": "ended",  # told while somebody talks to it already (callcenter.ledger.machines)
        "voicemail": "ended",
        "hung_up": "wrap_up",
        "failed": "wrap_up",
        "lost": "wrap_up",
        "handed_out": "wrap_up",
        "disposed": "ended",
    },
    "wrap_up": {"disposed": "ended", "not_coded": "ended"},
    "ended": {"undone": "wrap_up"},
}
STATES = tuple(MOVES)
DIALLING = ("planned", "placing", "unknown", "ringing", "answered")  # may still need an operator

# Facts: an event leaves its time in this column whatever the order in which it came, once.
FACTS = {
    "placed": "placed_at",
    "ringing": "ringing_at",
    "answered": "answered_at",
    "hung_up": "hung_up_at",
    "busy": "hung_up_at",
    "no_answer": "hung_up_at",
    "failed": "hung_up_at",
    "invalid_number": "hung_up_at",
    "canceled": "hung_up_at",
    "lost": "hung_up_at",
}

# The person or the line had its say: the try counts. Every other end gives the try back.
COUNTED = frozenset(
    {"busy", "no_answer", "given_up", "abandoned", "failed", "invalid_number", "machine", "not_coded", "voicemail"}
)
# How a line says that we took it down ourselves before anybody picked up.
TAKEN_DOWN = ("canceled", "hung_up", "failed")

# How long a call may stay in a state before the sweeper asks about it (real time).
LIFE = {
    "planned": timedelta(seconds=30),
    "placing": timedelta(seconds=20),
    "unknown": timedelta(seconds=10),
    "ringing": timedelta(seconds=40),
    "answered": timedelta(seconds=10),
    "connected": timedelta(seconds=20),
    "wrap_up": timedelta(seconds=20),
}
RING_SECONDS = 25
WAITS = timedelta(seconds=2)  # how long who has picked up waits for an operator (real time); then they are abandoned
UNDO = timedelta(seconds=10)  # how long an operator may take their word back
# An unanswered call whose carrier cannot be asked is given up as `lost` after this.
PATIENCE = timedelta(seconds=55)


def move(state: str, event: str) -> str | None:
    """The state after `event`; None when the event changes nothing in `state`."""
    return MOVES[state].get(event)


def outcome(event: str, direction: str = "out", was: str = "", *, given_up: bool = False) -> str:
    """What became of a call that `event` ended in the state `was` without an operator's word. One of ours that ended
    after its answer and before anybody spoke is an abandoned one, however it ended; who rang us and hung up has heard
    the menu. `given_up`: we had chosen to let it ring no longer, and nobody had picked up."""
    if given_up and event in TAKEN_DOWN:
        return "given_up"
    if direction == "out" and (event == "hung_up" or (was == "answered" and event in ("lost", "failed"))):
        return "abandoned"
    return "inbound_informed" if event == "hung_up" else event
