"""Work of studies for a worker: the package, made between two transactions. Harmless when run twice."""

import logging

from flask_babel import gettext as _

from callcenter.base import languages
from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput, NotFound
from surveys.publishing import study_building, study_packages, study_source
from surveys.publishing.package_archive import digest
from surveys.publishing.study_building import Made
from surveys.publishing.study_source import Source

log = logging.getLogger(__name__)


def make_package(package_id: int) -> None:
    """Make one package; what cannot be made says why on the study's page."""
    try:
        with open_session() as session:
            source = study_source.read(session, package_id)
            session.commit()
        if source is None:
            return
        made = study_building.build(source, lambda stage: _reach(package_id, stage))
    except NotFound:
        return
    except InvalidInput as fault:  # among them CannotWeigh: it names the variable and the level
        _fail(package_id, str(fault))
        return
    except Exception:  # a bug: raised again for the log, but whoever waits for the package must hear of it
        with languages.speaking("es"):
            _fail(package_id, _("The package could not be made; the fault has been logged. Try again."))
        raise
    if made is not None:
        _finish(source, made)


def _reach(package_id: int, stage: int) -> bool:
    with open_session() as session:
        is_wanted = study_packages.reach_stage(session, package_id, stage)
        session.commit()
    return is_wanted


def _fail(package_id: int, sentence: str) -> None:
    with open_session() as session:
        study_packages.fail(session, package_id, sentence)
        session.commit()


def _finish(source: Source, made: Made) -> None:
    with open_session() as session:
        package = study_packages.find(session, source.package_id)
        session.refresh(package, with_for_update=True)
        if package.state == "asked":
            package.content, package.sha256, package.size = made.content, digest(made.content), len(made.content)
            package.figures, package.missing = made.figures, list(made.missing)
            package.fingerprint, package.as_of = source.fingerprint, source.as_of
            package.stage, package.state = len(study_packages.STAGES), "ready"
            package.finished_at, package.lease_until = real_now(), None
        session.commit()
    log.info("study package %s: %d interviews, %d bytes", source.package_id, source.responses.frame.height,
             len(made.content))  # fmt: skip
