"""The campaigns that ask a survey, with their quotas: where a pollster finds them."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.queues import CallQueue
from campaigns import labels
from campaigns.calling import CallCampaign
from campaigns.telephoning.quota_views import READERS
from surveys.fieldwork.quota_counts import COMPLETE
from surveys.interviews import Interview
from surveys.quotas import QuotaCell

blueprint = Blueprint("quota_list", __name__, url_prefix="/quotas")
MOST = 100


@blueprint.get("/")
@access(*READERS)
def index() -> ResponseReturnValue:
    return render_template("campaigns/quota_list.html", campaigns=newest(web_session()), labels=labels)


def newest(session: Session) -> list[Row[tuple[int, str, str, int, int | None, int]]]:
    """Rows of id, name, state, cells, total (None without targets), complete; the newest campaign first."""
    cells = select(func.count()).where(QuotaCell.queue_id == CallQueue.id).scalar_subquery()
    total = select(func.sum(QuotaCell.target)).where(QuotaCell.queue_id == CallQueue.id).scalar_subquery()
    complete = (
        select(func.count()).where(Interview.queue_id == CallQueue.id, Interview.state == COMPLETE).scalar_subquery()
    )
    columns = (cells.label("cells"), total.label("total"), complete.label("complete"))
    query = select(CallCampaign.id, CallCampaign.name, CallQueue.state, *columns)
    query = query.join(CallQueue, CallQueue.id == CallCampaign.queue_id).where(CallQueue.script.startswith("survey/"))
    return list(session.execute(query.order_by(CallCampaign.id.desc()).limit(MOST)))
