"""The trial of two wordings of one campaign: what came back of each, and which is the better one."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaigns.dispatch import message_rows as rows
from campaigns.dispatch import message_states as states
from campaigns.figures import message_responses
from campaigns.figures.message_responses import Responses
from campaigns.mailings import wording_trials
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.mailings.wording_trials import Arm, Verdict
from campaigns.messages import Message
from campaigns.texts import wordings

# Whom a wording reached, as far as anybody knows: a receipt that never came is not held against it.
REACHED = (states.ACCEPTED, states.SENT, states.DELIVERED)


@dataclass(frozen=True)
class Trial:
    """Both wordings with what became of them, and what the test says."""

    first: Arm
    second: Arm
    verdict: Verdict
    texts: dict[str, str]

    @property
    def arms(self) -> tuple[Arm, Arm]:
        return self.first, self.second


def letters(session: Session, campaign_id: int) -> list[str]:
    """The wordings of a campaign, A first."""
    return [one.letter for one in wordings.of(session, campaign_id)]


def look(session: Session, campaign: MessageCampaign) -> Trial | None:
    """How the trial stands; None where there is only one wording."""
    texts = wordings.texts(session, campaign.id)
    if len(texts) < 2:
        return None
    counted = select(Message.wording, func.count()).where(rows.of_list(campaign.id), Message.state.in_(REACHED))
    reached = {row[0]: row[1] for row in session.execute(counted.group_by(Message.wording))}
    said = message_responses.by_wording(session, campaign)
    first, second = (_arm(letter, reached.get(letter, 0), said.get(letter, Responses())) for letter in sorted(texts))
    return Trial(first, second, wording_trials.verdict(first, second, campaign.trial_goal), texts)


def _arm(letter: str, reached: int, said: Responses) -> Arm:
    """Nobody counts more than the people who were reached, whatever came late."""
    clicked, replied, opted_out = (min(n, reached) for n in (said.clicked, said.replied, said.opted_out))
    return Arm(letter, reached, clicked, replied, opted_out)
