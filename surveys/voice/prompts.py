"""What a recorded survey says: its own wording and its own recordings, per sentence and language; the rest is spoken.

A sentence has a key: `item/vote`, `choice/vote/azul`, `system/thanks`, `system/press/3`, `complaint/age`.
"""

import string
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from surveys.faces.sentences import SENTENCES
from surveys.forms import expressions
from surveys.forms.items import Items
from surveys.voice.sounds import Sound, name_of

LONGEST_TEXT = 1000
SOURCES = ("file", "microphone")


class PromptSound(Base):
    """A sound by its content: WAV, one channel, 8 kHz. Never changed."""

    __tablename__ = "prompt_sounds"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    wav: Mapped[bytes]
    seconds: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class Prompt(Base):
    """What differs from the questionnaire read out by the synthesiser: another `wording`, or a sound (`source`: file |
    microphone)."""

    __tablename__ = "prompts"
    __table_args__ = (Index("ix_prompts_sha256", "sha256"),)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    wording: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("prompt_sounds.sha256"))
    source: Mapped[str | None]
    file_name: Mapped[str | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Kept:
    """A survey's own prompts in one language. `sounds`: key → name of the sound; `wordings`: key → text."""

    sounds: Mapping[str, str] = field(default_factory=dict)
    wordings: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_sentences(self) -> dict[str, str]:
        """Wordings of the house's own sentences, by their code."""
        return {key.partition("/")[2]: text for key, text in self.wordings.items() if key.startswith("system/")}


def kept(session: Session, survey_id: int, language: str) -> Kept:
    rows = session.execute(_KEPT, {"survey_id": survey_id, "language": language}).all()
    return Kept(
        {row.key: row.sha256 for row in rows if row.sha256}, {row.key: row.wording for row in rows if row.wording}
    )


# Built once: it is asked at every turn of a conversation over a carrier's webhooks.
_KEPT = select(Prompt.key, Prompt.sha256, Prompt.wording).where(
    Prompt.survey_id == bindparam("survey_id"), Prompt.language == bindparam("language")
)


def listed(session: Session, survey_id: int, language: str) -> dict[str, Prompt]:
    """Every prompt of one's own, by key."""
    rows = session.scalars(select(Prompt).where(Prompt.survey_id == survey_id, Prompt.language == language))
    return {row.key: row for row in rows}


def sound(session: Session, sha256: str) -> bytes:
    """The WAV file of this name. Raises NotFound."""
    found = session.scalar(select(PromptSound.wav).where(PromptSound.sha256 == sha256))
    if found is None:
        raise NotFound(_("There is no such recording."))
    return found


def keep_sound(session: Session, prompt: tuple[int, str, str], made: Sound, *, source: str, file_name: str,
               user_id: int | None) -> str:  # fmt: skip
    """This sound stands in for the sentence from now on; returns its name. `prompt`: survey, language, key."""
    if source not in SOURCES:
        raise ValueError(f"no source {source!r}; there are {SOURCES}")
    wav = made.wav
    name = name_of(wav)
    row = insert(PromptSound).values(sha256=name, wav=wav, seconds=made.seconds, created_at=real_now())
    session.execute(row.on_conflict_do_nothing())
    _change(session, prompt, user_id, sha256=name, source=source, file_name=file_name[:200])
    return name


def reword(session: Session, prompt: tuple[int, str, str], text: str, items: Items, user_id: int | None) -> None:
    """Other words for the telephone than for the screen; '' goes back to the questionnaire's. Raises InvalidInput."""
    wording = " ".join(text.split())
    fault = fault_of(prompt[2], wording, items) if wording else None
    if fault:
        raise InvalidInput({"wording": fault})
    _change(session, prompt, user_id, wording=wording or None)


def remove_sound(session: Session, prompt: tuple[int, str, str], user_id: int | None) -> None:
    """The synthesiser speaks again. Harmless when there is no recording."""
    _change(session, prompt, user_id, sha256=None, source=None, file_name=None)


def _change(session: Session, prompt: tuple[int, str, str], user_id: int | None, **values: str | None) -> None:
    survey_id, language, key = prompt
    stamped = {**values, "changed_by": user_id, "changed_at": real_now()}
    row = insert(Prompt).values(survey_id=survey_id, language=language, key=key, **stamped)
    session.execute(row.on_conflict_do_update(index_elements=["survey_id", "language", "key"], set_=stamped))
    session.expire_all()


def fault_of(key: str, wording: str, items: Items) -> str | None:
    """What is wrong with these words for this sentence, in words."""
    if len(wording) > LONGEST_TEXT:
        return str(_("The text is longer than %(most)s characters; shorten it.", most=LONGEST_TEXT))
    kind, _slash, code = key.partition("/")
    if kind == "system":
        return _wrong_places(code, wording)
    known = {item["name"] for item in items["items"]}
    unknown = [name for name in expressions.references(wording) if name not in known]
    return str(_("There is no question called %(name)s.", name=unknown[0])) if unknown else None


def _wrong_places(code: str, wording: str) -> str | None:
    """A sentence of the house must name what it named."""
    wanted = _places(SENTENCES[code]["en"])
    try:
        given = _places(wording)
    except ValueError:
        return str(_("A brace { or } stands alone: write both, as in {key}."))
    lacking = [f"{{{name}}}" for name in wanted if name not in given]
    if lacking:
        return str(_("The text must contain %(places)s: the value is put in there.", places=", ".join(lacking)))
    foreign = [f"{{{name}}}" for name in given if name not in wanted]
    return str(_("Nothing is known to put in for %(places)s.", places=", ".join(foreign))) if foreign else None


def _places(text: str) -> list[str]:
    return [name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None]


def worded(items: Items, language: str, wordings: Mapping[str, str]) -> Items:
    """The questionnaire with the telephone's words in place of the screen's."""
    if not any(key.startswith(("item/", "choice/", "complaint/")) for key in wordings):
        return items
    changed = deepcopy(items)
    for item in changed["items"]:
        _put(item["label"], wordings.get(f"item/{item['name']}"), language)
        _put(item["constraint_message"], wordings.get(f"complaint/{item['name']}"), language)
        for choice in item["choices"]:
            _put(choice["label"], wordings.get(f"choice/{item['name']}/{choice['name']}"), language)
    return changed


def _put(texts: dict[str, str], wording: str | None, language: str) -> None:
    if wording:
        texts[language] = wording
