"""Which pictures a form names, which a version shows, and that what was answered stays as it was shown."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import NotFound, Refused
from surveys import engine, interviews, questionnaire
from surveys.forms import drafts, form_media, sheet_edits
from surveys.forms.form_changes import changes
from surveys.forms.form_notices import notices
from surveys.forms.items import Items, read_items
from surveys.forms.old_forms import source_of
from surveys.forms.sheets import workbook_of
from surveys.forms.xlsform import read_workbook, write_workbook
from surveys.pictures import form_pictures, picture_files, picture_store
from surveys.pictures.picture_files import PictureFile
from surveys.pictures.picture_store import Picture
from surveys.questionnaire import Survey
from tests.surveys.pictures.picture_cast import CHOICES, NAMES, SURVEY, ballot, jpeg, png, whole_ballot
from tests.surveys.survey_forms import workbook

GREEN = png(colour=(10, 140, 60))


@pytest.fixture
def items() -> Items:
    return read_items(read_workbook(ballot()))


@pytest.fixture
def survey(session: Session) -> Survey:
    return questionnaire.create_survey(session, "Boleta", "boleta.xlsx", ballot())


def files(*named: tuple[str, bytes]) -> list[PictureFile]:
    return [picture_files.look(name, content) for name, content in named]


def answered(session: Session, new_call: Callable[..., UUID], user: User) -> None:
    """Somebody has given an answer: the version is frozen."""
    interview = interviews.open_for_call(session, new_call(), user.id)
    interviews.record_answer(session, interview.id, "consent", "yes")
    session.flush()


def test_a_form_names_its_pictures_by_their_plain_names(items: Items) -> None:
    assert form_media.pictures(items) == {
        "boleta.png": ["vote"],
        "azul.png": ["vote/azul", "liked/azul"],
        "verde.jpg": ["vote/verde", "liked/verde"],
        "rojo.webp": ["vote/rojo", "liked/rojo"],
    }


def test_a_question_carries_the_pictures_of_its_language_or_of_the_form(items: Items) -> None:
    for language in ("es", "en"):
        asked = engine.question(items, {"consent": "yes"}, "vote", language=language)
        assert asked is not None
        assert asked.image == "Boletas/Boleta.PNG"
        assert [choice.image for choice in asked.choices if choice.image] == ["azul.png", "verde.jpg", "rojo.webp"]
    plain = engine.question(items, {}, "consent")
    assert plain is not None
    assert not plain.names_pictures


def test_turns_of_a_repeat_show_the_same_picture_and_count_once() -> None:
    rows = [["type", "name", "label", "image", "repeat_count"], ["begin_repeat", "r", "", "", "2"],
            ["text", "q", "Q", "q.png", ""], ["end_repeat", "", "", "", ""]]  # fmt: skip
    laid = read_items(read_workbook(workbook(rows)))
    assert form_media.pictures(laid) == {"q.png": ["q"]}
    assert [item["image"] for item in laid["items"]] == [{"": "q.png"}] * 2


def test_the_form_that_goes_out_names_what_the_form_that_came_in_named(items: Items) -> None:
    book = read_workbook(ballot())
    assert read_items(read_workbook(write_workbook(book.source))) == items
    old = read_items(workbook_of(source_of(items)))
    assert form_media.pictures(old) == form_media.pictures(items)
    assert [item.get("video") for item in old["items"]] == [item.get("video") for item in items["items"]]


def test_videos_and_pictures_that_a_telephone_does_not_show_are_noticed(items: Items) -> None:
    told = "\n".join(notices(read_workbook(ballot()), items))
    assert "Videos are shown nowhere; write what they say into the words of: liked." in told
    assert "their words must be enough in vote, liked." in told
    plain = workbook([[*row[:4], "", "", row[6]] for row in SURVEY], [[*row[:4], "", row[5]] for row in CHOICES])
    book = read_workbook(plain)
    assert "picture" not in "\n".join(notices(book, read_items(book)))


def test_another_picture_in_the_form_is_a_change(items: Items) -> None:
    other = workbook(
        [[cell if cell != "Boletas/Boleta.PNG" else "boleta-2.png" for cell in row] for row in SURVEY],
        [[cell if cell != "azul.png" else "azul-2.png" for cell in row] for row in CHOICES],
    )
    told = {change.name: change.differences for change in changes(items, read_items(read_workbook(other)))}
    assert [(one.what, one.where, one.before, one.after) for one in told["vote"]] == [
        ("image", "es", "Boletas/Boleta.PNG", "boleta-2.png"), ("choice_image", "azul", "azul.png", "azul-2.png"),
    ]  # fmt: skip


def test_uploaded_pictures_stand_where_their_names_say(session: Session, survey: Survey) -> None:
    assert "boleta.png, azul.png, verde.jpg, rojo.webp" in form_pictures.missing(session, survey.id)
    kept, refused = form_pictures.keep(session, survey.id, files(*whole_ballot()[:3]), None)
    assert (kept, refused) == (3, [])
    assert "uploaded: rojo.webp." in form_pictures.missing(session, survey.id)
    kept, refused = form_pictures.keep(
        session, survey.id, files(("ROJO.webp", whole_ballot()[3][1]), ("azul.jpg", jpeg()), ("nadie.png", png())), None
    )
    assert kept == 1
    assert refused[0].startswith("azul.jpg: the form names azul.png.")
    assert refused[1].startswith("nadie.png: the form names no such picture.")
    assert form_pictures.missing(session, survey.id) == ""
    assert [one.name for one in form_pictures.listed(session, survey.id) if one.shown] == NAMES


def test_a_picture_is_replaced_and_removed_while_nobody_has_answered(session: Session, survey: Survey) -> None:
    form_pictures.keep(session, survey.id, files(("azul.png", png())), None)
    form_pictures.keep(session, survey.id, files(("azul.png", GREEN)), None)
    version = questionnaire.current(session, survey.id)
    assert picture_store.of_version(session, version.id)["azul.png"].sha256 == picture_store.digest(GREEN)
    form_pictures.remove(session, survey.id, "azul.png")
    form_pictures.remove(session, survey.id, "azul.png")
    assert picture_store.of_version(session, version.id) == {}


def test_what_an_answered_version_showed_stays(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    form_pictures.keep(session, survey.id, files(("azul.png", png())), None)
    answered(session, new_call, rosa)
    kept, refused = form_pictures.keep(
        session, survey.id, files(("azul.png", GREEN), ("boleta.png", png())), None
    )  # fmt: skip
    assert kept == 0
    assert [sentence.partition(":")[0] for sentence in refused] == ["azul.png", "boleta.png"]
    assert "what it showed stays" in refused[0]
    assert form_pictures.keep(session, survey.id, files(("azul.png", png())), None) == (0, [])
    with pytest.raises(Refused) as refusal:
        form_pictures.remove(session, survey.id, "azul.png")
    assert refusal.value.code == "frozen"
    version = questionnaire.current(session, survey.id)
    shown = picture_store.of_version(session, version.id)
    assert {name: one.sha256 for name, one in shown.items()} == {"azul.png": picture_store.digest(png())}


def test_a_new_version_begins_with_the_pictures_of_the_old_one_and_changes_its_own(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    form_pictures.keep(session, survey.id, files(*whole_ballot()), None)
    first = questionnaire.current(session, survey.id)
    answered(session, new_call, rosa)
    corrected = workbook([*SURVEY, ["note", "bye", "Gracias", "Thanks", "", "", ""]], CHOICES)
    second = questionnaire.replace_form(session, survey.id, questionnaire.read_form("b.xlsx", corrected))
    assert second.version == 2
    assert picture_store.of_version(session, second.id) == picture_store.of_version(session, first.id)
    assert form_pictures.keep(session, survey.id, files(("azul.png", GREEN)), None) == (1, [])
    assert picture_store.of_version(session, first.id)["azul.png"].sha256 == picture_store.digest(png())
    assert picture_store.of_version(session, second.id)["azul.png"].sha256 == picture_store.digest(GREEN)


def test_a_picture_that_only_the_draft_names_waits_for_the_next_version(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    answered(session, new_call, rosa)
    drafts.change(
        session, survey.id, 0, lambda source: sheet_edits.put(source, 3, {"media::image": "why.png"}), rosa.id
    )
    named = next(one for one in form_pictures.listed(session, survey.id) if one.name == "why.png")
    assert named.is_draft
    assert not named.is_fixed
    assert form_pictures.keep(session, survey.id, files(("why.png", png())), rosa.id) == (1, [])
    source = drafts.opened(session, survey.id).source
    second = questionnaire.replace_form(
        session, survey.id, questionnaire.read_form("b.xlsx", write_workbook(source))
    )  # fmt: skip
    assert set(picture_store.of_version(session, second.id)) == {"why.png"}


def test_the_same_picture_is_kept_once_and_found_only_in_surveys_that_show_it(session: Session, survey: Survey) -> None:
    other = questionnaire.create_survey(session, "Otra", "otra.xlsx", ballot())
    for one in (survey, other):
        form_pictures.keep(session, one.id, files(("azul.png", png())), None)
    assert session.scalar(select(func.count()).select_from(Picture)) == 1
    form_pictures.keep(session, other.id, files(("verde.jpg", jpeg())), None)
    found = form_pictures.find(session, other.id, picture_store.digest(jpeg()))
    assert (found.content, found.kind) == (jpeg(), "image/jpeg")
    with pytest.raises(NotFound):
        form_pictures.find(session, survey.id, picture_store.digest(jpeg()))


def test_a_question_is_drawn_with_what_is_there(session: Session, survey: Survey, items: Items) -> None:
    form_pictures.keep(session, survey.id, files(("azul.png", png(40, 30)), ("boleta.png", png(60, 40))), None)
    version = questionnaire.current(session, survey.id)
    asked = engine.question(items, {"consent": "yes"}, "vote")
    drawn = form_pictures.drawn(session, version.id, asked, lambda sha256: f"/p/{sha256}")
    assert {name: (one.width, one.height) for name, one in drawn.items()} == {
        "azul.png": (40, 30), "Boletas/Boleta.PNG": (60, 40),
    }  # fmt: skip
    assert drawn["azul.png"].address == f"/p/{picture_store.digest(png(40, 30))}"
    assert form_pictures.drawn(session, version.id, None, str) == {}
