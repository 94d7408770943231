"""Reading an uploaded XLSForm in a process of its own: little memory, little time, and none of our secrets.

What a file does to the libraries that unpack and parse it, it does there; the web process only waits for the answer.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from flask import Flask
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _

from callcenter.base import languages
from callcenter.base.errors import InvalidInput
from surveys.questionnaire import ReadForm, read_form

ROOT = Path(__file__).parents[2]
SECONDS = 30.0  # of waiting
CPU_SECONDS = 20
MEMORY = 1 << 30  # bytes of addresses; a large questionnaire takes a third of it
AT_ONCE = BoundedSemaphore(2)


def read_apart(file_name: str, content: bytes) -> ReadForm:
    """As `questionnaire.read_form`, in a child process. Raises InvalidInput in the reader's language.

    The caller holds no transaction: the answer takes a second or two."""
    if not AT_ONCE.acquire(blocking=False):
        raise InvalidInput({"file": _("Other questionnaires are being read. Try again in a few seconds.")})
    try:
        too_much = _(
            "The form takes more time or memory than a questionnaire should."
            " Save the questionnaire alone in a new workbook."
        )
        answer = ask_child(__name__, content, too_much)
    finally:
        AT_ONCE.release()
    if "faults" in answer:
        raise InvalidInput(answer["faults"])
    return ReadForm(**{**answer["form"], "file_name": file_name.replace("\0", "")[:200]})


def ask_child(module: str, content: bytes, too_much: str) -> dict[str, dict[str, Any]]:
    """What `python -m module` answers about a file, as `answer_parent` writes it there; {"faults": …} if it finds any.

    `too_much`: what the person is told of a file that takes too long or too much memory."""
    command = [sys.executable, "-m", module, str(get_locale() or "es_MX"), str(MEMORY)]
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    try:
        ended = subprocess.run(  # noqa: S603  # our own words only: the file goes in by stdin
            command, input=content, capture_output=True, timeout=SECONDS, cwd=ROOT, env=environment, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise InvalidInput({"file": too_much}) from None
    answer: dict[str, dict[str, Any]] = json.loads(ended.stdout)
    return answer


def main() -> None:
    answer_parent(lambda content: {"form": asdict(read_form("", content))})


def answer_parent(read: Callable[[bytes], dict[str, Any]]) -> None:
    """In the child: the file from stdin, the answer as JSON to stdout."""
    locale, memory = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is not the answer
    app = Flask("convoca", root_path=str(ROOT), static_folder=None)
    languages.init_app(app)
    with app.app_context(), force_locale(locale):
        try:
            answer = read(sys.stdin.buffer.read())
        except InvalidInput as fault:
            answer = {"faults": dict[str, Any](fault.faults)}
    json.dump(answer, out)


if __name__ == "__main__":
    main()
