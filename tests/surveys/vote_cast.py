"""People who were asked for their vote, and a recipe that a second person signed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from callcenter.base.auth import User
from surveys import interviews, responses
from surveys.vote import vote_recipes
from surveys.vote.vote_recipes import VoteRecipe


def ask(
    session: Session, new_call: Callable[..., UUID], user_id: int, votes: Sequence[str],
    also: Callable[[int], Mapping[str, str]] = lambda number: {},
) -> list[UUID]:  # fmt: skip
    """One interview a vote: women and men by turns, of 25 and 65 years, all of them sure to vote; `also`: more answers
    of the person of this number."""
    asked = []
    for number, vote in enumerate(votes):
        interview = interviews.open_for_call(session, new_call(sex=None, age=None), user_id)
        given = {
            "consent": "yes", "age": "25" if number % 2 else "65", "sex": "HM"[number % 2], "registered": "yes",
            "likely": "10", "vote": vote,
        }  # fmt: skip
        for item, value in {**given, **also(number)}.items():
            interviews.record_answer(session, interview.id, item, value)
        asked.append(interview.id)
    return asked


def second_person(session: Session) -> User:
    """Somebody who may sign what another wrote."""
    user = User(username=f"second.{uuid4().hex[:6]}", full_name="Segunda Inventada", password="x",
                fs_uniquifier=uuid4().hex)  # fmt: skip
    session.add(user)
    session.flush()
    return user


def signed(session: Session, survey_id: int, user_id: int, **said: Any) -> VoteRecipe:
    """The standard recipe with these differences, kept and signed."""
    recipe = replace(vote_recipes.standard(session, survey_id), **said)
    row = vote_recipes.keep(session, responses.read(session, survey_id), recipe, "", user_id)
    return vote_recipes.sign(session, survey_id, row.version, second_person(session).id)
