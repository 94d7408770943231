"""Files that a form names in its columns `media::…`: their names, and what of the form shows them. Pure."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from surveys.forms.items import ASKED, Items
from surveys.forms.repeats import base_name


def plain(file: str) -> str:
    """`sonidos/Saludo.WAV` -> `saludo.wav`: forms and browsers write folders and capitals as they like."""
    return PurePosixPath(file.replace("\\", "/")).name.strip().lower()


def pictures(items: Items) -> dict[str, list[str]]:
    """{plain name of a picture: what shows it, as `vote` or `vote/azul`}, in the form's order and in any language."""
    found: dict[str, list[str]] = {}
    for place, files in _places(items):
        for file in files.values():
            shown = found.setdefault(plain(file), [])
            if place not in shown:
                shown.append(place)
    return found


def shows_pictures(item: Mapping[str, Any]) -> bool:
    """Does this question, or an answer of it, name a picture?"""
    return bool(item.get("image")) or any(choice.get("image") for choice in item["choices"])


def _places(items: Items) -> Iterator[tuple[str, dict[str, str]]]:
    for item in items["items"]:
        if item["type"] in ASKED and item.get("turn", {}).get("number", 1) == 1:  # turns of a repeat show the same
            yield base_name(item), item.get("image", {})
            for choice in item["choices"]:
                yield f"{base_name(item)}/{choice['name']}", choice.get("image", {})
