"""The words of the pages about quality: signals, comparisons, lengths of time."""

from flask_babel import LazyString, format_decimal, format_percent
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from surveys.checks.interviewer_spread import Difference

FLAGS: dict[str, LazyString] = {
    "short": _l("Very short"),
    "hurried": _l("Questions hurried"),
    "straight": _l("Same answer in a row"),
    "silent": _l("Hardly any answers"),
}
FLAG_ICONS = {"short": "stopwatch", "hurried": "lightning", "straight": "list-check", "silent": "volume-mute"}
COMPARED: dict[str, LazyString] = {
    "partial": _l("Broken off"),
    "hurried": _l("Hurried"),
    "silent": _l("Hardly any answers"),
    "straight": _l("Same answer in a row"),
    "vote": _l("Vote for the leader"),
}
FACES: dict[str, LazyString] = {
    "screen": _l("operator"), "agi": _l("telephone keys"), "twiml": _l("telephone keys"), "web": _l("web link"),
    "whatsapp": _l("WhatsApp"), "sms": _l("SMS"), "telegram": _l("Telegram"),
}  # fmt: skip
STATES: dict[str, LazyString] = {
    "complete": _l("whole"), "partial": _l("broken off"), "screened": _l("short: the group had enough interviews"),
    "started": _l("started"),
}  # fmt: skip
OUTCOMES: dict[str, LazyString] = {
    "open": _l("waiting"),
    "confirmed": _l("confirmed"),
    "differs": _l("answers differ"),
    "denied": _l("knows of no interview"),
    "not_reached": _l("not reached"),
}


def clock(seconds: float | None) -> str:
    """245.0 → 4:05; a dash where nobody knows."""
    return "–" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def moment(seconds: float | None) -> str:
    """4.25 → 4.3 s in the reader's language."""
    return "–" if seconds is None else str(_("%(n)s s", n=format_decimal(round(seconds, 1))))


def percent(share: float) -> str:
    """0.374 → 37.4 % in the reader's language."""
    return str(format_percent(share, "#,##0.0 %"))


def share(count: int, n: int) -> str:
    return percent(count / n) if n else "–"


def gap(one: Difference) -> str:
    """+12.0 points (3.1 to 20.9), for a reader and for a screen reader alike."""
    low, high = _points(one.low), _points(one.high)
    return str(_("%(gap)s points (%(low)s to %(high)s)", gap=_points(one.difference), low=low, high=high))


def _points(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{format_decimal(abs(value) * 100, '#,##0.0')}"
