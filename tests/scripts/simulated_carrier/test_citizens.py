from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulated_carrier.citizens import CANDIDATES, WHY, citizen, truth

PHONES = [f"+5292201{number:05d}" for number in range(4000)]
phones = st.integers(0, 99_999).map(lambda number: f"+5292201{number:05d}")


@given(phones, st.integers(0, 2**31))
def test_a_citizen_is_the_same_every_time_and_answers_what_their_questionnaire_allows(phone: str, seed: int) -> None:
    person = citizen(phone, seed)
    assert person == citizen(phone, seed)
    assert 18 <= person.age <= 110
    answers = person.answers
    if not person.takes_part:
        assert answers == {"consent": "no"}
        return
    assert answers["age"] == str(person.age)
    assert answers["sex"] == person.sex
    assert 1 <= len(answers["problems"].split()) <= 2
    if answers["registered"] != "yes":
        assert not {"likely", "vote", "second", "why"} & set(answers)
        return
    assert answers["vote"] == person.vote
    assert 0 <= int(answers["likely"]) <= 10
    assert ("second" in answers) == (person.vote in CANDIDATES)
    assert ("why" in answers) == (person.vote in WHY)
    assert answers.get("second") != person.vote


@given(phones, st.integers(1, 20))
def test_what_happens_at_a_try_is_fixed_and_may_differ_between_tries(phone: str, attempt: int) -> None:
    person = citizen(phone, 1)
    assert person.reaction(attempt) == person.reaction(attempt)
    assert (person.reaction(attempt).kind == "invalid") == (not person.in_service)


def test_truth_counts_every_voter_once_and_rebases_to_candidates() -> None:
    shares = truth(PHONES, 1)
    assert sum(shares["raw"].values()) == pytest.approx(1)
    assert set(shares["effective"]) == set(CANDIDATES)
    assert sum(shares["effective"].values()) == pytest.approx(1)
    assert truth(PHONES, 2) != shares


def test_people_who_answer_and_take_part_vote_like_everybody_else() -> None:
    interviewed = [p for p in PHONES if citizen(p, 1).takes_part and citizen(p, 1).reaction(1).kind == "answer"]
    everybody, answered = truth(PHONES, 1)["effective"], truth(interviewed, 1)["effective"]
    assert len(interviewed) > 1500
    for name in CANDIDATES:
        assert answered[name] == pytest.approx(everybody[name], abs=0.03)


def test_most_phones_answer_within_three_tries_and_some_never_do() -> None:
    kinds = Counter(citizen(phone, 1).reaction(1).kind for phone in PHONES)
    assert kinds["answer"] / len(PHONES) == pytest.approx(0.58, abs=0.03)
    assert set(kinds) == {"answer", "no_answer", "busy", "invalid", "voicemail"}
