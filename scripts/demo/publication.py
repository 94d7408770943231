"""The demonstration's study: begun, with who ordered and paid it, so that a newcomer sees what is still missing."""

from sqlalchemy.orm import Session

from surveys import studies
from surveys.studies import Payer, Study, Written

FIRM = {
    "name": "Estudio de Opinión Demostración",
    "legal_name": "Estudio de Opinión Demostración, S.C. (inventada)",
    "contact": "Calle Inventada 1, Minatitlán; contacto@convoca.invalid",
    "experience": "Empresa inventada para esta demostración.",
    "memberships": "Ninguna.",
}
SPONSOR = {
    "name": "Diario Inventado",
    "legal_name": "Diario Inventado, S.A. de C.V. (inventada)",
    "contact": "Avenida Inventada 2, Minatitlán; redaccion@convoca.invalid",
}
RECORD = {
    "objectives": "Conocer la intención de voto para presidente municipal de Minatitlán.",
    "population": "Personas de 18 años o más con credencial para votar vigente de Minatitlán.",
    "frame": "Lista inventada de la demostración, con teléfonos que no son de nadie.",
    "collection": "Entrevistas por teléfono con cuestionario, por operadores, en el horario de llamadas.",
    "nonresponse": "Quien no contesta la pregunta de voto queda fuera de la base; indecisos, «no sabe» y «no votaría»"
    " se informan aparte.",
}


def load(session: Session, survey_id: int, user_id: int) -> Study:
    """A draft that lacks how people were drawn, how answers were processed, and every file."""
    studies.save_firm(session, FIRM, user_id)
    study = studies.begin(session, survey_id, user_id)
    parties = {"sponsor": SPONSOR, "conductor": {field: FIRM[field] for field in SPONSOR}, "publisher": SPONSOR}
    paid = [Payer(SPONSOR["name"], "180000.00", "Factura inventada D-17")]
    title = "Intención de voto en Minatitlán, primera ola"
    return studies.save(session, study.id, Written(title, None, "local", (30,), RECORD, parties, paid), user_id)
