"""Prompts: one's own words and sounds, and what a recorded survey cannot say yet."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput, NotFound
from surveys import questionnaire
from surveys.faces.turns import Say
from surveys.forms.items import Items, read_items
from surveys.forms.xlsform import read_workbook
from surveys.questionnaire import Survey
from surveys.voice import prompt_catalogue, prompts, sounds, speech
from surveys.voice.sounds import Sound
from surveys.voice.spool import Spool
from tests.surveys.faces.people import Walk, setting
from tests.surveys.survey_forms import workbook


@pytest.fixture(autouse=True)
def spoken(tmp_path: Path) -> None:
    speech.configure(tmp_path / "speech")


def hum(seconds: float = 1.0, level: int = 9000) -> Sound:
    return Sound((np.sin(np.arange(int(seconds * 8000)) / 3) * level).astype(np.int16))


def keep(session: Session, survey: Survey, key: str, sound: Sound) -> str:
    return prompts.keep_sound(session, (survey.id, "es", key), sound, source="file", file_name="a.wav", user_id=None)


def test_a_sound_stands_in_until_it_is_removed_and_equal_sounds_are_kept_once(session: Session, survey: Survey) -> None:
    name = keep(session, survey, "item/vote", hum())
    assert keep(session, survey, "item/age", hum()) == name
    assert prompts.kept(session, survey.id, "es").sounds == {"item/vote": name, "item/age": name}
    assert prompts.sound(session, name) == hum().wav
    prompts.remove_sound(session, (survey.id, "es", "item/vote"), None)
    assert prompts.kept(session, survey.id, "es").sounds == {"item/age": name}
    with pytest.raises(NotFound):
        prompts.sound(session, "0" * 64)


def test_other_words_are_for_the_telephone_and_empty_ones_go_back(session: Session, survey: Survey) -> None:
    items = questionnaire.current(session, survey.id).items
    prompts.reword(session, (survey.id, "es", "item/sex"), " ¿Es usted hombre   o mujer? ", items, None)
    kept = prompts.kept(session, survey.id, "es")
    said = Walk(setting(prompts.worded(items, "es", kept.wordings))).begin_questions().press("1", "34")
    assert said.text.startswith("¿Es usted hombre o mujer?")
    assert items["items"][5]["label"]["es"] == "Sexo (no leer si es evidente)"  # the screen's stay
    prompts.reword(session, (survey.id, "es", "item/sex"), "", items, None)
    assert prompts.kept(session, survey.id, "es").wordings == {}


def test_the_houses_own_sentences_can_be_worded(session: Session, survey: Survey) -> None:
    items = questionnaire.current(session, survey.id).items
    prompts.reword(session, (survey.id, "es", "system/press"), "Marque {key}", items, None)
    own = prompts.kept(session, survey.id, "es").own_sentences
    walk = Walk(setting(items, wordings=own)).begin_questions()
    assert walk.step.say[1].then == Say("system/press/1", "Marque 1")


@pytest.mark.parametrize(
    ("key", "wording", "fault"),
    [
        ("system/identify", "Hola, somos {sponsor}.", "{notice}"),
        ("system/press", "Oprima.", "{key}"),
        ("system/thanks", "Gracias {nombre}", "{nombre}"),
        ("system/thanks", "Gracias {", "brace"),
        ("item/vote", "¿Y ${nadie}?", "nadie"),
        ("item/vote", "x" * 1001, "1000"),
    ],
)
def test_words_that_cannot_be_said_are_refused(
    session: Session, survey: Survey, key: str, wording: str, fault: str
) -> None:
    items = questionnaire.current(session, survey.id).items
    with pytest.raises(InvalidInput, match=fault.replace("{", r"\{")):
        prompts.reword(session, (survey.id, "es", key), wording, items, None)


def test_the_catalogue_names_every_sentence_that_a_conversation_can_say(sample_items: Items) -> None:
    known = {line.key for line in prompt_catalogue.lines(sample_items, "es")}
    walk = Walk(setting(sample_items)).begin_questions()
    walk.press("1", "7", "34", "2", "1", "8").choose("rojo").choose("azul").press("*").press("9")
    said = {say.prompt for step in [walk.step] for say in step.say}
    for state in walk.trace:
        assert state["act"] in ("listen", "ask", "wait", "record", "end")
    assert said <= known
    assert {"item/vote", "choice/vote/azul", "system/identify", "system/challenge/4", "system/press/9"} <= known
    assert not {"item/why", "item/sponsor"} & known  # not asked by telephone


def test_a_value_in_a_sentence_is_told_of(sample_items: Items) -> None:
    lines = {line.key: line for line in prompt_catalogue.lines(sample_items, "es")}
    assert lines["item/intro"].varies
    assert lines["system/identify"].varies
    assert not lines["item/vote"].varies
    assert not lines["system/press"].can_be_recorded
    assert lines["system/press/1"].can_be_recorded


def test_what_cannot_be_asked_by_keys_is_a_note_and_a_mute_language_is_grave(session: Session) -> None:
    rows = [
        ["type", "name", "label::Español (es)", "label::Náhuatl (nah)"],
        ["text", "why", "¿Por qué?", "¿Tleica?"],
        ["select_one many", "one", "¿Cuál?", "¿Catlia?"],
    ]
    choices = [["list_name", "name", "label::Español (es)", "label::Náhuatl (nah)"],
               *[["many", f"c{n}", f"Opción {n}", f"Opción {n}"] for n in range(11)]]  # fmt: skip
    survey = questionnaire.create_survey(session, "Dos", "dos.xlsx", workbook(rows, choices))
    gaps = prompt_catalogue.gaps(session, survey.id)
    assert [gap.is_grave for gap in gaps] == [True, False, False]
    assert "nah" in gaps[0].sentence
    assert "why" in gaps[1].sentence
    assert "11" in gaps[2].sentence


def test_steps_become_one_file_each_with_recordings_in_their_places(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    spool = Spool(tmp_path, "/there", {"s1": hum(2.0).wav}.__getitem__)
    label = Say("item/vote", "¿Por quién?")
    choice = Say("choice/vote/azul", "Azul: oprima 1.", Say("system/press/1", "Oprima 1."))
    path, seconds = spool.file([label, choice], "es", {})
    assert path.startswith("/there/prompts/")
    assert spool.file([label, choice], "es", {}) == (path, seconds)
    other, longer = spool.file([label, choice], "es", {"choice/vote/azul": "s1"})
    assert other != path
    assert longer > 2.0 + 2 * 0.25 + speech.spoken("Oprima 1.", "es").seconds
    file = tmp_path / "prompts" / f"{path.rpartition('/')[2]}.wav"
    assert abs(sounds.read_wav(file.read_bytes()).seconds - seconds) < 0.01


def test_files_that_nobody_uses_go_and_come_again(tmp_path: Path) -> None:
    import os

    (tmp_path / "prompts").mkdir()
    spool = Spool(tmp_path, str(tmp_path), lambda _name: b"")
    path, _seconds = spool.file([Say("x", "Hola")], "es", {})
    assert spool.tidy() == 0
    os.utime(f"{path}.wav", (1, 1))
    assert spool.tidy() == 1
    assert spool.file([Say("x", "Hola")], "es", {})[0] == path


def test_a_questionnaire_without_words_of_its_own_is_left_as_it_is() -> None:
    items = read_items(read_workbook(workbook([["type", "name", "label"], ["integer", "age", "¿Edad?"]])))
    assert prompts.worded(items, "es", {"system/thanks": "Gracias"}) is items
