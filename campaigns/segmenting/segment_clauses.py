"""One condition of a rule, checked and read into a node: of people's own fields, or of what happened with them."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from flask_babel import gettext as _

from callcenter.base.clock import ZONE
from callcenter.base.errors import InvalidInput
from callcenter.contacts import text_key
from campaigns.labels import PURPOSES
from campaigns.segmenting.segment_deeds import DEEDS, Deed
from campaigns.segmenting.segment_fields import FIELDS, KNOWN, LISTS, Field
from campaigns.segmenting.segment_nodes import Act, Own

MAX_VALUES = 10_000
MAX_TEXT = 200
MAX_AMOUNT = 10**15  # numbers of attributes
MAX_DAYS, MAX_TIMES = 3_650, 100

ATTRIBUTE = "attr:"
NEGATIVE = ("is_not", "not_in", "is_unknown")
_ACT_KEYS = ("within_days", "between", "at_least")
_NUMBERS = ("queue", "campaign", "survey")  # options whose values are numbers of ours

Path = tuple[int, ...]


class RuleFault(InvalidInput):
    """A rule that cannot be. `faults`: {path of the member from 0, "0.2": sentence}; as a text the place, counted from
    1, stands before the sentence."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__({".".join(map(str, path)): sentence})
        if path:
            self.args = (f"{'.'.join(str(place + 1) for place in path)}: {sentence}",)


class Facts(Protocol):
    """What a rule is checked against (campaigns.segmenting.segment_facts)."""

    def now(self) -> datetime: ...
    def attribute(self, key: str) -> Field | None: ...
    def segment(self, number: int) -> tuple[str, Any] | None: ...
    def exists(self, what: str, number: int) -> bool: ...
    def questions(self, survey: int) -> Mapping[str, Mapping[str, Any]]: ...


def own(clause: dict[str, Any], facts: Facts | None, path: Path) -> Own:
    """A condition on people's own field. Raises RuleFault."""
    name, op = clause["field"], clause.get("op")
    field = _field(name, facts, path)
    if field is None:
        return Own(FIELDS["age"], "known")  # the shape alone is checked, and an attribute's kind is not known
    if op not in field.ops:
        raise RuleFault(path, _("%(field)s: there is no comparison %(op)s; there are %(ops)s.", field=name,
                                op=brief(op), ops=", ".join(field.ops)))  # fmt: skip
    if set(clause) - {"field", "op", "value"}:
        raise RuleFault(path, _("%(field)s: a condition has field, op and value, and nothing else.", field=name))
    if op in KNOWN:
        return Own(field, "known", negated=op in NEGATIVE)
    if op == "within_days":
        return _recent(field, str(name), clause.get("value"), facts, path)
    return _compared(field, str(op), _values(str(name), field, str(op), clause.get("value"), path))


def _field(name: Any, facts: Facts | None, path: Path) -> Field | None:
    is_attribute = isinstance(name, str) and name.startswith(ATTRIBUTE)
    if is_attribute and facts is None:
        return None
    found = FIELDS.get(name) if isinstance(name, str) else None
    if is_attribute and facts is not None:
        found = facts.attribute(name.removeprefix(ATTRIBUTE))
    if found is None:
        raise RuleFault(path, _("There is no field %(field)s; the fields are %(fields)s.", field=brief(name),
                                fields=", ".join((*FIELDS, f"{ATTRIBUTE}…"))))  # fmt: skip
    return found


def _recent(field: Field, name: str, days: Any, facts: Facts | None, path: Path) -> Own:
    if not is_whole(days, 0, MAX_DAYS):
        raise RuleFault(path, _("%(field)s: write a whole number of days, at most %(limit)s.", field=name,
                                limit=MAX_DAYS))  # fmt: skip
    if facts is None:
        return Own(field, "known")
    # What people see is campaign time; when a row was written is real time, ahead of no clock.
    today = (facts.now() if field.copied_as != "created" else datetime.now(ZONE)).astimezone(ZONE).date()
    return Own(field, "range", least=_date_of(field, today - timedelta(days=days)), most=_date_of(field, today))


