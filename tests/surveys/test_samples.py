"""Samples are drawn by their seed and go into the field replicate by replicate, through the gate like anybody."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from callcenter.base.clock import campaign_now, start_drill
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.settings import Settings
from callcenter.contacts import Contact
from callcenter.privacy.person_register import Gone
from callcenter.queueing.queue_tables import QueueEntry
from surveys import person_keeping, samples
from surveys.questionnaire import Survey
from surveys.sampling import numbering_plans, sample_drawing, sample_jobs, sample_plans, waves
from surveys.sampling.sample_draws import digest, rank
from surveys.sampling.sample_plans import Wanted
from surveys.sampling.sample_tables import NumberingPlan, Sample, SampleCase
from surveys.sampling.waves import Given
from tests.callcenter.cast import person
from tests.surveys import sample_cast as cast


@pytest.fixture(autouse=True)
def _key(settings: Settings) -> None:
    suppressions.configure(settings.suppression_key)


def cases(session: Session, sample: Sample) -> list[SampleCase]:
    session.expire_all()
    of_sample = select(SampleCase).where(SampleCase.sample_id == sample.id)
    return list(session.scalars(of_sample.order_by(SampleCase.number)))


@pytest.fixture
def plan(session: Session, tmp_path: Path) -> NumberingPlan:
    return cast.plan(session, tmp_path)


def rdd(session: Session, survey: Survey, plan: NumberingPlan, **columns: Any) -> Sample:
    return cast.drawn(session, survey.id, "rdd", str(plan.id), **columns)


# ── numbering plans ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_is_read_once_and_its_file_goes(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text(cast.plan_text(), encoding="utf-8")
    made = numbering_plans.create(session, path, "plan.csv", "", None)
    session.commit()
    for _twice in range(2):
        sample_jobs.read_plan(made.id)
    session.expire_all()
    assert (made.state, made.title, made.counts["numbers"], made.file) == ("ready", "plan.csv", 2000, None)
    assert not path.exists()
    assert len(numbering_plans.ranges(session, made.id)) == 2
    assert [one.kind for one in numbering_plans.ranges(session, made.id, kinds=["landline"])] == ["landline"]
    assert numbering_plans.ranges(session, made.id, areas=["55"]) == []


@pytest.mark.parametrize("text", ["", "nombre,edad\nAna,3\n", "\x00\x01\x02"])
def test_a_file_that_is_no_plan_says_so(session: Session, tmp_path: Path, text: str) -> None:
    path = tmp_path / "upload"
    path.write_text(text, encoding="utf-8")
    made = numbering_plans.create(session, path, "x.csv", "", None)
    session.commit()
    sample_jobs.read_plan(made.id)
    session.expire_all()
    assert made.state == "failed"
    assert made.error
    assert not path.exists()


def test_a_plan_stays_as_the_frame_of_what_was_drawn_from_it(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = rdd(session, survey, plan)
    with pytest.raises(Refused, match="Muestra"):
        numbering_plans.remove(session, plan.id, None)
    samples.remove(session, made.id, None)
    numbering_plans.remove(session, plan.id, None)
    session.flush()
    with pytest.raises(NotFound):
        numbering_plans.get(session, plan.id)


# ── random digits ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_random_digits_are_strata_of_the_plan_and_the_same_for_the_same_seed(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = rdd(session, survey, plan, strata=("line_kind",))
    drawn = cases(session, made)
    assert [case.number for case in drawn] == list(range(1, 101))
    assert len({case.phone for case in drawn}) == 100
    assert {one.name: (one.frame_size, one.drawn, one.base_weight) for one in samples.strata(session, made.id)} == {
        "landline": (1000, 50, 1.0), "mobile": (1000, 50, 1.0),
    }  # fmt: skip
    assert all((case.phone or "").startswith("+529225500") == (case.stratum == "mobile") for case in drawn)
    assert made.digest == digest((c.number, c.replicate, c.stratum, c.phone or "") for c in drawn)
    samples.remove(session, made.id, None)
    session.flush()
    again = rdd(session, survey, plan, strata=("line_kind",))
    assert again.digest == made.digest


def test_a_number_of_an_earlier_sample_of_the_survey_is_not_drawn_again(
    session: Session, survey: Survey, tmp_path: Path
) -> None:
    small = cast.plan(session, tmp_path, cast.plan_text([(0, 199, "CPP")]))
    first = rdd(session, survey, small, seed="1")
    samples.release(session, first.id, 3, None)
    second = rdd(session, survey, small, seed="2")
    known = set(session.scalars(select(Contact.phone))) | {case.phone for case in cases(session, first)}
    assert not known & {case.phone for case in cases(session, second)}
    assert second.left_out["drawn_before"] > 0


def test_a_plan_with_fewer_numbers_than_were_asked_for_gives_all_it_has(
    session: Session, survey: Survey, tmp_path: Path
) -> None:
    small = cast.plan(session, tmp_path, cast.plan_text([(0, 49, "CPP")]))
    assert len(cases(session, rdd(session, survey, small))) == 50


# ── into the field ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_released_number_becomes_a_person_without_a_name_whom_the_gate_judges(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    start_drill(session)
    queue = cast.campaign(session, survey.id)
    made = rdd(session, survey, plan)
    samples.set_queue(session, made.id, queue.id, None)
    assert session.scalar(select(func.count()).select_from(Contact)) == 0  # numbers in the drawer are nobody's data
    assert samples.release(session, made.id, 1, None) == 10
    people = session.scalars(select(Contact)).all()
    assert {(one.name, one.source, one.consent, one.line_kind_source) for one in people} == {
        ("", f"rdd/{made.id}", "unknown", "numbering_plan")
    }
    assert {one.line_kind for one in people} <= {"mobile", "landline"}
    assert session.scalar(select(func.count()).select_from(QueueEntry).filter_by(queue_id=queue.id)) == 10
    one = people[0]
    assert consent.refusal(session, one.id, "call", "survey", phone=one.phone, simulated=True) is None
    refusal = consent.refusal(session, one.id, "call", "persuasion", phone=one.phone, simulated=True)
    assert refusal is not None
    released = [case for case in cases(session, made) if case.replicate == 1]
    assert all(case.contact_id and case.phone is None for case in released)
    assert all(case.phone and case.contact_id is None for case in cases(session, made) if case.replicate > 1)


def test_a_number_that_must_not_be_contacted_becomes_nobody(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = rdd(session, survey, plan)
    first = cases(session, made)[0]
    assert first.phone is not None
    suppressions.add(session, first.phone, reason="public_page", source="x", at=campaign_now(session))
    samples.release(session, made.id, 1, None)
    assert session.scalar(select(func.count()).select_from(Contact)) == 9
    kept = cases(session, made)[0]
    assert (kept.contact_id, kept.phone) == (None, None)


def test_releases_are_counted_and_end_with_the_last_replicate(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = rdd(session, survey, plan, replicates=3)
    samples.release(session, made.id, 2, None)
    assert [(one.replicate, one.cases, one.queued) for one in samples.releases(session, made.id)] == [
        (1, 34, 0), (2, 33, 0),
    ]  # fmt: skip
    with pytest.raises(InvalidInput):
        samples.release(session, made.id, 2, None)
    samples.release(session, made.id, 1, None)
    with pytest.raises(Refused, match="in the field"):
        samples.release(session, made.id, 1, None)
    with pytest.raises(Refused, match="stays"):
        samples.remove(session, made.id, None)


def test_a_campaign_that_is_chosen_later_gets_what_is_released_already(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = rdd(session, survey, plan)
    samples.release(session, made.id, 2, None)
    queue = cast.campaign(session, survey.id)
    assert samples.set_queue(session, made.id, queue.id, None) == 20
    assert samples.set_queue(session, made.id, queue.id, None) == 0
    assert samples.release(session, made.id, 1, None) == 10


def test_a_campaign_that_asks_something_else_or_is_over_takes_no_sample(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = rdd(session, survey, plan)
    for queue in (cast.campaign(session, survey.id + 1), cast.campaign(session, survey.id, state="finished")):
        with pytest.raises(InvalidInput):
            samples.set_queue(session, made.id, queue.id, None)


def test_how_many_replicates_are_still_needed_follows_from_the_yield(
    session: Session, survey: Survey, plan: NumberingPlan
) -> None:
    made = rdd(session, survey, plan, target=20)
    samples.release(session, made.id, 2, None)
    assert samples.outlook(made, samples.strata(session, made.id)).needed is None
    for case in cases(session, made)[:1]:
        cast.interview(session, survey.id, "complete", case_id=case.id)
    made = cast.refreshed(session, made)
    for case in [one for one in cases(session, made) if one.replicate <= 2][1:4]:
        cast.interview(session, survey.id, "complete", case_id=case.id)
    found = samples.outlook(made, samples.strata(session, made.id))
    assert (found.released, found.complete, found.needed) == (20, 4, 8)


# ── lists of people ───────────────────────────────────────────────────────────────────────────────────────────────────


def took_part(session: Session, survey: Survey, **columns: Any) -> Contact:
    queue = cast.campaign(session, survey.id)
    contact = person(session, **columns)
    cast.interview(session, survey.id, "complete", wave="1", call_id=cast.over(session, queue, contact,
                                                                            disposition="completed"))  # fmt: skip
    return contact


def test_a_panel_is_who_took_part_and_may_be_contacted(session: Session, survey: Survey) -> None:
    waves.save(session, survey.id, Given("1", "First", campaign_now(session).date()), None)
    people = [took_part(session, survey, sex="M") for _number in range(6)]
    people[0].suppressed, people[1].blocked_at, people[2].consent = True, campaign_now(session), "opted_out"
    session.flush()
    made = cast.drawn(session, survey.id, "panel", "1", size=10, replicates=1, strata=("sex",))
    assert {case.contact_id for case in cases(session, made)} == {one.id for one in people[3:]}
    assert made.left_out == {"suppressed": 1, "blocked": 1, "opted_out": 1}
    assert made.frame_size == 3


def test_people_are_put_in_the_order_that_the_seed_says(session: Session, survey: Survey) -> None:
    waves.save(session, survey.id, Given("1", "First", campaign_now(session).date()), None)
    ids = [took_part(session, survey).id for _number in range(8)]
    made = cast.drawn(session, survey.id, "panel", "1", size=5, replicates=2, seed="semilla ñ")
    assert [case.contact_id for case in cases(session, made)] == sorted(ids, key=lambda one: rank("semilla ñ", one))[:5]
    assert [case.replicate for case in cases(session, made)] == [1, 2, 1, 2, 1]


def test_a_panel_without_people_says_so(session: Session, survey: Survey) -> None:
    waves.save(session, survey.id, Given("1", "First", campaign_now(session).date()), None)
    contact = took_part(session, survey)
    wanted = Wanted(title="x", frame="panel", ref="1", size=5)
    made = sample_plans.create(session, survey.id, wanted, None)
    contact.suppressed = True
    session.commit()
    sample_jobs.draw_sample(made.id)
    session.expire_all()
    assert made.state == "failed"
    assert "nobody" in (made.error or "")


def test_a_sample_is_drawn_once_by_its_job(session: Session, survey: Survey, plan: NumberingPlan) -> None:
    made = sample_plans.create(session, survey.id, Wanted("x", "rdd", str(plan.id), 10), None)
    session.commit()
    for _twice in range(2):
        sample_jobs.draw_sample(made.id)
    assert len(cases(session, made)) == 10
    assert len(list(sample_drawing.lines(session, made.id))) == 10
    assert made.state == "drawn"
    assert len(made.seed) == 16


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"size": 0}, "size"),
        ({"size": 10**6}, "size"),
        ({"replicates": 0}, "replicates"),
        ({"replicates": 11}, "replicates"),
        ({"target": 11}, "target"),
        ({"seed": "x" * 65}, "seed"),
        ({"seed": "a\nb"}, "seed"),
        ({"wave": "99"}, "wave"),
        ({"strata": ("sex",)}, "strata"),
        ({"allocation": "?"}, "allocation"),
        ({"frame": "nothing"}, "frame"),
        ({"ref": "x"}, "frame"),
        ({"ref": "999999"}, "frame"),
        ({"frame": "panel", "ref": "1"}, "frame"),
        ({"areas": ("x",)}, "areas"),
        ({"areas": ("33",)}, "areas"),
    ],
)
def test_what_cannot_be_drawn_is_refused_beside_its_field(
    session: Session, survey: Survey, plan: NumberingPlan, change: dict[str, Any], field: str
) -> None:
    wanted: dict[str, Any] = {"title": "x", "frame": "rdd", "ref": str(plan.id), "size": 10} | change
    with pytest.raises(InvalidInput) as caught:
        sample_plans.create(session, survey.id, Wanted(**wanted), None)
    assert list(caught.value.faults) == [field]


def test_an_erased_person_leaves_a_case_that_is_nobodys(session: Session, survey: Survey, plan: NumberingPlan) -> None:
    made = rdd(session, survey, plan)
    samples.release(session, made.id, 1, None)
    case, later = cases(session, made)[0], cases(session, made)[1]
    assert case.contact_id is not None
    assert later.phone is not None
    sheets = {sheet.name: sheet for sheet in person_keeping.export(session, case.contact_id)}
    assert [row[2] for row in sheets["samples"].rows] == ["Muestra"]
    person_keeping.erase(session, Gone([case.contact_id], {later.phone}, {case.contact_id: ()}))
    session.expire_all()
    left = session.execute(
        select(SampleCase.contact_id, SampleCase.phone).where(SampleCase.id.in_([case.id, later.id]))
    )
    assert [tuple(row) for row in left] == [(None, None)] * 2
