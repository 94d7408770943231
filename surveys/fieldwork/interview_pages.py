"""The interview in the operator's console: one question at a time, each answer saved as it is given."""

import hashlib
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter import operators
from callcenter.base.auth import access
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.web import wants_json
from callcenter.calls import Call
from surveys import interviews
from surveys.engine import Choice, Question
from surveys.fieldwork import farewells
from surveys.fieldwork.answering import Given
from surveys.interviews import Interview, Standing
from surveys.pages import OPERATORS, blueprint
from surveys.pictures import form_pictures, picture_views

MAX_KEY = 80


@blueprint.get("/calls/<uuid:call_id>")
@access(*OPERATORS)
def call_page(call_id: UUID) -> ResponseReturnValue:
    """The script of a call: the question to ask now, or the one that `?item=` names. A fragment for the console."""
    session = web_session()
    call = session.get(Call, call_id)
    if call is None or call.operator_id != operators.of_user(session, current_user.id).id:
        raise NotFound(_("This call is not yours."))
    interview = interviews.open_for_call(session, call_id, current_user.id)
    session.commit()
    standing = interviews.standing_of(session, interview.id)
    return _answer(standing, _chosen(standing, request.args.get("item")))


@blueprint.get("/interviews/<uuid:interview_id>")
@access(*OPERATORS)
def interview_state(interview_id: UUID) -> ResponseReturnValue:
    """The state of an interview of one's own call."""
    standing = _own(interview_id)
    return _answer(standing, _chosen(standing, request.args.get("item")))


@blueprint.post("/interviews/<uuid:interview_id>/answers")
@access(*OPERATORS)
def give_answer(interview_id: UUID) -> ResponseReturnValue:
    """Save an answer and tell the next question. A form, or JSON {"item", "value", "key", "seconds"}.

    The same `key` twice is one answer, so a request whose response was lost can be sent again."""
    standing = _own(interview_id)
    given = read_given()
    session = web_session()
    try:
        interviews.record_answer(session, interview_id, given.item, given.value, given.seconds, key=given.key)
    except InvalidInput as fault:
        session.rollback()
        if wants_json() or request.is_json:
            raise
        # htmx shows only answers of success: the fault stands beside its question.
        standing = interviews.standing_of(session, interview_id)
        # A question that the questionnaire does not have any more leads to the one to ask now.
        return _answer(standing, _chosen(standing, given.item), fault=" ".join(fault.faults.values()))
    session.commit()
    standing = interviews.standing_of(session, interview_id)
    return _answer(standing, standing.next_question())


def read_given() -> Given:
    """The answer that this request carries. Raises InvalidInput."""
    if not request.is_json:
        return _given(request.form, request.form.getlist("value"))
    fields = request.get_json()
    if not isinstance(fields, dict) or not isinstance(fields.get("value", ""), str | int | float | list):
        raise InvalidInput(_("Send {item, value} as JSON."))
    value = fields.get("value", "")
    return _given(fields, value if isinstance(value, list) else [value])


def _given(fields: Any, values: list[Any]) -> Given:
    item, value = str(fields.get("item") or ""), [str(value) for value in values]
    key = str(fields.get("key") or "")[:MAX_KEY]
    # The key of a drawn question comes again with another choice when the first one was lost: both name the answer.
    mark = hashlib.sha256(" ".join(value).encode()).hexdigest()[:12]
    return Given(item, value, _seconds(fields), f"{key}:{item}:{mark}"[:200] if key else None)


