"""How soon a question can be answered at the earliest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.checks.reading_time import FASTEST, shortest, words


def item(label: str, kind: str = "select_one") -> dict[str, object]:
    return {"type": kind, "label": {"es": label}}


def test_names_that_are_filled_in_are_no_words() -> None:
    assert words("Buenas tardes, le llama ${operator_name} de parte de ${sponsor}.") == 7


@pytest.mark.parametrize(("face", "seconds"), [("screen", 3.0), ("agi", 2.4), ("web", 12 / 7)])
def test_a_face_is_heard_or_read_at_its_own_pace(face: str, seconds: float) -> None:
    label = "uno dos tres cuatro cinco seis siete ocho nueve diez once doce"
    assert shortest(item(label), "es", face) == pytest.approx(seconds)


@pytest.mark.parametrize(("label", "kind", "face"), [
    ("¿Sexo?", "select_one", "screen"), ("Le agradezco mucho su tiempo", "note", "screen"),
    ("¿Qué opinión tiene usted de esto?", "select_one", "whatsapp"),
])  # fmt: skip
def test_time_says_nothing_of_glances_notes_and_chats(label: str, kind: str, face: str) -> None:
    assert shortest(item(label, kind), "es", face) is None


@given(st.lists(st.from_regex(r"[a-zñ]{1,9}", fullmatch=True), min_size=4, max_size=80), st.sampled_from([*FASTEST]))
def test_a_longer_question_never_takes_less(parts: list[str], face: str) -> None:
    shorter, longer = item(" ".join(parts)), item(" ".join([*parts, "más"]))
    assert (shortest(shorter, "es", face) or 0) < (shortest(longer, "es", face) or 0)
