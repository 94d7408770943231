"""The states of a message, and which may follow which: data that the ledger's UPDATEs read."""

from collections.abc import Iterable

PLANNED = "planned"  # a row; the provider has not heard of it
SENDING = "sending"  # claimed by a worker, under a lease; the provider may hear of it any moment
ACCEPTED = "accepted"  # the provider has it
SENT = "sent"  # the provider gave it to the operator of the phone
UNKNOWN = "unknown"  # the provider may have it: never sent again, resolved by a receipt or the provider's list
DELIVERED, UNDELIVERED, FAILED, EXCLUDED, STOPPED = "delivered", "undelivered", "failed", "excluded", "stopped"

NEXT: dict[str, frozenset[str]] = {
    PLANNED: frozenset({SENDING, EXCLUDED, STOPPED}),
    # Back to planned only when the provider surely has not taken it (429, no connection).
    SENDING: frozenset({PLANNED, ACCEPTED, SENT, DELIVERED, UNDELIVERED, FAILED, UNKNOWN}),
    UNKNOWN: frozenset({ACCEPTED, SENT, DELIVERED, UNDELIVERED, FAILED}),
    ACCEPTED: frozenset({SENT, DELIVERED, UNDELIVERED, FAILED}),
    SENT: frozenset({DELIVERED, UNDELIVERED, FAILED}),
    DELIVERED: frozenset(),
    UNDELIVERED: frozenset(),
    FAILED: frozenset(),
    EXCLUDED: frozenset(),
    STOPPED: frozenset(),
}
FINAL = frozenset(state for state, following in NEXT.items() if not following)


def before(new: str | Iterable[str]) -> list[str]:
    """The states from which a message may move to `new`, for the WHERE of an UPDATE."""
    wanted = {new} if isinstance(new, str) else set(new)
    return sorted(old for old, following in NEXT.items() if wanted <= following)
