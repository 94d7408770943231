"""What a newcomer finds of the panel: its waves, its links, the message that gave them, and chats that go on."""

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.clock import DRILL_START
from campaigns.correspondence import conversation_threads
from campaigns.correspondence.conversations import Conversation
from campaigns.correspondence.survey_chats import SurveyChat
from campaigns.mailings import message_approvals, message_campaigns, message_trials
from campaigns.messages import Message
from scripts.demo import chats as demo_chats
from scripts.demo import panel
from scripts.simulated_carrier.citizens import CANDIDATES, citizen
from surveys import questionnaire, responses
from surveys.fieldwork import interview_standing, survey_links
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Survey
from surveys.sampling import waves
from surveys.vote import trends


def survey(session: Session) -> Survey:
    return next(one for one, _version in questionnaire.listed(session) if one.name.startswith("Panel"))


def test_the_trend_has_three_waves_and_says_which_of_them_cannot_be_compared(
    app: Flask, panel_demo: Session
) -> None:  # fmt: skip
    found = survey(panel_demo)
    with app.test_request_context():
        series = trends.read(panel_demo, responses.read(panel_demo, found.id))
    assert [period.code for period in series.periods] == [month.given.code for month in panel.MONTHS]
    assert [period.breaks for period in series.periods] == [(), (panel.MONTHS[1].given.break_reason,), ()]
    assert all(period.cell == "ok" and period.shares("effective") is not None for period in series.periods)
    assert waves.now(panel_demo, found.id) == panel.NOW.given.code


def test_everybody_keeps_their_candidate_from_wave_to_wave_and_fewer_have_not_decided(panel_demo: Session) -> None:
    told = panel_demo.execute(
        select(Interview.wave, Answer.value, Message.phone)
        .join(Answer, Answer.interview_id == Interview.id)
        .join(SurveyLink, SurveyLink.interview_id == Interview.id)
        .join(Message, (Message.contact_id == SurveyLink.contact_id) & (Message.turn == 0))
        .where(Interview.survey_id == survey(panel_demo).id, Answer.item == "vote")
    ).all()
    assert len(told) > 100
    for row in told:
        if row.value in CANDIDATES:
            assert row.value == citizen(row.phone, 1).vote
    shares = [_share([row.value for row in told if row.wave == month.given.code]) for month in panel.MONTHS]
    assert shares == sorted(shares, reverse=True)


def _share(votes: list[str]) -> float:
    return sum(vote == "undecided" for vote in votes) / len(votes)


def test_links_stand_in_every_state_and_each_ended_interview_is_its_own(panel_demo: Session) -> None:
    found = survey(panel_demo)
    figures = survey_links.figures(panel_demo, found.id)
    assert all(figures[name] > 0 for name in ("given", "opened", "complete", "partial", "under_way", "waiting"))
    assert figures["opted_out"] == 2
    early = select(func.count()).where(SurveyLink.opened_at < SurveyLink.created_at)
    assert panel_demo.scalar(early) == 0
    for link in panel_demo.scalars(select(SurveyLink).where(SurveyLink.interview_id.is_not(None)).limit(60)):
        interview = panel_demo.get_one(Interview, link.interview_id)
        assert (interview.wave, interview.survey_id) == (link.wave, found.id)
        if interview.ended_at is not None and interview.face == "web":
            is_whole = interview_standing.standing_of(panel_demo, interview.id).look.is_finished
            assert is_whole == (interview.state == "complete")
            assert interview.at < DRILL_START


def test_one_goes_on_in_a_chat_with_what_they_began_on_the_page_and_one_is_being_asked(panel_demo: Session) -> None:
    chats = {chat.state: chat for chat in panel_demo.scalars(select(SurveyChat).order_by(SurveyChat.id))}
    assert set(chats) == {"done", "asking"}
    faces = {}
    for state, chat in chats.items():
        link = panel_demo.get_one(SurveyLink, chat.link_id)
        answers = select(Answer.face).where(Answer.interview_id == link.interview_id).order_by(Answer.id)
        faces[state] = panel_demo.scalars(answers).all()
    done = panel_demo.get_one(SurveyLink, chats["done"].link_id)
    assert panel_demo.get_one(Interview, done.interview_id).state == "complete"
    assert faces["done"][0] == "web"
    assert faces["done"][-1] == "sms"
    assert set(faces["asking"]) == {"sms"}
    assert chats["asking"].item == "age"
    thread = conversation_threads.read(panel_demo, panel_demo.get_one(Conversation, chats["done"].conversation_id))
    assert [line.kind for line in thread] == ["out", *["in", "out"] * (1 + len(demo_chats.LEFT))]


def test_the_invitation_tries_two_wordings_and_another_message_waits_for_a_second_person(panel_demo: Session) -> None:
    newest = message_campaigns.newest(panel_demo)
    (invitation,) = [one for one in newest if one.survey_id is not None]
    trial = message_trials.look(panel_demo, invitation)
    assert trial is not None
    assert all(arm.delivered > 50 for arm in trial.arms)
    assert sum(arm.replies for arm in trial.arms) > 5
    waiting = [one.name for one in newest if message_approvals.standing(panel_demo, one).is_asked]
    assert waiting == ["Dónde está mi casilla"]
