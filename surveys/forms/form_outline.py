"""A form's source as the builder shows it: a line a question, conditions in words, faults beside their line. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from callcenter.base.errors import InvalidInput
from surveys.forms import choice_lists, form_notices, sheet_edits
from surveys.forms.branching_words import Speaker
from surveys.forms.choice_lists import Choices
from surveys.forms.instance import wording
from surveys.forms.items import Items, read_items
from surveys.forms.sheets import Faults, Row, Source, Workbook, workbook_of

FIRST_ROW = 2  # of the sheet, in which the line at place 0 stands
SHOWN = 8  # choices


@dataclass(frozen=True)
class Line:
    """`kind`: the type without its list; `depth`: how many groups are around it; `when`: its condition in words;
    `faults`: sentences; `choices`: the first words of its list, `more` how many follow."""

    place: int
    name: str
    kind: str
    label: str
    depth: int
    when: str
    choices: tuple[str, ...]
    more: int
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Outline:
    """`items` is None while there are faults. `faults`: {"survey!G12": sentence}; `lines`: in the order of the form."""

    lines: tuple[Line, ...]
    faults: dict[str, str]
    notices: tuple[str, ...]
    items: Items | None


def outline(source: Source, language: str = "") -> Outline:
    """Read the source and say everything about it."""
    workbook = workbook_of(source)
    faults: dict[str, str] = {}
    items: Items | None = None
    notices: tuple[str, ...] = ()
    try:
        items = read_items(workbook)
    except InvalidInput as fault:
        faults = dict(fault.faults)
    else:
        notices = tuple(form_notices.notices(workbook, items))
    lines = tuple(_Lines(source, workbook, faults, language).all())
    return Outline(lines, faults, notices, items)


def loose_items(source: Source) -> Items:
    """Names, types, words and choices of the questions, whatever else is wrong with the form."""
    workbook = workbook_of(source)
    lists = choice_lists.read_lists(workbook, Faults(workbook))
    codes = [language.code for language in sheet_edits.languages(source)]
    rows = {row.number: row for row in workbook.survey.rows}
    items = []
    for place in range(len(source["survey"]["lines"])):
        row = rows.get(place + FIRST_ROW)
        if row is not None and row.get("name"):
            items.append(
                _loose(row, sheet_edits.kind_of(source, place), lists.get(sheet_edits.list_of(source, place), []))
            )
    return {"items": items, "languages": codes, "default_language": codes[0]}


def _loose(row: Row, kind: str, choices: Choices) -> dict[str, object]:
    return {"name": row.get("name"), "type": plain_kind(kind), "label": row.texts.get("label", {}), "choices": choices}


def plain_kind(kind: str) -> str:
    """`select_one` for «select one from parties»."""
    text = " ".join(kind.lower().split())
    for begin, plain in (("select one", "select_one"), ("select_one", "select_one"), ("select1", "select_one"),
                         ("select multiple", "select_multiple"), ("select_multiple", "select_multiple")):  # fmt: skip
        if text == begin or text.startswith(f"{begin} "):
            return plain
    return {"int": "integer", "string": "text"}.get(text, text)


class _Lines:
    def __init__(self, source: Source, workbook: Workbook, faults: dict[str, str], language: str) -> None:
        self._source, self._faults = source, faults
        self._items = loose_items(source)
        self._language = language if language in self._items["languages"] else self._items["default_language"]
        self._speaker = Speaker(self._items, self._language)
        self._rows = {row.number: row for row in workbook.survey.rows}
        self._choices = {item["name"]: item["choices"] for item in self._items["items"]}

    def all(self) -> Iterator[Line]:
        depth = 0
        for place in range(len(self._source["survey"]["lines"])):
            kind = sheet_edits.kind_of(self._source, place)
            depth = max(depth - (kind in sheet_edits.BEGINS.values()), 0)
            yield self._line(place, kind, depth)
            depth += kind in sheet_edits.BEGINS

    def _line(self, place: int, kind: str, depth: int) -> Line:
        row = self._rows.get(place + FIRST_ROW) or Row("survey", place + FIRST_ROW, {}, {})
        condition, name = row.get("relevant"), row.get("name")
        label = self._words(row.texts.get("label", {}))
        choices = self._choices.get(name, []) if plain_kind(kind).startswith("select") else []
        said = tuple(self._words(choice["label"]) or choice["name"] for choice in choices[:SHOWN])
        when = self._speaker.words(condition, name) if condition else ""
        return Line(place, name, plain_kind(kind), label, depth, when, said, max(len(choices) - SHOWN, 0),
                    tuple(self._of_row(row.number)))  # fmt: skip

    def _words(self, texts: dict[str, str]) -> str:
        return wording(self._items, texts, self._language)

    def _of_row(self, number: int) -> Iterator[str]:
        for place, sentence in self._faults.items():
            sheet, _mark, cell = place.partition("!")
            if sheet == "survey" and cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == str(number):
                yield sentence
