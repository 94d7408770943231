"""The effect of the order: what a choice gains by being read first, from the order kept with each answer."""

from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.languages import language
from surveys import questionnaire, responses
from surveys.analysis import crosstabs, order_effects, table_words
from surveys.analysis.order_effects import Meter, Pull
from surveys.analysis.table_variables import LEVEL_LABELS
from surveys.pages import READERS, blueprint
from surveys.responses import Item, Responses
from surveys.weighting import weighing as weighing_of
from surveys.weighting.weighing import Weighing


@dataclass(frozen=True)
class OrderReport:
    """`by_face`: (how it was asked, the pull of the first place there), those with at least 30 people."""

    item: Item
    meter: Meter
    by_face: tuple[tuple[str, Pull], ...]
    weighed: Weighing


@blueprint.get("/<int:survey_id>/order")
@access(*READERS)
def order_page(survey_id: int) -> ResponseReturnValue:
    """Of each question whose choices change places; `?q=vote&weights=no`."""
    session = web_session()
    survey = questionnaire.find(session, survey_id)
    found = responses.kept(session, survey_id)
    items = order_effects.questions(list(found.items.values()), found.frame.columns)
    made = _made(session, found, items) if items and found.frame.height else None
    return render_template(
        "surveys/order.html", survey=survey, found=found, items=items, made=made, words=table_words,
        language=language(), hidden_below=crosstabs.HIDDEN_BELOW, marked_below=crosstabs.MARKED_BELOW,
    )  # fmt: skip


def _made(session: Session, found: Responses, items: list[Item]) -> OrderReport:
    wanted = request.args.get("q") or found.vote_question
    named = {item.name: item for item in items}
    if request.args.get("q") and wanted not in named:
        known = ", ".join(named)
        raise InvalidInput({"q": _("“%(value)s” is not one of %(known)s.", value=wanted, known=known)})
    item = named.get(wanted or "", items[0])
    weighed = weighing_of.weigh(session, found, wanted=request.args.get("weights") != "no")
    meter = order_effects.measure(found.frame, item, weighed.values)
    return OrderReport(item, meter, tuple(_by_face(found, item, weighed)), weighed)


def _by_face(found: Responses, item: Item, weighed: Weighing) -> list[tuple[str, Pull]]:
    faces = found.frame["face"].to_numpy()
    pulls = []
    for face, label in LEVEL_LABELS["face"].items():
        among = faces == face
        if among.sum() < crosstabs.MARKED_BELOW:
            continue
        pull = order_effects.measure(found.frame, item, weighed.values, among).first
        if pull is not None and pull.n >= crosstabs.MARKED_BELOW:
            pulls.append((str(label), pull))
    return pulls if len(pulls) > 1 else []
