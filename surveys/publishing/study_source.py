"""What a package is made of, read in one go and free of the session: so that nothing waits while files are written."""

import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from callcenter.base.errors import Refused
from surveys import questionnaire, responses, studies
from surveys.forms import form_media
from surveys.forms.items import Items
from surveys.pictures import picture_store
from surveys.publishing import study_checklist, study_coded, study_facts, study_files, study_packages
from surveys.publishing.study_checklist import Checklist
from surveys.publishing.study_facts import Said
from surveys.responses import Responses
from surveys.vote import vote_recipes
from surveys.vote.vote_recipe import Recipe as VoteRecipe
from surveys.weighting import weight_recipe, weight_recipes
from surveys.weighting.weight_recipe import Recipe as WeightRecipe

ROOT = Path(__file__).parents[2]
# What reckons and writes: named in the study with their versions.
SOFTWARE = ("numpy", "scipy", "polars", "svy", "pyxform", "pyreadstat", "openpyxl", "typst")


@dataclass(frozen=True)
class Form:
    """One version of the questionnaire, as it was asked. `pictures`: name in the form -> file among the source's."""

    version: int
    file_name: str
    sha256: str
    items: Items
    xform: str
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attachment:
    kind: str
    file_name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Recipes:
    """How the figures are made. `weights` None: everybody counts once; `vote` None: no vote is asked for."""

    weights: WeightRecipe | None
    vote: VoteRecipe | None
    signed: bool

    def as_json(self) -> dict[str, Any]:
        return {"weights": weight_recipe.to_json(self.weights) if self.weights else None,
                "vote": self.vote.as_json() if self.vote else None, "weights_signed": self.signed}  # fmt: skip

    @property
    def needed(self) -> frozenset[str]:
        """Names of the variables that the recipes read."""
        margins = self.weights.targets.margins if self.weights else ()
        named = {part.strip() for margin in margins for part in margin.variable.split("*")}
        read = {prefix + name for name in named for prefix in weight_recipe.PREFIXES}
        questions = (self.vote.question, self.vote.likely_question, self.vote.leaning, *self.vote.groups) if self.vote \
            else ()  # fmt: skip
        return frozenset(read | set(questions))


@dataclass(frozen=True)
class Source:
    """Everything that a package is made of. `responses` still hold what must not leave: publishing.open_data."""

    package_id: int
    language: str
    survey_id: int
    survey: str
    said: Said
    fingerprint: str
    checklist: Checklist
    forms: tuple[Form, ...]
    responses: Responses
    recipes: Recipes
    rejection: Mapping[str, Any]
    attachments: tuple[Attachment, ...]
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def as_of(self) -> datetime:
        return self.responses.as_of


def read(session: Session, package_id: int) -> Source | None:
    """None when the package is wanted no more."""
    package = study_packages.find(session, package_id)
    if package.state != "asked":
        return None
    study = studies.find(session, package.study_id)
    survey = questionnaire.find(session, study.survey_id)
    forms = [_form(session, form) for form in questionnaire.versions(session, survey.id)]
    found = study_coded.with_coded(session, responses.read(session, survey.id), package.language)
    return Source(
        package_id=package_id,
        language=package.language,
        survey_id=survey.id,
        survey=survey.name,
        said=study_facts.said(session, study),
        fingerprint=study_facts.fingerprint(session, study),
        checklist=study_checklist.checklist(found.as_of.date()),
        forms=tuple(forms),
        responses=found,
        recipes=recipes(session, survey.id),
        rejection=study_facts.rejection(session, survey.id),
        attachments=tuple(_attachment(file) for file in study_files.with_firm(session, study.id)),
        pictures=picture_store.contents(session, {name for form in forms for name in form.pictures.values()}),
    )


def recipes(session: Session, survey_id: int) -> Recipes:
    """The recipes in force."""
    written = weight_recipes.versions(session, survey_id)
    try:
        vote = vote_recipes.in_force(session, survey_id)
    except Refused:
        vote = None
    is_signed = not written or any(version.signed_at for version in written)
    return Recipes(weight_recipes.in_force(session, survey_id), vote, is_signed)


def _form(session: Session, form: questionnaire.Questionnaire) -> Form:
    named, there = form_media.pictures(form.items), picture_store.of_version(session, form.id)
    pictures = {name: there[name].file for name in named if name in there}
    return Form(form.version, form.file_name, form.sha256, form.items, form.form, pictures)


def _attachment(file: study_files.StudyFile) -> Attachment:
    return Attachment(file.kind, file.file_name, file.content_type, file.content)


def software() -> dict[str, str]:
    """Name -> version of what reckons and writes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"Convoca": project["version"], "Python": platform.python_version()} | {
        name: version(name) for name in SOFTWARE
    }
