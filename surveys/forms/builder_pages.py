"""The builder: a questionnaire made and changed in the page, checked and shown on its faces at every step."""

import re
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.languages import language as page_language
from callcenter.base.web import takes_form
from surveys import questionnaire
from surveys.forms import builder_forms, builder_words, drafts, form_preview, sheet_edits, starter_form
from surveys.forms.drafts import Opened
from surveys.forms.form_files import as_file, file_name
from surveys.forms.form_outline import Outline, outline
from surveys.forms.form_reading import read_apart
from surveys.forms.sheets import Source, language_of
from surveys.forms.xlsform import write_workbook
from surveys.pages import MAKERS, blueprint
from surveys.pictures import form_pictures, picture_views

FORM_BYTES = 2_000_000
PICKED = 100  # questions before this one that a condition can be picked from
LISTS = ("choice_name", "choice_was", "choice_role", "choice_order")


@blueprint.get("/<int:survey_id>/builder")
@access(*MAKERS)
def builder(survey_id: int) -> ResponseReturnValue:
    """The questions as a list, one of them as a form, its faces, and what is wrong."""
    opened = drafts.opened(web_session(), survey_id)
    return _draw(survey_id, opened, _place(opened.source))


@blueprint.post("/new")
@access(*MAKERS)
def start_empty() -> ResponseReturnValue:
    """A survey without a file: it begins with a few questions that are then changed in the page."""
    title = request.form.get("name", "").strip()[:200]
    if not title:
        flash(_("Write the name of the survey first."), "error")
        return redirect(url_for("surveys.page"))
    form = read_apart(file_name(title), write_workbook(starter_form.source(title)))
    session = web_session()
    survey = questionnaire.add_survey(session, title, form)
    audit.record(session, current_user.id, "survey.create", f"survey/{survey.id}")
    session.commit()
    return redirect(url_for("surveys.builder", survey_id=survey.id))


@blueprint.post("/<int:survey_id>/builder/<int:place>")
@takes_form(FORM_BYTES)
@access(*MAKERS)
def save_question(survey_id: int, place: int) -> ResponseReturnValue:
    """Keep what the form of one question says; faults are kept too and told beside it."""
    form = _form()

    def save(source: Source) -> None:
        _check_place(source, place, str(form.get("was", "")))
        builder_forms.write(source, place, form)

    return _change(survey_id, save, lambda _source: place, form)


@blueprint.post("/<int:survey_id>/builder/add")
@access(*MAKERS)
def add_question(survey_id: int) -> ResponseReturnValue:
    """A new question, group or repeat at a place."""
    kind = request.form.get("kind", "text")
    place = request.form.get("place", 0, int)
    if kind not in builder_words.ADDED:
        raise InvalidInput({"kind": _("There is no such type of question.")})

    def add(source: Source) -> None:
        at = min(max(place, 0), len(source["survey"]["lines"]))
        name = builder_forms.free_name(source)
        shown = kind if not kind.startswith("select") else f"{kind} {name}"
        sheet_edits.add(
            source, at, {"type": shown, "name": name, "repeat_count": "2" if kind == "begin_repeat" else ""}
        )
        if kind in sheet_edits.BEGINS:
            sheet_edits.add(source, at + 1, {"type": sheet_edits.BEGINS[kind]})

    return _change(survey_id, add, lambda source: min(max(place, 0), len(source["survey"]["lines"]) - 1))


@blueprint.post("/<int:survey_id>/builder/<int:place>/move")
@access(*MAKERS)
def move_question(survey_id: int, place: int) -> ResponseReturnValue:
    """One place up or down; a group goes with all that is in it."""
    stands = {"place": place}

    def move(source: Source) -> None:
        _check_place(source, place, request.form.get("was", ""))
        stands["place"] = sheet_edits.move(source, place, place + (-1 if request.form.get("to") == "up" else 1))

    return _change(survey_id, move, lambda _source: stands["place"])


