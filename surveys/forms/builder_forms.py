"""What the builder's form of one question says, as cells of the sheets; and what it shows of those cells. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from surveys.forms import sheet_edits
from surveys.forms.choice_lists import ROLES
from surveys.forms.form_outline import plain_kind
from surveys.forms.sheets import Source

BLANK_CHOICES = 3
MOST_CHOICES = 120  # of a list that is changed in the page: a browser's form has at most a thousand fields
TESTS = ("=", "!=", ">=", "<=", ">", "<")
_SETTINGS = ("form_title", "default_language", "vote_question", "likely_question", "consent_question")
_PLAIN = ("relevant", "constraint", "calculation", "choice_filter", "default", "repeat_count", "repeat_max", "required")
_TEXTS = ("label", "hint", "guidance_hint", "constraint_message", "audio", "image")


@dataclass
class Shown:
    """One question as its form shows it. `texts`: column -> language code -> text; `choices`: with their `was`, the
    code they had; `is_long`: they are too many for a page; `shares`: other questions with the same list."""

    place: int
    kind: str
    list_name: str
    cells: dict[str, str]
    texts: dict[str, dict[str, str]]
    randomize: bool
    choices: list[dict[str, Any]] = field(default_factory=list)
    is_long: bool = False
    shares: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.cells["name"]


def shown(source: Source, place: int, *, blanks: int = BLANK_CHOICES) -> Shown:
    """The form of the line at this place; `blanks`: empty choices to be filled in."""
    languages = sheet_edits.languages(source)
    kind, name = plain_kind(sheet_edits.kind_of(source, place)), sheet_edits.value(source, place, "name")
    texts = {
        column: {one.code: sheet_edits.value(source, place, column + one.mark) for one in languages}
        for column in _TEXTS
    }
    cells = {column: sheet_edits.value(source, place, column) for column in ("type", "name", *_PLAIN)}
    randomize = _parameters(sheet_edits.value(source, place, "parameters")).get("randomize", "").lower() in (
        "true",
        "yes",
    )
    form = Shown(place, kind, sheet_edits.list_of(source, place), cells, texts, randomize)
    if kind.startswith("select"):
        rows = sheet_edits.choices(source, form.list_name)
        form.is_long = len(rows) + blanks > MOST_CHOICES
        if not form.is_long:
            form.choices = [_choice(row, languages) for row in [*rows, *({} for _blank in range(blanks))]]
        form.shares = [user for user in sheet_edits.users_of(source, form.list_name) if user != name]
    return form


def _choice(row: Mapping[str, str], languages: Iterable[sheet_edits.Language]) -> dict[str, Any]:
    texts = {one.code: row.get(f"label{one.mark}", "") for one in languages}
    return {"was": row.get("name", ""), "name": row.get("name", ""), "role": row.get("role", ""), "texts": texts}


def write(source: Source, place: int, form: Mapping[str, Any]) -> None:
    """Put what the form says into the line at this place. `form`: name -> text, or a list of texts for choices."""
    languages = sheet_edits.languages(source)
    old = sheet_edits.value(source, place, "name")
    name, kind = str(form.get("name", old)).strip(), str(form.get("kind", ""))
    cells = {column: str(form[column]).strip() for column in _PLAIN if column in form}
    for column in _TEXTS:
        for one in languages:
            if f"{column}:{one.code}" in form:
                cells[column + one.mark] = _lines(str(form[f"{column}:{one.code}"]))
    cells["relevant"] = _with_condition(cells.get("relevant", sheet_edits.value(source, place, "relevant")), form)
    if old and name and name != old:
        sheet_edits.rename(source, old, name)
    sheet_edits.put(source, place, {**cells, "name": name})
    if kind:
        _write_kind(source, place, kind, form)


def _write_kind(source: Source, place: int, kind: str, form: Mapping[str, Any]) -> None:
    if not kind.startswith("select"):
        sheet_edits.put(source, place, {"type": kind})
        return
    list_name = sheet_edits.list_of(source, place) or _free_list(source, sheet_edits.value(source, place, "name"))
    sheet_edits.put(source, place, {"type": f"{kind} {list_name}"})
    parameters = _parameters(sheet_edits.value(source, place, "parameters"))
    if "choice_name" in form:  # the form showed choices
        parameters.pop("randomize", None)
        if form.get("randomize"):
            parameters = {"randomize": "true", **parameters}
        else:
            parameters.pop("seed", None)  # a seed alone is no order
        sheet_edits.set_choices(source, list_name, _choices(source, list_name, form))
    sheet_edits.put(source, place, {"parameters": ";".join(f"{key}={text}" for key, text in parameters.items())})


def _choices(source: Source, list_name: str, form: Mapping[str, Any]) -> list[dict[str, str]]:
    """The choices in the order that the form gives them; one without any text is gone, one without a code gets one."""
    languages = sheet_edits.languages(source)
    kept = {row["name"]: row for row in sheet_edits.choices(source, list_name) if row.get("name")}
    rows: list[tuple[float, dict[str, str]]] = []
    for at in range(min(len(form["choice_name"]), MOST_CHOICES)):
        texts = {f"label{one.mark}": _lines(_at(form, f"choice_label:{one.code}", at)) for one in languages}
        code, role = _at(form, "choice_name", at), _at(form, "choice_role", at)
        if not code and not any(texts.values()):
            continue
        code = code or _free_code(next(filter(None, texts.values())), [row["name"] for _order, row in rows])
        row = {**kept.get(_at(form, "choice_was", at), {}), "name": code, **texts}
        row["role"] = role if role in ROLES else ""
        rows.append((_number(_at(form, "choice_order", at), at + 1), row))
    return [row for _order, row in sorted(rows, key=lambda pair: pair[0])]


def _with_condition(relevant: str, form: Mapping[str, Any]) -> str:
    """The condition, and what the pickers below it add: an answer («vote|azul»), or a number compared."""
    added = []
    name, _bar, code = str(form.get("add_answer", "")).partition("|")
    if name and code:
        added.append(f"selected(${{{name}}}, '{code}')")
    number = str(form.get("add_number", "")).strip()
    item, test = str(form.get("add_item", "")), str(form.get("add_test", ""))
    if item and test in TESTS and re.fullmatch(r"-?\d+(\.\d+)?", number):
        added.append(f"${{{item}}} {test} {number}")
    if relevant and added and re.search(r"\bor\b", relevant):
        relevant = f"({relevant})"
    return " and ".join(filter(None, [relevant, *added]))


def settings(form: Mapping[str, Any]) -> dict[str, str]:
    """What the form of the settings says."""
    return {column: str(form[column]).strip() for column in _SETTINGS if column in form}


def free_name(source: Source) -> str:
    """A name for a new question."""
    taken = {sheet_edits.value(source, place, "name") for place in range(len(source["survey"]["lines"]))}
    return next(f"q{number}" for number in range(1, 100_000) if f"q{number}" not in taken)


def _free_list(source: Source, name: str) -> str:
    return name if not sheet_edits.choices(source, name) else f"{name}_{free_name(source)}"


def _free_code(label: str, taken: list[str]) -> str:
    plain = unicodedata.normalize("NFKD", label.lower()).encode("ascii", "ignore").decode()
    code = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:20].strip("_") or "c"
    if code not in taken:
        return code
    return next(f"{code}_{number}" for number in range(2, MOST_CHOICES + 2) if f"{code}_{number}" not in taken)


def _parameters(text: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+)\s*=\s*([^;,\s]+)", text))


def _at(form: Mapping[str, Any], key: str, at: int) -> str:
    values = form.get(key, [])
    return str(values[at]).strip() if at < len(values) else ""


def _number(text: str, otherwise: float) -> float:
    return float(text) if re.fullmatch(r"\d{1,4}([.,]\d)?", text.replace(",", ".")) else float(otherwise)


def _lines(text: str) -> str:
    """What a browser sends of a text box, with one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
