"""What samples keep of a person: that they were drawn. It is shown to them, and forgotten with them."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from callcenter.privacy.person_register import Gone, Sheet
from surveys.questionnaire import Survey
from surveys.sampling.sample_tables import Sample, SampleCase, SampleRelease


def sheet(session: Session, contact_id: int) -> Sheet:
    """The samples into which the person was drawn, and when that went into the field."""
    query = (
        select(Sample.drawn_at, Survey.name, Sample.title, SampleRelease.released_at)
        .select_from(SampleCase)
        .join(Sample, Sample.id == SampleCase.sample_id)
        .join(Survey, Survey.id == Sample.survey_id)
        .outerjoin(
            SampleRelease,
            (SampleRelease.sample_id == Sample.id) & (SampleRelease.replicate == SampleCase.replicate),
        )
        .where(SampleCase.contact_id == contact_id)
        .order_by(Sample.id)
    )
    columns = [_l("Drawn"), _l("Survey"), _l("Sample"), _l("Released")]
    return Sheet(
        "samples", _l("Samples into which you were drawn"), columns, [tuple(row) for row in session.execute(query)]
    )


def forget(session: Session, gone: Gone) -> None:
    """Their cases stay in the counts and belong to nobody; a number that waits to be released goes, too."""
    theirs = or_(SampleCase.contact_id.in_(gone.ids), SampleCase.phone.in_(gone.phones))
    unlinked = update(SampleCase).where(theirs).values(contact_id=None, phone=None)
    session.execute(unlinked.execution_options(synchronize_session=False))