@blueprint.post("/<int:survey_id>/builder/<int:place>/remove")
@access(*MAKERS)
def remove_question(survey_id: int, place: int) -> ResponseReturnValue:
    """The question goes; of a group only its beginning and its end."""

    def remove(source: Source) -> None:
        _check_place(source, place, request.form.get("was", ""))
        if len(source["survey"]["lines"]) <= 1:
            raise InvalidInput(
                {"place": _("The last question cannot be removed. Change it, or add another one first.")}
            )
        sheet_edits.remove(source, place)

    return _change(survey_id, remove, lambda source: min(place, len(source["survey"]["lines"]) - 1))


@blueprint.post("/<int:survey_id>/builder/settings")
@access(*MAKERS)
def save_settings(survey_id: int) -> ResponseReturnValue:
    """Title, first language, and which questions are the vote, likely voting and consent."""
    cells = builder_forms.settings(request.form)
    place = request.form.get("place", 0, int)
    return _change(survey_id, lambda source: sheet_edits.set_settings(source, cells), lambda _source: place)


@blueprint.post("/<int:survey_id>/builder/languages")
@access(*MAKERS)
def add_language(survey_id: int) -> ResponseReturnValue:
    """One more language for the words: every question gets a place for it."""
    name = " ".join(request.form.get("language", "").split())
    place = request.form.get("place", 0, int)

    def add(source: Source) -> None:
        if not re.fullmatch(r"[^:()]{2,40} \([A-Za-z]{2,3}\)", name):
            raise InvalidInput({"language": _("Write the language with its code, such as English (en).")})
        if language_of(name) in {one.code for one in sheet_edits.languages(source)}:
            raise InvalidInput({"language": _("The questionnaire has this language already.")})
        sheet_edits.add_language(source, name)

    return _change(survey_id, add, lambda _source: place)


@blueprint.post("/<int:survey_id>/builder/<int:place>/preview")
@takes_form(FORM_BYTES)
@access(*MAKERS)
def preview_question(survey_id: int, place: int) -> ResponseReturnValue:
    """The question as its form says it now, on each face; nothing is kept."""
    source = deepcopy(drafts.opened(web_session(), survey_id).source)
    form = _form()
    try:
        _check_place(source, place, str(form.get("was", "")))
    except Refused as fault:
        return str(fault)
    builder_forms.write(source, place, form)
    seen = outline(source, page_language())
    return render_template("surveys/_builder_preview.html", **_faces(survey_id, seen, place),
                           faults=seen.lines[place].faults)  # fmt: skip


@blueprint.post("/<int:survey_id>/builder/use")
@access(*MAKERS)
def use_draft(survey_id: int) -> ResponseReturnValue:
    """Take the draft into use: in place while nobody has answered, else as the next version."""
    session = web_session()
    opened = drafts.opened(session, survey_id)
    survey = questionnaire.find(session, survey_id)
    name, content = file_name(survey.name), write_workbook(opened.source)
    session.commit()  # no transaction waits while the form is read
    try:
        form = read_apart(name, content)
    except InvalidInput as fault:
        flash(" ".join(fault.faults.values()), "error")
        return redirect(url_for("surveys.builder", survey_id=survey_id))
    if drafts.opened(session, survey_id).edition != opened.edition:
        raise Refused("changed_meanwhile", _("The questionnaire was changed while it was being checked. Try again."))
    version = questionnaire.replace_form(session, survey_id, form)
    drafts.discard(session, survey_id)
    audit.record(session, current_user.id, "survey.replace_form", f"survey/{survey_id}", version=version.version)
    session.commit()
    flash(_("Version %(number)s of the questionnaire is in use for new interviews.", number=version.version), "success")
    return redirect(url_for("surveys.show", survey_id=survey_id))


@blueprint.post("/<int:survey_id>/builder/discard")
@access(*MAKERS)
def discard_draft(survey_id: int) -> ResponseReturnValue:
    """The draft goes; the version in use stays as it is."""
    session = web_session()
    drafts.discard(session, survey_id)
    audit.record(session, current_user.id, "survey.discard_draft", f"survey/{survey_id}")
    session.commit()
    flash(_("The changes were thrown away; the version in use is as it was."), "success")
    return redirect(url_for("surveys.builder", survey_id=survey_id))


