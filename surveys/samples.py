"""Samples of a survey: what there is, and their way into the field, replicate by replicate.

A released random number becomes a person without a name (source `rdd/<sample>`), whom the gate judges as anybody else;
the replicates that were not released are nobody's data.
"""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from flask_babel import gettext as _
from sqlalchemy import BigInteger, and_, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import queues, suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import tell_later
from callcenter.contacts import Contact
from callcenter.queueing.queue_tables import CallQueue
from callcenter.tables.file_faults import stored
from surveys import quotas
from surveys.fieldwork.interview_ledger import Interview
from surveys.sampling import numbering_plans, outcomes, sample_frames
from surveys.sampling.sample_frames import RDD
from surveys.sampling.sample_tables import NumberingRange, Sample, SampleCase, SampleRelease, SampleStratum


def get(session: Session, sample_id: int) -> Sample:
    """The sample, fresh from the database; raises NotFound."""
    sample = session.get(Sample, sample_id, populate_existing=True)
    if sample is None:
        raise NotFound(_("There is no sample %(number)s.", number=sample_id))
    return sample


def listed(session: Session, survey_id: int) -> list[Sample]:
    """The survey's samples, the newest first."""
    return list(session.scalars(select(Sample).where(Sample.survey_id == survey_id).order_by(Sample.id.desc())))


def frame_words(session: Session, sample: Sample) -> str:
    """What it was drawn from, in words."""
    if sample.frame == RDD:
        plan = numbering_plans.get(session, sample.options["plan"])
        return str(_("Random digits from the numbering plan “%(title)s”", title=plan.title))
    frame = sample_frames.frames().get(sample.frame)
    if frame is None:
        return sample.frame
    names = dict(frame.choices(session, sample.survey_id))
    return f"{frame.label}: {names.get(sample.options['ref'], sample.options['ref'])}"


_campaign_door = ""  # an endpoint of the floor above, of a sample's number


def offer_campaigns(endpoint: str) -> None:
    """Tell where a calling campaign for a sample is prepared."""
    global _campaign_door  # noqa: PLW0603  # told once a process, at the composition root
    _campaign_door = endpoint


def campaign_door() -> str:
    """The endpoint that prepares a calling campaign; '' while no floor above offers one."""
    return _campaign_door


def fail(session: Session, sample_id: int, fault: InvalidInput) -> None:
    """It could not be drawn: why."""
    sample = get(session, sample_id)
    sample.state, sample.error = "failed", stored(fault)


def remove(session: Session, sample_id: int, user_id: int | None) -> None:
    """Delete a sample of which nothing was released; audited. Raises Refused("sample_released"), NotFound."""
    sample = locked(session, sample_id)
    if sample.released:
        raise Refused("sample_released", _("Part of this sample is in the field; it stays."))
    audit.record(session, user_id, "sample.remove", f"sample/{sample_id}", seed=sample.seed, digest=sample.digest)
    session.delete(sample)


# ── into the field ────────────────────────────────────────────────────────────────────────────────────────────────────


def queues_for(session: Session, sample: Sample) -> list[CallQueue]:
    """The campaigns that may take its releases: those that ask its survey and are not finished."""
    return [queue for queue in outcomes.queues(session, sample.survey_id) if queue.state != "finished"]


def set_queue(session: Session, sample_id: int, queue_id: int | None, user_id: int | None) -> int:
    """From now on releases go into this campaign's queue (None: into none), and what is released goes there at once;
    returns how many are new in it. Raises InvalidInput for another survey's, or a finished one."""
    sample = locked(session, sample_id)
    if queue_id is not None and queue_id not in {queue.id for queue in queues_for(session, sample)}:
        raise InvalidInput({"queue": _("Choose a campaign that asks this survey and is not finished.")})
    audit.record(session, user_id, "sample.set_queue", f"sample/{sample_id}", was=sample.queue_id, now=queue_id)
    sample.queue_id = queue_id
    session.flush()
    return _fill(session, sample, 1, sample.released)


def release(session: Session, sample_id: int, replicates: int, user_id: int | None) -> int:
    """Let the next replicates into the field; returns how many people are new in the campaign's queue; audited.

    Raises Refused("sample_not_drawn", "sample_spent"), InvalidInput, NotFound."""
    sample = locked(session, sample_id)
    if sample.state != "drawn":
        raise Refused("sample_not_drawn", _("The sample has not been drawn yet."))
    left = sample.replicates - sample.released
    if not left:
        raise Refused("sample_spent", _("Every replicate of this sample is in the field. Draw another sample."))
    if not 1 <= replicates <= left:
        raise InvalidInput({"replicates": _("Write how many replicates to release: from 1 to %(most)s.", most=left)})
    queued = 0
    for _step in range(replicates):
        queued += _release_next(session, sample, user_id)
    audit.record(session, user_id, "sample.release", f"sample/{sample_id}", replicates=replicates,
                 released=sample.released, queued=queued)  # fmt: skip
    tell_later(session, f"survey/{sample.survey_id}")
    return queued


