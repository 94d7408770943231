"""Samples of surveys meet campaigns: segments to draw from, and a calling campaign for what was drawn."""

from typing import Any

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from campaigns import audiences, segments
from campaigns.segments import Segment
from campaigns.telephoning import call_drafts
from campaigns.telephoning.call_drafts import CallDraft
from surveys import samples
from surveys.sampling import sample_frames
from surveys.sampling.sample_frames import Frame

blueprint = Blueprint("samples", __name__, url_prefix="/samples")
AUTHORS = ("strategist", "administrator")


def compose() -> None:
    """Let samples be drawn from segments and frozen lists, and lead from a sample to its campaign."""
    sample_frames.register("segment", Frame(_l("People of a segment"), _segments, _people))
    samples.offer_campaigns("campaigns.samples.prepare")


def _segments(session: Session, _survey_id: int) -> list[tuple[str, str]]:
    return [choice for group in audiences.choices(session).values() for choice in group]


def _people(session: Session, _survey_id: int, asked: sample_frames.Asked) -> Select[Any]:
    try:
        segment_id, frozen_id = audiences.read(str(asked["ref"]))
    except ValueError as error:
        raise NotFound(_("There is no such segment.")) from error
    segment = audiences.check(session, segment_id, frozen_id)
    rule = audiences.frozen_rule(frozen_id) if frozen_id else segment.rule
    return segments.compile_rule(session, rule)


@blueprint.post("/<int:sample_id>/campaign")
@access(*AUTHORS)
def prepare(sample_id: int) -> ResponseReturnValue:
    """A draft of a calling campaign for the sample; the wizard asks for the rest."""
    session = web_session()
    draft = draft_for(session, sample_id, current_user.id)
    session.commit()
    return redirect(url_for("campaigns.drafts.step", draft_id=draft.id, step="goal"))


def draft_for(session: Session, sample_id: int, user_id: int | None) -> CallDraft:
    """A draft that asks the sample's survey of the people of its released replicates. Raises NotFound."""
    sample = samples.get(session, sample_id)
    rule = {"all": [{"field": "sample", "op": "is", "value": sample_id}]}
    name = _("Sample %(number)s: %(title)s", number=sample_id, title=sample.title)
    segment = session.scalar(select(Segment).where(Segment.name == name)) or segments.save(
        session, None, name, rule, user_id
    )
    form = {"name": name, "segment_id": str(segment.id), "purpose": "survey", "script": f"survey/{sample.survey_id}"}
    draft = call_drafts.begin(session, user_id, form)
    audit.record(session, user_id, "sample.prepare_campaign", f"sample/{sample_id}", draft=draft.id)
    return draft
