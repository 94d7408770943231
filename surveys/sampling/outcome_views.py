"""The page of outcomes: what became of cases and attempts by AAPOR's codes, the rates, and the same as a file."""

from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, format_decimal, format_percent
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.web import is_htmx
from callcenter.tables import table_exports
from callcenter.tables.table_exports import Cell
from surveys import questionnaire, samples
from surveys.pages import READERS, blueprint
from surveys.sampling import outcome_codes, outcomes
from surveys.sampling.outcomes import Outcomes, Scope

GROUP_LABELS: dict[str, LazyString] = {
    "i": _l("Complete interviews (I)"),
    "p": _l("Partial interviews (P)"),
    "r": _l("Refusals and break-offs (R)"),
    "nc": _l("Not contacted (NC)"),
    "o": _l("Others (O)"),
    "uh": _l("Unknown whether a person's number (UH)"),
    "uo": _l("Unknown whether anybody of the population (UO)"),
    "ne": _l("Not of the population (NE)"),
}
# Rate → what it says; the formulas stand in AAPOR's words.
RATES: dict[str, tuple[str, LazyString]] = {
    "rr1": ("I / (I + P + R + NC + O + UH + UO)", _l("Response, the strictest")),
    "rr2": ("(I + P) / (I + P + R + NC + O + UH + UO)", _l("Response, with partial interviews")),
    "rr3": ("I / (I + P + R + NC + O + e (UH + UO))", _l("Response, unknown cases in the share e")),
    "rr4": ("(I + P) / (I + P + R + NC + O + e (UH + UO))", _l("The same with partial interviews")),
    "rr5": ("I / (I + P + R + NC + O)", _l("Response, the highest: no unknown case counts")),
    "rr6": ("(I + P) / (I + P + R + NC + O)", _l("The same with partial interviews")),
    "coop1": ("I / (I + P + R + O)", _l("Cooperation of those who were contacted")),
    "coop2": ("(I + P) / (I + P + R + O)", _l("The same with partial interviews")),
    "coop3": ("I / (I + P + R)", _l("Cooperation of those who were able to answer")),
    "coop4": ("(I + P) / (I + P + R)", _l("The same with partial interviews")),
    "ref1": ("R / (I + P + R + NC + O + UH + UO)", _l("Refusal, the lowest")),
    "ref2": ("R / (I + P + R + NC + O + e (UH + UO))", _l("Refusal, unknown cases in the share e")),
    "ref3": ("R / (I + P + R + NC + O)", _l("Refusal, the highest")),
    "con1": ("(I + P + R + O) / (I + P + R + NC + O + UH + UO)", _l("Contact, the lowest")),
    "con2": ("(I + P + R + O) / (I + P + R + NC + O + e (UH + UO))", _l("Contact, unknown cases in the share e")),
    "con3": ("(I + P + R + O) / (I + P + R + NC + O)", _l("Contact, the highest")),
}


@blueprint.get("/<int:survey_id>/outcomes")
@access(*READERS)
def outcome_page(survey_id: int) -> ResponseReturnValue:
    """Outcomes as of now; the part that changes asks again when there are news."""
    survey = questionnaire.find(web_session(), survey_id)
    try:
        page = _page(survey_id)
    except InvalidInput as fault:
        return render_template("surveys/outcomes.html", survey=survey, faults=fault.faults, **_choices(survey_id)), 422
    if is_htmx():
        return render_template("surveys/outcomes_part.html", survey=survey, **page)
    return render_template("surveys/outcomes.html", survey=survey, faults={}, **page, **_choices(survey_id))


@blueprint.get("/<int:survey_id>/outcomes.csv")
@access(*READERS)
def outcome_file(survey_id: int) -> ResponseReturnValue:
    """Codes with cases and attempts, then every rate, as a table."""
    session = web_session()
    questionnaire.find(session, survey_id)
    page = _page(survey_id)
    content = table_exports.csv_bytes([_("Kind"), _("Code"), _("What it means"), _("Cases"), _("Attempts")],
                                      _rows(page["found"], page["rates"]))  # fmt: skip
    audit.record(session, current_user.id, "outcomes.export", f"survey/{survey_id}")
    session.commit()
    answer = Response(content, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="outcomes-{survey_id}.csv"'
    return answer


def _page(survey_id: int) -> dict[str, Any]:
    found, e = outcomes.read(web_session(), _scope(survey_id)), _e()
    return {
        "found": found,
        "rates": found.rates(e),
        "e": e,
        "codes": outcome_codes.CODES,
        "group_labels": GROUP_LABELS,
        "rate_words": RATES,
        "share": share,
        "query": {name: value for name in ("of", "e") if (value := request.args.get(name, "").strip())},
    }


def _choices(survey_id: int) -> dict[str, Any]:
    session = web_session()
    return {
        "queues": outcomes.queues(session, survey_id),
        "samples": samples.listed(session, survey_id),
        "asked": request.args,
    }


def _scope(survey_id: int) -> Scope:
    """`of`: `queue-3`, `sample-2`, or nothing for the whole survey. Raises NotFound for another survey's."""
    kind, _dash, number = request.args.get("of", "").partition("-")
    if not kind:
        return Scope(survey_id)
    session = web_session()
    known = {
        "queue": {str(queue.id) for queue in outcomes.queues(session, survey_id)},
        "sample": {str(sample.id) for sample in samples.listed(session, survey_id)},
    }
    if number not in known.get(kind, ()):
        raise NotFound(_("This survey has no such campaign or sample."))
    return Scope(survey_id, **{f"{kind}_id": int(number)})


def _e() -> float | None:
    typed = request.args.get("e", "").strip().replace(",", ".")
    if not typed:
        return None
    try:
        e = float(typed)
    except ValueError:
        e = -1.0
    if not 0 <= e <= 1:
        raise InvalidInput({"e": _("e is a share from 0 to 1, for example 0.6; leave it empty to estimate it.")})
    return e


def share(value: float | None) -> str:
    """`36.4 %`; n/d where a rate is not defined."""
    return str(_("n/d")) if value is None else str(format_percent(value, "#,##0.0 %"))


def _rows(found: Outcomes, rates: Any) -> list[list[Cell]]:
    rows: list[list[Cell]] = [
        [_("outcome"), code.aapor, str(code.label), found.cases.get(code.aapor, 0), found.attempts.get(code.aapor, 0)]
        for code in outcome_codes.CODES.values()
    ]
    rows += [[_("rate"), name.upper(), RATES[name][0], value, None] for name, value in rates.listed().items()]
    rows.append([_("rate"), "e", _("share of unknown cases taken as eligible"), rates.e, None])
    tried, rejected = found.tried, found.rejection
    rows += [
        [_("rejection"), "", _("refusals and break-offs ÷ attempts"), None, rejected.of_attempts],
        [_("rejection"), "", _("refusals and break-offs ÷ persons contacted"), None, rejected.of_contacted],
        [_("rejection"), "", _("attempts without contact ÷ attempts"), None, rejected.unsuccessful],
        [_("attempts"), "", _("all, reached, refused or broken off"), None,
         " / ".join(format_decimal(n) for n in (tried.total, tried.reached, tried.refused))],
    ]  # fmt: skip
    return rows
