"""Live topics: whatever is told to pages can be shown to pages."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base import live
from campaigns import calling
from campaigns.calling import CallPlan
from campaigns.segments import Segment

ROOT = Path(__file__).parents[1]
TOLD = re.compile(r'tell_later\([^,]+, f?"([a-z-]+)')
SHOWN = re.compile(r'data-live="([a-z-]+)')
NOT_FOR_PAGES = {"dialer"}  # wakes the daemon


def words_in(pattern: re.Pattern[str], glob: str) -> set[str]:
    floors = ("callcenter", "surveys", "campaigns")
    return {
        word for floor in floors for file in (ROOT / floor).rglob(glob) for word in pattern.findall(file.read_text())
    }


def test_every_topic_that_is_told_has_a_picture_and_a_page(app: Flask) -> None:
    assert words_in(TOLD, "*.py") - NOT_FOR_PAGES == set(live._kinds)
    assert words_in(SHOWN, "*.html") | {"operator"} == set(live._kinds)  # the console's script opens its own


@pytest.mark.parametrize("role", ["strategist", "data_clerk"])
def test_a_calling_campaign_is_live_for_those_who_may_watch_it(
    session: Session, client_as: Callable[[str], FlaskClient], role: str
) -> None:
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.flush()
    words = ("Estudio Prueba", "https://convoca.invalid/aviso", "Hola")
    plan = CallPlan("Prueba", segment.id, "survey", "operator", "simulated", "+525512340000", *words)
    campaign = calling.create(session, plan, None)
    calling.launch(session, campaign.id, None)
    session.commit()
    answer = client_as(role).get(f"/live/snapshot?topic=queue/{campaign.queue_id}")
    if role == "data_clerk":
        assert answer.status_code == 403
    else:
        (picture,) = answer.get_json()["topics"].values()
        assert (picture["state"], picture["total"]) == ("running", 0)