@blueprint.get("/<int:survey_id>/builder.xlsx")
@access(*MAKERS)
def download_draft(survey_id: int) -> ResponseReturnValue:
    """The draft as an XLSForm."""
    session = web_session()
    return send_file(**as_file(questionnaire.find(session, survey_id).name, drafts.opened(session, survey_id).source))


def _change(survey_id: int, edit: Callable[[Source], None], place: Callable[[Source], int],
            typed: dict[str, Any] | None = None) -> ResponseReturnValue:  # fmt: skip
    """Do one change and go to a place; a change that does not fit any more is told, what was typed stays."""
    session = web_session()
    try:
        opened = drafts.change(session, survey_id, request.form.get("edition", 0, int), edit, current_user.id)
    except (Refused, InvalidInput) as fault:
        session.rollback()
        opened = drafts.opened(session, survey_id)
        sentence = " ".join(fault.faults.values()) if isinstance(fault, InvalidInput) else str(fault)
        page = _draw(survey_id, opened, _place(opened.source, place), fault=sentence, typed=typed)
        # htmx shows only answers of success.
        return page, 200 if request.headers.get("HX-Request") == "true" else 409
    session.commit()
    return redirect(url_for("surveys.builder", survey_id=survey_id, place=place(opened.source)))


def _form() -> dict[str, Any]:
    """The form, lists of texts where a name comes once a choice."""
    lists = {key for key in request.form if key in LISTS or key.startswith("choice_label:")}
    return {key: request.form.getlist(key) if key in lists else request.form[key] for key in request.form}


def _check_place(source: Source, place: int, was: str) -> None:
    """Does the question still stand where the person saw it?"""
    if place >= len(source["survey"]["lines"]) or sheet_edits.value(source, place, "name") != was:
        raise Refused(
            "changed_meanwhile",
            _("This question is not there any more, or stands somewhere else. Choose it anew in the list."),
        )


def _place(source: Source, otherwise: Callable[[Source], int] | None = None) -> int:
    wanted = otherwise(source) if otherwise else request.args.get("place", 0, int)
    return min(max(wanted, 0), max(len(source["survey"]["lines"]) - 1, 0))


def _faces(survey_id: int, seen: Outline, place: int) -> dict[str, Any]:
    """What each face makes of the question at a place, in every language; nothing while the form has faults."""
    line = seen.lines[place]
    if seen.items is None or not line.name:
        return {"faces": {}, "line": line, "pictures": {}}
    faces = {one: form_preview.preview(seen.items, line.name, one) for one in seen.items["languages"]}
    session, found = web_session(), dict[str, form_pictures.Drawn]()
    version, address = questionnaire.current(session, survey_id).id, partial(picture_views.address, survey_id)
    for face in faces.values():
        found |= form_pictures.drawn(session, version, face.screen, address)
    return {"faces": faces, "line": line, "pictures": found}


def _draw(survey_id: int, opened: Opened, place: int, *, fault: str = "", typed: dict[str, Any] | None = None) -> str:
    session = web_session()
    source = deepcopy(opened.source)
    if typed is not None and sheet_edits.value(source, place, "name") == typed.get("was"):
        builder_forms.write(source, place, typed)
    seen = outline(source, page_language())
    earlier = [line for line in seen.lines[:place] if line.name][-PICKED:]
    return render_template(
        "surveys/builder.html", survey=questionnaire.find(session, survey_id), opened=opened, seen=seen, place=place,
        form=builder_forms.shown(source, place), languages=sheet_edits.languages(source), words=builder_words,
        settings=sheet_edits.settings(source), current=questionnaire.current(session, survey_id), fault=fault,
        typed=typed, missing=form_pictures.missing(session, survey_id, seen.items), earlier=earlier,
        answers={line.name: _answers(source, line.place) for line in earlier}, **_faces(survey_id, seen, place),
    )  # fmt: skip


def _answers(source: Source, place: int) -> list[tuple[str, str]]:
    """(code, words) of the answers that a condition may name."""
    mark = sheet_edits.languages(source)[0].mark
    rows = sheet_edits.choices(source, sheet_edits.list_of(source, place))
    return [(row.get("name", ""), row.get(f"label{mark}", "") or row.get("name", "")) for row in rows]
