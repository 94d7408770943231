"""A rule in words: one sentence for people, and one line a condition for comparing two versions."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import LazyString, format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from campaigns.segmenting.segment_forms import Catalogue, group_in
from campaigns.segmenting.segment_rules import OPS, Deed, Field

OPTION_LABELS: dict[str, LazyString] = {
    "queue": _l("queue"),
    "campaign": _l("campaign"),
    "purpose": _l("purpose"),
    "channel": _l("channel"),
    "survey": _l("survey"),
}
MOST_SHOWN = 6  # values of a list that a sentence names
GROUP_WORDS: dict[str, LazyString] = {
    "all": _l("all of these hold"),
    "any": _l("at least one of these holds"),
    "not": _l("none of these holds"),
}


@dataclass(frozen=True)
class Line:
    """One line of a difference: `mark` is + (new), - (gone) or a space (as before)."""

    mark: str
    depth: int
    words: str


def sentence(rule: Mapping[str, Any], catalogue: Catalogue) -> str:
    """The rule as one sentence. The rule is valid; what it names may be gone since, and is then said by its number."""
    kind, members = group_in(rule)
    if not members:
        return str(_("Nobody.")) if kind == "any" else str(_("Everybody."))
    return str(_("People of whom this holds: %(words)s.", words=_group(rule, catalogue, outermost=True)))


def lines(rule: Mapping[str, Any], catalogue: Catalogue, depth: int = 0) -> list[tuple[int, str]]:
    """(depth, words) of every group and condition, as they stand under each other."""
    kind, members = group_in(rule)
    found = [(depth, str(GROUP_WORDS[kind]).capitalize() + ":")]
    for member in members:
        if _is_group(member):
            found += lines(member, catalogue, depth + 1)
        else:
            found.append((depth + 1, clause(member, catalogue)))
    return found


def difference(old: Mapping[str, Any], new: Mapping[str, Any], catalogue: Catalogue) -> list[Line]:
    """What became of the old rule in the new one, line by line."""
    before, after = lines(old, catalogue), lines(new, catalogue)
    found: list[Line] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [Line(" ", *line) for line in before[i1:i2]]
            continue
        found += [Line("-", *line) for line in before[i1:i2]]
        found += [Line("+", *line) for line in after[j1:j2]]
    return found


def _is_group(member: Mapping[str, Any]) -> bool:
    return any(kind in member for kind in GROUP_WORDS)


def _group(rule: Mapping[str, Any], catalogue: Catalogue, *, outermost: bool = False) -> str:
    kind, members = group_in(rule)
    said = [_group(one, catalogue) if _is_group(one) else clause(one, catalogue) for one in members]
    if not said:
        return str(_("nobody")) if kind == "any" else str(_("everybody"))
    if kind == "not":
        return str(_("not (%(words)s)", words=_joined(said, str(_("or")))))
    words = _joined(said, str(_("and")) if kind == "all" else str(_("or")))
    return words if outermost or len(said) == 1 else f"({words})"


def _joined(said: Sequence[str], last: str) -> str:
    """`a; b and c`: a semicolon, because the conditions themselves have commas."""
    return said[0] if len(said) == 1 else "; ".join(said[:-1]) + f" {last} {said[-1]}"


def clause(member: Mapping[str, Any], catalogue: Catalogue) -> str:
    """One condition in words."""
    if "did" in member or "did_not" in member:
        return _deed(member, catalogue)
    if "segment" in member:
        return str(_("belongs to the segment %(name)s", name=_name(catalogue.segments, member["segment"])))
    if "frozen" in member:
        return str(_("belongs to the frozen list %(name)s", name=_name(catalogue.frozen, member["frozen"])))
    code, op = str(member.get("field", "")), str(member.get("op", ""))
    asked = catalogue.fields.get(code)
    if asked is None:
        return f"{code} {OPS.get(op, op)} {_listed([str(member.get('value', ''))])}"
    label = str(asked.label)
    if op in ("is_known", "is_unknown"):
        return f"{label} {OPS[op]}"
    value = member.get("value")
    names = catalogue.names.get(code, {})
    values = [_value(asked, one, names) for one in (value if isinstance(value, list) else [value])]
    if op == "within_days":
        days = ngettext("in the last day", "in the last %(num)s days", int(str(value)))
        return f"{label} {days}"
    if op == "between":
        return str(_("%(field)s from %(least)s to %(most)s", field=label, least=values[0], most=values[-1]))
    if op in ("is", "in"):
        return f"{label}: {_listed(values)}"
    if op in ("is_not", "not_in"):
        return str(_("%(field)s other than %(values)s", field=label, values=_listed(values)))
    return f"{label} {OPS[op]} {_listed(values)}"


def _value(asked: Field, value: Any, names: Mapping[int, str]) -> str:
    if value in names:
        return names[value]
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if asked.choices:
        return str(asked.choices.get(value, value))
    return _day(value) if asked.kind == "date" else str(value)


def _listed(values: Sequence[str]) -> str:
    shown = list(values[:MOST_SHOWN])
    if len(values) > MOST_SHOWN:
        more = len(values) - MOST_SHOWN
        return ", ".join(shown) + " " + str(ngettext("and %(num)s more", "and %(num)s more", more))
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " " + str(_("or")) + " " + shown[-1]


def _name(names: Mapping[int, str], number: Any) -> str:
    return f"«{names[number]}»" if number in names else str(_("number %(number)s", number=number))


def _deed(member: Mapping[str, Any], catalogue: Catalogue) -> str:
    happened = "did" in member
    deed = str(member["did"] if happened else member["did_not"])
    period = _period(member)
    return " ".join(part for part in (_deed_words(member, deed, catalogue, happened=happened), period) if part)


def _deed_words(member: Mapping[str, Any], code: str, catalogue: Catalogue, *, happened: bool) -> str:
    if code == "answered":
        return _answered(member, catalogue, happened=happened)
    words = {
        "called": (_("was called"), _("was not called")),
        "reached": (_("was reached by a call"), _("was not reached by a call")),
        "outcome": (_("had a call that ended with"), _("had no call that ended with")),
        "interviewed": (_("was interviewed"), _("was not interviewed")),
        "received": (_("received a message"), _("received no message")),
        "replied": (_("wrote to us"), _("did not write to us")),
        "clicked": (_("opened the link of a message"), _("opened no link of a message")),
    }
    said = str(words[code][0 if happened else 1]) if code in words else code
    deed = catalogue.deeds.get(code)
    if "value" in member:
        said += " " + _options(deed, "value", member["value"])
    details = [
        f"{OPTION_LABELS[option]} {_options(deed, option, member[option])}"
        for option in OPTION_LABELS
        if option in member
    ]
    if "at_least" in member:
        times = member["at_least"]
        details.append(str(ngettext("at least %(num)s time", "at least %(num)s times", times)))
    return f"{said} ({', '.join(details)})" if details else said


def _options(deed: Deed | None, option: str, value: Any) -> str:
    names = deed.choices.get(option, {}) if deed else {}
    by_text = {str(code): str(label) for code, label in names.items()}
    return _listed([by_text.get(str(one), str(one)) for one in _many(value)])


def _answered(member: Mapping[str, Any], catalogue: Catalogue, *, happened: bool) -> str:
    survey = _options(catalogue.deeds.get("answered"), "survey", member.get("survey"))
    said = str(
        _("answered in the survey «%(survey)s»", survey=survey)
        if happened
        else _("did not answer in the survey «%(survey)s»", survey=survey)
    )
    item = member.get("item")
    question = catalogue.questions.get(int(member.get("survey") or 0), {}).get(str(item))
    label = question.label if question else str(item)
    values = [question.choices.get(str(one), str(one)) if question else str(one) for one in _many(member.get("value"))]
    if not values:
        return said + " " + str(_("anything to «%(question)s»", question=label))
    quoted = _listed([f"«{value}»" for value in values])
    return said + " " + str(_("%(answers)s to «%(question)s»", answers=quoted, question=label))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _period(member: Mapping[str, Any]) -> str:
    if "within_days" in member:
        days = member["within_days"]
        return str(ngettext("in the last day", "in the last %(num)s days", days))
    if "between" in member:
        since, until = member["between"]
        return str(_("between %(since)s and %(until)s", since=_day(since), until=_day(until)))
    return ""


def _day(text: Any) -> str:
    try:
        return str(format_date(date.fromisoformat(str(text)), "d MMM yyyy"))
    except ValueError:
        return str(text)
