"""What on the floor should make somebody look up: for the eye, and for the ear where sound was switched on."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from callcenter.supervision.floor_figures import Alert, QueueFigures
from callcenter.supervision.floor_rows import Row
from callcenter.telephony import trunk_alarms


@dataclass(frozen=True)
class Alarm:
    """`key` stays the same while the trouble lasts: a page rings once for it."""

    key: str
    words: str


def of(
    rows: Sequence[Row], queues: Sequence[QueueFigures], alerts: Sequence[Alert], lines: Sequence[trunk_alarms.Alarm]
) -> list[Alarm]:
    """The worst first: difficult calls, lines, campaigns whose people find nobody, operators in red."""
    difficult = [Alarm(f"call-{alert.call_id}", _("Difficult call: %(name)s", name=alert.operator)) for alert in alerts]
    ill = [Alarm(f"line-{line.subject}-{line.what}", f"{line.subject}: {line.what}") for line in lines]
    silent = [
        Alarm(
            f"queue-{queue.id}", _("%(campaign)s: more people than its limit pick up to silence", campaign=queue.name)
        )
        for queue in queues
        if queue.abandons_too_many
    ]
    red = [
        Alarm(f"operator-{row.id}-{row.since.isoformat()}", f"{row.name}: {row.trouble}")
        for row in rows
        if row.level == 2
    ]
    return [*difficult, *ill, *silent, *red]
