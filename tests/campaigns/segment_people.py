"""Invented people with a history for the tests of segments, rules about them, and what they mean, said slowly."""

import random
import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.consent import UNCOUNTED
from callcenter.contacts import Contact, name_key
from callcenter.gate.consents import Consent
from callcenter.ledger.call_ledger import Call
from callcenter.people import attributes
from callcenter.people.structure import Organization, Promoter
from callcenter.queues import CallQueue
from callcenter.territory import Section
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from campaigns.segmenting.frozen_segments import FrozenMember, FrozenSegment
from campaigns.segmenting.segment_deeds import DEEDS, REACHED
from campaigns.segmenting.segment_fields import FIELDS, LISTS
from campaigns.segments import Segment
from campaigns.texts.clicks import MessageClick
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Questionnaire, Survey
from surveys.sampling.sample_tables import Sample, SampleCase

PROMOTERS = (None, "Promotor 01", "PROMOTOR 1", "promotor  01", "Promotora Peña", "promotora pena", "10")
MUNICIPALITIES = (None, "MINATITLÁN", "Minatitlan", "Cosoleacaque")
ATTRIBUTES = {"team": "text", "score": "number", "joined": "date", "likes": "yes_no", "size": "choice"}
SIZES = ("S", "M", "L")
SECTIONS = {2301: ("U", 11, None), 2302: ("R", 11, 4), 2303: (None, None, 4)}  # number → kind, federal, local district
OUTCOMES = (None, "completed", "refused", "voicemail", "no_answer", "refused_by_gate", "delivered", "undelivered")


@dataclass
class World:
    """What there is: `people` as the evaluator sees them, and the numbers of what a rule can name."""

    now: datetime
    people: list[dict[str, Any]] = field(default_factory=list, init=False)  # too many to print
    queues: list[int] = field(default_factory=list)
    campaigns: list[int] = field(default_factory=list)
    survey: int = 0
    organization: int = 0
    promoter: int = 0
    frozen: int = 0
    segment: int = 0
    sample: int = 0


SEGMENT_RULE = {"any": [{"field": "age", "op": "at_least", "value": 45}, {"did": "replied"}]}


def make(session: Session, people: int = 60, seed: int = 7) -> World:
    """Sixty people who differ in everything that a rule can ask, and what happened with them."""
    dice = random.Random(seed)
    world = World(now=campaign_now(session))
    _places(session, world)
    for number in range(people):
        world.people.append(_person(session, world, dice, number))
    for _ in range(people * 3):
        _something(session, world, dice, dice.choice(world.people))
    _lists(session, world)
    session.flush()
    return world


def _places(session: Session, world: World) -> None:
    for number, (kind, federal, local) in SECTIONS.items():
        session.add(Section(state=30, municipality_code=109, number=number, kind=kind, nominal_list=9, men=4, women=5,
                            federal_district=federal, local_district=local))  # fmt: skip
    for key, kind in ATTRIBUTES.items():
        attributes.define(session, key, key, kind, list(SIZES) if kind == "choice" else None, user_id=None)
    organization, promoter = Organization(name="Uno", name_key="uno"), Promoter(name="Dos", name_key="dos")
    queues = [
        CallQueue(
            name=name,
            purpose="survey",
            carrier="simulated",
            caller_id="+5255",
            on_behalf_of="x",
            privacy_notice_url="x",
        )
        for name in "ab"
    ]
    survey = Survey(name="Ola 1")
    segment = Segment(name="x", rule=SEGMENT_RULE)
    session.add_all([organization, promoter, survey, segment, *queues])
    session.flush()
    items = {"items": [{"name": "vote", "label": {"es": "¿Por quién?"}, "choices": [
        {"name": code, "label": {"es": code}} for code in ("a", "b", "dk")]},
        {"name": "why", "label": {}, "choices": []}]}  # fmt: skip
    session.add(Questionnaire(survey_id=survey.id, version=1, file_name="x", sha256="x", form="x", items=items))
    for name in ("m", "n"):
        campaign = MessageCampaign(
            name=name, purpose="survey", segment_id=segment.id, text="x", sender="x", carrier="simulated"
        )
        session.add(campaign)
        session.flush()
        world.campaigns.append(campaign.id)
    world.queues = [queue.id for queue in queues]
    world.survey, world.segment = survey.id, segment.id
    world.organization, world.promoter = organization.id, promoter.id
    sample = Sample(survey_id=survey.id, title="x", frame="segment", size=9, replicates=2, released=1, seed="x",
                    state="drawn")  # fmt: skip
    session.add(sample)
    session.flush()
    world.sample = sample.id


