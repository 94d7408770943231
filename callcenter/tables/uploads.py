"""A file that somebody sends, kept for a worker: under a name of ours, and only while somebody knows of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from callcenter.base.errors import InvalidInput

_AT_ONCE = 1 << 20  # bytes


def chosen(file: FileStorage | None, endings: tuple[str, ...] = (), otherwise: str = "") -> FileStorage:
    """The file of a form. Raises InvalidInput when none was chosen, and with the sentence `otherwise` when its name has
    none of the `endings`."""
    if file is None or not file.filename:
        raise InvalidInput({"file": _("Choose a file.")})
    if endings and not file.filename.lower().endswith(endings):
        raise InvalidInput({"file": otherwise})
    return file


def name(file: FileStorage) -> str:
    """What its sender calls it, as much as a row keeps."""
    return Path(file.filename or "").name[:200]


@contextmanager
def kept(file: FileStorage, folder: Path, *, most: int | None = None, too_large: str = "") -> Iterator[Path]:
    """A copy of the file in `folder`. It goes again when anything is raised, so that none stays of which nothing in the
    database tells: commit inside. Raises InvalidInput with the sentence `too_large` beyond `most` bytes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / secrets.token_hex(16)  # never a name from outside
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
            while chunk := file.stream.read(_AT_ONCE):
                if most is not None and copy.tell() + len(chunk) > most:
                    raise InvalidInput({"file": too_large})
                copy.write(chunk)
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise
