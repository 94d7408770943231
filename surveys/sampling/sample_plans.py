"""What is asked for when a sample is drawn: checked, and kept with it."""

import secrets
from dataclasses import asdict, dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import enqueue_later
from surveys import questionnaire
from surveys.sampling import numbering_plans, waves
from surveys.sampling.sample_draws import ALLOCATIONS, PROPORTIONAL
from surveys.sampling.sample_frames import RDD, RDD_STRATA, STRATA, frames
from surveys.sampling.sample_tables import Sample

MOST_CASES, MOST_REPLICATES, MOST_DIMENSIONS = 200_000, 200, 2
JOB = "surveys.sampling.sample_jobs.draw_sample"


@dataclass(frozen=True)
class Wanted:
    """`frame`: rdd | panel | what the floors above offer; `ref`: the plan's number, the wave's code, the segment…
    `size`: cases; `target`: complete interviews hoped for, 0: not said. `seed`: '' makes one. `areas`, `kinds`: of a
    numbering plan, these alone. `agree_item`, `agree_code`: of a panel, who answered so."""

    title: str
    frame: str
    ref: str
    size: int
    replicates: int = 1
    seed: str = ""
    wave: str = ""
    target: int = 0
    strata: tuple[str, ...] = ()
    allocation: str = PROPORTIONAL
    areas: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    agree_item: str = ""
    agree_code: str = ""


_IN_COLUMNS = ("title", "frame", "size", "replicates", "seed", "wave")


def create(session: Session, survey_id: int, wanted: Wanted, user_id: int | None) -> Sample:
    """A sample that a worker draws after the commit; audited with its seed. Raises InvalidInput, NotFound."""
    questionnaire.find(session, survey_id)
    faults = _faults(session, survey_id, wanted)
    if faults:
        raise InvalidInput(faults)
    options = {name: value for name, value in asdict(wanted).items() if name not in _IN_COLUMNS}
    if wanted.frame == RDD:
        options["plan"] = int(wanted.ref)
    sample = Sample(
        survey_id=survey_id, title=wanted.title.strip()[:200], frame=wanted.frame, options=options, size=wanted.size,
        replicates=wanted.replicates, seed=wanted.seed.strip() or secrets.token_hex(8), wave=wanted.wave or None,
        created_by=user_id,
    )  # fmt: skip
    session.add(sample)
    session.flush()
    audit.record(session, user_id, "sample.create", f"sample/{sample.id}", survey=survey_id, frame=sample.frame,
                 ref=wanted.ref, size=sample.size, seed=sample.seed)  # fmt: skip
    enqueue_later(session, JOB, sample.id, queue="default")
    return sample


def _faults(session: Session, survey_id: int, wanted: Wanted) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not wanted.title.strip():
        faults["title"] = _("Give the sample a name.")
    if not 1 <= wanted.size <= MOST_CASES:
        faults["size"] = _("Write how many cases to draw, from 1 to %(most)s.", most=MOST_CASES)
    if not 1 <= wanted.replicates <= min(MOST_REPLICATES, max(wanted.size, 1)):
        faults["replicates"] = _("Write into how many replicates the cases are divided: from 1 to %(most)s, and no"
                                 " more than there are cases.", most=MOST_REPLICATES)  # fmt: skip
    if not 0 <= wanted.target <= wanted.size:
        faults["target"] = _("More interviews than cases cannot be hoped for; write a smaller number, or nothing.")
    if len(wanted.seed.strip()) > 64 or not wanted.seed.isprintable():
        faults["seed"] = _("Write a seed of at most 64 letters and digits, or nothing: then one is made.")
    if wanted.wave and waves.find(session, survey_id, wanted.wave) is None:
        faults["wave"] = _("There is no wave %(code)s.", code=wanted.wave)
    known = RDD_STRATA if wanted.frame == RDD else STRATA
    if len(wanted.strata) > MOST_DIMENSIONS or set(wanted.strata) - set(known):
        faults["strata"] = _("Choose at most two strata of the list; random digits know their area code and kind of"
                             " line alone.")  # fmt: skip
    if wanted.allocation not in ALLOCATIONS:
        faults["allocation"] = _("Choose how the cases are shared out among the strata.")
    return faults | _frame_faults(session, survey_id, wanted)


def _frame_faults(session: Session, survey_id: int, wanted: Wanted) -> dict[str, str]:
    if wanted.frame == RDD:
        return _plan_faults(session, wanted)
    frame = frames().get(wanted.frame)
    if frame is None:
        return {"frame": _("Choose what to draw from.")}
    if wanted.ref not in {ref for ref, _words in frame.choices(session, survey_id)}:
        return {"frame": _("What to draw from is not there any more; choose again.")}
    return {}


def _plan_faults(session: Session, wanted: Wanted) -> dict[str, str]:
    try:
        plan = numbering_plans.get(session, int(wanted.ref))
    except (ValueError, NotFound):
        return {"frame": _("Choose the numbering plan to draw from; upload one first if there is none.")}
    if plan.state != "ready":
        return {"frame": _("This numbering plan has not been read to its end.")}
    strange = [area for area in wanted.areas if not (area.isascii() and area.isdecimal() and len(area) in (2, 3))]
    if strange:
        return {"areas": _("“%(area)s” is no area code: write two or three digits each.", area=strange[0][:10])}
    if not numbering_plans.ranges(session, plan.id, areas=wanted.areas, kinds=wanted.kinds):
        return {"areas": _("The plan has no numbers of these area codes and kinds of line.")}
    return {}
