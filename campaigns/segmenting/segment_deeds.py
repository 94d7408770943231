"""What a rule can ask of what happened with people: calls, interviews, messages, replies, clicks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, any_, cast, column, func, literal, or_, select, table, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import DateTime, Integer, String, Uuid

from callcenter.attempts import Attempt
from callcenter.consent import CHANNELS, UNCOUNTED
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.dispositions import DISPOSITIONS, OUTCOMES
from callcenter.queues import CallQueue
from campaigns.channels import facts
from campaigns.labels import PURPOSES
from campaigns.segmenting.segment_nodes import Act
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Questionnaire, Survey

REACHED = (
    "completed", "partial", "callback", "refused", "language_barrier", "cannot_answer", "ineligible", "do_not_call",
    "over_quota",
)  # fmt: skip  # they themselves spoke with us
INTERVIEWED = ("complete", "partial")
DELIVERED = "delivered"
MOST = 200  # choices listed

# The tables of rooms that stand on segments.
_when = DateTime(timezone=True)
_messages = table("messages", column("id", Uuid), column("campaign_id", Integer))
_campaigns = table("message_campaigns", column("id", Integer), column("name", String))
_inbound = table("inbound_messages", column("contact_id"), column("channel", String), column("at", _when))
_clicks = table("message_clicks", column("contact_id"), column("message_id", Uuid), column("at", _when))


@dataclass(frozen=True)
class Deed:
    """Something that happened. `options`: what a condition may say of it; `needed`: what it must. `query`: SELECT of
    one contact id a time that it happened. `copied`: the copy of attempts answers it, too. `choices`: option → code →
    label."""

    label: LazyString
    options: tuple[str, ...]
    query: Callable[[Act], Select[Any]]
    needed: tuple[str, ...] = ()
    copied: bool = False
    choices: Mapping[str, Mapping[Any, LazyString | str]] = field(default_factory=dict)


def owner(query: Select[Any]) -> ColumnElement[Any]:
    """The column of a deed's query: whose deed it is."""
    return next(iter(query.selected_columns))


def _among(what: Any, values: tuple[Any, ...]) -> ColumnElement[bool]:
    """One of the values, bound as one array, however many."""
    kind = Integer if isinstance(values[0], int) else String
    return what == any_(literal(list(values), ARRAY(kind)))  # type: ignore[no-any-return]


def _tries(act: Act, *conditions: ColumnElement[bool]) -> Select[Any]:
    query = _within(select(Attempt.contact_id).where(Attempt.contact_id.is_not(None), *conditions), act, Attempt.at)
    if "purpose" in act.options:
        query = query.where(_among(Attempt.purpose, act.options["purpose"]))
    if "channel" in act.options:
        query = query.where(_among(Attempt.channel, act.options["channel"]))
    if "queue" in act.options:
        query = query.join(Call, Call.id == Attempt.id).where(_among(Call.queue_id, act.options["queue"]))
    if "campaign" in act.options:
        query = query.join(_messages, _messages.c.id == Attempt.id)
        query = query.where(_among(_messages.c.campaign_id, act.options["campaign"]))
    return query


def _within(query: Select[Any], act: Act, at: Any) -> Select[Any]:
    if act.since is not None:
        query = query.where(at >= act.since)
    return query if act.before is None else query.where(at < act.before)


def _called(act: Act) -> Select[Any]:
    left_the_house = or_(Attempt.outcome.is_(None), Attempt.outcome.not_in(UNCOUNTED))
    return _tries(act, Attempt.channel == "call", left_the_house)


def _reached(act: Act) -> Select[Any]:
    return _tries(act, Attempt.channel == "call", Attempt.outcome.in_(REACHED))


def _ended(act: Act) -> Select[Any]:
    return _tries(act, Attempt.channel == "call", _among(Attempt.outcome, act.options["value"]))


def _received(act: Act) -> Select[Any]:
    return _tries(act, Attempt.channel != "call", Attempt.outcome == DELIVERED)


def _interviews(act: Act) -> Select[Any]:
    """Of calls, and of the links of people whom nobody called for it."""
    called = select(Attempt.contact_id, Interview.id).join(Interview, Interview.call_id == Attempt.id)
    linked = select(SurveyLink.contact_id, Interview.id).join(Interview, Interview.id == SurveyLink.interview_id)
    people = union_all(called, linked.where(Interview.call_id.is_(None))).subquery("interviewed")
    query = select(people.c.contact_id).join(Interview, Interview.id == people.c.id)
    query = _within(query.where(people.c.contact_id.is_not(None)), act, Interview.at)
    return query.where(_among(Interview.survey_id, act.options["survey"])) if "survey" in act.options else query


