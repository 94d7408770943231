"""Who may not be written to any more because they said so to the carrier itself (Twilio's opt-out handling)."""

from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.senders import Senders

# https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out: the default words are English only
DEFAULT_STOP = frozenset(("stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"))
DEFAULT_START = frozenset(("start", "yes", "unstop"))
# What Advanced Opt-Out was told beside them.
ADVANCED_STOP = DEFAULT_STOP | {"baja", "alto", "cancelar"}
ADVANCED_START = DEFAULT_START | {"alta"}


class OptOuts:
    """Kept by phone and sender; who stops one number of a Messaging Service stops the whole service."""

    def __init__(self, options: Options, senders: Senders, past: set[tuple[str, str]]) -> None:
        self._options, self._senders = options, senders
        self._stopped = past

    def hear(self, phone: str, ours: str, body: str) -> str | None:
        """`STOP` or `START` when the carrier understood the word and handled it, else None."""
        if self._options.opt_outs == "off":
            return None
        is_advanced = self._options.opt_outs == "advanced"
        word = body.strip().lower().rstrip(".!")
        pairs = {(phone, name) for name in self._names(ours)}
        if word in (ADVANCED_STOP if is_advanced else DEFAULT_STOP):
            self._stopped |= pairs
            return "STOP"
        if word in (ADVANCED_START if is_advanced else DEFAULT_START):
            self._stopped -= pairs
            return "START"
        return None

    def is_stopped(self, phone: str, ours: str, service: str | None) -> bool:
        return (phone, ours) in self._stopped or (service is not None and (phone, service) in self._stopped)

    def _names(self, ours: str) -> list[str]:
        services = self._senders.services_of(ours)
        return [ours, *(service.sid for service in services), *(s for service in services for s in service.senders)]
