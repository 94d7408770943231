"""A survey asked in a chat, one question at a time, on whatever channel the person writes and by the rules of answers.

It begins when somebody answers yes to a campaign that asks for a survey, or when a colleague begins it in the inbox.
While it goes on nobody waits in the inbox; what is not understood three times is left to a person. The interview is the
one of the person's own link (surveys.fieldwork.survey_links): it may go on there, or by telephone, and come back.
"""

from collections.abc import Callable
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from campaigns import channels, inbox
from campaigns.correspondence import conversation_replies, conversations
from campaigns.correspondence.conversation_replies import Answer
from campaigns.correspondence.conversations import Conversation
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from surveys import interviews
from surveys.engine import Question
from surveys.faces import chat
from surveys.fieldwork import link_codes, survey_links
from surveys.fieldwork.interview_standing import Standing, standing_of
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.fieldwork.survey_links import ANSWERABLE, DECLINED, USED, Door

ASKING, DONE, LEFT, ENDED = "asking", "done", "left", "ended"
MISSES = 3  # answers in a row that we do not understand; then a person looks
LONGEST = 3_600.0  # seconds: who answers later has not thought about the question all the time
FACES = ("sms", "whatsapp", "telegram")


class SurveyChat(Base):
    """One survey in one conversation. `state`: asking | done | left (to a person) | ended (by an opt-out, or too late).

    `item`: the question that was asked last, at `asked_at`; `misses`: answers to it that were not understood."""

    __tablename__ = "survey_chats"
    __table_args__ = (
        CheckConstraint("state IN ('asking', 'done', 'left', 'ended')", name="state"),
        Index("uq_survey_chats_asking", "conversation_id", unique=True, postgresql_where=text("state = 'asking'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    link_id: Mapped[int] = mapped_column(ForeignKey("survey_links.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default=ASKING, server_default=ASKING)
    item: Mapped[str | None]
    misses: Mapped[int] = mapped_column(default=0, server_default="0")
    asked_at: Mapped[datetime] = mapped_column(default=real_now)
    began_at: Mapped[datetime] = mapped_column(default=real_now)


def compose() -> None:
    """Listen to what people write."""
    inbox.listen(hear)


def hear(session: Session, inbound: InboundMessage) -> None:
    """Somebody wrote: the answer to a question of theirs, or a yes to being asked. Everything else is a person's."""
    if inbound.conversation_id is None or inbound.channel not in FACES:
        return
    conversation = conversations.lock(session, inbound.conversation_id)
    going_on = of_conversation(session, conversation.id)
    if inbound.is_opt_out:
        if going_on is not None:
            _end(session, going_on)
    elif going_on is not None:
        _take(session, conversation, going_on, inbound)
    elif not inbound.is_doubtful and chat.is_yes(inbound.text):
        campaign = session.get(MessageCampaign, conversation.campaign_id) if conversation.campaign_id else None
        if campaign is not None and campaign.survey_id is not None:
            _begin_later(session, conversation, campaign)


def of_conversation(session: Session, conversation_id: int) -> SurveyChat | None:
    """The survey that is being asked there now."""
    asking = (SurveyChat.conversation_id == conversation_id, SurveyChat.state == ASKING)
    return session.scalars(select(SurveyChat).where(*asking)).one_or_none()


def begin(session: Session, conversation: Conversation, survey_id: int, user_id: int | None) -> SurveyChat:
    """Ask this person the survey, here and now; `conversation` is locked by the caller. Audited.

    Raises NotFound, Refused: closed, answered already, being asked something, nobody may write to them."""
    if conversation.contact_id is None:
        raise Refused("unknown_person", _("Nobody on our lists writes from there: nobody can be asked a survey."))
    if conversation.channel not in FACES:
        raise Refused("no_chat", _("On this channel nobody can be asked question by question: send the link."))
    if of_conversation(session, conversation.id) is not None:
        raise Refused("asking", _("A survey is being asked here already."))
    door = _door(session, conversation, survey_id)
    if door.state not in ANSWERABLE:
        raise Refused(door.state, _why_not(door))
    made = SurveyChat(conversation_id=conversation.id, link_id=door.link.id)
    session.add(made)
    session.flush()
    interview = interviews.open_for_link(session, door.link, face=conversation.channel)
    audit.record(session, user_id, "survey_chat.begin", f"conversation/{conversation.id}", survey=survey_id)
    _go_on(session, conversation, made, standing_of(session, interview.id), user_id)
    return made


def stop(session: Session, conversation: Conversation, user_id: int | None) -> bool:
    """A colleague asks no further; what was answered stays. Audited. False when nothing is being asked."""
    going_on = of_conversation(session, conversation.id)
    if going_on is None:
        return False
    going_on.state = LEFT
    audit.record(session, user_id, "survey_chat.stop", f"conversation/{conversation.id}")
    return True


def give_link(session: Session, conversation: Conversation, survey_id: int) -> str:
    """The address of the person's own link, for an answer that a colleague writes. Raises NotFound, Refused."""
    if conversation.contact_id is None:
        raise Refused("unknown_person", _("Nobody on our lists writes from there: nobody can be asked a survey."))
    return link_codes.url(_door(session, conversation, survey_id).link.id)


def _door(session: Session, conversation: Conversation, survey_id: int) -> Door:
    campaign = session.get(MessageCampaign, conversation.campaign_id) if conversation.campaign_id else None
    given = survey_links.give(
        session, survey_id, [conversation.contact_id or 0], source=f"conversation/{conversation.id}",
        on_behalf_of=campaign.on_behalf_of if campaign is not None else "",
    )  # fmt: skip
    return survey_links.door(session, next(iter(given.values())).rpartition("/")[2], lock=True)


def _why_not(door: Door) -> str:
    if door.state == USED:
        return str(_("This person has answered this survey already."))
    if door.state == DECLINED:
        return str(_("This person said that they do not want to answer this survey."))
    return str(_("This survey takes no answers from this person now."))


def _begin_later(session: Session, conversation: Conversation, campaign: MessageCampaign) -> None:
    """Somebody said yes. What keeps them from being asked is for a person to read: they wait in the inbox."""
    try:
        with session.begin_nested():
            begin(session, conversation, campaign.survey_id or 0, None)
    except (Refused, NotFound, InvalidInput):
        return


def _take(session: Session, conversation: Conversation, going_on: SurveyChat, inbound: InboundMessage) -> None:
    door = _door_of(session, going_on)
    if door is None or door.state not in ANSWERABLE or door.link.interview_id is None:
        words = chat.word("over", _language(door))
        _try(session, going_on, lambda: _close(session, conversation, going_on, ENDED, words))
        return
    try:
        interview = interviews.open_for_link(session, door.link, face=inbound.channel)
    except Refused:  # a colleague is asking them by telephone
        return
    standing = standing_of(session, interview.id)
    asked = (standing.question(going_on.item) if going_on.item else None) or standing.next_question()
    if inbound.is_doubtful and (asked is None or not asked.choices):
        return  # it may be an opt-out: a person reads it first
    meant = chat.read(asked, inbound.text) if asked is not None else chat.Meant("wrong")
    if asked is not None and meant.kind == "back":
        before = _before(standing, asked)
        _try(session, going_on, lambda: _ask(session, conversation, going_on, standing, before))
        return
    if fault := _keep(session, standing, asked, meant, going_on, inbound):
        _try(session, going_on, lambda: _again(session, conversation, going_on, standing, asked, fault))
        return
    going_on.misses = 0
    now = standing_of(session, interview.id)
    _try(session, going_on, lambda: _go_on(session, conversation, going_on, now))


def _try(session: Session, going_on: SurveyChat, act: Callable[[], None]) -> None:
    """Say something; where nobody may write to them just now, they wait for a person."""
    session.flush()
    try:
        with session.begin_nested():
            act()
    except (Refused, InvalidInput):
        going_on.state = LEFT


def _before(standing: Standing, asked: Question) -> Question:
    """The question before this one that was no note; the first one has none before it."""
    way = [question for question in map(standing.question, standing.path()) if question and question.kind != "note"]
    names = [question.name for question in way]
    return way[max(names.index(asked.name) - 1, 0)] if asked.name in names else asked


def _keep(
    session: Session, standing: Standing, asked: Question | None, meant: chat.Meant, going_on: SurveyChat,
    inbound: InboundMessage,
) -> str:  # fmt: skip
    """Save the answer; returns what is wrong with it, '' when nothing is."""
    if asked is None or meant.kind == "wrong":
        return chat.word("wrong", standing.interview.language)
    seconds = min((real_now() - going_on.asked_at).total_seconds(), LONGEST)
    try:
        with session.begin_nested():
            interviews.record_answer(
                session, standing.interview.id, asked.name, meant.value, max(seconds, 0.0), key=f"inbound/{inbound.id}"
            )
    except InvalidInput as fault:
        return " ".join(fault.faults.values())
    return ""


def _go_on(
    session: Session, conversation: Conversation, going_on: SurveyChat, standing: Standing, user_id: int | None = None
) -> None:
    """The next question, with the notes before it; or the end."""
    notes, following = [], standing.next_question()
    last = survey_links.last_words(standing)
    while last is None and following is not None and following.kind == "note":
        notes.append(following.label)
        interviews.record_answer(session, standing.interview.id, following.name, "")
        standing = standing_of(session, standing.interview.id)
        following = standing.next_question()
    if last is not None or following is None:
        survey_links.finish(session, session.get_one(SurveyLink, going_on.link_id))
        words = survey_links.farewell(session, standing) or [chat.word("thanks", standing.interview.language)]
        _close(session, conversation, going_on, DONE, "\n".join([*notes, *words]))
        return
    _ask(session, conversation, going_on, standing, following, before=notes, user_id=user_id)


def _ask(
    session: Session, conversation: Conversation, going_on: SurveyChat, standing: Standing, question: Question,
    *, before: list[str] | None = None, user_id: int | None = None,
) -> None:  # fmt: skip
    going_on.item, going_on.asked_at = question.name, real_now()
    said = chat.say(question, standing.interview.language, before=before or [])
    _say(session, conversation, said, user_id=user_id)


def _again(
    session: Session, conversation: Conversation, going_on: SurveyChat, standing: Standing, asked: Question | None,
    fault: str,
) -> None:  # fmt: skip
    going_on.misses += 1
    if going_on.misses >= MISSES or asked is None:
        going_on.state = LEFT
        waiting = conversation.waiting_since
        _say(session, conversation, chat.word("person", standing.interview.language))
        conversation.waiting_since = waiting or real_now()  # what they wrote is for a person
        return
    _ask(session, conversation, going_on, standing, asked, before=[fault])


def _close(session: Session, conversation: Conversation, going_on: SurveyChat, state: str, words: str) -> None:
    """The last message; the conversation is over until the person writes again."""
    going_on.state = state
    _say(session, conversation, words)
    conversation.state, conversation.resolution = conversations.RESOLVED, "resolved"


def _end(session: Session, going_on: SurveyChat) -> None:
    """They want nothing more of us: what they had answered stays, and is counted as broken off."""
    going_on.state = ENDED
    door = _door_of(session, going_on)
    if door is None:
        return
    door.link.opted_out_at = door.link.opted_out_at or real_now()
    if door.link.interview_id is not None:
        interviews.close(session, door.link.interview_id)


def _say(session: Session, conversation: Conversation, words: str, *, user_id: int | None = None) -> None:
    """An answer like any that a colleague writes: in the ledger, past the gate. Raises Refused when nobody may write to
    them just now: then the whole act is undone, and they wait for a person."""
    answer = Answer(words, conversation.channel, conversation.last_at)
    conversation_replies.reply(session, conversation, answer, channels.configured().twilio.sms_sender, user_id)


def _door_of(session: Session, going_on: SurveyChat) -> Door | None:
    """The link behind a chat, locked; None when its person is gone, or one with somebody else."""
    try:
        return survey_links.door(session, link_codes.code(going_on.link_id), lock=True)
    except NotFound:
        return None


def _language(door: Door | None) -> str:
    return door.standing.interview.language if door is not None and door.standing is not None else "es"
