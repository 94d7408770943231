"""Finding somebody of a campaign's list, to say why they are not being called."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import trunks
from callcenter.contacts import Contact
from callcenter.people import contact_search
from callcenter.people.contact_search import Search
from callcenter.phones import normalise
from callcenter.queueing import person_waits
from callcenter.queueing.person_waits import Wait
from callcenter.queues import CallQueue, QueueEntry

SHOWN = 10
LOOKED_AT = 200  # people of one name that are looked through for those on the list


@dataclass(frozen=True)
class Found:
    """`people`: who was found and what keeps each; `is_cut`: there may be more. `by`: number | phone | name."""

    people: list[tuple[Contact, Wait]]
    is_cut: bool
    by: str


def find(session: Session, queue: CallQueue, words: str, *, by_phone: bool) -> Found:
    """People by their number, by their phone where `by_phone` allows it, or by name. Who is found by number or phone
    and is not on the list is told so; by name only people of the list are shown."""
    by, people = look_up(session, words, by_phone=by_phone)
    is_cut = len(people) >= LOOKED_AT
    if by == "name":
        people = _of_queue(session, queue.id, people)
    simulated = trunks.reach_invented(session, queue.carrier)
    shown = [(one, person_waits.in_queue(session, queue, one, simulated=simulated)) for one in people[:SHOWN]]
    return Found(shown, is_cut or len(people) > SHOWN, by)


def look_up(session: Session, words: str, *, by_phone: bool) -> tuple[str, list[Contact]]:
    """("number" | "phone" | "name", people): whom these words mean, at most LOOKED_AT."""
    words = words.strip()[:100]
    if words.isascii() and words.isdecimal() and len(words) < 10:
        person = session.get(Contact, int(words))
        return "number", [person] if person else []
    numbers = normalise(words).numbers if by_phone else ()
    if numbers:
        return "phone", contact_search.find(session, Search(phone=numbers[0].e164), limit=LOOKED_AT)
    return "name", contact_search.find(session, Search(name=words), limit=LOOKED_AT) if words else []


def _of_queue(session: Session, queue_id: int, people: list[Contact]) -> list[Contact]:
    ids = [one.id for one in people]
    listed = select(QueueEntry.contact_id).where(QueueEntry.queue_id == queue_id, QueueEntry.contact_id.in_(ids))
    of_list = set(session.scalars(listed))
    return [one for one in people if one.id in of_list]