def _person(session: Session, world: World, dice: random.Random, number: int) -> dict[str, Any]:
    section = dice.choice([None, *SECTIONS])
    values = {
        "team": dice.choice([None, "Álamo 01", "alamo 1", "Roble"]), "score": dice.choice([None, 0, 2.5, 7]),
        "joined": dice.choice([None, str(date.today() - timedelta(days=2)), "2020-02-29"]),  # noqa: DTZ011
        "likes": dice.choice([None, True, False]), "size": dice.choice([None, *SIZES]),
    }  # fmt: skip
    columns: dict[str, Any] = {
        "name": f"Persona {number}", "given_names": "Persona", "name_key": f"persona {number}",
        "phone": f"+52228123{number:04}", "sex": dice.choice([None, "H", "M", "X"]),
        "age": dice.choice([None, 18, 30, 45, 80]), "municipality": dice.choice(MUNICIPALITIES),
        "neighborhood": dice.choice([None, "Centro", "CENTRO", "Las Lomas 02"]), "section_number": section,
        "section_id": session.scalar(select(Section.id).where(Section.number == section)),
        "state": dice.choice([None, 30, 9]), "promoter": dice.choice(PROMOTERS), "source": dice.choice("ab"),
        "promoter_id": dice.choice([None, world.promoter]), "organization_id": dice.choice([None, world.organization]),
        "consent": dice.choice(["opted_in", "opted_out", "unknown"]), "language": dice.choice(["es", "nah"]),
        "line_kind": dice.choice(["mobile", "landline", "unknown"]), "is_member": dice.random() < 0.3,
        "holds_post": dice.random() < 0.2, "suppressed": dice.random() < 0.2,
        "blocked_at": real_now() if dice.random() < 0.1 else None,
        "created_at": real_now() - timedelta(days=dice.choice([0, 1, 40])),
        "attributes": {key: value for key, value in values.items() if value is not None},
    }  # fmt: skip
    contact_id = session.scalar(insert(Contact).returning(Contact.id), columns)
    kind, federal, local = SECTIONS.get(section or 0, (None, None, None))
    said = _evidence(session, dice, contact_id, columns["consent"])
    drawn = dice.choice([0, 0, 1, 2])  # the replicate, of which the first is released
    if drawn:
        case = {"sample_id": world.sample, "number": number, "replicate": drawn, "stratum": "*"}
        session.add(SampleCase(**case, contact_id=contact_id))
    pledges = [dice.choice(["pending", "confirmed"]) for _ in range(dice.choice([0, 0, 1, 2]))]
    for place, state in enumerate(pledges):
        row = {"id": contact_id, "promoter": world.promoter, "form": f"{number}-{place}", "state": state}
        session.execute(
            text("INSERT INTO pledges (contact_id, promoter_id, series, form_id, state, source)"
                 " VALUES (:id, :promoter, 'x', :form, :state, 'x')"), row)  # fmt: skip
    return {
        **columns, **{f"attr:{key}": value for key, value in values.items()}, "id": contact_id, "section": section,
        "section_kind": kind, "federal_district": federal, "local_district": local, "batch": None,
        "organization": columns["organization_id"], "created": columns["created_at"].astimezone(ZONE).date(),
        "pledge_state": pledges, "pledge_promoter": [world.promoter] * len(pledges), "pledge_organization": [],
        "has_pledge": bool(pledges), "deeds": [], "consent_call": said["call"], "consent_sms": said["sms"],
        "consent_whatsapp": said["whatsapp"], "sample": [world.sample] if drawn == 1 else [],
    }  # fmt: skip


