"""A study is published once it may be, delivered once it is whole, and its days are counted."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base import clock
from callcenter.base.auth import User
from callcenter.base.clock import ZONE
from callcenter.base.errors import InvalidInput, Refused
from callcenter.gate import elections
from surveys import responses, studies
from surveys.publishing import study_facts, study_packages, study_publishing
from surveys.publishing.study_packages import StudyPackage
from surveys.questionnaire import Survey
from surveys.studies import Payer, Study, Written
from tests.surveys import study_cast
from tests.surveys.study_cast import WHOLE

NOW = datetime(2027, 5, 20, 11, 0, tzinfo=ZONE)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _fresh(app: Flask) -> Iterator[None]:
    responses.forget()
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield
    responses.forget()


@pytest.fixture
def study(session: Session, survey: Survey, rosa: User) -> Study:
    clock.start_drill(session, NOW)
    return study_cast.whole_study(session, survey.id, rosa.id)


@pytest.fixture
def package(session: Session, study: Study) -> StudyPackage:
    """A package that lacks nothing, without the work of making one."""
    return pack(session, study)


def pack(session: Session, study: Study, *missing: str) -> StudyPackage:
    made = StudyPackage(study_id=study.id, state="ready", missing=list(missing), sha256="ab", size=1,
                        fingerprint=study_facts.fingerprint(session, study),
                        figures={"figures": {"field": {"first_day": "2027-05-10"}}})  # fmt: skip
    session.add(made)
    session.flush()
    return made


def test_publishing_starts_the_count_of_five_days(
    session: Session, study: Study, package: StudyPackage, rosa: User
) -> None:
    assert study_publishing.countdown(session, study) is None
    study_publishing.publish(session, study.id, TODAY - timedelta(3), "Diario Inventado", rosa.id)
    left = study_publishing.countdown(session, study)
    assert left is not None
    assert (left.due, left.left, left.kind) == (TODAY + timedelta(2), 2, "danger")
    assert study.published_package_id == package.id
    with pytest.raises(Refused):
        study_publishing.publish(session, study.id, TODAY, "Otra vez", rosa.id)


@pytest.mark.parametrize(("days", "left"), [(0, 5), (5, 0), (6, -1)])
def test_days_are_natural_and_go_below_nothing(
    session: Session, study: Study, package: StudyPackage, rosa: User, days: int, left: int
) -> None:
    study_publishing.publish(session, study.id, TODAY - timedelta(days), "Diario Inventado", rosa.id)
    counted = study_publishing.countdown(session, study)
    assert counted is not None
    assert counted.left == left


@pytest.mark.parametrize(
    ("day", "place", "field"),
    [
        (None, "Diario", "published_on"),
        (TODAY + timedelta(1), "Diario", "published_on"),
        (date(2027, 5, 9), "Diario", "published_on"),
        (TODAY, " ", "published_in"),
    ],
)
def test_a_day_that_cannot_be_is_told(
    session: Session, study: Study, package: StudyPackage, rosa: User, day: date | None, place: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as fault:
        study_publishing.publish(session, study.id, day, place, rosa.id)
    assert set(fault.value.faults) == {field}


def test_without_a_package_or_with_an_old_one_nothing_is_published(session: Session, study: Study, rosa: User) -> None:
    with pytest.raises(Refused) as none:
        study_publishing.publish(session, study.id, TODAY, "Diario", rosa.id)
    assert none.value.code == "no_package"
    pack(session, study)
    studies.save(session, study.id, Written(**{**vars(WHOLE), "title": "Otro título"}), rosa.id)
    with pytest.raises(Refused) as old:
        study_publishing.publish(session, study.id, TODAY, "Diario", rosa.id)
    assert old.value.code == "old_package"


def test_a_publication_that_says_too_little_is_refused_naming_what_lacks(
    session: Session, study: Study, rosa: User
) -> None:
    pack(session, study, "sponsor_logo", "cvs")
    with pytest.raises(Refused) as refused:
        study_publishing.publish(session, study.id, TODAY, "Diario", rosa.id)
    assert "Logo of who sponsored" in str(refused.value)
    assert "CV" not in str(refused.value)


def test_nothing_is_published_during_the_silence(
    session: Session, study: Study, package: StudyPackage, rosa: User
) -> None:
    day = TODAY + timedelta(2)
    elections.save(session, elections.Plan("Municipal", day, (30,), tuple(calendar.election_of(day))), None)
    with pytest.raises(Refused) as refused:
        study_publishing.publish(session, study.id, TODAY, "Diario", rosa.id)
    assert refused.value.code == "silence"


def test_only_a_whole_study_is_delivered_and_then_nothing_changes(session: Session, study: Study, rosa: User) -> None:
    pack(session, study, "cvs")
    with pytest.raises(Refused):
        study_publishing.deliver(session, study.id, TODAY, "", rosa.id)  # not published yet
    study_publishing.publish(session, study.id, TODAY, "Diario", rosa.id)
    with pytest.raises(Refused) as refused:
        study_publishing.deliver(session, study.id, TODAY, "", rosa.id)
    assert "CV" in str(refused.value)
    pack(session, study)
    with pytest.raises(InvalidInput):
        study_publishing.deliver(session, study.id, TODAY + timedelta(1), "", rosa.id)
    study_publishing.deliver(session, study.id, TODAY, "Acuse 17", rosa.id)
    assert study.state == "delivered"
    assert study_publishing.countdown(session, study) is None
    with pytest.raises(Refused):
        studies.save(session, study.id, WHOLE, rosa.id)
    with pytest.raises(Refused):
        study_packages.ask(session, study.id, rosa.id)


@pytest.mark.parametrize(
    ("scope", "states", "named"),
    [("federal", (), ["INE"]), ("local", (30,), ["OPL of Veracruz"]), ("both", (9, 15), ["INE", "Ciudad", "México"])],
)
def test_it_goes_to_the_authorities_of_its_elections(
    session: Session, study: Study, scope: str, states: tuple[int, ...], named: list[str]
) -> None:
    study.scope, study.states = scope, list(states)
    found = study_publishing.recipients(study)
    assert len(found) == len(named)
    assert all(part in said for part, said in zip(named, found, strict=True))


def test_what_a_study_cannot_say_is_told_by_field(session: Session, study: Study, rosa: User) -> None:
    wrong = Written("", None, "mundial", (33,), {"objectives": "x" * 5_001}, {"sponsor": {"name": "x" * 300}},
                    [Payer("", "10", ""), Payer("Alguien", "mucho", "")])  # fmt: skip
    with pytest.raises(InvalidInput) as fault:
        studies.save(session, study.id, wrong, rosa.id)
    assert set(fault.value.faults) == {"title", "scope", "states", "record.objectives", "parties.sponsor.name",
                                       "amount-0", "amount-1"}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "amount"),
    [("125000", "125000"), ("$ 125,000.50", "125000.50"), ("-1", None), ("mucho", None), ("NaN", None), ("", None),
     ("1e400", None)],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(written: str, amount: str | None) -> None:
    found = studies.amount_of(written)
    assert (None if found is None else str(found)) == amount


def test_shares_of_payers_add_up_to_one() -> None:
    rows = [{"payer": "A", "amount": "75", "document": ""}, {"payer": "B", "amount": "25", "document": ""}]
    assert [share for _payer, _amount, share, _document in studies.shares_of(rows)] == [0.75, 0.25]
