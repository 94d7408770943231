"""What a person chose on the mapping page of an import: read from the form, kept as a draft, confirmed at the start."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import enqueue_later
from callcenter.imports import ImportBatch
from callcenter.lists import saved_mappings
from callcenter.lists.import_columns import ATTRIBUTE, column_key, is_sensitive_name
from callcenter.lists.import_outcomes import POLICIES, WITH_POLICY
from callcenter.people import attributes

NEW_ATTRIBUTE = "new"  # the entry of a column's list that opens the form of a new attribute
DEFAULT_POLICY = "overwrite"
_COLUMN = re.compile(r"(column|policy)-(\d{1,3})\Z")


@dataclass(frozen=True)
class Choice:
    """`mapping`: column number, as text → field or `attr:<key>`; `policies`: field → one of POLICIES."""

    mapping: dict[str, str]
    policies: dict[str, str]
    sex_letters: str | None


def read(form: Mapping[str, str]) -> Choice:
    """The choice that a posted form makes; what no page of ours sends is left out."""
    chosen: dict[str, dict[str, str]] = {"column": {}, "policy": {}}
    for name, value in form.items():
        if (found := _COLUMN.match(name)) and value and value != NEW_ATTRIBUTE:
            chosen[found[1]][found[2]] = value
    policies = {
        field: chosen["policy"][at]
        for at, field in chosen["column"].items()
        if has_policy(field) and chosen["policy"].get(at, DEFAULT_POLICY) in POLICIES.keys() - {DEFAULT_POLICY}
    }
    letters = form.get("sex_letters")
    return Choice(chosen["column"], policies, letters if letters in ("HM", "MF") else None)


def described(form: Mapping[str, str]) -> str | None:
    """The column beside which a new attribute is being described."""
    return next(
        (found[2] for name, value in form.items() if value == NEW_ATTRIBUTE and (found := _COLUMN.match(name))), None
    )


def has_policy(field: str) -> bool:
    """Does a known person's value of this field depend on the policy?"""
    return field in WITH_POLICY or field.startswith(ATTRIBUTE)


def draft(session: Session, import_id: int, choice: Choice) -> ImportBatch:
    """Keep the choice, so that nothing is lost, and have the file looked at again under it."""
    batch = _waiting(session, import_id)
    batch.mapping, batch.sex_letters = choice.mapping, choice.sex_letters or batch.sex_letters
    _look_again(session, batch, policies=choice.policies)
    return batch


def choose_sheet(session: Session, import_id: int, sheet: str) -> ImportBatch:
    """Take another sheet of the workbook; its columns are found anew."""
    batch = _waiting(session, import_id)
    if sheet not in [one["name"] for one in (batch.preview or {}).get("sheets", ())]:
        raise InvalidInput({"sheet": _("There is no such sheet in the workbook.")})
    batch.mapping = {}
    _look_again(session, batch, sheet=sheet, policies={})
    return batch


def define_attribute(
    session: Session, import_id: int, at: str, choice: Choice, form: Mapping[str, str], user_id: int
) -> ImportBatch:
    """Create the attribute that was described beside column `at`, and take the column for it."""
    choices = form.get(f"new-choices-{at}", "").splitlines()
    try:
        key = new_attribute(session, form.get(f"new-label-{at}", ""), form.get(f"new-kind-{at}", ""), choices, user_id)
    except InvalidInput as fault:
        raise InvalidInput({f"new-{at}": str(fault)}) from fault
    mapping = choice.mapping | {at: ATTRIBUTE + key}
    return draft(session, import_id, Choice(mapping, choice.policies, choice.sex_letters))


def new_attribute(session: Session, label: str, kind: str, choices: Sequence[str], user_id: int) -> str:
    """Create an attribute whose key follows from its name; returns the key. Raises InvalidInput."""
    check_attribute_name(label)
    key = attribute_key(label)
    if any(one.key == key for one in attributes.all_attributes(session)):
        raise InvalidInput({"label": _("There is an attribute of that name already: choose it in the list.")})
    attributes.define(session, key, label, kind, list(choices), user_id=user_id)
    return key


def check_attribute_name(label: str) -> None:
    """Raises InvalidInput when such an attribute may not be kept of anybody, or its name has no letter."""
    if is_sensitive_name(label):
        sentence = _("The law forbids to keep this of people. If it is something else, give it a clearer name.")
        raise InvalidInput({"label": sentence})
    if not attribute_key(label):
        raise InvalidInput({"label": _("Give the attribute a name with letters.")})


def attribute_key(label: str) -> str:
    """`Nivel de estudios` → `nivel_de_estudios`; '' when nothing of a key is left."""
    return re.sub(r"\A[^a-z]+", "", column_key(label))[:40]


def start(session: Session, import_id: int, choice: Choice, user_id: int, *, dry_run: bool) -> None:
    """Run the import as chosen, and remember the columns for the next list of this source.

    Raises InvalidInput when the list could not be imported so."""
    batch = _waiting(session, import_id)
    names = batch.preview["names"] if batch.preview else []
    columns = [(name, choice.mapping.get(str(at), "")) for at, name in enumerate(names) if name]
    options = {"policies": choice.policies, "default_policy": DEFAULT_POLICY, "dry_run": dry_run, "columns": columns}
    letters = choice.sex_letters
    imports.start(session, import_id, choice.mapping, letters, user_id, options=options)
    if "corrects" not in batch.options:
        saved_mappings.save(
            session, batch.source, columns, policies=choice.policies, sex_letters=letters, user_id=user_id
        )  # fmt: skip


def is_looking(batch: ImportBatch) -> bool:
    """Is the file looked at now, so that the page has nothing to show of it yet?"""
    return batch.state == "uploaded" or (batch.state == "mapping" and not batch.mapping and not is_fresh(batch))


def is_fresh(batch: ImportBatch) -> bool:
    """Is the preview that of the newest choice?"""
    return bool((batch.preview or {}).get("version", 0) >= batch.options.get("version", 0))


def _waiting(session: Session, import_id: int) -> ImportBatch:
    """The batch, locked: what was chosen a moment before the start must not fall upon the list that runs."""
    batch = imports.get(session, import_id)
    session.refresh(batch, with_for_update=True)
    if batch.state != "mapping":
        raise Refused("not_waiting", _("This import is not waiting for its columns."))
    return batch


def _look_again(session: Session, batch: ImportBatch, **options: Any) -> None:
    batch.options = batch.options | options | {"version": batch.options.get("version", 0) + 1}
    enqueue_later(session, "callcenter.lists.import_jobs.inspect_import", batch.id, queue="default")
