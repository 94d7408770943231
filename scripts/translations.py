"""Keep the catalogues of sentences true to the code: collect, fill in, compile.

`python -m scripts.translations` collects every sentence of the code into the catalogues and names what is still
missing in Spanish; `--fill FILE…` takes translations from JSON files ({"English": "español"}, plural: a list of two);
`--compile` only makes the compiled files that the product reads.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "callcenter" / "base" / "translations"
LANGUAGES = ("es", "en")
FLOORS = ("callcenter", "surveys", "campaigns")
KEYWORDS = {
    "_": None, "_l": None, "N_": None, "gettext": None, "lazy_gettext": None, "gettext_noop": None,
    "ngettext": (1, 2), "lazy_ngettext": (1, 2), "pgettext": ((1, "c"), 2),
}  # fmt: skip

HEADER = """# Sentences of Convoca; kept by `python -m scripts.translations`.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.translations", description=__doc__)
    parser.add_argument("--fill", nargs="+", type=Path, default=[], metavar="FILE", help="JSON files of translations")
    parser.add_argument("--compile", action="store_true", help="only compile")
    options = parser.parse_args(arguments)
    if not options.compile:
        update(options.fill)
    for language in LANGUAGES:
        compile_catalog(language)
    missing = [message.id for message in read("es") if is_missing(message)]
    for text in missing:
        print(f"missing in Spanish: {text!r}", file=sys.stderr)
    return 1 if missing else 0


def update(files: Iterable[Path]) -> None:
    """Bring both catalogues to the sentences of the code; English is the source itself."""
    collected = collect()
    given: dict[str, str | list[str]] = {}
    for file in files:
        given.update(json.loads(file.read_text()))
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(collected, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        for message in catalog:
            _fill(message, language, given)
        _write(catalog, language)


def collect() -> Catalog:
    """Every sentence that the code shows to people."""
    catalog = Catalog(project="Convoca", charset="utf-8", fuzzy=False)
    with (FOLDER.parent / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel leaves it untyped
    for floor in FLOORS:
        found = extract_from_dir(ROOT / floor, list(_below(methods, floor)), options, KEYWORDS, comment_tags=("i18n:",))
        for name, _line, text, comments, context in found:
            catalog.add(text, None, [(f"{floor}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def read(language: str) -> Catalog:
    path = po_file(language)
    if not path.exists():
        return Catalog(locale=language, project="Convoca", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def compile_catalog(language: str) -> Path:
    """Write the compiled catalogue beside its source; returns its path."""
    path = po_file(language).with_suffix(".mo")
    draft = path.with_suffix(".mo.draft")
    with draft.open("wb") as file:
        write_mo(file, read(language))
    draft.replace(path)  # a process that is starting sees the old file or the new one, never half
    return path


def po_file(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def is_missing(message: Message) -> bool:
    """Has this sentence no translation, or not all of its plural forms?"""
    if not message.id:
        return False
    strings = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    return not all(strings)


def _below(methods: Iterable[tuple[str, str]], floor: str) -> Iterator[tuple[str, str]]:
    for pattern, method in methods:
        if pattern.startswith("**"):
            yield pattern, method
        elif pattern.startswith(floor + "/"):
            yield pattern.removeprefix(floor + "/"), method


def _fill(message: Message, language: str, given: dict[str, str | list[str]]) -> None:
    if not message.id:
        return
    is_plural = isinstance(message.id, (list, tuple))
    if language == "en":
        message.string = tuple(message.id) if is_plural else message.id
        return
    if not is_missing(message):
        return
    if is_plural:
        forms = given.get(message.id[0])
        message.string = (
            tuple(forms) if isinstance(forms, list) else tuple(str(given.get(one, "")) for one in message.id)
        )
    else:
        message.string = str(given.get(str(message.id), ""))


def _write(catalog: Catalog, language: str) -> None:
    path = po_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = io.BytesIO()
    # Without line numbers, dates and line breaks a changed sentence is a changed line, and nothing else is.
    write_po(body, catalog, width=0, omit_header=True, sort_output=True, no_location=True)
    draft = path.with_suffix(".po.draft")
    draft.write_bytes(HEADER.format(language=language).encode() + body.getvalue())
    draft.replace(path)  # who collects at the same moment reads the old file or the new one, never an empty one


if __name__ == "__main__":
    sys.exit(main())
