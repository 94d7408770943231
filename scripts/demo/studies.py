"""The demonstration's survey, segments and campaigns, made by the product's own functions."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from callcenter.base.settings import Settings
from campaigns import calling
from campaigns.calling import CallCampaign, CallPlan
from campaigns.mailings import message_approvals, message_campaigns, message_drafts
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.segments import Segment
from campaigns.telephoning import call_drafts
from campaigns.texts.wordings import LETTERS, Wording
from scripts.demo import panel, publication
from scripts.demo.places import DATA
from surveys import questionnaire
from surveys.questionnaire import Survey
from surveys.sampling import sample_drawing, sample_plans
from surveys.sampling.sample_plans import Wanted
from surveys.weighting import weight_recipes, weight_targets
from surveys.weighting.raking import Targets
from surveys.weighting.weight_recipe import Recipe

FORM, MARGINS = "encuesta_intencion.xlsx", "margenes.csv"
ON_BEHALF_OF = "Estudio de Opinión Demostración"
NOTICE_URL = "https://convoca.invalid/aviso-de-privacidad"
REMINDER = (
    "Hola {given_names|vecina, vecino}: Estudio de Opinión Demostración le recuerda que su sección es la {section}. "
    "Responda BAJA para no recibir mensajes."
)
INVITATIONS = (
    "Hola {given_names|vecina, vecino}: Estudio de Opinión Demostración le pregunta otra vez su opinión, 2 minutos: "
    "{survey_link} Responda BAJA para no recibir mensajes.",
    "Su opinión cuenta, {given_names|vecina, vecino}. Panel de Estudio de Opinión Demostración, 7 preguntas: "
    "{survey_link} ¿Mejor por aquí? Responda SÍ; BAJA para no recibir mensajes.",
)
SEGMENTS: dict[str, list[tuple[str, str, Any]]] = {
    "Aviso aceptado": [("consent", "in", ["opted_in"])],
    "Mujeres de 18 a 44 con aviso aceptado": [
        ("consent", "in", ["opted_in"]),
        ("sex", "in", ["M"]),
        ("age", "between", [18, 44]),
    ],
    "Secciones 2301 a 2310": [
        ("section", "in", list(range(2301, 2311))),
        ("consent", "in", ["opted_in"]),
    ],
}


@dataclass(frozen=True)
class Studies:
    survey: Survey
    panel: Survey  # repeated every month, by link
    calls: CallCampaign
    sent: MessageCampaign  # has its history of receipts; invites to the panel
    ready: MessageCampaign  # a newcomer may launch it


def load(session: Session, user_ids: dict[str, int], settings: Settings) -> Studies:
    """Two surveys, segments, a running calling campaign and three SMS campaigns."""
    strategist = user_ids["estrategia"]
    survey = questionnaire.create_survey(session, "", FORM, (DATA / FORM).read_bytes())
    survey.sponsor, survey.population = ON_BEHALF_OF, "Personas de 18 años o más con credencial en Minatitlán"
    weight_recipes.keep(session, survey.id, _weights(), user_ids["encuestas"])  # a newcomer may sign it off
    publication.load(session, survey.id, user_ids["encuestas"])
    everybody, young_women, ten_sections = _segments(session, strategist)
    _reserve(session, survey.id, everybody.id, user_ids["encuestas"])
    calls = calling.create(session, _plan(everybody.id, survey.id, settings), strategist)
    calling.launch(session, calls.id, strategist)
    call_drafts.begin(session, strategist, _half_made(ten_sections.id, survey.id))
    message_drafts.begin(session, strategist, _almost_done(young_women.id))
    invited = panel.begin(session, ON_BEHALF_OF, user_ids["encuestas"])
    sent = _invite(session, ten_sections.id, invited.id, settings, strategist)
    ready = message_campaigns.create(session, _message("Recordatorio", young_women.id, settings), strategist)
    message_approvals.approve(session, ready, message_approvals.version(session, ready), user_ids["administracion"])
    waits = message_campaigns.create(session, _message("Dónde está mi casilla", everybody.id, settings), strategist)
    message_approvals.ask(session, waits, strategist)
    return Studies(survey, invited, calls, sent, ready)


def _invite(session: Session, segment_id: int, survey_id: int, settings: Settings, user_id: int) -> MessageCampaign:
    """To the panel's third wave, in two wordings that are tried against each other."""
    plan = replace(
        _message("Invitación al panel, mayo", segment_id, settings), purpose="survey", text=INVITATIONS[0],
        survey_id=survey_id, trial_goal="replies", is_plain=True,
    )  # fmt: skip
    said = [Wording(letter, text, 50) for letter, text in zip(LETTERS, INVITATIONS, strict=True)]
    return message_campaigns.create(session, plan, user_id, said)


def _reserve(session: Session, survey_id: int, segment_id: int, user_id: int) -> None:
    """A sample that waits in its replicates: a newcomer may release it into the campaign."""
    wanted = Wanted("Muestra de reserva", "segment", str(segment_id), 600, replicates=6, seed="demostracion-2027",
                    target=120, strata=("sex",))  # fmt: skip
    sample_drawing.draw(session, sample_plans.create(session, survey_id, wanted, user_id))


def _weights() -> Recipe:
    """Invented shares of the population, as a pollster brings them."""
    text = (DATA / MARGINS).read_text(encoding="utf-8")
    targets = Targets(weight_targets.margins(weight_targets.read(text)))
    source = "Márgenes inventados de la demostración; X se pondera con M."
    return Recipe(targets, cap=5.0, source=source)


def _segments(session: Session, user_id: int) -> list[Segment]:
    segments = [
        Segment(
            name=name,
            rule={"all": [{"field": field, "op": op, "value": value} for field, op, value in rules]},
            created_by=user_id,
        )
        for name, rules in SEGMENTS.items()
    ]
    session.add_all(segments)
    session.flush()
    return segments


def _plan(segment_id: int, survey_id: int, settings: Settings) -> CallPlan:
    return CallPlan(
        name="Intención de voto, ola 1",
        segment_id=segment_id,
        purpose="survey",
        script=f"survey/{survey_id}",
        carrier="simulated",
        caller_id=settings.twilio.voice_number,
        on_behalf_of=ON_BEHALF_OF,
        privacy_notice_url=NOTICE_URL,
    )


def _half_made(segment_id: int, survey_id: int) -> dict[str, str]:
    """A draft that somebody goes on with: the privacy notice is missing."""
    return {
        "name": "Intención de voto, ola 2", "segment_id": str(segment_id), "purpose": "survey",
        "script": f"survey/{survey_id}", "on_behalf_of": ON_BEHALF_OF, "mode": "predictive", "team": "20",
    }  # fmt: skip


def _almost_done(segment_id: int) -> dict[str, str]:
    """A message that is written and was not looked at for the last time yet."""
    return {
        "name": "Gracias por responder", "segment_id": str(segment_id), "purpose": "neutral_reminder", "channel": "sms",
        "on_behalf_of": ON_BEHALF_OF, "text": REMINDER, "unit_price": "0.35",
    }  # fmt: skip


def _message(name: str, segment_id: int, settings: Settings) -> MessagePlan:
    return MessagePlan(
        name=name,
        segment_id=segment_id,
        purpose="neutral_reminder",
        text=REMINDER,
        sender=settings.twilio.sms_sender,
        carrier="simulated",
        on_behalf_of=ON_BEHALF_OF,
    )
