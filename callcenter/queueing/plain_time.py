"""When to call back, as people say it: «mañana 6 pm», «el jueves a las 10», "in 2 hours". Pure; Spanish and English.

`understand` answers with a time in the zone of `now`, or raises Unclear whose code has its sentence in SENTENCES.
An hour without am or pm is the one at which people are called: 9 to 11 in the morning, 12 to 8 in the afternoon.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask_babel import lazy_gettext as _l

FURTHEST = timedelta(days=60)
DEFAULT_TIMES = {"morning": time(10), "noon": time(12), "afternoon": time(16), "evening": time(19)}

SENTENCES = {
    "empty": _l("Write when to call back, for example «tomorrow 6 pm» or «Thursday at 10»."),
    "not_understood": _l("I do not understand «%(word)s». Try «tomorrow 6 pm», «Thursday at 10» or «in 2 hours»."),
    "no_such_time": _l("There is no such date or hour: «%(word)s»."),
    "past": _l("That time is over. Choose one that is still to come."),
    "too_far": _l("That is more than 60 days away. Choose an earlier day."),
    "closed": _l("On that day people are called from %(opens)s to %(closes)s. Choose an hour in between."),
}

Hours = Callable[[date], tuple[time, time]]


class Unclear(Exception):
    """The words give no time at which somebody can be called. `code` is a key of SENTENCES, `detail` its values."""

    def __init__(self, code: str, **detail: str | time) -> None:
        self.code, self.detail = code, detail
        super().__init__(code)


_NUMBERS = {
    "un": 1, "una": 1, "uno": 1, "a": 1, "an": 1, "one": 1, "dos": 2, "two": 2, "tres": 3, "three": 3, "cuatro": 4,
    "four": 4, "cinco": 5, "five": 5, "seis": 6, "six": 6, "siete": 7, "seven": 7, "ocho": 8, "eight": 8, "nueve": 9,
    "nine": 9, "diez": 10, "ten": 10, "once": 11, "eleven": 11, "doce": 12, "twelve": 12, "quince": 15, "fifteen": 15,
    "veinte": 20, "twenty": 20, "treinta": 30, "thirty": 30,
}  # fmt: skip
_WEEKDAYS = {
    "lunes": 0, "martes": 1, "miercoles": 2, "jueves": 3, "viernes": 4, "sabado": 5, "domingo": 6,
    "lun": 0, "mie": 2, "jue": 3, "vie": 4, "sab": 5, "dom": 6,
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("enero january", "febrero february", "marzo march", "abril april", "mayo may", "junio june", "julio july",
         "agosto august", "septiembre setiembre september", "octubre october", "noviembre november",
         "diciembre december"),
        start=1,
    )
    for full in names.split()
    for name in (full, full[:3])
}  # fmt: skip
_DAYS_AWAY = {"hoy": 0, "today": 0, "manana": 1, "tomorrow": 1}

_NUMBER = rf"\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))}"
_UNITS = {"minuto": 1, "min": 1, "minute": 1, "hora": 60, "h": 60, "hr": 60, "hour": 60, "dia": 1440, "day": 1440,
          "semana": 10080, "week": 10080}  # fmt: skip
_UNIT = rf"(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
_SOON = re.compile(
    rf"(?:en|dentro de|in|within) (?:(?P<half>media hora|half an hour)"
    rf"|(?:like |unas? |about )??(?P<count>{_NUMBER}) (?P<unit>{_UNIT})s?"
    rf"(?: (?:y|and) (?P<extra>media|cuarto|a half|a quarter|(?:{_NUMBER}) min(?:uto|ute)?s?))?)"
)
_PART = re.compile(
    r"\b(?:(?:por|en|de|a|al|in|at) )?(?:(?:la|el|the|esta|este|this) )?"
    r"(?P<part>mediodia|noon|midday|tarde(?!s)|afternoon|noche|evening|tonight|night)\b"
    r"|(?:(?:por|en|de) la|in the|this|esta) (?P<morning>manana|morning)\b|(?P<bare>temprano|early|morning)\b"
)
_PARTS = {"mediodia": "noon", "noon": "noon", "midday": "noon", "tarde": "afternoon", "afternoon": "afternoon"}
_CLOCK = re.compile(
    rf"(?:(?P<at>a las?|at|tipo|como a las?|desde las?) )?(?P<hour>\b\d{{1,2}}|\b(?:{'|'.join(_NUMBERS)})\b)"
    r"(?:[:.h](?P<minute>\d{2})| y (?P<fraction>media|cuarto|treinta|quince)| (?P<short>\d{2})(?= ?[ap]\.? ?m|$))?"
    r" ?(?P<suffix>a\.? ?m\b\.?|p\.? ?m\b\.?|hrs?\b|horas\b|h\b|o'?clock\b|en punto\b)?"
)
_DATE = re.compile(
    rf"(?:el |on |the )?(?:dia )?(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:de |of )?(?P<month>{'|'.join(_MONTHS)})\b"
    rf"|(?P<month2>{'|'.join(_MONTHS)}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b"
    r"|(?P<day3>\d{1,2})[/-](?P<month3>\d{1,2})\b)"
)
_WEEKDAY = re.compile(
    rf"(?:(?:el|este|proximo|on|this|next) )*(?P<name>{'|'.join(sorted(_WEEKDAYS, key=len, reverse=True))})\b"
    r"(?: (?:que entra|que viene|proximo))?"
)
_DAY = re.compile(r"(?P<after>pasado manana|(?:the )?day after tomorrow)|(?P<name>hoy|today|manana|tomorrow)\b")
_FILLER = re.compile(
    r"(?:[,.;]|\b(?:por favor|please|a|al|el|la|las|los|de|at|on|the|y|and|despues|after|mejor|llamar|call)\b)+"
)


@dataclass
class _Said:
    """What the words have told so far; `rest` is what is still to be read."""

    rest: str
    day: date | None = None
    part: str | None = None
    clock: time | None = None

    def cut(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.search(self.rest)
        if found:
            self.rest = f"{self.rest[: found.start()]} {self.rest[found.end() :]}".strip()
        return found


def understand(text: str, now: datetime, hours: Hours) -> datetime:
    """The time said by `text`, aware, in the zone of `now`, inside `hours(day)`. Raises Unclear."""
    plain = _plain(text)
    if not plain:
        raise Unclear("empty")
    said = _Said(plain)
    at = _soon(said, now) or _said_time(said, now)
    return _checked(at, now, hours)


def suggestions(now: datetime, hours: Hours) -> list[datetime]:
    """Times worth a button: in an hour, this evening, tomorrow at this hour and in the evening; only those allowed."""
    tomorrow = now.date() + timedelta(days=1)
    wishes = [
        _quarter(now + timedelta(hours=1)),
        _at(now.date(), time(18), now),
        _at(tomorrow, time(10), now),
        _at(tomorrow, time(18), now),
        _at(tomorrow + timedelta(days=1), time(18), now),
    ]
    possible = []
    for wish in wishes:
        try:
            possible.append(_checked(wish, now, hours))
        except Unclear:
            continue
    return sorted(set(possible))[:4]


def _plain(text: str) -> str:
    """Lower case, no accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text[:200].casefold())
    kept = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(re.sub(r"[¡!¿?«»\"()]", " ", kept).split()).strip(" .,")


