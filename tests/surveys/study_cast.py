"""A study with all it needs, and people who were interviewed for it; everybody and everything invented."""

import struct
import zlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from surveys import studies
from surveys.publishing import study_files, study_jobs, study_packages
from surveys.publishing.study_files import Given
from surveys.publishing.study_packages import StudyPackage
from surveys.studies import PARTIES, PARTY_FIELDS, RECORD_FIELDS, Payer, Study, Written
from surveys.weighting import weight_recipes
from surveys.weighting.raking import Margin, Targets
from surveys.weighting.weight_recipe import Recipe
from tests.surveys import vote_cast


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


# One red point: the smallest picture that is sound.
PNG = (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
       + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + _chunk(b"IEND", b""))  # fmt: skip
PDF = b"%PDF-1.4\n% an invented file\n"
VOTES = ["azul"] * 14 + ["rojo"] * 12 + ["verde"] * 5 + ["none", "void", "wont_vote", "undecided", "undecided", "dk",
                                                         "refused"]  # fmt: skip
WHOLE = Written(
    title="Intención de voto, mayo",
    election_id=None,
    scope="local",
    states=(30,),
    record={field: f"Texto inventado de {field}." for field in RECORD_FIELDS} | {"is_first": True},
    parties={party: {field: f"{party} {field} inventado" for field in PARTY_FIELDS} for party in PARTIES},
    resources=[Payer("Periódico Inventado", "125,000.50", "Factura A-1")],
)
FIRM = {"name": "Encuestas Inventadas", "legal_name": "Encuestas Inventadas, S.C.", "contact": "contacto@example.org",
        "experience": "Diez años de estudios inventados.", "memberships": "Ninguna."}  # fmt: skip


def interviewed(session: Session, new_call: Callable[..., UUID], user_id: int) -> list[UUID]:
    """One interview a vote of VOTES, with problems of two kinds and a reason in words that name somebody."""

    def also(number: int) -> dict[str, str]:
        said = {"problems": "water crime" if number % 3 else "jobs"}
        named = VOTES[number] in ("azul", "rojo", "verde", "none", "void")
        return said | ({"why": "Porque lo dijo Juana Inventada"} if named else {})

    return vote_cast.ask(session, new_call, user_id, VOTES, also)


def weighted(session: Session, survey_id: int, user_id: int) -> None:
    """A recipe of weights that a second person signed."""
    targets = Targets((Margin("sex", {"H": 0.4, "M": 0.6}),))
    kept = weight_recipes.keep(session, survey_id, Recipe(targets, cap=5.0, source="Censo inventado"), user_id)
    weight_recipes.sign(session, survey_id, kept.version, vote_cast.second_person(session).id)


def whole_study(session: Session, survey_id: int, user_id: int, *, with_note: bool = True) -> Study:
    """A study in which people have entered everything; the figures come with its package."""
    studies.save_firm(session, FIRM, user_id)
    for kind in ("cv", "deed"):
        study_files.add(session, None, Given(kind, f"{kind}.pdf", PDF), user_id)
    study = studies.begin(session, survey_id, user_id)
    studies.save(session, study.id, WHOLE, user_id)
    for party in PARTIES:
        study_files.add(session, study.id, Given(f"logo_{party}", "logo.png", PNG), user_id)
    study_files.add(session, study.id, Given("contract", "contrato.pdf", PDF), user_id)
    if with_note:
        study_files.add(session, study.id, Given("note", "nota.pdf", PDF), user_id)
    session.commit()
    return study


def packaged(session: Session, study: Study, user_id: int, **asked: Any) -> StudyPackage:
    """The study's package, made as a worker makes it."""
    package = study_packages.ask(session, study.id, user_id, **asked)
    session.commit()
    study_jobs.make_package(package.id)
    session.expire_all()
    return study_packages.find(session, package.id)
