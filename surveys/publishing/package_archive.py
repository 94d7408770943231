"""The ZIP of a study as a container: its files, and a manifest with the hash of each, checked when it is opened."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput

FORMAT = 1
MANIFEST = "package.json"
DATA, FIGURES, RECIPES, STUDY = "data/data.csv", "figures.json", "recipes.json", "study.pdf"
SPSS, CODEBOOK, TABLES = "data/data.sav", "data/codebook.csv", "tables.xlsx"
CODED = "questionnaire/coded.json"  # questions that were made of open answers, by coders
# What a page offers one by one.
OFFERED = {"study.pdf": STUDY, "tables.xlsx": TABLES, "data.csv": DATA, "data.sav": SPSS, "codebook.csv": CODEBOOK}
LARGEST = 2 * 1024**3  # bytes that one file may unpack to


@dataclass(frozen=True)
class Package:
    """An opened package. `manifest`: what package.json says."""

    manifest: Mapping[str, Any]
    _zip: zipfile.ZipFile

    def read(self, name: str) -> bytes:
        """One file. Raises InvalidInput when it is not there."""
        try:
            info = self._zip.getinfo(name)
            if info.file_size > LARGEST:
                raise InvalidInput({"package": _("%(name)s is larger than any study.", name=name)})
            return self._zip.read(info)
        except (KeyError, zipfile.BadZipFile, RuntimeError, EOFError) as error:
            raise InvalidInput({"package": _("The package lacks %(name)s, or it is damaged.", name=name)}) from error

    def json(self, name: str) -> Any:
        try:
            return json.loads(self.read(name))
        except ValueError as error:
            raise InvalidInput({"package": _("%(name)s in the package is not JSON.", name=name)}) from error

    def names(self) -> list[str]:
        return self._zip.namelist()

    def changed(self) -> list[str]:
        """Files whose content is not what the manifest says, and files that it does not name."""
        said: Mapping[str, str] = self.manifest.get("files", {})
        others = sorted({*said, *self.names()} - {MANIFEST})
        return [name for name in others if name not in self.names() or said.get(name) != digest(self.read(name))]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pack(files: Mapping[str, bytes], manifest: Mapping[str, Any], at: datetime) -> bytes:
    """The ZIP. The same files at the same time make the same bytes."""
    said = {**manifest, "format": FORMAT, "files": {name: digest(content) for name, content in sorted(files.items())}}
    packed = io.BytesIO()
    stamp = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in [(MANIFEST, as_json(said)), *files.items()]:
            entry = zipfile.ZipInfo(name, stamp)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            file.writestr(entry, content)
    return packed.getvalue()


def as_json(value: Any) -> bytes:
    """JSON that people can read, always in the same order."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n").encode()


def open_package(content: bytes) -> Package:
    """Raises InvalidInput for what is no package of a study."""
    try:
        file = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise InvalidInput({"package": _("That is no ZIP file.")}) from error
    package = Package({}, file)
    if MANIFEST not in file.namelist():
        raise InvalidInput({"package": _("That ZIP file is no package of a study: it has no package.json.")})
    manifest = package.json(MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InvalidInput({"package": _("This package is of a format that this version does not know.")})
    return Package(manifest, file)
