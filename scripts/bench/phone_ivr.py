"""Recorded surveys side by side: how long after a key the next sound of the survey begins."""

import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from scripts.bench import Figure
from scripts.bench.floor import p95, rows
from scripts.bench.phone_stage import Stage
from scripts.simulated_telephones import Call

DIGITS, SEED = "97", 1
AFTER = (0.3, 1.3)  # seconds of silence after a question before a key is pressed: nobody presses in step
LONGEST = 240.0


def steps(found: Stage, interviews: int, questions: int) -> list[Figure]:
    """So many interviews at the same time; milliseconds from the end of each key to the next sound."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        form = Path(folder) / "bench.xlsx"
        write_form(form, questions)
        survey = found.worker.do("make_survey", path=str(form))
    caller = Caller(found)
    found.worker.heard = caller.hear
    daemon = found.product.pids()["ivr"]
    os.kill(daemon, signal.SIGSTOP)  # it loses its lease to the worker, who tells of each step
    found.worker.do("hold_surveys")
    os.kill(daemon, signal.SIGKILL)  # started again it stands by
    queue = found.worker.do(
        "make_queue",
        people=interviews + 1,
        digits=DIGITS,
        columns={"answered_by": "recording", "script": f"survey/{survey}"},
    )
    _interview(found, queue, 1)  # the first one has the sentences spoken, which are kept as files
    caller.waits.clear()
    complete = _interview(found, queue, interviews)
    return [
        Figure("ivr_step_p95_ms", p95(caller.waits), "ms", target=60),
        Figure("ivr_step_median_ms", statistics.median(caller.waits), "ms"),
        Figure("ivr_steps", len(caller.waits), "steps"),
        Figure("ivr_complete", complete, "interviews", target=interviews),
    ]


def _interview(found: Stage, queue_id: int, number: int) -> int:
    """Hold so many interviews at once; returns how many were completed."""
    calls = found.worker.do("begin", queue_id=queue_id, number=number)
    told = "SELECT disposition FROM calls WHERE id::text = ANY(:calls) AND disposition IS NOT NULL"
    until = time.monotonic() + LONGEST
    while len(ended := rows(found.engine, told, calls=calls)) < number and time.monotonic() < until:
        time.sleep(0.2)
    return sum(row.disposition == "completed" for row in ended)


class Caller:
    """Presses the keys of everybody who is asked, and notes how long each waited for the next sound."""

    def __init__(self, found: Stage) -> None:
        self._found, self._dice = found, random.Random(SEED)
        self._phones: dict[str, str] = {}  # leg -> number
        self.waits: list[float] = []  # milliseconds

    def hear(self, said: Mapping[str, Any]) -> None:
        """A step has begun on a leg (scripts.bench.phone_worker.hold_surveys)."""
        if said["asks"]:
            threading.Timer(
                said["seconds"] + self._dice.uniform(*AFTER), self._press, (said["leg"], _key(said["prompts"]))
            ).start()

    def _press(self, leg: str, key: str) -> None:
        call = self._call(leg)
        if call is None or call.state != "up":
            return
        pressed, sounds = len(call.keys_sent_at), len(call.heard.began)
        self._found.network.press(call, key)
        until = time.monotonic() + 5
        while time.monotonic() < until and call.state == "up":
            if len(call.keys_sent_at) > pressed and len(call.heard.began) > sounds:
                self.waits.append((call.heard.began[sounds][0] - call.keys_sent_at[-1]) * 1000)
                return
            time.sleep(0.005)

    def _call(self, leg: str) -> Call | None:
        if leg not in self._phones:
            (row,) = rows(self._found.engine, "SELECT phone FROM attempts WHERE id = CAST(:id AS uuid)", id=leg)
            self._phones[leg] = row.phone
        return self._found.network.last_call(self._phones[leg])


def _key(prompts: list[str]) -> str:
    """The key of the challenge, else the first choice."""
    challenge = next((prompt for prompt in prompts if prompt.startswith("system/challenge/")), None)
    return challenge.rpartition("/")[2] if challenge else "1"


def write_form(path: Path, questions: int) -> None:
    """An XLSForm of questions with two choices each."""
    book = Workbook()
    survey = book.create_sheet("survey", 0)
    survey.append(["type", "name", "label::Español (es)"])
    for number in range(1, questions + 1):
        survey.append(["select_one si_no", f"p{number}", f"Pregunta {number}: ¿está de acuerdo?"])
    choices = book.create_sheet("choices")
    choices.append(["list_name", "name", "label::Español (es)"])
    choices.append(["si_no", "si", "Sí"])
    choices.append(["si_no", "no", "No"])
    settings = book.create_sheet("settings")
    settings.append(["form_title", "form_id", "default_language"])
    settings.append(["Bench", "bench", "Español (es)"])
    book.save(path)
