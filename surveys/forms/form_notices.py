"""What a form may have on purpose but seldom has: told beside its faults, and nobody is held up by it. Pure."""

from collections.abc import Iterator

from flask_babel import gettext as _

from surveys.forms import form_media
from surveys.forms.items import ASKED, Items
from surveys.forms.repeats import base_name
from surveys.forms.sheets import Workbook, column_of

KNOWN = {
    "survey": frozenset({
        "type", "name", "label", "hint", "required", "required_message", "relevant", "constraint", "constraint_message",
        "calculation", "default", "parameters", "choice_filter", "repeat_count", "repeat_max", "audio", "image",
        "video", "appearance", "guidance_hint", "read_only", "readonly", "note", "notes", "trigger",
    }),
    "choices": frozenset({"list_name", "name", "label", "role", "audio", "image", "video"}),
    "settings": frozenset({
        "form_title", "form_id", "version", "default_language", "vote_question", "likely_question", "consent_question",
        "instance_name", "style", "allow_choice_duplicates", "name",
    }),
}  # fmt: skip
SAID = 8  # names in one sentence
MANY = 12  # choices that a voice can read aloud
LONG = 400  # characters of a question that a voice can read aloud


def notices(workbook: Workbook, items: Items) -> list[str]:
    """A sentence for each, most important first."""
    return [*_settings(items), *_media(workbook, items), *_unknown_columns(workbook), *_words(items),
            *_lists(workbook, items)]  # fmt: skip


def _settings(items: Items) -> Iterator[str]:
    if not items["consent_question"]:
        yield _("No question asks for consent: call one “consent”, or name it as “consent_question” in the settings.")
    if not items["vote_question"]:
        yield _("No question is the vote question, so there are no results of a vote: name it as “vote_question”.")
    elif not items["likely_question"]:
        yield _("No question tells how likely people are to vote: name it as “likely_question”.")


def _media(workbook: Workbook, items: Items) -> Iterator[str]:
    videos = [row.get("name") for sheet in (workbook.survey, workbook.choices) for row in sheet.rows
              if "video" in row.texts]  # fmt: skip
    if videos:
        yield _("Videos are shown nowhere; write what they say into the words of: %(names)s.",
                names=_few(videos))  # fmt: skip
    shown = [base_name(item) for item in items["items"] if item["type"] in ASKED and form_media.shows_pictures(item)]
    if shown:
        yield _("Who is asked by telephone or in a chat sees no picture: their words must be enough in %(names)s.",
                names=_few(shown))  # fmt: skip


def _few(names: list[str]) -> str:
    once = list(dict.fromkeys(names))
    return ", ".join(once[:SAID]) + ("…" if len(once) > SAID else "")


def _unknown_columns(workbook: Workbook) -> Iterator[str]:
    """Of the choices any column may be meant for a choice_filter."""
    filters = " ".join(row.get("choice_filter") for row in workbook.survey.rows)
    for sheet in (workbook.survey, workbook.choices, workbook.settings):
        for heading in sheet.headings:
            column = column_of(heading)[0]
            if column not in KNOWN[sheet.name] and (sheet.name != "choices" or column not in filters):
                yield _("The column “%(column)s” of the sheet “%(sheet)s” is kept but not understood.",
                        column=heading, sheet=sheet.name)  # fmt: skip


def _words(items: Items) -> Iterator[str]:
    asked = [item for item in items["items"] if item["type"] in ASKED and item.get("turn", {}).get("number", 1) == 1]
    for item in asked:
        for language in items["languages"]:
            if any(item["label"]) and not item["label"].get(language):
                yield _("“%(name)s” has no words in the language “%(language)s”.", name=item["name"],
                        language=language)  # fmt: skip
        if len(item["choices"]) > MANY:
            yield _("“%(name)s” has %(count)s answers: who hears them by telephone forgets the first ones.",
                    name=item["name"], count=len(item["choices"]))  # fmt: skip
        if any(len(text) > LONG for text in item["label"].values()):
            yield _("“%(name)s” is longer than %(most)s characters to read aloud.", name=item["name"], most=LONG)


def _lists(workbook: Workbook, items: Items) -> Iterator[str]:
    used = {row.get("type").split()[-1] for row in workbook.survey.rows if row.get("type").startswith("select")}
    for name in dict.fromkeys(row.get("list_name") for row in workbook.choices.rows):
        if name not in used:
            yield _("No question uses the list “%(name)s”.", name=name)
    exempt = (items["consent_question"], "sex", "age_band")
    for item in items["items"]:
        roles = {choice["role"] for choice in item["choices"]}
        is_pressing = item["type"] == "select_one" and item["required"] is True and item["name"] not in exempt
        if is_pressing and not roles & {"dk", "refused"}:
            yield _("“%(name)s” must be answered but offers neither “does not know” nor “no answer”.",
                    name=item["name"])  # fmt: skip
