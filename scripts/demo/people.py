"""Five thousand invented people: Mexican names, and phones that no exchange can have given to anybody.

Numbers in Minatitlán (922) whose subscriber part begins with 0: valid in form, never assigned. Sex, age, section and
kind of line are those of the simulated citizen who answers there.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.consent import Consent
from callcenter.contacts import Contact, name_key
from scripts.demo import places, rows, structure
from scripts.simulated_carrier.citizens import Citizen, citizen

SOURCE = "Demostración"
MEN = (
    "José Luis", "Juan Carlos", "Miguel Ángel", "Francisco", "Jesús", "Antonio", "Alejandro", "Pedro", "Manuel",
    "Ricardo", "Roberto", "Fernando", "Daniel", "Jorge", "Eduardo", "Raúl", "Sergio", "Rafael", "Martín", "Ángel",
    "Héctor", "Óscar", "Mario", "Gerardo", "Rubén", "Iván", "Adrián", "Saúl", "Omar", "Gustavo",
)  # fmt: skip
WOMEN = (
    "María Guadalupe", "Juana", "Margarita", "Verónica", "Rosa Isela", "Leticia", "Alejandra", "Patricia",
    "Gabriela", "Ana María", "Elizabeth", "Claudia", "Silvia", "Norma", "Araceli", "Adriana", "Yolanda", "Teresa",
    "Martha", "Carmen", "Lucía", "Karla", "Daniela", "Fernanda", "Itzel", "Ximena", "Beatriz", "Rocío", "Esperanza",
    "Dulce María",
)  # fmt: skip
SURNAMES = (
    "Hernández", "García", "Martínez", "López", "González", "Rodríguez", "Pérez", "Sánchez", "Ramírez", "Cruz",
    "Flores", "Gómez", "Morales", "Vázquez", "Reyes", "Jiménez", "Torres", "Díaz", "Gutiérrez", "Mendoza", "Ruiz",
    "Aguilar", "Ortiz", "Castillo", "Moreno", "Romero", "Álvarez", "Chávez", "Rivera", "Ramos", "Domínguez",
    "Herrera", "Medina", "Vargas", "Castro", "Guzmán", "Juárez", "Salazar", "Ortega", "Delgado", "Peña", "Núñez",
    "Zamora", "Cortés", "Luna", "Santiago",
)  # fmt: skip
NEIGHBOURHOODS = {
    "U": (
        "Centro",
        "Obrera",
        "Santa Clara",
        "Playón Sur",
        "Nueva Mina",
        "Insurgentes Norte",
        "Petrolera",
        "Cuauhtémoc",
    ),
    "R": ("Tacoteno", "Capoacán", "Ejido La Palma", "Mapachapa", "Francisco I. Madero", "Otatitlán"),
}
CONSENT_SHARES = {"opted_in": 0.86, "unknown": 0.09, "opted_out": 0.05}
NOTICE = "aviso-2027-01"


def phones(count: int, seed: int) -> list[str]:
    """Invented phones: +52 922 01x xxxx."""
    numbers = random.Random(f"{seed}/phones").sample(range(100_000), count)
    return [f"+5292201{number:05d}" for number in numbers]


def load(
    session: Session,
    section_ids: dict[int, int],
    promoters: dict[int, tuple[int, int]],
    count: int,
    now: datetime,
    *,
    seed: int,
) -> None:
    """Insert the contacts and the evidence of what each agreed to. `promoters`: as `structure.load` returns them."""
    citizens = [citizen(phone, seed) for phone in phones(count, seed)]
    dice = random.Random(f"{seed}/people")
    written = [_row(person, section_ids, promoters, dice) for person in citizens]
    rows.copy(session, Contact, written)
    found = session.execute(select(Contact.phone, Contact.id).where(Contact.source == SOURCE))
    ids = {phone: contact_id for phone, contact_id in found}  # noqa: C416 - a result is no sequence of pairs
    evidence = [_evidence(ids[row["phone"]], row["consent"], number, now) for number, row in enumerate(written, 1)]
    rows.copy(session, Consent, [one for one in evidence if one])


def _row(
    person: Citizen, section_ids: dict[int, int], promoters: dict[int, tuple[int, int]], dice: random.Random
) -> dict[str, Any]:
    given = dice.choice(MEN if person.sex == "H" else WOMEN if person.sex == "M" else (*MEN, *WOMEN))
    name = f"{given} {dice.choice(SURNAMES)} {dice.choice(SURNAMES)}"
    section = places.section_at(person.section_kind, person.place)
    neighborhood, promoter = dice.choice(NEIGHBOURHOODS[person.section_kind]), dice.randint(1, structure.PROMOTERS)
    return {
        "name": name,
        "given_names": given,
        "name_key": name_key(name),
        "sex": person.sex,
        "age": person.age,
        "phone": person.phone,
        "line_kind": "mobile" if person.is_mobile else "landline",
        "line_kind_source": "demo",
        "neighborhood": neighborhood,
        "municipality": places.MUNICIPALITY,
        "state": 30,
        "section_number": section,
        "section_id": section_ids[section],
        "promoter": structure.name_of(promoter),
        "promoter_id": promoters[promoter][0],
        "organization_id": promoters[promoter][1],
        "source": SOURCE,
        "consent": dice.choices(tuple(CONSENT_SHARES), tuple(CONSENT_SHARES.values()))[0],
        "invented": True,
    }


def _evidence(contact_id: int, consent: str, number: int, now: datetime) -> dict[str, Any] | None:
    if consent == "unknown":
        return None
    return {
        "contact_id": contact_id,
        "kind": consent,
        "text_version": NOTICE,
        "proof": f"formato {number:05}",
        "source": SOURCE,
        "at": now - timedelta(days=30 + number % 60),
    }