def _release_next(session: Session, sample: Sample, user_id: int | None) -> int:
    of = sample.released + 1
    if sample.frame == RDD:
        _make_people(session, sample, of)
    sample.released = of
    session.flush()
    queued = _fill(session, sample, of, of)
    cases = select(func.count()).where(SampleCase.sample_id == sample.id, SampleCase.replicate == of)
    number = session.scalar(cases) or 0
    session.add(SampleRelease(sample_id=sample.id, replicate=of, cases=number, queued=queued, released_by=user_id))
    session.flush()
    return queued


def _make_people(session: Session, sample: Sample, of: int) -> None:
    """Random numbers become people without a name; those whose phone must not be contacted stay numbers, uncalled."""
    mine = and_(SampleCase.sample_id == sample.id, SampleCase.replicate == of, SampleCase.phone.is_not(None))
    number = cast(func.substr(SampleCase.phone, 4), BigInteger)
    kind = (
        select(NumberingRange.kind)
        .where(NumberingRange.plan_id == sample.options["plan"], NumberingRange.first <= number)
        .order_by(NumberingRange.first.desc()).limit(1).scalar_subquery()
    )  # fmt: skip
    new = select(
        literal(""), literal(""), literal(""), SampleCase.phone, func.coalesce(kind, "unknown"),
        literal("numbering_plan"), literal(f"rdd/{sample.id}"),
    ).where(mine, ~suppressions.is_suppressed(func.coalesce(SampleCase.phone, "")))  # fmt: skip
    columns = ["name", "given_names", "name_key", "phone", "line_kind", "line_kind_source", "source"]
    session.execute(insert(Contact).from_select(columns, new).on_conflict_do_nothing())
    session.execute(
        update(SampleCase)
        .where(mine, Contact.phone == SampleCase.phone, Contact.name_key == "", Contact.blocked_at.is_(None))
        .values(contact_id=Contact.id, phone=None)
        .execution_options(synchronize_session=False)
    )
    # What is left must not be contacted: its number is of no more use.
    session.execute(update(SampleCase).where(mine).values(phone=None).execution_options(synchronize_session=False))


def _fill(session: Session, sample: Sample, first: int, last: int) -> int:
    """Put the people of these replicates into the sample's queue; returns how many are new there."""
    if sample.queue_id is None or last < first:
        return 0
    people = select(SampleCase.contact_id).where(
        SampleCase.sample_id == sample.id, SampleCase.replicate.between(first, last), SampleCase.contact_id.is_not(None)
    )
    added = queues.fill(session, sample.queue_id, people.distinct())
    if quotas.of(session, sample.queue_id) is not None:
        quotas.sort_later(session, sample.queue_id)
    return added


def locked(session: Session, sample_id: int) -> Sample:
    """The sample, held until the transaction ends; raises NotFound."""
    sample = session.get(Sample, sample_id, with_for_update=True, populate_existing=True)
    if sample is None:
        raise NotFound(_("There is no sample %(number)s.", number=sample_id))
    return sample


# ── what came of it ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Stratum:
    """One stratum: in the frame, drawn, released, complete interviews; `base_weight`: 1 is an average case."""

    name: str
    frame_size: int
    drawn: int
    released: int
    complete: int
    base_weight: float


def strata(session: Session, sample_id: int) -> list[Stratum]:
    """The sample's strata by name."""
    sample = get(session, sample_id)
    cases = func.count(SampleCase.id.distinct())  # a case may have been interviewed more than once
    released = cases.filter(SampleCase.replicate <= sample.released)
    complete = cases.filter(Interview.state == "complete")
    by_case = dict[str, tuple[int, int]]()
    query = (
        select(SampleCase.stratum, released, complete)
        .outerjoin(Interview, Interview.case_id == SampleCase.id)
        .where(SampleCase.sample_id == sample_id)
        .group_by(SampleCase.stratum)
    )
    for name, out, done in session.execute(query):
        by_case[name] = out, done
    of_sample = select(SampleStratum).where(SampleStratum.sample_id == sample_id).order_by(SampleStratum.stratum)
    return [
        Stratum(one.stratum, one.frame_size, one.drawn, *by_case.get(one.stratum, (0, 0)), one.base_weight)
        for one in session.scalars(of_sample)
    ]


def releases(session: Session, sample_id: int) -> list[SampleRelease]:
    """What was released, in order."""
    of_sample = select(SampleRelease).where(SampleRelease.sample_id == sample_id)
    return list(session.scalars(of_sample.order_by(SampleRelease.replicate)))


@dataclass(frozen=True)
class Outlook:
    """How far the sample is: `complete` interviews of `released` cases. `needed`: replicates that are still wanted to
    reach the target at this yield; None without a target, or while nothing tells the yield."""

    released: int
    complete: int
    target: int
    needed: int | None
    as_of: datetime

    @property
    def share(self) -> float | None:
        """Complete interviews of a released case."""
        return self.complete / self.released if self.released else None


def outlook(sample: Sample, of: list[Stratum]) -> Outlook:
    """From the sample's strata as they stand."""
    released, complete = sum(one.released for one in of), sum(one.complete for one in of)
    target = int(sample.options.get("target") or 0)
    needed = None
    if target and complete and released and sample.released:
        each = complete / sample.released  # interviews of a replicate
        needed = max(0, ceil((target - complete) / each))
    return Outlook(released, complete, target, needed, real_now())
