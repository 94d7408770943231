"""Interviews drawn to be verified by a second call: a newcomer only has to say who calls."""

from sqlalchemy.orm import Session

from surveys.checks import verifications
from surveys.checks.verifications import Wanted

AGAIN = Wanted("10", ("age", "sex", "registered"))


def load(session: Session, survey_id: int, user_id: int, *, seed: int) -> int:
    """Write the plan and draw; returns how many interviews are drawn."""
    plan = verifications.set_plan(session, survey_id, AGAIN, user_id)
    plan.seed = seed  # who is drawn is the same every time
    session.flush()
    return verifications.draw(session, plan)
