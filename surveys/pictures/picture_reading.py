"""Reading uploaded pictures in a process of its own, as forms are read: a ZIP unpacks there, with little memory."""

import base64
import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict
from io import BytesIO
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from callcenter.base.errors import InvalidInput
from surveys.forms.form_reading import AT_ONCE, answer_parent, ask_child
from surveys.pictures import picture_files
from surveys.pictures.picture_files import LARGEST_UPLOAD, PictureFile, Upload

NAMES = "names.json"


def read_apart(uploads: Iterable[FileStorage]) -> Upload:
    """The pictures among these files of a form, read in a child process; the caller holds no transaction.

    Raises InvalidInput when nothing could be read at all."""
    packed = _packed(uploads)
    if packed is None:
        return Upload()
    if not AT_ONCE.acquire(blocking=False):
        raise InvalidInput({"pictures": _("Other files are being read. Try again in a few seconds.")})
    try:
        too_much = _("These pictures take more time or memory than pictures should. Upload fewer at once.")
        answer = ask_child(__name__, packed, too_much)
    finally:
        AT_ONCE.release()
    if "faults" in answer:
        raise InvalidInput(answer["faults"])
    read = answer["read"]
    files = [PictureFile(**{**one, "content": base64.b64decode(one["content"])}) for one in read["files"]]
    return Upload(files, read["refused"])


def _packed(uploads: Iterable[FileStorage]) -> bytes | None:
    """All files as one, for the child's stdin; None without any. A ZIP that is not compressed carries them."""
    content, names, size = BytesIO(), list[str](), 0
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as frame:
        for upload in uploads:
            if upload.filename:
                with upload.stream:
                    inside = upload.stream.read(LARGEST_UPLOAD + 1)
                size += len(inside)
                if size > LARGEST_UPLOAD:
                    raise InvalidInput({"pictures": _("The pictures are larger than %(most)s MB together. Upload them"
                                                      " in parts.", most=LARGEST_UPLOAD >> 20)})  # fmt: skip
                frame.writestr(str(len(names)), inside)
                names.append(upload.filename)
        frame.writestr(NAMES, json.dumps(names))
    return content.getvalue() if names else None


def _read(packed: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(BytesIO(packed)) as frame:
        names = json.loads(frame.read(NAMES))
        upload = picture_files.read_upload((name, frame.read(str(at))) for at, name in enumerate(names))
    files = [{**asdict(one), "content": base64.b64encode(one.content).decode()} for one in upload.files]
    return {"read": {"files": files, "refused": upload.refused}}


def main() -> None:
    answer_parent(_read)


if __name__ == "__main__":
    main()
