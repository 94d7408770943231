"""Open answers on their way to codes: most are coded, a share by two people, and where they differ somebody decides."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from scripts.demo import rows
from surveys.coding import code_frames, codings
from surveys.coding.code_frames import Wanted
from surveys.coding.coding_tables import Coding
from surveys.interviews import Answer, Interview

ITEM = "why"
CODES = (
    ("servicios", "Agua, calles y otros servicios"),
    ("confianza", "Confianza en la persona"),
    ("costumbre", "La familia, la costumbre"),
    ("empleo", "Empleo"),
    ("seguridad", "Seguridad"),
    ("propuestas", "Propuestas"),
    ("cambio", "Cambio, cansancio de los partidos"),
    ("ninguno", "Nadie convence, protesta"),
)
MEANS = {
    "Porque ha cumplido en la colonia.": "servicios", "Ya la conozco y me da confianza.": "confianza",
    "Por el agua, ella sí la va a arreglar.": "servicios", "Porque es de aquí y es trabajador.": "confianza",
    "Mi familia siempre ha votado así.": "costumbre", "Por el empleo, ya hace falta.": "empleo",
    "Me gustan sus propuestas.": "propuestas", "Porque es mujer y es joven.": "confianza",
    "Por la seguridad.": "seguridad", "Porque no es de ningún partido.": "cambio",
    "Ya estoy cansado de los mismos.": "cambio", "Para que haya un cambio.": "cambio",
    "Ninguno me convence.": "ninguno", "Todos prometen y nadie cumple.": "ninguno",
    "Es mi manera de protestar.": "ninguno", "No me representan.": "ninguno",
}  # fmt: skip
# What another reader sees in them every other time.
DOUBTFUL = {
    "Por el agua, ella sí la va a arreglar.": "confianza",
    "Porque es mujer y es joven.": "cambio",
    "Todos prometen y nadie cumple.": "cambio",
    "Porque es de aquí y es trabajador.": "empleo",
}
CODED, CODED_TWICE = 0.75, 0.85  # of the answers; of those that two people code, and one has
DECIDED = 2


def load(session: Session, survey_id: int, user_ids: Mapping[str, int], *, seed: int) -> int:
    """Make the frame, code, and decide on some differences; returns how many answers are coded."""
    lines = "\n".join(f"{code} {label}" for code, label in CODES)
    frame = code_frames.save(session, survey_id, ITEM, Wanted(lines, False, "30"), user_ids["encuestas"])
    frame.seed = seed  # whose answers are coded twice is the same every time
    session.flush()
    told = session.execute(
        select(
            Answer.interview_id,
            Answer.value,
            codings.is_double(frame, Answer.interview_id.expression).label("is_double"),
        )
        .join(Interview, Interview.id == Answer.interview_id)
        .where(Interview.survey_id == survey_id, Interview.state != "void", Answer.item == ITEM, Answer.value != "")
        .order_by(Answer.interview_id)
    ).all()
    first = [one for one in told if _lot(one) < CODED]
    second = [one for one in first if one.is_double and _lot(one) < CODED * CODED_TWICE]
    at = real_now() - timedelta(minutes=5)
    given = [(one, user_ids["encuestas"], MEANS[one.value]) for one in first]
    given += [(one, user_ids["supervision"], _as_another_reads(one)) for one in second]
    rows.copy(session, Coding, [
        {"frame_id": frame.id, "interview_id": one.interview_id, "coder_id": coder, "codes": code, "at": at}
        for one, coder, code in given
    ])  # fmt: skip
    for one in codings.disagreements(session, frame, DECIDED):
        codings.decide(
            session, frame, one.verbatim.interview_id, [MEANS[one.verbatim.text]], user_ids["administracion"]
        )
    return len(first)


def _as_another_reads(one: Any) -> str:
    return DOUBTFUL.get(one.value, MEANS[one.value]) if one.interview_id.int % 2 else MEANS[one.value]


def _lot(one: Any) -> float:
    """From 0 to 1, always the same for the same interview."""
    return float(one.interview_id.int % 1009 / 1009)
