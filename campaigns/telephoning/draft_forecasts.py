"""The forecast of a draft: all that the twin needs, read in one go, so that nothing is open while it simulates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from callcenter import carriers
from callcenter.base.clock import campaign_now
from callcenter.base.errors import NotFound
from callcenter.base.settings import Settings
from callcenter.gate import rulebook
from callcenter.gate.rulebook import Rulebook
from callcenter.queueing.queue_pace import Pace
from callcenter.trunks import reach_invented
from campaigns import audiences, segments
from campaigns.mailings import preflight
from campaigns.mailings.preflight import Preflight
from campaigns.telephoning import call_forecasts, draft_steps
from campaigns.telephoning.call_forecasts import Effort, Forecast, Staff
from campaigns.telephoning.draft_steps import Missing

SESSIONS = 30  # conversations at once of a recorded survey that sets no limit of its own
NEEDED = ("people", "schedule", "pace")  # the steps without which nothing can be foreseen


@dataclass(frozen=True)
class Question:
    """Everything that a forecast stands on, and nothing that is bound to the database."""

    known: call_forecasts.Experience
    pace: Pace
    staff: Staff
    effort: Effort
    book: Rulebook
    now: datetime

    def answer(self) -> Forecast:
        """Simulate: up to two seconds the first time, then remembered."""
        return call_forecasts.forecast(self.known, self.pace, self.staff, self.effort, self.book, self.now)


def reach(session: Session, draft: Mapping[str, Any], settings: Settings) -> Preflight | None:
    """Whom the draft would call, asked of the gate; None until people and purpose are chosen."""
    people = draft_steps.form_of(session, draft, "people")
    goal = draft_steps.form_of(session, draft, "goal")
    if not people.validate() or not goal.purpose.data:
        return None
    segment_id, frozen_id = audiences.read(people.segment_id.data)
    try:
        rule = audiences.frozen_rule(frozen_id) if frozen_id else segments.get(session, segment_id).rule
    except NotFound:  # deleted a moment ago
        return None
    simulated = reach_invented(session, settings.carrier)
    return preflight.of_calls(session, rule, goal.purpose.data, simulated=simulated)


def _lines(session: Session, settings: Settings) -> int:
    """How many calls the carrier takes at once; 0 without one."""
    try:
        return max(carriers.carrier(settings.carrier).lines(session), 0)
    except carriers.NoCarrier:
        return 0


def question(session: Session, draft: Mapping[str, Any], settings: Settings) -> Question | list[Missing]:
    """What the twin is asked; or what has to be filled in first."""
    lacks = [fault for fault in draft_steps.missing(session, draft) if fault.step in NEEDED]
    check = None if lacks else reach(session, draft, settings)
    if check is None:
        return lacks
    speed = draft_steps.form_of(session, draft, "pace")
    rules = draft_steps.form_of(session, draft, "schedule").rules()
    is_recorded = draft.get("answered_by") == "recording"
    staff = Staff(
        (speed.sessions.data or SESSIONS) if is_recorded else speed.team.data, float(speed.hours_a_day.data),
        speed.hour_price.data or Decimal(0), rules.minute_price, is_recorded,
    )  # fmt: skip
    known = call_forecasts.experience(session, str(draft.get("script", "")), "recording" if is_recorded else "operator")
    effort = Effort(check.reachable, rules.most_attempts, _lines(session, settings))
    return Question(known, speed.pace(), staff, effort, rulebook.read(session), campaign_now(session))