def _interviewed(act: Act) -> Select[Any]:
    return _interviews(act).where(_among(Interview.state, act.options.get("value", INTERVIEWED)))


def _answered(act: Act) -> Select[Any]:
    """Answers that count, of interviews that are not void. Several codes of one answer are separated by spaces."""
    stands = and_(Answer.superseded_at.is_(None), Answer.counts, Interview.state != "void")
    query = _interviews(act).join(Answer, Answer.interview_id == Interview.id)
    query = query.where(stands, Answer.item == act.options["item"][0])
    if "value" not in act.options:
        return query
    wanted = literal(list(act.options["value"]), ARRAY(String))
    codes = cast(func.string_to_array(Answer.value, " "), ARRAY(String))
    return query.where(or_(Answer.value == any_(wanted), codes.overlap(wanted)))


def _replied(act: Act) -> Select[Any]:
    query = _within(select(_inbound.c.contact_id).where(_inbound.c.contact_id.is_not(None)), act, _inbound.c.at)
    return query.where(_among(_inbound.c.channel, act.options["channel"])) if "channel" in act.options else query


def _clicked(act: Act) -> Select[Any]:
    query = _within(select(_clicks.c.contact_id), act, _clicks.c.at)
    if "campaign" not in act.options:
        return query
    query = query.join(_messages, _messages.c.id == _clicks.c.message_id)
    return query.where(_among(_messages.c.campaign_id, act.options["campaign"]))


_STATES: dict[str, LazyString] = {"complete": _l("Complete"), "partial": _l("Broken off half-way")}
_WRITTEN: dict[str, LazyString | str] = {name: facts(name).label for name in CHANNELS[1:]}
_CALL_OUTCOMES = {code: each.label for code, each in DISPOSITIONS.items()} | OUTCOMES

DEEDS: dict[str, Deed] = {
    "called": Deed(_l("Was called"), ("queue", "purpose"), _called, copied=True),
    "reached": Deed(_l("Was reached by a call"), ("queue", "purpose"), _reached, copied=True),
    "outcome": Deed(_l("A call ended with"), ("value", "queue", "purpose"), _ended, ("value",), copied=True,
                    choices={"value": _CALL_OUTCOMES}),
    "interviewed": Deed(_l("Was interviewed"), ("survey", "value"), _interviewed, choices={"value": _STATES}),
    "answered": Deed(_l("Answered a question"), ("survey", "item", "value"), _answered, ("survey", "item")),
    "received": Deed(_l("Received a message"), ("campaign", "channel", "purpose"), _received, copied=True,
                     choices={"channel": _WRITTEN}),
    "replied": Deed(_l("Replied to a message"), ("channel",), _replied, choices={"channel": _WRITTEN}),
    "clicked": Deed(_l("Opened a message's link"), ("campaign",), _clicked),
}  # fmt: skip


def with_choices(session: Session) -> dict[str, Deed]:
    """The deeds with what each option can be chosen from; lists of what people make are the newest."""
    lists: dict[str, dict[Any, LazyString | str]] = {
        "queue": _named(session, select(CallQueue.id, CallQueue.name).order_by(CallQueue.id.desc())),
        "campaign": _named(session, select(_campaigns.c.id, _campaigns.c.name).order_by(_campaigns.c.id.desc())),
        "survey": _named(session, select(Survey.id, Survey.name).order_by(Survey.id.desc())),
        "purpose": dict(PURPOSES),
    }
    return {
        name: replace(deed, choices={**{option: lists[option] for option in deed.options if option in lists},
                                     **deed.choices})
        for name, deed in DEEDS.items()
    }  # fmt: skip


def _named(session: Session, query: Any) -> dict[Any, LazyString | str]:
    return {row[0]: row[1] for row in session.execute(query.limit(MOST))}


def questions(session: Session, survey_id: int) -> dict[str, dict[str, Any]]:
    """The items of every version of a survey's questionnaire by name, the newest version's last word on each."""
    versions = select(Questionnaire.items).where(Questionnaire.survey_id == survey_id).order_by(Questionnaire.version)
    return {item["name"]: item for items in session.scalars(versions) for item in items["items"]}


def items(session: Session, survey_id: int) -> dict[str, str]:
    """The questions of a survey: name → label in the reader's language."""
    return {name: _text(item["label"], name) for name, item in questions(session, survey_id).items()}


def answers(session: Session, survey_id: int, item: str) -> dict[str, str]:
    """The codes that answer a question, with their labels; none where the answer is typed in."""
    found = questions(session, survey_id).get(item, {})
    return {choice["name"]: _text(choice["label"], choice["name"]) for choice in found.get("choices", [])}


def _text(label: Mapping[str, str], name: str) -> str:
    language = str(get_locale() or "es")[:2]
    return label.get(language) or next((text for text in label.values() if text), name)
