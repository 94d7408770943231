"""Nothing on a screen is left in another language: both catalogues hold every sentence, and nothing else."""

import re

import pytest
from babel.messages.catalog import Message

from scripts import translations

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_the_catalogue_holds_every_sentence_translated(language: str) -> None:
    catalog = translations.read(language)
    known = {message.id for message in catalog if not translations.is_missing(message)}
    lacking = [message.id for message in translations.collect() if message.id and message.id not in known]
    assert lacking == [], "run python -m scripts.translations and translate these"


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_the_catalogue_holds_no_fuzzy_and_no_forgotten_sentence(language: str) -> None:
    catalog = translations.read(language)
    used = {message.id for message in translations.collect()}
    assert [message.id for message in catalog if message.id and message.fuzzy] == []
    assert [message.id for message in catalog if message.id and message.id not in used] == []
    assert list(catalog.obsolete) == []


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_placeholders_are_the_same_in_both_languages(language: str) -> None:
    wrong = [message.id for message in translations.read(language) if message.id and not _same_placeholders(message)]
    assert wrong == []


def _same_placeholders(message: Message) -> bool:
    sources = _forms(message.id)
    wanted = set(PLACEHOLDER.findall(" ".join(sources)))
    strings = [string for string in _forms(message.string) if string]
    if len(sources) == 1:
        return all(set(PLACEHOLDER.findall(string)) == wanted for string in strings)
    # A plural form may leave its number out ("one person").
    return all(set(PLACEHOLDER.findall(string)) <= wanted for string in strings)


def _forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())
