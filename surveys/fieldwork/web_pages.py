"""The survey that a person answers alone, by a link of their own: no log-in, one question a page, on any telephone.

Works without scripts; with them only the question is exchanged. Every answer is saved when it is given.
"""

from contextlib import AbstractContextManager
from typing import Any, cast
from uuid import uuid4

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_limiter.util import get_remote_address

from callcenter.base.auth import public
from callcenter.base.clock import real_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.languages import LOCALES
from callcenter.base.languages import language as page_language
from callcenter.base.web import csrf, is_htmx
from surveys import interviews
from surveys.engine import Question
from surveys.faces.sentences import tongue
from surveys.fieldwork import link_codes, survey_links
from surveys.fieldwork.answering import Given, save
from surveys.fieldwork.interview_pages import after, before, read_given
from surveys.fieldwork.interview_standing import Held, Standing, standing_of
from surveys.fieldwork.survey_links import ANSWERABLE, CLOSED, DECLINED, EXPIRED, NEW, OPEN, OPTED_OUT, USED, Door
from surveys.forms.items import Items
from surveys.pictures import form_pictures, picture_views
from surveys.questionnaire import current

blueprint = Blueprint("survey_web", "surveys", url_prefix="/e", template_folder="templates")
WHY = "whoever holds the signed link of a survey answers it; nobody can make or guess one"
LIMIT = "120 per minute"  # of one link
GUESSES = "30 per minute; 200 per hour"  # of one address: codes that we did not make
GONE = {USED: 200, DECLINED: 200, OPTED_OUT: 200, CLOSED: 410, EXPIRED: 410}


@blueprint.get("/<code>")
@public(WHY)
def page(code: str) -> ResponseReturnValue:
    """Who asks, and the way in; once begun, the question to answer, or the one that `?item=` names."""
    found = _door(code)
    if found.state != OPEN or found.standing is None:
        return _closed(code, found)
    wanted = request.args.get("item", "")
    return _ask(code, found.standing, (found.standing.question(wanted) if wanted else None))


@blueprint.post("/<code>/begin")
@public(WHY)
def begin(code: str) -> ResponseReturnValue:
    """The person wants to answer: the interview begins, or goes on where it was, on whatever channel that was."""
    session = web_session()
    found = _door(code, lock=True)
    if found.state not in ANSWERABLE:
        return _closed(code, found)
    begun = interviews.open_for_link(session, found.link, language=request.form.get("language", ""))
    if survey_links.last_words(standing_of(session, begun.id)) is not None:
        survey_links.finish(session, found.link)
    session.commit()
    return redirect(url_for(".page", code=code))


@blueprint.post("/<code>/answers")
@public(WHY)
def answer(code: str) -> ResponseReturnValue:
    """Save an answer and ask the next question. The same `key` twice is one answer."""
    session, given = web_session(), read_given()
    found, held = _door_to_answer(code, given)
    if found.state not in ANSWERABLE or held is None:
        return _closed(code, found)
    try:
        standing = save(session, held, given)[1]
    except InvalidInput as fault:
        return _ask(code, held.standing, held.standing.question(given.item), fault=" ".join(fault.faults.values()))
    following = standing.next_question()
    is_over = following is None or (following.kind == "note" and survey_links.last_words(standing) is not None)
    if is_over:
        survey_links.finish(session, found.link)
    session.commit()
    if not is_htmx():
        return redirect(url_for(".page", code=code), 303)
    return _closed(code, survey_links.after(session, found, standing)) if is_over else _ask(code, standing, following)


@blueprint.get("/<code>/pictures/<sha256>")
@public(WHY)
def picture(code: str, sha256: str) -> ResponseReturnValue:
    """A picture of the questionnaire, for who holds a link to it."""
    session = web_session()
    with _limited(code):
        survey = survey_links.survey_of(session, code)
    return picture_views.as_response(form_pictures.find(session, survey.id, sha256))


@blueprint.get("/<code>/stop")
@public(WHY)
def stop_page(code: str) -> ResponseReturnValue:
    """Asks whether they want nothing more from us. Opening it changes nothing."""
    return _stop_page(code, _door(code))


@blueprint.post("/<code>/stop")
@public(WHY)
def stop(code: str) -> ResponseReturnValue:
    """No more calls and messages to this person, for good."""
    session = web_session()
    survey_links.opt_out(session, _door(code, lock=True).link)
    session.commit()
    return _stop_page(code, _door(code))


