"""What the segment builder offers to choose from: fields, surveys and their answers, queues, campaigns, known values.

All of it from small tables: no list here is made by looking through the people."""

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select, union
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from callcenter.contacts import Contact, name_key
from callcenter.imports import ImportBatch
from callcenter.people.structure import Organization, Promoter
from callcenter.territory import Section
from campaigns.segmenting import frozen_segments, segment_rules
from campaigns.segmenting.segment_forms import Catalogue, Question
from campaigns.segmenting.segment_rules import Field
from campaigns.segments import Segment
from surveys.questionnaire import Questionnaire
from surveys.sampling.sample_tables import Sample

MOST = 200  # entries of one list; the newest, or the first by name
ANSWERED = ("select_one", "select_multiple")
GROUPS: dict[str, LazyString] = {
    "person": _l("The person"),
    "territory": _l("Territory"),
    "consent": _l("Consent"),
    "source": _l("Where they come from"),
    "structure": _l("Structure"),
    "attribute": _l("Our own attributes"),
}
LOOKED_AT = 20_000  # people whose spellings are suggested as well; all of them would take half a second


def _spelled(column: InstrumentedAttribute[Any]) -> Select[str]:
    some = select(column.label("value")).limit(LOOKED_AT).subquery()
    return select(some.c.value).where(some.c.value.is_not(None))


# Fields of text whose values we know from a table of their own, or from some of our people.
KNOWN: dict[str, tuple[Select[Any], ...]] = {
    "municipality": (select(Section.municipality).where(Section.municipality.is_not(None)),
                     _spelled(Contact.municipality)),
    "neighborhood": (_spelled(Contact.neighborhood),),
    "promoter": (select(Promoter.name), _spelled(Contact.promoter)),
    "source": (select(ImportBatch.source), _spelled(Contact.source)),
}  # fmt: skip


def catalogue(session: Session, *, without: int | None = None) -> Catalogue:
    """Everything the selects offer; `without` is the segment being edited, which cannot stand in itself."""
    newest = session.execute(
        select(Questionnaire.survey_id, Questionnaire.items)
        .order_by(Questionnaire.survey_id.desc(), Questionnaire.version.desc())
        .limit(MOST)
        .ext(distinct_on(Questionnaire.survey_id))
    )
    segments = select(Segment.id, Segment.name).where(Segment.id != (without or 0)).order_by(Segment.name)
    return Catalogue(
        fields=segment_rules.fields(session),
        deeds=segment_rules.deeds(session),
        names=_names(session),
        questions={row.survey_id: _questions(row.items) for row in newest},
        segments=_named(session, segments),
        frozen=frozen_segments.names(session),
    )


def _named(session: Session, query: Select[int, str]) -> dict[int, str]:
    return {row[0]: row[1] for row in session.execute(query.limit(MOST))}


def _names(session: Session) -> dict[str, dict[int, str]]:
    """Of the fields that hold numbers of ours: number → name. The builder offers them as names."""
    promoters = _named(session, select(Promoter.id, Promoter.name).order_by(Promoter.name))
    organizations = _named(session, select(Organization.id, Organization.name).order_by(Organization.name))
    batches = _named(session, select(ImportBatch.id, ImportBatch.source + ": " + ImportBatch.file_name)
                     .where(ImportBatch.state == "done").order_by(ImportBatch.id.desc()))  # fmt: skip
    samples = _named(session, select(Sample.id, Sample.title).order_by(Sample.id.desc()))
    return {"promoter_id": promoters, "pledge_promoter": promoters, "organization": organizations,
            "pledge_organization": organizations, "batch": batches, "sample": samples}  # fmt: skip


def _questions(items: Mapping[str, object]) -> dict[str, Question]:
    asked = items["items"]
    assert isinstance(asked, list)  # written by surveys.forms.items
    return {
        item["name"]: Question(
            _in_language(item["label"], item["name"]),
            {choice["name"]: _in_language(choice["label"], choice["name"]) for choice in item["choices"]},
        )
        for item in asked
        if item["type"] in ANSWERED
    }


def _in_language(texts: Mapping[str, str], otherwise: str) -> str:
    language = str(get_locale() or "es")[:2]
    found = texts.get(language) or next((text for text in texts.values() if text), "") or otherwise
    return " ".join(found.split())


def grouped_fields(fields: Mapping[str, Field]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(group, [(code, label)]) in the order of GROUPS, for the select of fields."""
    of_group: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
    for code, one in fields.items():
        of_group[one.group].append((code, str(one.label)))
    return [(str(GROUPS[group]), sorted(found, key=lambda pair: pair[1])) for group, found in of_group.items() if found]


def suggestions(session: Session, code: str, typed: str = "", limit: int = 30) -> list[str]:
    """Values that people's lists have of a field of text, those that hold `typed`; none for other fields."""
    known = KNOWN.get(code)
    if known is None:
        return []
    values = union(*known).subquery()
    column = next(iter(values.c))
    part = name_key(typed)
    plain = func.translate(func.lower(column), "áéíóúüñ", "aeiouun")
    matching = select(column).where(plain.contains(part, autoescape=True)) if part else select(column)
    return list(session.scalars(matching.order_by(column).limit(limit)))
