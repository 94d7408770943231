"""What an interview carries of its sample: wave, stratum, base weight and case, told when it begins."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from surveys.sampling import waves
from surveys.sampling.sample_tables import Sample, SampleCase, SampleStratum


@dataclass(frozen=True)
class Mark:
    """The columns of `interviews` of these names. `base_weight`: 1 is an average case of its sample."""

    wave: str | None = None
    stratum: str | None = None
    base_weight: float = 1.0
    case_id: int | None = None

    def columns(self) -> dict[str, Any]:
        """As values of a row."""
        return asdict(self)


def of_person(session: Session, survey_id: int, contact_id: int | None) -> Mark:
    """The mark of an interview with this person that begins now: of the newest sample of the survey in whose released
    replicates they are; without one, the wave of today alone."""
    found = None
    if contact_id is not None:
        found = session.execute(
            select(SampleCase.id, SampleCase.stratum, SampleStratum.base_weight, Sample.wave)
            .join(Sample, Sample.id == SampleCase.sample_id)
            .outerjoin(
                SampleStratum,
                (SampleStratum.sample_id == Sample.id) & (SampleStratum.stratum == SampleCase.stratum),
            )
            .where(SampleCase.contact_id == contact_id, Sample.survey_id == survey_id)
            .where(SampleCase.replicate <= Sample.released)
            .order_by(Sample.id.desc())
            .limit(1)
        ).first()
    if found is None:
        return Mark(wave=waves.now(session, survey_id))
    wave = found.wave or waves.now(session, survey_id)
    return Mark(wave, found.stratum, found.base_weight if found.base_weight is not None else 1.0, found.id)
