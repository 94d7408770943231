"""Pages of recordings: the list, one recording with its sound, what may be done with it. Every listen is audited."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base import audit, navigation
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound, ProviderError
from callcenter.base.web import PAGE_SIZE, Page, page_number
from callcenter.ledger import dispositions
from callcenter.sound import recording_files, recording_keeping, recording_search
from callcenter.sound.recording_ledger import ANSWERS, DELETIONS, FAULTS, STATES, Recording
from callcenter.sound.recording_search import Filter
from callcenter.sound.recording_wave import wave
from callcenter.tables.table_files import csv_line

blueprint = Blueprint("recordings", "callcenter", url_prefix="/recordings", template_folder="templates")

LISTENERS = ("supervisor", "administrator")
SPEEDS = (0.75, 1, 1.25, 1.5, 2)
ACTS = {
    "recordings.listen": _l("listened"), "recordings.download": _l("downloaded"), "recordings.delete": _l("deleted"),
    "recordings.hold": _l("keeps it for a dispute"), "recordings.lift": _l("dispute is over"),
}  # fmt: skip


@blueprint.context_processor
def words() -> dict[str, Any]:
    """What the templates of recordings need."""
    return {
        "states": STATES, "faults": FAULTS, "answers": ANSWERS, "deletions": DELETIONS, "acts": ACTS,
        "outcome_label": dispositions.label, "clock": _clock,
    }  # fmt: skip


@blueprint.get("/")
@access(*LISTENERS)
def index() -> ResponseReturnValue:
    session, wanted, number = web_session(), _filter(), page_number()
    query = recording_search.found(wanted).limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)
    rows = session.execute(query).all()
    sees_space = any(role.name == "administrator" for role in current_user.roles)
    return render_template(
        "callcenter/recordings/index.html",
        page=Page(rows[:PAGE_SIZE], number, len(rows) > PAGE_SIZE),
        wanted=wanted,
        asked=request.args,
        queues=recording_search.queues_recorded(session),
        operators=recording_search.operators_recorded(session),
        outcomes=dispositions.DISPOSITIONS,
        trouble=recording_keeping.trouble(session),
        figures=recording_keeping.figures(session) if sees_space else None,
        space=recording_files.space() if sees_space else None,
        kind=recording_files.kind(),
    )


@blueprint.get("/list.csv")
@access(*LISTENERS)
def export() -> ResponseReturnValue:
    """The list as it is filtered; it names no citizen."""
    session = web_session()
    audit.record(session, current_user.id, "recordings.list", "recordings")
    session.commit()
    headers = {"Content-Disposition": "attachment; filename=recordings.csv", "Cache-Control": "no-store"}
    return Response(stream_with_context(_lines(session, _filter())), mimetype="text/csv", headers=headers)


def _lines(session: Session, wanted: Filter) -> Iterator[str]:
    heads = (_("When"), _("Campaign"), _("Operator"), _("Outcome"), _("Seconds"), _("State"), _("Answer"), _("Number"))
    yield "\ufeff" + csv_line(heads)
    for row in session.execute(recording_search.found(wanted).execution_options(yield_per=500)):
        found: Recording = row.Recording
        yield csv_line((
            found.asked_at.isoformat(timespec="seconds"), row.queue, row.operator, dispositions.label(row.outcome),
            (found.duration_ms or 0) // 1000, str(STATES[found.state]),
            str(ANSWERS[found.answer]) if found.answer else "", found.id,
        ))  # fmt: skip


@blueprint.get("/<uuid:recording_id>")
@access(*LISTENERS)
def recording(recording_id: UUID) -> ResponseReturnValue:
    return _page(recording_id)


def _page(recording_id: UUID, act: str = "", fault: str = "") -> str:
    """One recording. `fault`: what was wrong with the reason that was given for `act`."""
    session = web_session()
    row = recording_search.one(session, recording_id)
    sees_person = row.contact_id is not None and navigation.is_open("contacts.show")
    return render_template(
        "callcenter/recordings/recording.html",
        row=row,
        recording=row.Recording,
        picture=wave(row.Recording.peaks) if row.Recording.state == "stored" else None,
        person_url=url_for("contacts.show", contact_id=row.contact_id) if sees_person else None,
        history=recording_search.acts(session, recording_id),
        speeds=SPEEDS,
        reason_length=recording_keeping.REASON_LENGTH,
        wrong={act: fault} if fault else {},
    )


@blueprint.get("/<uuid:recording_id>/sound")
@access(*LISTENERS)
def sound(recording_id: UUID) -> ResponseReturnValue:
    """The sound, whole or a part; audited as listening."""
    return _sound(recording_id, recording_search.note_listening)


@blueprint.get("/<uuid:recording_id>/download")
@access(*LISTENERS)
def download(recording_id: UUID) -> ResponseReturnValue:
    """The sound as a file; each is audited."""

    def note(session: Session, recording_id: UUID, user_id: int) -> None:
        audit.record(session, user_id, "recordings.download", f"recording/{recording_id}")

    answer = _sound(recording_id, note)
    answer.headers["Content-Disposition"] = f"attachment; filename={recording_id}.flac"
    return answer


def _sound(recording_id: UUID, note: Callable[[Session, UUID, int], None]) -> Response:
    session = web_session()
    found = session.get(Recording, recording_id)
    if found is None or found.state != "stored" or not found.size:
        raise NotFound(_("There is no sound of this recording."))
    note(session, recording_id, int(current_user.id))
    size, storage, checksum = found.size, found.storage or "", found.sha256 or ""
    session.commit()  # nothing is open while the storage answers
    part = request.range
    if part and (part.units != "bytes" or len(part.ranges) != 1):
        part = None  # what we do not serve in parts is served whole
    asked = part.range_for_length(size) if part else None
    if part and asked is None:
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, end = asked or (0, size)
    try:
        pieces = recording_files.storage(storage).read(recording_id, first, end - first)
    except ProviderError:
        raise NotFound(_("The storage does not give the sound at this moment. Try again later.")) from None
    answer = Response(pieces, status=206 if asked else 200, mimetype="audio/flac")
    answer.headers["Content-Length"] = str(end - first)
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Cache-Control"] = "no-store"
    answer.set_etag(checksum)
    if asked:
        answer.headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return answer


@blueprint.post("/<uuid:recording_id>/delete")
@access(*LISTENERS)
def delete(recording_id: UUID) -> ResponseReturnValue:
    said = _("Deleted. What was said and answered about the recording stays.")
    return _with_reason(recording_id, recording_keeping.delete, "delete", said)


@blueprint.post("/<uuid:recording_id>/hold")
@access(*LISTENERS)
def hold(recording_id: UUID) -> ResponseReturnValue:
    said = _("It is kept until somebody lifts this, whatever its term.")
    return _with_reason(recording_id, recording_keeping.hold, "hold", said)


def _with_reason(
    recording_id: UUID, do: Callable[[Session, UUID, str, int], None], act: str, said: str
) -> ResponseReturnValue:
    session = web_session()
    try:
        do(session, recording_id, request.form.get("reason", ""), int(current_user.id))
    except InvalidInput as fault:
        session.rollback()
        return _page(recording_id, act, str(fault)), 422
    return _done(session, recording_id, said)


@blueprint.post("/<uuid:recording_id>/lift")
@access(*LISTENERS)
def lift(recording_id: UUID) -> ResponseReturnValue:
    session = web_session()
    recording_keeping.lift(session, recording_id, int(current_user.id))
    return _done(session, recording_id, _("It is no longer kept for a dispute: its term counts again."))


def _done(session: Session, recording_id: UUID, sentence: str) -> ResponseReturnValue:
    session.commit()
    flash(sentence, "success")
    return redirect(url_for(".recording", recording_id=recording_id))


def _filter() -> Filter:
    """What the address asks for; nonsense asks for nothing."""
    asked = request.args
    outcome, state = asked.get("outcome", ""), asked.get("state", "")
    return Filter(
        since=_day(asked.get("since", "")),
        until=_day(asked.get("until", "")),
        queue_id=_number("queue"),
        operator_id=_number("operator"),
        outcome=outcome if outcome in dispositions.DISPOSITIONS else "",
        seconds=_number("seconds"),
        state=state if state in STATES else "",
    )


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _clock(milliseconds: int | None) -> str:
    """65000 → 1:05."""
    seconds = (milliseconds or 0) // 1000
    return f"{seconds // 60}:{seconds % 60:02}"