def _seconds(fields: Any) -> float | None:
    """From the question shown to the answer: told by the sender, or counted from when the form was drawn."""
    try:
        if fields.get("seconds") is not None:
            return min(max(float(fields["seconds"]), 0.0), 3600.0)
        shown = datetime.fromtimestamp(float(fields["shown_at"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return min(max((real_now() - shown).total_seconds(), 0.0), 3600.0)


def _own(interview_id: UUID) -> Standing:
    session = web_session()
    operator = operators.of_user(session, current_user.id)
    if not interviews.belongs_to(session, interview_id, operator.id):
        raise NotFound(_("This interview is not yours."))
    return interviews.standing_of(session, interview_id)


def _chosen(standing: Standing, name: str | None) -> Question | None:
    return (standing.question(name) if name else None) or standing.next_question()


def _answer(standing: Standing, question: Question | None, fault: str = "") -> ResponseReturnValue:
    if wants_json():
        return as_json(standing, question)
    interview = standing.interview
    page = url_for("surveys.call_page", call_id=interview.call_id) if interview.call_id else request.path
    way = standing.path()
    is_sent_away = question is None and interview.state == "screened"  # and not who declined
    return render_template(
        "surveys/question.html",
        question=question,
        keys=keys_of(question),
        language=interview.language,
        fault=fault,
        action=url_for("surveys.give_answer", interview_id=interview.id),
        page=page,
        back=before(way, question),
        forward=after(way, question, standing.answers),
        answered=sum(name in standing.answers for name in way),
        total=len(way),
        saved_at=_campaign_time(standing.saved_at),
        key=uuid4().hex,
        shown_at=real_now().timestamp(),
        kept=None,
        state=interview.state,
        farewell=farewells.of(web_session(), standing) if is_sent_away else "",
        short=is_sent_away or (standing.only is not None and question is not None),
        pictures=_pictures(interview, question),
    )


def _pictures(interview: Interview, question: Question | None) -> dict[str, form_pictures.Drawn]:
    """Where the pictures that the question names are seen."""
    address = partial(picture_views.address, interview.survey_id)
    return form_pictures.drawn(web_session(), interview.questionnaire_id, question, address)


def _campaign_time(at: datetime | None) -> datetime | None:
    """A moment ago, as the clock above the page tells it."""
    return at and campaign_now(web_session()) - (real_now() - at)


def as_json(standing: Standing, question: Question | None) -> dict[str, Any]:
    """The same page for the simulated operators and for a page that lost its connection."""
    way = standing.path()
    keys = keys_of(question)
    return {
        "interview": str(standing.interview.id),
        "state": standing.interview.state,
        "language": standing.interview.language,
        "answered": sum(name in standing.answers for name in way),
        "total": len(way),
        "saved_at": standing.saved_at.isoformat() if standing.saved_at else None,
        "answers_url": url_for("surveys.give_answer", interview_id=standing.interview.id),
        "back": before(way, question),
        "question": question
        and {
            "name": question.name,
            "kind": question.kind,
            "label": question.label,
            "hint": question.hint,
            "required": question.required,
            "value": question.value,
            "place": question.place,
            "total": question.total,
            "choices": [
                {"code": choice.code, "label": choice.label, "role": choice.role, "key": keys.get(choice.code)}
                for choice in question.choices
            ],
        },
    }


def keys_of(question: Question | None) -> dict[str, str]:
    """The number key of each choice: 1, 2, 3… as shown; «does not know» and «no answer» are always 9 and 0."""
    if question is None:
        return {}
    apart = {choice.code: "9" if choice.role == "dk" else "0" for choice in question.choices if choice.is_apart}
    free = [key for key in "1234567890" if key not in apart.values()]
    ordinary: list[Choice] = [choice for choice in question.choices if not choice.is_apart]
    return dict(zip((choice.code for choice in ordinary), free, strict=False)) | apart


def before(way: list[str], question: Question | None) -> str | None:
    """The question before this one; at the end of the interview the last one."""
    place = way.index(question.name) if question else len(way)
    return way[place - 1] if place else None


def after(way: list[str], question: Question | None, answers: dict[str, str]) -> str | None:
    """The question after this one when this one has its answer already (somebody went back)."""
    if question is None or question.name not in answers:
        return None
    place = way.index(question.name) + 1
    return way[place] if place < len(way) else None