# Nobody can forge what holds the code, and browsers inside of chats keep no cookies: these forms carry no token.
for view in (begin, answer, stop):
    csrf.exempt(view)


def _door(code: str, *, lock: bool = False) -> Door:
    with _limited(code):
        return survey_links.door(web_session(), code, lock=lock)


def _door_to_answer(code: str, given: Given) -> tuple[Door, Held | None]:
    session = web_session()
    with _limited(code):
        found, held = survey_links.door_to_answer(session, code, given.key)
    if held is None or found.state != NEW:
        return found, held
    # They stopped for so long that it had been counted as broken off. The link comes first, as where they begin.
    session.rollback()
    interviews.open_for_link(session, survey_links.door(session, code, lock=True).link)
    return survey_links.door_to_answer(session, code, given.key)


def _limited(code: str) -> AbstractContextManager[Any]:
    limiter = next(iter(current_app.extensions["limiter"]))
    if link_codes.read(code) is not None:
        return cast(AbstractContextManager[Any], limiter.limit(LIMIT, key_func=lambda: code))
    return cast(AbstractContextManager[Any], limiter.limit(GUESSES, key_func=get_remote_address))


def _ask(code: str, standing: Standing, question: Question | None, fault: str = "") -> ResponseReturnValue:
    asked = question or standing.next_question()
    way = standing.path()
    part = render_in(
        standing.interview.language, "surveys/web/question.html", code=code, question=asked, fault=fault,
        language=standing.interview.language, back=before(way, asked), forward=after(way, asked, standing.answers),
        answered=sum(name in standing.answers for name in way), total=len(way), key=uuid4().hex,
        shown_at=real_now().timestamp(), sponsor=_sponsor(standing), pictures=_pictures(code, standing, asked),
    )  # fmt: skip
    return _framed(part)


def _pictures(code: str, standing: Standing, asked: Question | None) -> dict[str, form_pictures.Drawn]:
    version = standing.interview.questionnaire_id
    return form_pictures.drawn(web_session(), version, asked, lambda name: url_for(".picture", code=code, sha256=name))


def _closed(code: str, found: Door) -> ResponseReturnValue:
    """The page of a link behind which nothing is asked now: not yet, not any more, or never."""
    items = found.standing.items if found.standing else current(web_session(), found.survey.id).items
    language = found.standing.interview.language if found.standing else ""
    ended = found.standing if found.state in (USED, DECLINED) else None
    part = render_in(
        language or page_language(), "surveys/web/door.html", code=code, door=found, languages=items["languages"],
        words=survey_links.farewell(web_session(), ended, page_language()) if ended else [],
        language=language or _readers(items), is_begun=bool(found.standing and found.standing.saved_at),
    )  # fmt: skip
    status = 200 if is_htmx() else GONE.get(found.state, 200)
    return _framed(part, status)


def _readers(items: Items) -> str:
    """The questionnaire's language that the reader's page speaks, else its own."""
    theirs = (each for each in items["languages"] if tongue(each) == page_language())
    return str(next(theirs, items["default_language"]))


def _stop_page(code: str, found: Door) -> ResponseReturnValue:
    return _framed(render_in(page_language(), "surveys/web/stop.html", code=code, door=found))


def _framed(part: str, status: int = 200) -> ResponseReturnValue:
    drawn = part if is_htmx() else render_template("surveys/web/page.html", part=part)
    return drawn, status, {"X-Robots-Tag": "noindex, nofollow"}


def render_in(spoken: str, template: str, /, **values: object) -> str:
    """The part in the interview's language where the house speaks it, else in the reader's."""
    own = tongue(spoken) or page_language()
    with force_locale(LOCALES[own]):
        return render_template(template, tongue=own, **values)


def _sponsor(standing: Standing) -> str:
    return str(standing.interview.hidden.get("sponsor", ""))


@blueprint.errorhandler(NotFound)
def unknown(error: NotFound) -> ResponseReturnValue:
    return _framed(render_template("surveys/web/sorry.html", sentence=str(error)), 404)


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> ResponseReturnValue:
    web_session().rollback()
    return _framed(render_template("surveys/web/sorry.html", sentence=str(error)), 200 if is_htmx() else 409)
