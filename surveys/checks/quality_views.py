"""The page of a survey's quality: what is remarkable about interviews, questions, interviewers, as reasons to look."""

from collections.abc import Iterator
from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import User, access
from callcenter.base.db import web_session
from callcenter.base.web import PAGE_SIZE, Page, page_number
from callcenter.tables import table_exports
from callcenter.tables.table_exports import Cell
from surveys import quality, questionnaire
from surveys.checks import quality_words, question_sounds
from surveys.engine import wording
from surveys.pages import WATCHERS, blueprint
from surveys.quality import InterviewerFigures, Measured


@blueprint.get("/<int:survey_id>/quality")
@access(*WATCHERS)
def quality_page(survey_id: int) -> ResponseReturnValue:
    """Interviewers, questions and remarkable interviews; `?interviewer=` shows one interviewer's."""
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    found = quality.recent(session, survey_id)
    people, spread = quality.interviewers(session, survey_id, found, vote=_vote(session, survey_id))
    chosen = request.args.get("interviewer", type=int)
    page = _noticed(found, chosen)
    return render_template(
        "surveys/quality.html", survey=survey, found=found, people=people, spread=spread, words=quality_words,
        note=_note(session, survey_id, len(found)), usual=quality.usual_seconds(found),
        questions=quality.questions(session, survey_id), labels=labels(session, survey_id), chosen=chosen,
        names={person.user_id: person.name for person in people}, page=page,
        recordings=question_sounds.recordings_of(session, [one.interview_id for one, _flags in page.rows]),
        noticed=len(quality.noticed(found)),
    )  # fmt: skip


@blueprint.get("/<int:survey_id>/quality.csv")
@access(*WATCHERS)
def quality_table(survey_id: int) -> ResponseReturnValue:
    """The interviewers as a table; their people's vote is left out."""
    session = web_session()
    questionnaire.find(session, survey_id)
    people, _spread = quality.interviewers(session, survey_id, quality.recent(session, survey_id), vote=None)
    audit.record(session, current_user.id, "quality.export", f"survey/{survey_id}")
    session.commit()
    answer = Response(table_exports.csv_bytes(_header(), _rows(people)), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="convoca-{survey_id}-quality.csv"'
    return answer


def _vote(session: Session, survey_id: int) -> str | None:
    named = questionnaire.current(session, survey_id).items.get("vote_question")
    return str(named) if named else None


def _note(session: Session, survey_id: int, looked_at: int) -> str | None:
    """What is not among those looked at."""
    if looked_at >= quality.MOST:
        return str(_("the newest"))
    waiting = quality.unmeasured(session, survey_id)
    return str(_("%(n)s more are being measured", n=format_decimal(waiting))) if waiting else None


def _noticed(found: list[Measured], chosen: int | None) -> Page[Any]:
    number, rows = page_number(), quality.noticed(found, chosen)
    first = (number - 1) * PAGE_SIZE
    return Page(rows[first : first + PAGE_SIZE], number, len(rows) > first + PAGE_SIZE, len(rows))


def labels(session: Session, survey_id: int) -> dict[str, str]:
    """The wording of each question, the newest first."""
    found: dict[str, str] = {}
    for version in questionnaire.versions(session, survey_id):
        items = version.items
        for item in items["items"]:
            found.setdefault(item["name"], wording(items, item["label"], items["default_language"]))
    return found


def _header() -> list[str]:
    compared = [str(quality_words.COMPARED[kind]) for kind in quality.COMPARED if kind != "vote"]
    told = [f"{word}: {part}" for word in compared for part in (_("share"), _("difference"), _("low"), _("high"))]
    return [_("Interviewer"), _("Interviews"), _("Whole"), _("Median seconds"), _("low"), _("high"), *told]


def _rows(people: list[InterviewerFigures]) -> Iterator[list[Cell]]:
    for person in people:
        row: list[Cell] = [person.name, person.n, person.complete, *(person.middle or (None, None, None))]
        for kind in quality.COMPARED[:4]:
            one = person.differences.get(kind)
            row += [one.share, one.difference, one.low, one.high] if one else [None] * 4
        yield row


def full_name(session: Session, user_id: int | None) -> str:
    """Who this was; a dash for a machine."""
    user = session.get(User, user_id) if user_id else None
    return user.full_name if user else "–"
