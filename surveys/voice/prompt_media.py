"""Sound files that a form names in its columns `media::audio`: which sentence each of them says. Pure."""

from collections.abc import Iterator, Mapping

from surveys import engine
from surveys.forms.form_media import plain
from surveys.forms.items import Items

AT_ONCE = 20  # files of one upload


def named(items: Items, language: str) -> dict[str, list[str]]:
    """{file name in small letters: keys of its sentences}; the turns of a repeat say the same."""
    found: dict[str, list[str]] = {}
    for key, file in _named(items, language):
        found.setdefault(plain(file), []).append(key)
    return found


def _named(items: Items, language: str) -> Iterator[tuple[str, str]]:
    for item in items["items"]:
        if item["type"] in engine.FACES["agi"]:
            if file := _in(item["audio"], language):
                yield f"item/{item['name']}", file
            for choice in item["choices"]:
                if file := _in(choice.get("audio", {}), language):
                    yield f"choice/{item['name']}/{choice['name']}", file


def _in(files: Mapping[str, str], language: str) -> str:
    """Of this language or of none: a recording in another tongue stands in for nothing."""
    return files.get(language) or files.get("", "")
