"""The call centre's own past: who was at work in the shifts, what they wrote down of people, what they answer."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE
from callcenter.contacts import Contact
from callcenter.people import contact_notes
from callcenter.seats.operator_log import OperatorChange
from campaigns.correspondence import canned_replies
from scripts.demo import past_calls, rows
from scripts.demo.past import SHIFTS, real

Change = tuple[datetime, str, str | None]  # when, state, reason
ABOUT_PEOPLE = (
    "Pide que se le llame después de las cinco.",
    "Oye poco del lado derecho: hablar despacio.",
    "Preguntó si con la encuesta le dan la despensa; se le dijo que no.",  # a listed word: a supervisor looks at it
)
CANNED = {
    "quienes": "Hola {given_names|vecina, vecino}: somos Estudio de Opinión Demostración. Su teléfono está en la lista"
    " de quienes aceptaron nuestro aviso de privacidad.",
    "casilla": "Su sección es la {section|que dice su credencial}. La ubicación de su casilla la publica la autoridad"
    " electoral.",
    "horario": "Las casillas abren a las 8:00 y cierran a las 18:00.",
    "privacidad": "Sus respuestas se usan solo para el estudio. El aviso de privacidad: https://convoca.invalid/aviso",
}


def load(session: Session, user_ids: Mapping[str, int], *, seed: int) -> None:
    """Attendance of the past shifts, notes on people, and the replies that are written often."""
    rows.copy(session, OperatorChange, list(_changes(session, seed)))
    people = session.scalars(select(Contact.id).order_by(Contact.id).limit(len(ABOUT_PEOPLE))).all()
    for contact_id, said in zip(people, ABOUT_PEOPLE, strict=True):
        contact_notes.write(session, contact_id, said, user_ids["operador"], despite_words=True)
    for shortcut, text in CANNED.items():
        canned_replies.save(session, None, shortcut, text, user_ids["supervision"])


def _changes(session: Session, seed: int) -> Iterator[dict[str, Any]]:
    """What each of the simulated floor did in the shifts: log in, go available, talk, write up, rest, leave."""
    dice, talks = random.Random(f"{seed}/shifts"), past_calls.talks(session)
    for row in past_calls.crew(session):
        for day, opens, closes in SHIFTS:
            begin, end = (datetime.combine(day, time(hour), ZONE) for hour in (opens, closes))
            length = round((end - begin).total_seconds() / 60)
            shift = [(real(begin + timedelta(minutes=at)), state, why) for at, state, why in _shift(dice, length)]
            for at, state, reason in _with_talks(shift, talks.get(row.operator_id, [])):
                yield {"operator_id": row.operator_id, "at": at, "state": state, "reason": reason}


def _with_talks(shift: list[Change], talks: Sequence[past_calls.Talk]) -> list[Change]:
    """The shift and its calls. Who was given two calls at a time has the first; a rest that was due in a call begins
    after it."""
    found, free_at = shift[:2], shift[1][0]
    for talk in (*talks, None):
        due = [change for change in shift[2:] if talk is None or change[0] <= talk.connected_at]
        found += [(max(at, free_at), state, reason) for at, state, reason in due]
        shift = [*shift[:2], *shift[2 + len(due) :]]
        if talk is not None and len(shift) > 2 and talk.connected_at > free_at and found[-1][1] == "available":
            found += [(talk.connected_at, "in_call", None), (talk.hung_up_at, "wrap_up", None)]
            found.append((talk.ended_at, "available", None))
            free_at = talk.ended_at
    return found


def _shift(dice: random.Random, length: int) -> Iterator[tuple[float, str, str | None]]:
    """(minute, state, reason), in order. In a long one there is a meal and a short break, now and then too long."""
    yield dice.uniform(-8, 0), "paused", "starting"
    yield dice.uniform(0, 6), "available", None
    if length > 120:
        meal, rest = length / 2 + dice.uniform(-40, 40), length * 3 / 4 + dice.uniform(10, 40)
        yield meal, "paused", "meal"
        yield meal + dice.uniform(35, 63), "available", None
        yield rest, "paused", "break"
        yield rest + dice.uniform(6, 17), "available", None
    yield length - dice.uniform(1, 6), "offline", "own"
