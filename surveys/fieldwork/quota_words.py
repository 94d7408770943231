"""Quotas in words: strata, their values and cells, in the reader's language; and the words that a table may use."""

from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.contacts import SEXES, text_key
from callcenter.territory import SECTION_KINDS
from surveys.fieldwork.quota_cells import Dimension, QuotaPlan, Values
from surveys.forms.items import Items

FIELD_LABELS: dict[str, LazyString] = {
    "sex": _l("Sex"),
    "age": _l("Age"),
    "section_kind": _l("Kind of section"),
    "municipality": _l("Municipality"),
    "section": _l("Section"),
    "federal_district": _l("Federal district"),
    "local_district": _l("Local district"),
}
WHEN_FULL: dict[str, LazyString] = {
    "screen": _l("Ask the strata, thank the person and end: a short interview"),
    "finish": _l("Ask everything: an interview more than wanted"),
}
# Heads of columns and values as people write them in a table, compared by text_key.
COLUMNS: dict[str, tuple[str, ...]] = {
    "sex": ("sex", "sexo", "genero", "gender"),
    "age": ("age", "edad", "grupo de edad", "rango de edad", "age group", "edades"),
    "section_kind": ("section_kind", "tipo de seccion", "tipo", "kind of section"),
    "municipality": ("municipality", "municipio"),
    "section": ("section", "seccion"),
    "federal_district": ("federal_district", "distrito federal", "federal district"),
    "local_district": ("local_district", "distrito local", "local district"),
    "target": ("target", "meta", "objetivo", "cuota", "quota", "entrevistas", "interviews", "n"),
}
VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "sex": {
        "H": ("h", "hombre", "hombres", "masculino", "man", "men", "male"),
        "M": ("m", "mujer", "mujeres", "femenino", "woman", "women", "female"),
        "X": ("x", "no binario", "non-binary"),
    },
    "section_kind": {
        "U": ("u", "urbana", "urbano", "urban"), "M": ("m", "mixta", "mixto", "mixed"), "R": ("r", "rural"),
    },
}  # fmt: skip
_COLUMN_OF = {word: column for column, words in COLUMNS.items() for word in words}
_VALUE_OF = {field: {word: code for code, words in of.items() for word in words} for field, of in VALUES.items()}
_LABELS: dict[str, dict[str, LazyString]] = {"sex": SEXES, "section_kind": SECTION_KINDS}


def column_of(head: str) -> str | None:
    """The field, or `target`, that a column's head means; None when it is none of ours."""
    return _COLUMN_OF.get(text_key(head))


def code_of(field: str, written: str) -> str | None:
    """The code of a written value of a field of codes; None when it is none."""
    return _VALUE_OF[field].get(text_key(written)) if field in _VALUE_OF else None


def dimension(one: Dimension, items: Items | None = None) -> str:
    """`Age`, or the question's words."""
    if one.field:
        return str(FIELD_LABELS[one.field])
    item = _item(items, one.item)
    return _text(item["label"], one.item) if item else one.item


def source(one: Dimension) -> str:
    """Where its value comes from."""
    if one.field and one.item:
        return str(_("asked in «%(question)s», else from the record", question=one.item))
    if one.item:
        return str(_("asked in «%(question)s»", question=one.item))
    return str(_("from the record"))


def value(one: Dimension, written: str, items: Items | None = None) -> str:
    """`Woman`, `18-29`, the words of a choice."""
    if written in _LABELS.get(one.field, {}):
        return str(_LABELS[one.field][written])
    item = _item(items, one.item) if not one.field else None
    for choice in item["choices"] if item else ():
        if choice["name"] == written:
            return _text(choice["label"], written)
    return written


def cell(plan: QuotaPlan, values: Values, items: Items | None = None) -> str:
    """`Woman · 18-29`."""
    return " · ".join(value(one, written, items) for one, written in zip(plan.dimensions, values, strict=True))


def _item(items: Items | None, name: str) -> dict[str, Any] | None:
    return next((item for item in items["items"] if item["name"] == name), None) if items and name else None


def _text(labels: dict[str, str], otherwise: str) -> str:
    return next(iter(labels.values()), "") or otherwise
