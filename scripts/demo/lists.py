"""What the demonstration's data clerk has prepared for lists: an attribute, and how a committee's columns are taken."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from callcenter.lists import saved_mappings
from callcenter.lists.import_columns import ATTRIBUTE
from callcenter.people import attributes

SCHOOLING = "escolaridad"
COLUMNS = (
    ("NOMBRE", "name"), ("AP_PATERNO", "surname"), ("AP_MATERNO", "second_surname"), ("CELULAR", "mobile"),
    ("SECCION", "section"), ("NIVEL", ATTRIBUTE + SCHOOLING), ("OBSERVACIONES", ""),
)  # fmt: skip


def load(session: Session, user_ids: Mapping[str, int]) -> None:
    clerk = user_ids.get("captura")
    attributes.define(
        session, SCHOOLING, "Escolaridad", "choice",
        ["primaria", "secundaria", "preparatoria", "universidad"], user_id=clerk,
    )  # fmt: skip
    saved_mappings.save(
        session, "Comité de la zona norte", COLUMNS, policies={"section": "fill"}, sex_letters=None, user_id=clerk
    )