def _soon(said: _Said, now: datetime) -> datetime | None:
    found = said.cut(_SOON)
    if found is None:
        return None
    if found["half"]:
        minutes = 30
    else:
        unit = _UNITS[found["unit"]]
        minutes = _number(found["count"]) * unit + _extra(found["extra"], unit)
    _refuse_rest(said)
    try:
        return now + timedelta(minutes=minutes)
    except OverflowError:
        raise Unclear("too_far") from None


def _extra(words: str | None, unit: int) -> int:
    if not words:
        return 0
    if words.endswith(("media", "half")):
        return unit // 2
    if words.endswith(("cuarto", "quarter")):
        return unit // 4
    return _number(words.split()[0])


def _said_time(said: _Said, now: datetime) -> datetime:
    _read_part(said)
    _read_day(said, now)
    _read_clock(said)
    _refuse_rest(said)
    if said.clock is None and said.part is None:
        if said.day is None:
            raise Unclear("not_understood", word=said.rest)
        said.clock = _quarter(now).time()  # «mañana»: they are at home at this hour
    clock = said.clock if said.clock is not None else DEFAULT_TIMES[said.part or "afternoon"]
    if said.day is not None:
        return _at(said.day, clock, now)
    today = _at(now.date(), clock, now)
    return today if today > now else _at(now.date() + timedelta(days=1), clock, now)