def _evidence(session: Session, dice: random.Random, contact_id: int | None, overall: str) -> dict[str, str]:
    """Evidence for single channels, older or newer than what was said for all; returns what holds for each channel."""
    rows: list[tuple[datetime, str, str]] = []
    for number in range(dice.choice([0, 0, 1, 2, 3])):
        channel = dice.choice(["call", "sms"] if overall == "unknown" else ["call", "sms", "all"])
        kind = overall if channel == "all" else dice.choice(["opted_in", "opted_out"])
        rows.append((real_now() + timedelta(minutes=number), channel, kind))
        session.add(Consent(contact_id=contact_id, kind=kind, channel=channel, proof="x", source="x", at=rows[-1][0]))
    holds = dict.fromkeys(("call", "sms", "whatsapp"), overall)
    for channel in holds:
        if any(of == channel for _at, of, _kind in rows):
            holds[channel] = max(row for row in rows if row[1] in ("all", channel))[2]
    return holds


def _something(session: Session, world: World, dice: random.Random, person: dict[str, Any]) -> None:
    """A call (perhaps with an interview), a message (perhaps with a click) or a reply."""
    kind = dice.choice(["call", "call", "sms", "reply"])
    at = world.now - timedelta(days=dice.choice([0, 3, 7, 8, 30]), seconds=dice.choice([0, 5]))
    key = UUID(int=dice.getrandbits(128))
    if kind == "reply":
        channel = dice.choice(["sms", "whatsapp"])
        session.add(InboundMessage(provider_ref=str(key), channel=channel, phone=person["phone"], text="x", at=at,
                                   contact_id=person["id"]))  # fmt: skip
        person["deeds"].append({"did": "replied", "at": at, "channel": channel})
        return
    outcome = dice.choice([one for one in OUTCOMES if (one in ("delivered", "undelivered", None)) == (kind == "sms")])
    purpose = dice.choice(["survey", "persuasion"])
    session.execute(insert(Attempt), {
        "id": key, "channel": kind, "purpose": purpose, "contact_id": person["id"], "phone": person["phone"], "at": at,
        "deadline_at": at, "outcome": outcome, "closed_at": at if outcome else None})  # fmt: skip
    if kind == "call":
        _call(session, world, dice, person, {"at": at, "purpose": purpose, "outcome": outcome}, key)
    else:
        _message(session, world, dice, person, {"at": at, "purpose": purpose, "channel": kind}, key, outcome)


def _call(
    session: Session, world: World, dice: random.Random, person: dict[str, Any], said: dict[str, Any], key: UUID
) -> None:
    said["queue"] = dice.choice(world.queues)
    session.execute(insert(Call), {"id": key, "queue_id": said["queue"], "script": "x", "carrier": "x",
                                   "caller_id": "x", "state": "ended"})  # fmt: skip
    if said["outcome"] not in UNCOUNTED:
        person["deeds"].append({"did": "called", **said})
    if said["outcome"] in REACHED:
        person["deeds"].append({"did": "reached", **said})
    person["deeds"].append({"did": "outcome", "value": said["outcome"], **said})
    if said["outcome"] == "completed":
        _interview(session, world, dice, person, said["at"], key)


def _interview(
    session: Session, world: World, dice: random.Random, person: dict[str, Any], at: datetime, key: UUID
) -> None:
    state = dice.choice(["complete", "partial", "void"])
    form = session.scalar(select(Questionnaire.id).where(Questionnaire.survey_id == world.survey))
    session.execute(insert(Interview), {"id": key, "survey_id": world.survey, "questionnaire_id": form, "call_id": key,
                                        "state": state, "seed": 1, "at": at})  # fmt: skip
    said = {"at": at, "survey": world.survey}
    if state != "void":
        person["deeds"].append({"did": "interviewed", "value": state, **said})
    for item, codes in (("vote", ["a", "b", "dk"]), ("why", ["a b", "a"])):
        value, counts = dice.choice(codes), dice.random() < 0.8
        session.execute(insert(Answer), {"interview_id": key, "item": item, "value": value, "counts": counts})
        if counts and state != "void":
            person["deeds"].append({"did": "answered", "item": item, "value": value, **said})


def _message(
    session: Session, world: World, dice: random.Random, person: dict[str, Any], said: dict[str, Any], key: UUID,
    outcome: str | None,
) -> None:  # fmt: skip
    said["campaign"] = dice.choice(world.campaigns)
    phone = f"+5{key.int % 10**10}"  # of a household one is written to, and once a campaign
    taken = session.scalar(select(Message.id).where(Message.campaign_id == said["campaign"],
                                                    Message.contact_id == person["id"]))  # fmt: skip
    owner = None if taken else person["id"]
    session.execute(insert(Message), {"id": key, "campaign_id": said["campaign"], "contact_id": owner, "phone": phone})
    if outcome == "delivered":
        person["deeds"].append({"did": "received", **said})
        session.execute(insert(MessageClick), {"contact_id": person["id"], "message_id": key, "at": said["at"]})
        person["deeds"].append({"did": "clicked", **said})


