"""The one way from the ledger to the analysis: a survey's interviews as a table, one row an interview.

An interview is in it as soon as it has an answer that counts, until it is void. There is no name, no phone and no
contact in it. Made for a million interviews: read by one streamed statement, kept by a process that reads what changed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now
from callcenter.base.errors import NotFound
from surveys.analysis import response_items
from surveys.analysis.response_frame import AGE_BANDS, SEXES, assemble, ordered
from surveys.analysis.response_items import Choice, Item
from surveys.analysis.response_stream import Streamed, stream
from surveys.questionnaire import versions

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AGE_BANDS", "SEXES", "Choice", "Item", "Responses", "forget", "kept", "read"]
# What a process keeps is never older than this.
KEPT_SECONDS = 2.0
MOST_KEPT = 4  # surveys a process; each a gigabyte at most, with a million interviews


@dataclass(frozen=True, eq=False)
class Responses:
    """A survey's interviews. `as_of` is campaign time; `vote_question`, `likely_question`: names of items, or None.

    `items`: name -> item of every version (surveys.analysis.response_items); an item's column is `item.column`.

    columns of `frame`: interview (running number), interview_id (str; never shown), state (started | complete | partial
    | screened), version, face, language, interviewer (user id or null), wave, stratum (str or null), base_weight
    (1.0 unless the sample says else), over_quota, at (campaign time), started_at, seconds (at its questions; null where
    none was measured); h_<fact> of the call (str); d_sex, d_age_band (what the person said, else the record; null: not
    known); each item: Enum of codes, List(String) of codes, Float64, or String; null: not answered; o_<item>: the codes
    in the order shown, where it is randomised.

    `memo`: what was reckoned from this very frame (columns as numbers, weights), by whom and for what; it goes when the
    frame goes, so it is never older.
    """

    survey_id: int
    frame: "pl.DataFrame"
    items: Mapping[str, Item]
    as_of: datetime
    vote_question: str | None = None
    likely_question: str | None = None
    languages: tuple[str, ...] = ("es",)
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)


def read(session: Session, survey_id: int) -> Responses:
    """All of it, as of now. Raises NotFound."""
    return _whole(session, survey_id).responses


def kept(session: Session, survey_id: int) -> Responses:
    """What this process keeps of it, at most two seconds old; what changed since is read, nothing else."""
    with _lock:
        place = _places.setdefault(survey_id, _Place())
        place.used_at = time.monotonic()
        for old in sorted(_places, key=lambda one: _places[one].used_at)[:-MOST_KEPT]:
            del _places[old]
    with place.lock:
        if place.known is None or time.monotonic() - place.read_at >= KEPT_SECONDS:
            begun = time.monotonic()
            place.known = _refreshed(session, survey_id, place.known)
            place.read_at = begun
        return place.known.responses


def forget() -> None:
    """Keep nothing any more (tests)."""
    with _lock:
        _places.clear()


@dataclass(frozen=True)
class _Known:
    """`others`: ids of the interviews that are in no row: void, or without an answer. `forms`: ids of versions."""

    responses: Responses
    others: "pl.Series"
    snapshot: str
    forms: tuple[tuple[int, str], ...]


@dataclass
class _Place:
    lock: Lock = field(default_factory=Lock)
    known: _Known | None = None
    read_at: float = 0.0
    used_at: float = 0.0


_places: dict[int, _Place] = {}
_lock = Lock()


def _whole(session: Session, survey_id: int) -> _Known:
    as_of, forms = campaign_now(session), versions(session, survey_id)
    if not forms:
        raise NotFound(_("There is no survey %(id)s.", id=survey_id))
    items = response_items.merged([form.items for form in forms])
    found = stream(session, survey_id, rotating(items))
    frame = assemble(found, items)
    newest = forms[0].items
    responses = Responses(
        survey_id, ordered(frame), items, as_of, newest.get("vote_question"), newest.get("likely_question"),
        tuple(newest["languages"]),
    )  # fmt: skip
    return _Known(responses, _others(found, frame), found.snapshot, tuple((form.id, form.sha256) for form in forms))


def rotating(items: Mapping[str, Item]) -> Sequence[str]:
    """Names of the items whose choices change places."""
    return [item.name for item in items.values() if item.is_randomised]


def _refreshed(session: Session, survey_id: int, known: _Known | None) -> _Known:
    if known is None:
        return _whole(session, survey_id)
    as_of, forms = campaign_now(session), versions(session, survey_id)
    if tuple((form.id, form.sha256) for form in forms) != known.forms:
        return _whole(session, survey_id)
    old = known.responses
    found = stream(session, survey_id, rotating(old.items), known.snapshot)
    frame, others = _merged(found, known)
    if frame.height + others.len() != found.total:  # some were deleted: nothing is left of them that could say so
        return _whole(session, survey_id)
    memo = old.memo if frame is old.frame else {}
    responses = replace(old, frame=frame, as_of=as_of, memo=memo)
    return _Known(responses, others, found.snapshot, known.forms)


def _merged(found: Streamed, known: _Known) -> tuple["pl.DataFrame", "pl.Series"]:
    import polars as pl

    if found.interviews.is_empty():
        return known.responses.frame, known.others
    touched = found.interviews["interview_id"].implode()
    fresh = assemble(found, known.responses.items)
    stays = ~pl.col("interview_id").is_in(touched)
    frame = pl.concat([known.responses.frame.filter(stays).drop("interview"), fresh])
    others = known.others.filter(~known.others.is_in(touched))
    return ordered(frame), pl.concat([others, _others(found, fresh)])


def _others(found: Streamed, frame: "pl.DataFrame") -> "pl.Series":
    ids = found.interviews["interview_id"]
    return ids.filter(~ids.is_in(frame["interview_id"].implode()))
