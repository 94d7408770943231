"""A study's package, made of its source: data, figures, tables, the study to read, and what makes them again.

No session and no clock: a worker calls this between two transactions. `watch(stage)` is told after each stage and
answers whether the package is still wanted.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from flask_babel import gettext as _

from callcenter.base import languages
from callcenter.tables.table_files import csv_line
from surveys.publishing import (
    codebook,
    data_files,
    package_archive,
    study_checklist,
    study_coded,
    study_document,
    study_facts,
    study_figures,
    study_pdf,
    study_source,
    study_tables,
)
from surveys.publishing.codebook import Variable
from surveys.publishing.open_data import OpenData, open_data
from surveys.publishing.package_archive import (
    CODEBOOK,
    CODED,
    DATA,
    FIGURES,
    RECIPES,
    SPSS,
    STUDY,
    TABLES,
    as_json,
    digest,
)
from surveys.publishing.study_figures import Figures, Method
from surveys.publishing.study_source import Recipes, Source
from surveys.responses import Responses
from surveys.weighting import weight_recipe
from surveys.weighting.raking import Weights, unweighted

Watch = Callable[[int], bool]


@dataclass(frozen=True)
class Made:
    """A finished package: its bytes, its figures, and the keys of what the checklist misses in it."""

    content: bytes
    figures: Figures
    missing: tuple[str, ...]


def build(source: Source, watch: Watch) -> Made | None:
    """The package; None when it was wanted no more. Raises CannotWeigh, InvalidInput where figures cannot be made."""
    with languages.speaking(source.language):
        opened = open_data(source.responses, source.recipes.needed)
        if not watch(1):
            return None
        # Figures come from the file itself, so that whoever reads it reckons with the same numbers.
        data, weighed = with_weights(opened.responses, source.recipes)
        figures = study_figures.figures(weighed, method(weighed, source.recipes))
        if not watch(2):
            return None
        described = codebook.variables(weighed, source.language)
        files = _data_files(source, opened, weighed, data, described)
        if not watch(3):
            return None
        files |= _figure_files(source, figures)
        files[TABLES] = study_tables.workbook(source, weighed, figures, described)
        if not watch(4):
            return None
        facts = study_facts.entered(source.said) | study_facts.found(figures, told(source))
        standings = study_checklist.standings(source.checklist, facts)
        document = study_document.document(source, figures, standings, {name: digest(files[name]) for name in files})
        files[STUDY] = study_pdf.pdf(document, source.attachments, source.as_of)
        if not watch(5):
            return None
        missing = tuple(fact.key for fact in study_checklist.missing(standings))
        content = package_archive.pack(files, _manifest(source, missing), source.as_of)
        return Made(content, _kept(source, weighed, figures), missing)


def told(source: Source) -> dict[str, Any]:
    """What the checklist asks beside the figures."""
    return {"rejection": source.rejection, "weights_signed": source.recipes.signed,
            "has_questionnaire": bool(source.forms), "software": study_source.software(),
            "has_database": True}  # fmt: skip


def with_weights(responses: Responses, recipes: Recipes) -> tuple[bytes, Responses]:
    """The data file with its weights, and the responses as they are read from that file. Raises CannotWeigh."""
    import polars as pl

    weights = weights_of(responses, recipes)
    frame = responses.frame.with_columns(pl.Series("weight", weights.values.astype(np.float64)))
    data = data_files.csv_bytes(frame)
    return data, replace(responses, frame=data_files.read_csv(data, responses.items))


def weights_of(responses: Responses, recipes: Recipes) -> Weights:
    if recipes.weights is None:
        return unweighted(responses.frame.height)
    return weight_recipe.weigh(recipes.weights, responses)


def method(responses: Responses, recipes: Recipes) -> Method:
    """With what these responses are counted. Raises CannotWeigh."""
    return Method(weights_of(responses, recipes), recipes.vote)


def _data_files(
    source: Source, opened: OpenData, weighed: Responses, data: bytes, described: list[Variable]
) -> dict[str, bytes]:
    lines = [csv_line(codebook.header()), *map(csv_line, codebook.rows(described))]
    left_out = [{"column": one.column, "why": one.why} for one in opened.left_out]
    files = {
        DATA: data,
        SPSS: data_files.sav_bytes(weighed.frame, described, source.said.title),
        CODEBOOK: "".join(lines).encode("utf-8-sig"),
        "data/left_out.json": as_json(left_out),
        CODED: as_json(study_coded.as_json(weighed.items, [form.items for form in source.forms])),
    }
    for form in source.forms:
        files[f"questionnaire/version-{form.version}.json"] = _form_json(form.items)
        files[f"questionnaire/version-{form.version}.xml"] = form.xform.encode()
        if form.pictures:
            files[f"questionnaire/version-{form.version}-pictures.json"] = as_json(form.pictures)
    shown = {name for form in source.forms for name in form.pictures.values()}
    files |= {f"questionnaire/{name}": source.pictures[name] for name in sorted(shown)}
    for number, attached in enumerate(source.attachments, 1):
        files[f"attachments/{number:02}-{attached.kind}-{attached.file_name}"] = attached.content
    return files


def _form_json(items: Mapping[str, Any]) -> bytes:
    # In the order in which they stand: the order of questions and answers is part of the questionnaire.
    return (json.dumps(items, ensure_ascii=False, indent=1) + "\n").encode()


def _figure_files(source: Source, figures: Figures) -> dict[str, bytes]:
    record = asdict(source.said) | {"rejection": dict(source.rejection)}
    return {
        FIGURES: as_json(figures),
        RECIPES: as_json(source.recipes.as_json()),
        "study.json": as_json(record),
        "README.txt": _readme().encode(),
    }


def _readme() -> str:
    said = _(
        "study.pdf is the study to read; tables.xlsx its tables; data/ the interviews without identities, with their"
        " codebook; questionnaire/ the versions as they were asked; recipes.json how the figures are made; figures.json"
        " every figure. package.json names the SHA-256 of each file."
    )
    again = _("To make every figure again from this package with Convoca:")
    return f"{said}\n\n{again}\n\n    flask surveys reproduce PACKAGE.zip\n"


def _manifest(source: Source, missing: tuple[str, ...]) -> dict[str, Any]:
    return {
        "title": source.said.title,
        "survey": source.survey,
        "as_of": source.as_of.isoformat(),
        "language": source.language,
        "languages": list(source.responses.languages),
        "vote_question": source.responses.vote_question,
        "likely_question": source.responses.likely_question,
        "versions": [{"version": form.version, "file": form.file_name, "sha256": form.sha256} for form in source.forms],
        "checklist": {"version": source.checklist.version, "missing": list(missing)},
        "software": study_source.software(),
    }


def _kept(source: Source, weighed: Responses, figures: Figures) -> Figures:
    """What the house keeps beside the ZIP, so that a page needs not open it."""
    words = {
        item.name: {"label": item.words(source.language),
                    "choices": {choice.code: choice.words(source.language) for choice in item.choices},
                    "roles": {choice.code: choice.role or "candidate" for choice in item.choices}}
        for item in weighed.items.values() if item.is_coded
    }  # fmt: skip
    vote = source.recipes.vote
    percents = {"style": vote.percents, "decimals": vote.decimals} if vote else {}
    return {"figures": figures, "rejection": dict(source.rejection), "words": words, "percents": percents}