def _lists(session: Session, world: World) -> None:
    frozen = FrozenSegment(segment_name="x", segment_version=1, rule={"all": []}, as_of=world.now)
    session.add(frozen)
    session.flush()
    for person in world.people[::3]:
        person["frozen"] = True
        session.execute(insert(FrozenMember), {"frozen_id": frozen.id, "contact_id": person["id"]})
    session.execute(insert(FrozenMember), {"frozen_id": frozen.id, "contact_id": 10**9})  # somebody who is gone
    world.frozen = frozen.id


# ---- what a rule means


def key(said: str) -> str:
    return re.sub(r"(^| )0+(?=\d+( |$))", r"\1", name_key(said))


def holds(world: World, rule: dict[str, Any], person: dict[str, Any]) -> bool:
    """The slow, plain meaning of a rule."""
    if "field" in rule:
        return clause_holds(rule, person)
    if "did" in rule or "did_not" in rule:
        return happened(world, rule, person) == ("did" in rule)
    if "segment" in rule:
        return holds(world, SEGMENT_RULE, person)
    if "frozen" in rule:
        return "frozen" in person
    ((group, members),) = rule.items()
    said = [holds(world, member, person) for member in members]
    return {"all": all(said), "any": any(said), "not": not any(said)}[group]


def clause_holds(clause: dict[str, Any], person: dict[str, Any]) -> bool:
    name, op, value = clause["field"], clause["op"], clause.get("value")
    actual = person[name]
    kind = ATTRIBUTES[name[5:]] if name.startswith("attr:") else FIELDS[name].kind
    several = actual if isinstance(actual, list) else [actual]
    opposite = {"is_not": "is", "not_in": "in", "is_unknown": "is_known"}.get(op)
    if opposite:
        return not any(_meets(kind, opposite, one, value) for one in several)
    return any(_meets(kind, op, one, value) for one in several)


def _meets(kind: str, op: str, actual: Any, value: Any) -> bool:
    if actual is None or op == "is_known":
        return actual is not None
    if kind == "text":
        actual, value = key(actual), [key(one) for one in value] if isinstance(value, list) else key(value)
    if kind == "date" and op == "within_days":
        first = (datetime.now(ZONE) - timedelta(days=value)).date()
        return str(first) <= str(actual) <= str(datetime.now(ZONE).date())
    actual = str(actual) if kind == "date" else actual
    if op in ("is", "in"):
        return actual in value if op == "in" else bool(actual == value)
    least, most = value if op == "between" else (value, value)
    return bool((op == "at_most" or actual >= least) and (op == "at_least" or actual <= most))


def happened(world: World, clause: dict[str, Any], person: dict[str, Any]) -> bool:
    name = clause.get("did", clause.get("did_not"))
    times = 0
    for deed in person["deeds"]:
        if deed["did"] != name or not _in_time(world, clause, deed["at"]):
            continue
        times += all(_said(clause[option], deed[option], option) for option in DEEDS[name].options if option in clause)
    return times >= int(clause.get("at_least", 1))


def _said(wanted: Any, actual: Any, option: str) -> bool:
    several = wanted if isinstance(wanted, list) else [wanted]
    codes = [actual, *str(actual).split()] if option == "value" else [actual]
    return any(code in several for code in codes)


def _in_time(world: World, clause: dict[str, Any], at: datetime) -> bool:
    if "within_days" in clause:
        return bool(at >= world.now.replace(microsecond=0) - timedelta(days=clause["within_days"]))
    if "between" in clause:
        first, last = clause["between"]
        return bool(first <= str(at.astimezone(ZONE).date()) <= last)
    return True


# ---- rules


