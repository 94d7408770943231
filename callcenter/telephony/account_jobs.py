"""Asking the carrier about our account, in a worker: no transaction is open while it answers."""

import logging

from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.carriers.twilio import account
from callcenter.carriers.twilio.account import Finding
from callcenter.telephony import account_checks, call_prices

log = logging.getLogger(__name__)
MOST_PRICES = 5000  # calls whose prices are read at once


def look(wants_proof: bool = False) -> None:
    """Ask everything about the account and write it down; let Twilio call us when that was not proved lately, or
    `wants_proof`."""
    settings = account_checks.configured()
    if settings is None:
        return
    findings = account.look(settings)
    with open_session() as session:
        for found in findings:
            account_checks.keep(session, settings.carrier, found)
            if found.name == "prices" and found.state == "ok":
                facts = found.facts
                call_prices.keep_rates(session, settings.carrier, facts["currency"], facts["rates"])
        is_let_in = all(found.state != "fault" for found in findings if found.name in ("account", "address"))
        proof_is_due = wants_proof or account_checks.wants_proof(account_checks.latest(session, settings.carrier))
        session.commit()
    if is_let_in and proof_is_due:
        _prove(settings)


def _prove(settings: Settings) -> None:
    with open_session() as session:
        probe_id = account_checks.begin_probe(session, settings.carrier)
        session.commit()
        try:
            account.probe(settings, probe_id)
        except ProviderError as error:
            account_checks.not_reached(session, probe_id, error.code)
            session.commit()
            log.warning("carrier: it was not asked to call us (%s)", error.code)


def point(sid: str) -> None:
    """Let a number of the account ring here, and look again."""
    settings = account_checks.configured()
    if settings is None:
        return
    try:
        account.point(settings, sid)
        found = Finding("point", "ok")
    except ProviderError as error:
        found = Finding("point", "warning", error.code)
        log.warning("carrier: a number was not pointed to us (%s)", error.code)
    with open_session() as session:
        account_checks.keep(session, settings.carrier, found)
        session.commit()
    look()


def read_prices() -> None:
    """What the carrier charged for the calls of the last days that have no price yet."""
    settings = account_checks.configured()
    if settings is None:
        return
    with open_session() as session:
        since = call_prices.unpriced_since(session, settings.carrier)
        session.commit()
        if since is None:
            return
        try:
            told = account.prices_since(settings, since, MOST_PRICES)
        except ProviderError as error:
            log.warning("carrier: prices were not read (%s)", error.code)
            return
        known = call_prices.keep(session, settings.carrier, [(one.ref, one.amount, one.currency) for one in told])
        session.commit()
    log.debug("carrier: %d prices", known)
