"""A questionnaire being written: its changes, its readers, its way into use."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import NotFound, Refused
from surveys import questionnaire
from surveys.forms import drafts, sheet_edits
from surveys.forms.items import read_items
from surveys.forms.sheets import Source, workbook_of
from surveys.questionnaire import Survey


def reword(words: str) -> Callable[[Source], None]:
    def edit(source: Source) -> None:
        sheet_edits.put(source, 3, {"label::Español (es)": words})

    return edit


def test_a_draft_begins_as_the_version_in_use(session: Session, survey: Survey) -> None:
    opened = drafts.opened(session, survey.id)
    assert (opened.edition, opened.based_on, opened.is_changed) == (0, 1, False)
    assert read_items(workbook_of(opened.source)) == questionnaire.current(session, survey.id).items


def test_a_change_is_kept_and_the_version_in_use_stays(session: Session, survey: Survey, rosa: User) -> None:
    drafts.change(session, survey.id, 0, reword("¿Acepta?"), rosa.id)
    opened = drafts.opened(session, survey.id)
    assert opened.edition == 1
    assert sheet_edits.value(opened.source, 3, "label::Español (es)") == "¿Acepta?"
    in_use = questionnaire.current(session, survey.id).items
    assert in_use["items"][3]["label"]["es"] == "¿Acepta participar?"


def test_two_people_cannot_write_over_each_other(session: Session, survey: Survey, rosa: User) -> None:
    drafts.change(session, survey.id, 0, reword("Una"), rosa.id)
    with pytest.raises(Refused, match="Somebody else"):
        drafts.change(session, survey.id, 0, reword("Otra"), rosa.id)
    drafts.change(session, survey.id, 1, reword("Otra"), rosa.id)
    assert drafts.opened(session, survey.id).edition == 2


def test_a_draft_thrown_away_leaves_no_trace(session: Session, survey: Survey, rosa: User) -> None:
    drafts.change(session, survey.id, 0, reword("Una"), rosa.id)
    drafts.discard(session, survey.id)
    drafts.discard(session, survey.id)
    assert not drafts.opened(session, survey.id).is_changed


def test_a_version_whose_sheets_were_not_kept_can_be_opened_all_the_same(session: Session, survey: Survey) -> None:
    version = questionnaire.current(session, survey.id)
    version.source = None
    session.flush()
    names = [line[1] for line in drafts.opened(session, survey.id).source["survey"]["lines"]]
    assert names == [item["name"] for item in version.items["items"]]


def test_a_survey_that_is_not_there_has_no_draft(session: Session) -> None:
    with pytest.raises(NotFound):
        drafts.opened(session, 99_999)