def known_values(world: World) -> dict[str, list[Any]]:
    """Values to ask a field for, met and unmet ones."""
    today = datetime.now(ZONE).date()
    days = [str(today - timedelta(days=back)) for back in (0, 1, 2, 40)]
    return {
        "section": [2301, 2302, 2309], "age": [0, 18, 30, 44, 45, 99], "state": [9, 30, 1],
        "federal_district": [11, 12], "local_district": [4, 5], "language": ["es", "nah", "x"],
        "promoter": ["promotor 1", "PROMOTORA PEÑA", "x"], "neighborhood": ["centro", "las lomas 2"],
        "municipality": ["minatitlán", "Cosoleacaque", "otro"], "source": ["a", "b", "c"], "batch": [1],
        "sample": [world.sample, 10**6],
        "created": days, "promoter_id": [world.promoter, 10**6], "organization": [world.organization, 10**6],
        "pledge_promoter": [world.promoter, 10**6], "pledge_organization": [world.organization],
        "attr:team": ["ALAMO 1", "roble", "x"], "attr:score": [0, 2.5, 7, -1], "attr:joined": [*days, "2020-02-29"],
        "attr:size": list(SIZES), "attr:likes": [True, False],
    }  # fmt: skip


@st.composite
def own_clauses(draw: st.DrawFn, world: World) -> dict[str, Any]:
    from campaigns.segmenting.segment_fields import _ATTRIBUTE_OPS as ATTRIBUTE_OPS

    ops = {name: one.ops for name, one in FIELDS.items()}
    ops |= {f"attr:{name}": ATTRIBUTE_OPS[kind] for name, kind in ATTRIBUTES.items()}
    name = draw(st.sampled_from(sorted(ops)))
    op = draw(st.sampled_from(ops[name]))
    choices = known_values(world).get(name)
    if choices is None:
        choices = [True, False] if FIELDS[name].kind == "yes_no" else list(FIELDS[name].choices)
    value = st.sampled_from(choices)
    if op in ("is_known", "is_unknown"):
        return {"field": name, "op": op}
    if op == "within_days":
        return {"field": name, "op": op, "value": draw(st.sampled_from([0, 1, 3, 50]))}
    if op == "between":
        return {"field": name, "op": op, "value": [draw(value), draw(value)]}
    several = draw(st.lists(value, min_size=1, max_size=3)) if op in LISTS else draw(value)
    return {"field": name, "op": op, "value": several}


@st.composite
def deed_clauses(draw: st.DrawFn, world: World) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(DEEDS)))
    values: dict[str, list[Any]] = {
        "queue": world.queues, "campaign": world.campaigns, "purpose": ["survey", "persuasion", "structure"],
        "channel": ["sms", "whatsapp"], "survey": [world.survey],
    }  # fmt: skip
    clause: dict[str, Any] = {draw(st.sampled_from(["did", "did_not"])): name}
    for option in DEEDS[name].options:
        if option in values and (option in DEEDS[name].needed or draw(st.booleans())):
            one = draw(st.sampled_from(values[option]))
            clause[option] = one if option == "survey" or draw(st.booleans()) else [one]
    if name == "answered":
        clause["item"] = draw(st.sampled_from(["vote", "why"]))
        if draw(st.booleans()):
            clause["value"] = draw(st.sampled_from([["dk"], ["a", "b"], "a"]))
    if name == "interviewed" and draw(st.booleans()):
        clause["value"] = draw(st.sampled_from(["complete", ["partial"]]))
    if name == "outcome":
        clause["value"] = draw(st.sampled_from(["completed", ["refused", "no_answer"], "refused_by_gate", "busy"]))
    when = draw(st.sampled_from(["", "", "within_days", "between"]))
    if when == "within_days":
        clause[when] = draw(st.sampled_from([1, 3, 7, 20]))
    if when == "between":
        clause[when] = [
            str((world.now - timedelta(days=back)).date()) for back in draw(st.sampled_from([(9, 2), (2, 9)]))
        ]
    if draw(st.booleans()):
        clause["at_least"] = draw(st.sampled_from([1, 2, 3]))
    return clause


def rules(world: World) -> st.SearchStrategy[Any]:
    """Any rule about this world; `world` is only looked at when a rule is drawn."""
    operands = st.sampled_from([{"segment": world.segment}, {"frozen": world.frozen}])
    clause = st.one_of(own_clauses(world), own_clauses(world), deed_clauses(world), operands)
    return _grouped(st.recursive(clause, _grouped, max_leaves=6))


def _grouped(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(
        st.sampled_from(("all", "any", "not")), st.lists(members, max_size=3), min_size=1, max_size=1
    )
