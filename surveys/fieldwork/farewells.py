"""What people are told whose group has enough interviews: one sentence, the same on every face."""

from sqlalchemy.orm import Session

from surveys.faces.sentences import sentence
from surveys.fieldwork.interview_standing import Standing
from surveys.voice import prompts

CODE = "over_quota"


def of(session: Session, standing: Standing, otherwise: str = "es") -> str:
    """As the survey words it for its recordings, else the house's sentence, in the language of the interview;
    `otherwise`: the language of the house to speak where it does not speak that one."""
    language = standing.interview.language
    own = prompts.kept(session, standing.interview.survey_id, language).own_sentences.get(CODE)
    return own or sentence(CODE, language) or sentence(CODE, otherwise)