def _read_part(said: _Said) -> None:
    found = said.cut(_PART)
    if found is None:
        return
    word = found["part"]
    said.part = _PARTS.get(word, "evening") if word else "morning"
    if word in ("tonight",) or (word == "noche" and "esta noche" in found[0]):
        said.rest = f"hoy {said.rest}" if not _DAY.search(said.rest) else said.rest


def _read_day(said: _Said, now: datetime) -> None:
    if found := said.cut(_DATE):
        said.day = _date_of(found, now.date())
        said.cut(_WEEKDAY)  # «el jueves 25 de noviembre»: the date is the stronger word
    elif found := said.cut(_DAY):
        said.day = now.date() + timedelta(days=2 if found["after"] else _DAYS_AWAY[found["name"]])
    elif found := said.cut(_WEEKDAY):
        ahead = (_WEEKDAYS[found["name"]] - now.weekday()) % 7 or 7
        said.day = now.date() + timedelta(days=ahead)


def _date_of(found: re.Match[str], today: date) -> date:
    day = int(found["day"] or found["day2"] or found["day3"])
    month = int(found["month3"]) if found["month3"] else _MONTHS[found["month"] or found["month2"]]
    try:
        chosen = date(today.year, month, day)
        return chosen if chosen >= today else chosen.replace(year=today.year + 1)
    except ValueError:
        raise Unclear("no_such_time", word=found[0].strip()) from None


def _read_clock(said: _Said) -> None:
    found = said.cut(_CLOCK)
    if found is None:
        return
    hour = _number(found["hour"])
    fraction = {"media": 30, "treinta": 30, "cuarto": 15, "quince": 15}.get(found["fraction"] or "", 0)
    minute = int(found["minute"] or found["short"] or fraction)
    suffix = (found["suffix"] or "")[:1]
    if hour > 23 or minute > 59 or (suffix in ("a", "p") and hour > 12):
        raise Unclear("no_such_time", word=found[0].strip())
    if suffix == "p" or (said.part in ("afternoon", "evening") and suffix != "a"):
        hour = hour % 12 + 12 if hour <= 12 else hour
    elif suffix == "a" or said.part == "morning":
        hour = 0 if hour == 12 else hour
    elif hour <= 8 and suffix != "h" and not found["hour"].startswith("0"):
        hour += 12
    said.clock = time(hour, minute)


def _refuse_rest(said: _Said) -> None:
    rest = " ".join(_FILLER.sub(" ", said.rest).split())
    if rest:
        raise Unclear("not_understood", word=rest)


def _checked(at: datetime, now: datetime, hours: Hours) -> datetime:
    if at <= now:
        raise Unclear("past")
    if at - now > FURTHEST:
        raise Unclear("too_far")
    opens, closes = hours(at.date())
    if not opens <= at.time().replace(tzinfo=None) < closes:
        raise Unclear("closed", opens=opens, closes=closes)
    return at.replace(second=0, microsecond=0) if at.replace(second=0, microsecond=0) > now else at


def _at(day: date, clock: time, now: datetime) -> datetime:
    return datetime.combine(day, clock, now.tzinfo)


def _quarter(at: datetime) -> datetime:
    """The next quarter of an hour."""
    whole = at.replace(minute=0, second=0, microsecond=0)
    passed = at - whole
    return whole + timedelta(minutes=15 * -(-passed // timedelta(minutes=15)))


def _number(word: str) -> int:
    return int(word) if word.isdecimal() else _NUMBERS[word]
