"""Sound files that a form names."""

from surveys.forms.items import Items, read_items
from surveys.forms.xlsform import read_workbook
from surveys.voice import prompt_media
from tests.surveys.survey_forms import workbook

SURVEY = [
    ["type", "name", "label::Español (es)", "media::audio::Español (es)", "repeat_count"],
    ["note", "intro", "Hola", "sonidos/Hola.WAV", ""],
    ["begin_repeat", "r", "", "", "2"],
    ["select_one yn", "q", "¿Sí?", "q.wav", ""],
    ["end_repeat", "", "", "", ""],
    ["text", "why", "¿Por qué?", "why.wav", ""],
]
CHOICES = [
    ["list_name", "name", "label::Español (es)", "media::audio"],
    ["yn", "yes", "Sí", "si.wav"],
    ["yn", "no", "No", ""],
]


def items() -> Items:
    return read_items(read_workbook(workbook(SURVEY, CHOICES)))


def test_each_file_says_the_sentences_that_name_it() -> None:
    assert prompt_media.named(items(), "es") == {
        "hola.wav": ["item/intro"],
        "q.wav": ["item/q.1", "item/q.2"],
        "si.wav": ["choice/q.1/yes", "choice/q.2/yes"],
    }


def test_a_recording_of_another_language_stands_in_for_nothing() -> None:
    assert set(prompt_media.named(items(), "en")) == {"si.wav"}
