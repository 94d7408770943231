"""Reading an uploaded sound in a process of its own, as forms are read: the library is C, the file is anybody's."""

import base64

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.forms.form_reading import AT_ONCE, answer_parent, ask_child
from surveys.voice import sounds
from surveys.voice.sounds import Sound


def read_apart(content: bytes) -> Sound:
    """As `sounds.read_upload`, in a child process; the caller holds no transaction. Raises InvalidInput."""
    if len(content) > sounds.LARGEST:
        raise sounds.too_large()
    if not AT_ONCE.acquire(blocking=False):
        raise InvalidInput({"file": _("Other files are being read. Try again in a few seconds.")})
    try:
        too_much = _("This sound takes more time or memory than a prompt should. Save it as WAV and upload it again.")
        answer = ask_child(__name__, content, too_much)
    finally:
        AT_ONCE.release()
    if "faults" in answer:
        raise InvalidInput(answer["faults"])
    return sounds.read_wav(base64.b64decode(str(answer["wav"])))


def main() -> None:
    answer_parent(lambda content: {"wav": base64.b64encode(sounds.read_upload(content).wav).decode()})


if __name__ == "__main__":
    main()
