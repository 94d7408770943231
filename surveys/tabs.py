"""The pages of one survey, as its tabs show them: from the questionnaire over the field to results and study."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from callcenter.base import navigation
from surveys import questionnaire
from surveys.forms import form_media


@dataclass(frozen=True)
class Tab:
    """One page. `needs_vote`, `needs_pictures`: it says nothing of a questionnaire that asks for no vote, or names no
    picture."""

    name: str
    endpoint: str
    word: Any
    needs_vote: bool = False
    needs_pictures: bool = False


@dataclass(frozen=True)
class Section:
    word: Any
    tabs: tuple[Tab, ...]


SECTIONS = (
    Section(_l("Questionnaire"), (
        Tab("show", "surveys.show", _l("Questions")),
        Tab("builder", "surveys.builder", _l("Build")),
        Tab("pictures", "surveys.pictures", _l("Pictures"), needs_pictures=True),
        Tab("versions", "surveys.versions", _l("Versions")),
    )),
    Section(_l("Fieldwork"), (
        Tab("samples", "surveys.sample_page", _l("Sample")),
        Tab("links", "surveys.links", _l("Links")),
        Tab("outcomes", "surveys.outcome_page", _l("Field outcomes")),
        Tab("quality", "surveys.quality_page", _l("Quality")),
    )),
    Section(_l("Results"), (
        Tab("results", "surveys.results", _l("Vote intention"), needs_vote=True),
        Tab("vote", "surveys.vote", _l("From gross to effective"), needs_vote=True),
        Tab("trend", "surveys.trend", _l("Trend"), needs_vote=True),
        Tab("tables", "surveys.tables_page", _l("Tables")),
        Tab("weights", "surveys.weights", _l("Weights")),
    )),
    Section(_l("Study"), (Tab("study", "surveys.studies_page", _l("Study")),)),
)  # fmt: skip


def sections(session: Session, survey_id: int) -> list[Section]:
    """The sections and pages that this person may open and that have something to say of this survey."""
    items = questionnaire.current(session, survey_id).items
    asks_vote, has_pictures = bool(items.get("vote_question")), bool(form_media.pictures(items))
    found = []
    for section in SECTIONS:
        tabs = tuple(
            tab
            for tab in section.tabs
            if navigation.is_open(tab.endpoint)
            and (asks_vote or not tab.needs_vote)
            and (has_pictures or not tab.needs_pictures)
        )
        if tabs:
            found.append(Section(section.word, tabs))
    return found