def act(clause: dict[str, Any], facts: Facts | None, path: Path) -> Act:
    """A condition on what happened with people. Raises RuleFault."""
    verb = "did" if "did" in clause else "did_not"
    name = clause[verb]
    deed = DEEDS.get(name) if isinstance(name, str) else None
    if deed is None:
        raise RuleFault(path, _("Nobody can ask whether people did %(it)s; there are %(deeds)s.", it=brief(name),
                                deeds=", ".join(DEEDS)))  # fmt: skip
    allowed = (*deed.options, *_ACT_KEYS)
    if strange := set(clause) - {verb, *allowed}:
        raise RuleFault(path, _("%(deed)s: there is no %(it)s here; there are %(options)s.", deed=name,
                                it=brief(min(strange, key=str)), options=", ".join(allowed)))  # fmt: skip
    if missing := [option for option in deed.needed if option not in clause]:
        raise RuleFault(path, _("%(deed)s: say %(it)s as well.", deed=name, it=", ".join(missing)))
    options = {option: _option(name, deed, option, clause[option], facts, path)
               for option in deed.options if option in clause}  # fmt: skip
    _check_question(name, options, facts, path)
    times = clause.get("at_least", 1)
    if not is_whole(times, 1, MAX_TIMES):
        raise RuleFault(path, _("%(deed)s: at_least is a whole number of times, 1 to %(limit)s.", deed=name,
                                limit=MAX_TIMES))  # fmt: skip
    since, before = _period(name, clause, facts, path)
    return Act(name, options, times, since, before, negated=verb == "did_not")


def _option(name: str, deed: Deed, option: str, said: Any, facts: Facts | None, path: Path) -> tuple[Any, ...]:
    values = said if isinstance(said, list) and option not in ("survey", "item") else [said]
    if not values or len(values) > MAX_VALUES:
        raise RuleFault(path, _("%(deed)s: %(option)s is one value or a list of at most %(limit)s.", deed=name,
                                option=option, limit=MAX_VALUES))  # fmt: skip
    choices = PURPOSES if option == "purpose" else deed.choices.get(option)
    for value in values:
        if option in _NUMBERS:
            fits = is_whole(value, 1, 2**31 - 1)
        else:
            fits = _is_text(value) and (choices is None or value in choices)
        if not fits:
            raise RuleFault(path, _("%(deed)s: %(value)s is no %(option)s.", deed=name, value=brief(value),
                                    option=option))  # fmt: skip
        if option in _NUMBERS and facts is not None and not facts.exists(option, value):
            raise RuleFault(path, _("%(deed)s: there is no %(option)s %(value)s.", deed=name, option=option,
                                    value=value))  # fmt: skip
    return tuple(dict.fromkeys(values))


def _check_question(name: str, options: Mapping[str, tuple[Any, ...]], facts: Facts | None, path: Path) -> None:
    if "item" not in options or facts is None:
        return
    survey, item = options["survey"][0], options["item"][0]
    question = facts.questions(survey).get(item)
    if question is None:
        raise RuleFault(path, _("%(deed)s: survey %(survey)s has no question %(item)s.", deed=name, survey=survey,
                                item=brief(item)))  # fmt: skip
    codes = [choice["name"] for choice in question.get("choices", [])]
    for value in options.get("value", ()):
        if codes and value not in codes:
            raise RuleFault(path, _("%(deed)s: %(value)s is no answer to %(item)s; there are %(codes)s.", deed=name,
                                    value=brief(value), item=item, codes=", ".join(codes)))  # fmt: skip


