"""The pictures of a survey's questionnaire: which its form names, which are there, which a question shows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer

from callcenter.base.errors import NotFound, Refused
from surveys import questionnaire
from surveys.engine import Question
from surveys.forms import drafts, form_media
from surveys.forms.form_outline import outline
from surveys.forms.items import Items
from surveys.pictures import picture_store
from surveys.pictures.picture_files import PictureFile
from surveys.pictures.picture_store import Picture, QuestionnairePicture, Shown
from surveys.questionnaire import Questionnaire

SAID = 8  # names in one sentence


@dataclass(frozen=True)
class Named:
    """A picture that the form, or only its draft, names. `places`: what shows it; `shown` None: nobody uploaded it;
    `is_fixed`: people have answered the version that names it, and what it showed stays."""

    name: str
    places: tuple[str, ...]
    shown: Shown | None
    is_fixed: bool
    is_draft: bool


@dataclass(frozen=True)
class Drawn:
    """A picture where a question shows it; sides in pixels."""

    address: str
    width: int
    height: int


def listed(session: Session, survey_id: int) -> list[Named]:
    """Every picture that the version in use names, then those that only the draft names."""
    version = questionnaire.current(session, survey_id)
    there = picture_store.of_version(session, version.id)
    named, drafted = form_media.pictures(version.items), _of_draft(session, survey_id)
    is_fixed = version.frozen_at is not None
    in_use = [Named(name, tuple(places), there.get(name), is_fixed, False) for name, places in named.items()]
    new = [(name, places) for name, places in drafted.items() if name not in named]
    return in_use + [Named(name, tuple(places), there.get(name), False, True) for name, places in new]


def _of_draft(session: Session, survey_id: int) -> dict[str, list[str]]:
    opened = drafts.opened(session, survey_id)
    items = outline(opened.source).items if opened.is_changed else None
    return form_media.pictures(items) if items is not None else {}


def missing(session: Session, survey_id: int, items: Items | None = None) -> str:
    """A sentence before fieldwork about pictures that the version in use, or a draft of these items, names and nobody
    has uploaded; '' when none is missing."""
    version = questionnaire.current(session, survey_id)
    named = form_media.pictures(version.items if items is None else items)
    there = picture_store.of_version(session, version.id) if named else {}
    names = [name for name in named if name not in there]
    if not names:
        return ""
    told = ", ".join(names[:SAID]) + ("…" if len(names) > SAID else "")
    return str(_("Pictures that the questionnaire names are not uploaded: %(names)s. Until they are, only words are"
                 " shown in their place.", names=told))  # fmt: skip


def keep(session: Session, survey_id: int, files: Iterable[PictureFile], user_id: int | None) -> tuple[int, list[str]]:
    """Put each picture where its name says; returns how many, and a sentence for each that was left."""
    held = _held(session, survey_id)
    known, kept, refused = {one.name: one for one in listed(session, survey_id)}, 0, []
    for file in files:
        named = known.get(form_media.plain(file.name))
        if named is None:
            refused.append(_strange(file.name, known))
        elif named.is_fixed and not _is_same(named, file):
            refused.append(_fixed(file.name))
        elif not named.is_fixed:
            picture_store.keep(session, held.id, file, user_id)
            kept += 1
    return kept, refused


def remove(session: Session, survey_id: int, name: str) -> None:
    """The name has no picture any more. Harmless when it had none. Raises Refused("frozen")."""
    held = _held(session, survey_id)
    if held.frozen_at is not None and name in form_media.pictures(held.items):
        raise Refused("frozen", _fixed(name))
    session.execute(
        delete(QuestionnairePicture)
        .where(QuestionnairePicture.questionnaire_id == held.id, QuestionnairePicture.name == name)
    )  # fmt: skip


def find(session: Session, survey_id: int, sha256: str) -> Picture:
    """A picture that some version of this survey shows. Raises NotFound."""
    found = session.scalar(
        select(Picture)
        .join(QuestionnairePicture, QuestionnairePicture.sha256 == Picture.sha256)
        .join(Questionnaire, Questionnaire.id == QuestionnairePicture.questionnaire_id)
        .where(Questionnaire.survey_id == survey_id, Picture.sha256 == sha256)
        .options(undefer(Picture.content))
        .limit(1)
    )
    if found is None:
        raise NotFound(_("There is no such picture."))
    return found


def drawn(
    session: Session, version_id: int, question: Question | None, address: Callable[[str], str]
) -> dict[str, Drawn]:
    """The pictures of a question, by their names as it names them. `address`: of a SHA-256 on the page that asks."""
    if question is None or not question.names_pictures:
        return {}
    there = picture_store.of_version(session, version_id)
    names = filter(None, (question.image, *(choice.image for choice in question.choices)))
    found = {name: there[form_media.plain(name)] for name in names if form_media.plain(name) in there}
    return {name: Drawn(address(one.sha256), one.width, one.height) for name, one in found.items()}


def _held(session: Session, survey_id: int) -> Questionnaire:
    """The version in use, held: its first answer waits until its pictures are what they are."""
    version = questionnaire.current(session, survey_id)
    session.refresh(version, with_for_update=True)
    return version


def _is_same(named: Named, file: PictureFile) -> bool:
    return named.shown is not None and named.shown.sha256 == picture_store.digest(file.content)


def _strange(name: str, known: Iterable[str]) -> str:
    """With the name that was meant, where only the ending differs."""
    stem = form_media.plain(name).rpartition(".")[0]
    meant = next((one for one in known if stem and one.rpartition(".")[0] == stem), None)
    if meant:
        return str(_("%(file)s: the form names %(meant)s. Give the file that name, or write its own into the form.",
                     file=name, meant=meant))  # fmt: skip
    return str(_("%(file)s: the form names no such picture. Correct the name of the file, or write it into the form's"
                 " column media::image.", file=name))  # fmt: skip


def _fixed(name: str) -> str:
    return str(_("%(file)s: people have answered the version that names it, and what it showed stays. Give the"
                 " new picture another name, and write that into the form: it becomes a new version.",
                 file=name))  # fmt: skip
