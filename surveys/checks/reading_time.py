"""How long it takes at least to ask a question: what was answered sooner was not read out, or not read. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from surveys.forms.expressions import REFERENCE

# Words of the question itself a second, faster than which nobody is understood. An interviewer reads some 150 words a
# minute aloud; 240 are gabbled. A recording says 150, and may be cut short by a key. On a page people read silently,
# 250 words a minute; above 420 they skim. In a chat nobody knows when a message was read.
FASTEST = {"screen": 4.0, "agi": 5.0, "twiml": 5.0, "web": 7.0}
FEWEST = 4  # words; a shorter question may be answered at a glance
WORD = re.compile(r"\w+")


def words(text: str) -> int:
    """Words of a question, those of names that are filled in left out: nobody knows how many they were."""
    return len(WORD.findall(REFERENCE.sub(" ", text)))


def shortest(item: Mapping[str, Any], language: str, face: str) -> float | None:
    """Seconds in which this question can be asked at the very least; None where time says nothing.

    Only the words of the question count: choices are often not read, and hints are for the interviewer."""
    if face not in FASTEST or item["type"] not in ("select_one", "select_multiple", "integer", "decimal", "text"):
        return None
    label: Mapping[str, str] = item["label"]
    number = words(label.get(language) or next(iter(label.values()), ""))
    return number / FASTEST[face] if number >= FEWEST else None