def _period(
    name: str, clause: dict[str, Any], facts: Facts | None, path: Path
) -> tuple[datetime | None, datetime | None]:
    if "within_days" in clause and "between" in clause:
        raise RuleFault(path, _("%(deed)s: say within_days or between, not both.", deed=name))
    if "within_days" in clause:
        if not is_whole(clause["within_days"], 1, MAX_DAYS):
            raise RuleFault(path, _("%(field)s: write a whole number of days, at most %(limit)s.", field=name,
                                    limit=MAX_DAYS))  # fmt: skip
        now = facts.now() if facts is not None else datetime.now(ZONE)
        return now.replace(microsecond=0) - timedelta(days=clause["within_days"]), None
    if "between" not in clause:
        return None, None
    said = clause["between"]
    days = [_day(one) for one in said] if isinstance(said, list) else []
    if len(days) != 2 or None in days:
        raise RuleFault(path, _("%(deed)s: between takes two days like 2027-05-01, the first and the last.",
                                deed=name))  # fmt: skip
    first, last = (day or date.min for day in days)
    return _midnight(first), _midnight(last + timedelta(days=1))


def _values(name: str, field: Field, op: str, value: Any, path: Path) -> list[Any]:
    values = value if op in (*LISTS, "between") else [value]
    if not isinstance(values, list) or not values or len(values) > MAX_VALUES:
        raise RuleFault(path, _("%(field)s: the value must be a list of 1 to %(limit)s.", field=name, limit=MAX_VALUES))
    if op == "between" and len(values) != 2:
        raise RuleFault(path, _("%(field)s: «between» takes two values, the least and the most.", field=name))
    for one in values:
        if not _is_of_kind(field, one):
            raise RuleFault(path, _("%(field)s: %(value)s is not %(wanted)s.", field=name, value=brief(one),
                                    wanted=_kind_words(field)))  # fmt: skip
    return values


def _compared(field: Field, op: str, values: list[Any]) -> Own:
    read_values = [_read_value(field, one) for one in values]
    if op in ("at_least", "at_most", "between"):
        least = None if op == "at_most" else read_values[0]
        return Own(field, "range", least=least, most=None if op == "at_least" else read_values[-1])
    negated = op in NEGATIVE
    if field.kind == "yes_no" and field.of:  # over rows there is only having one, and having none
        return Own(field, "in", (True,), negated=negated == read_values[0])
    return Own(field, "in", tuple(dict.fromkeys(read_values)), negated=negated)


def _read_value(field: Field, value: Any) -> Any:
    if field.kind == "text":
        return text_key(value)
    if field.kind == "number" and field.group == "attribute":
        return float(value)
    return _date_of(field, date.fromisoformat(value)) if field.kind == "date" else value


def _date_of(field: Field, day: date) -> date | str:
    """Attributes keep a date as text, whose order is that of the days."""
    return day.isoformat() if field.group == "attribute" else day


def _is_of_kind(field: Field, value: Any) -> bool:
    if field.kind == "yes_no":
        return isinstance(value, bool)
    if field.kind == "number" and field.group == "attribute":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_AMOUNT
    if field.kind == "number":
        return is_whole(value, 0, field.most)
    if field.kind == "date":
        return _day(value) is not None
    return _is_text(value) and (field.kind != "choice" or value in field.choices)


def is_whole(value: Any, least: int, most: int) -> bool:
    """Is it a whole number from `least` to `most`? (True is none.)"""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_TEXT and "\x00" not in value


def _day(value: Any) -> date | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 1900 <= day.year <= 2200 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


def _kind_words(field: Field) -> str:
    if field.kind == "choice":
        return str(_("one of %(choices)s", choices=", ".join(map(str, field.choices))))
    if field.kind == "number" and field.group == "attribute":
        return str(_("a number"))
    words = {
        "number": _("a whole number from 0 to %(limit)s", limit=field.most),
        "date": _("a day like 2027-05-01"),
        "yes_no": _("true or false"),
    }
    return str(words.get(field.kind, _("a text of 1 to %(limit)s characters", limit=MAX_TEXT)))


def brief(value: Any) -> str:
    """What somebody wrote, short enough for a sentence."""
    try:
        words = repr(value)
    except RecursionError:
        words = "…"
    return words if len(words) <= 60 else words[:57] + "…"
