"""Pages of coding open answers: frames, one answer after another, agreement, and deciding where coders differ."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from surveys import questionnaire
from surveys.checks import quality_words
from surveys.coding import code_frames, codings
from surveys.coding.code_frames import OpenQuestion, Wanted
from surveys.pages import WATCHERS, blueprint


@blueprint.get("/<int:survey_id>/coding")
@access(*WATCHERS)
def coding(survey_id: int) -> ResponseReturnValue:
    """The open questions of a survey, how far each is coded, and how well coders agree."""
    session = web_session()
    survey, questions = questionnaire.find(session, survey_id), code_frames.open_questions(session, survey_id)
    frames = {one.item: code_frames.find(session, survey_id, one.item) for one in questions if one.frame_id}
    return render_template(
        "surveys/coding.html", survey=survey, questions=questions, words=quality_words, frames=frames,
        progress={item: codings.progress(session, frame) for item, frame in frames.items()},
        agreement={item: codings.agreement(session, frame) for item, frame in frames.items()},
        labels={item: _labels(frame.id) for item, frame in frames.items()},
    )  # fmt: skip


@blueprint.route("/<int:survey_id>/coding/<item>/frame", methods=["GET", "POST"])
@access(*WATCHERS)
def code_frame(survey_id: int, item: str) -> ResponseReturnValue:
    """The codes of one question, a line each."""
    session = web_session()
    question = _question(survey_id, item)
    faults: dict[str, str] = {}
    if request.method == "POST":
        form = request.form
        wanted = Wanted(form.get("codes", "")[:50_000], "is_multiple" in form, form.get("double_percent", ""))
        try:
            code_frames.save(session, survey_id, item, wanted, current_user.id)
        except InvalidInput as fault:
            session.rollback()
            faults = dict(fault.faults)
        else:
            session.commit()
            flash(_("The codes are kept."), "success")
            return redirect(url_for(".coding", survey_id=survey_id))
    else:
        wanted = _present(question)
    page = render_template(
        "surveys/code_frame.html", survey=questionnaire.find(session, survey_id), question=question, wanted=wanted,
        faults=faults,
    )  # fmt: skip
    return page, 422 if faults else 200


def _present(question: OpenQuestion) -> Wanted:
    if question.frame_id is None:
        return Wanted("", is_multiple=False, double_percent="20")
    session = web_session()
    frame = session.get_one(code_frames.CodeFrame, question.frame_id)
    lines = "\n".join(f"{one.code} {one.label}" for one in code_frames.codes(session, frame.id))
    return Wanted(lines, frame.is_multiple, f"{frame.double_share * 100:g}")


@blueprint.route("/<int:survey_id>/coding/<item>", methods=["GET", "POST"])
@access(*WATCHERS)
def code_answers(survey_id: int, item: str) -> ResponseReturnValue:
    """One answer at a time; nobody sees what others said of it."""
    session = web_session()
    question = _question(survey_id, item)
    if question.frame_id is None:
        return _to_frame(survey_id, item)
    frame = code_frames.find(session, survey_id, item)
    fault, shown = "", None
    if request.method == "POST":
        interview_id = _uuid(request.form.get("interview", ""))
        try:
            codings.code(session, frame, interview_id, current_user.id, request.form.getlist("code"))
        except InvalidInput as wrong:
            session.rollback()
            fault, shown = " ".join(wrong.faults.values()), codings.verbatim(session, frame, interview_id)
        else:
            session.commit()
            return redirect(url_for(".code_answers", survey_id=survey_id, item=item))
    shown = shown or codings.next_answer(session, frame, current_user.id)
    page = render_template(
        "surveys/code_answers.html", survey=questionnaire.find(session, survey_id), question=question, said=shown,
        codes=code_frames.codes(session, frame.id), several=frame.is_multiple, fault=fault,
        done=codings.progress(session, frame), keys="123456789",
    )  # fmt: skip
    return page, 422 if fault else 200


@blueprint.route("/<int:survey_id>/coding/<item>/differences", methods=["GET", "POST"])
@access(*WATCHERS)
def coding_differences(survey_id: int, item: str) -> ResponseReturnValue:
    """Answers on which coders differ: somebody decides."""
    session = web_session()
    question = _question(survey_id, item)
    if question.frame_id is None:
        return _to_frame(survey_id, item)
    frame = code_frames.find(session, survey_id, item)
    fault = ("", "")
    if request.method == "POST":
        interview_id = _uuid(request.form.get("interview", ""))
        try:
            codings.decide(session, frame, interview_id, request.form.getlist("code"), current_user.id)
        except InvalidInput as wrong:
            session.rollback()
            fault = (str(interview_id), " ".join(wrong.faults.values()))
        else:
            session.commit()
            flash(_("Decided; what each coder said stays on record."), "success")
            return redirect(url_for(".coding_differences", survey_id=survey_id, item=item))
    page = render_template(
        "surveys/coding_differences.html", survey=questionnaire.find(session, survey_id), question=question,
        several=frame.is_multiple, codes=code_frames.codes(session, frame.id), labels=_labels(frame.id), fault=fault,
        found=codings.disagreements(session, frame),
    )  # fmt: skip
    return page, 422 if fault[0] else 200


def _question(survey_id: int, item: str) -> OpenQuestion:
    for question in code_frames.open_questions(web_session(), survey_id):
        if question.item == item:
            return question
    raise NotFound(_("There is no open question of this name."))


def _to_frame(survey_id: int, item: str) -> ResponseReturnValue:
    flash(_("Write the codes first."), "info")
    return redirect(url_for(".code_frame", survey_id=survey_id, item=item))


def _labels(frame_id: int) -> dict[str, str]:
    return {one.code: one.label for one in code_frames.codes(web_session(), frame_id, with_retired=True)}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(_("There is no such answer to code.")) from None
