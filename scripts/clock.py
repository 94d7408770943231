"""The clock: the one list of periodic work. One of these processes leads; the others wait to take over."""

import argparse
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import wsgi
from callcenter import jobs
from callcenter.base.clock import keep_furthest
from callcenter.base.db import open_session
from callcenter.base.leases import holds
from callcenter.ledger import call_act_jobs
from callcenter.privacy import privacy_jobs
from scripts.daemon import AWAY, Daemon

log = logging.getLogger(__name__)
NAME = "clock"
SECONDS = 0.5


@dataclass
class Chore:
    """`run` every `seconds`, started one after another; `due` is on the monotonic clock."""

    name: str
    seconds: float
    run: Callable[[], None]
    due: float = 0.0


def committed(module: str, function: str) -> Callable[[], None]:
    """A domain function `function(session)` of `module` as a chore: opened, run and committed here."""
    work = getattr(import_module(module), function)

    def run() -> None:
        with open_session() as session:
            work(session)
            session.commit()

    run.__doc__ = work.__doc__
    return run


def chores() -> list[Chore]:
    """The list. Whatever must happen again and again stands here and nowhere else."""
    return [
        Chore("calls", 3, jobs.sweep_calls),
        Chore("operators", 2, committed("callcenter.seats.operator_sweep", "sweep")),
        Chore("rooms", 5, jobs.check_rooms),
        Chore("previews", 2, committed("callcenter.queueing.previews", "sweep")),
        Chore("softphones", 5, committed("callcenter.telephony.softphones", "sweep")),
        Chore("legs", 5, call_act_jobs.sweep_legs),
        Chore("promises", 10, committed("callcenter.queueing.promised_callbacks", "sweep")),
        Chore("section goals", 30, committed("callcenter.queueing.queue_order", "follow_goals")),
        Chore("best hours", 6 * 3600, committed("callcenter.queueing.queue_order", "learn_later")),
        Chore("spending", 10, committed("callcenter.queueing.queue_spending", "sweep")),
        Chore("all spending", 300, committed("callcenter.queueing.queue_spending", "sweep_all")),
        Chore("imports", 10, committed("callcenter.imports", "sweep")),
        Chore("names", 20, committed("callcenter.people.name_index", "tend")),
        Chore("duplicates", 60, committed("callcenter.people.duplicate_runs", "sweep")),
        Chore("territory", 30, committed("callcenter.places.territory_batches", "sweep")),
        Chore("do-not-call", 30, committed("callcenter.gate.do_not_call", "sweep")),
        Chore("recorded surveys", 5, committed("surveys.fieldwork.recorded_calls", "sweep")),
        Chore("survey links", 60, committed("surveys.fieldwork.survey_links", "sweep")),
        Chore("samples", 300, committed("surveys.sampling.sample_jobs", "sweep")),
        Chore("quotas", 60, committed("surveys.fieldwork.quota_jobs", "tend")),
        Chore("interview signals", 15, committed("surveys.checks.quality_measuring", "tend")),
        Chore("all interview signals", 3600, committed("surveys.checks.quality_measuring", "tend_all")),
        Chore("verifications", 120, committed("surveys.checks.verifications", "tend")),
        Chore("study packages", 60, committed("surveys.publishing.study_packages", "sweep")),
        Chore("transcripts", 30, committed("surveys.coding.transcription", "tend")),
        Chore("voices", 30, committed("surveys.voice.voice_answers", "sweep")),
        Chore("messages", 5, committed("campaigns.dispatch.message_sweep", "sweep")),
        Chore("batches of people", 30, committed("campaigns.mailings.peer_batches", "sweep")),
        Chore("conversations", 60, committed("campaigns.correspondence.conversations", "sweep")),
        Chore("message waves", 5, committed("campaigns.mailings.wave_jobs", "tend")),
        Chore("rehearsals", 15, committed("campaigns.rehearsal.rehearsals", "sweep")),
        Chore("breaker", 1, committed("campaigns.mailings.message_breaker", "watch")),
        Chore("channel rules", 30, committed("campaigns.channels.channel_stops", "sweep")),
        Chore("channels", 900, committed("campaigns.channels.channel_checks", "check_later")),
        Chore("voice messages", 30, committed("callcenter.sound.voice_messages", "sweep")),
        Chore("recordings", 2, committed("callcenter.recordings", "sweep")),
        Chore("copy of people", 20, committed("campaigns.snapshot.people_jobs", "tend")),
        Chore("test calls", 10, committed("callcenter.ledger.trial_calls", "sweep")),
        Chore("trunks", 10, committed("callcenter.telephony.trunk_jobs", "tend")),
        Chore("carrier's account", 15, committed("callcenter.telephony.account_checks", "tend")),
        Chore("prices of calls", 600, committed("callcenter.telephony.call_prices", "read_later")),
        Chore("privacy", 30, privacy_jobs.sweep),
        Chore("retention", 300, privacy_jobs.sweep_retention),
        Chore("dial decisions", 30, committed("callcenter.queueing.dial_decisions", "sweep")),
        Chore("drill clock", 10, committed(keep_furthest.__module__, keep_furthest.__name__)),
    ]


class Clock:
    def __init__(self, work: list[Chore]) -> None:
        self._work = work

    def turn(self, token: int) -> None:
        """Run what is due. A chore that fails is said and tried again at its next time; the others go on."""
        for chore in self._work:
            if time.monotonic() < chore.due:
                continue
            with open_session() as session:
                if not holds(session, NAME, token):
                    return
            chore.due = time.monotonic() + chore.seconds
            try:
                chore.run()
            except AWAY:
                raise  # the daemon waits for the service and begins again
            except Exception:  # one broken chore must not stop the sweeps; it is in the log with its traceback
                log.exception("clock: %s failed; again in %g s", chore.name, chore.seconds)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.clock", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the periodic work and end")
    options = parser.parse_args(argv)
    if options.list:
        for chore in chores():
            print(f"{chore.name:<12} every {chore.seconds:g} s")
        return
    wsgi.start_process()
    Daemon(NAME, Clock(chores()).turn).run(SECONDS)


if __name__ == "__main__":
    main()
