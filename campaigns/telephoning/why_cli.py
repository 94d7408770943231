"""`flask calling why`: why a calling campaign is not dialling, in words or as JSON."""

import json
import sys

import click
from flask.cli import with_appcontext
from flask_babel import force_locale, format_datetime

from callcenter import contacts, trunks
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.queueing import person_waits
from campaigns import calling, why
from campaigns.calling import CallCampaign
from campaigns.why import Why

NOT_FOUND = 2


@click.group("calling")
def calling_group() -> None:
    """Calling campaigns."""


@calling_group.command("why")
@click.argument("campaign", type=int)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
@click.option("--everybody", is_flag=True, help="Count a long list whole instead of estimating it.")
@click.option("--person", type=int, help="Say why this person (their number) is not being called.")
@with_appcontext
def say_why(campaign: int, as_json: bool, everybody: bool, person: int | None) -> None:
    """Say what keeps the CAMPAIGN (its number) from dialling now, with all its limits and who may be called when.

    Exit status 2 when there is no such campaign or person."""
    try:
        chosen = calling.find(web_session(), campaign)
        with force_locale("en"):
            if person is None:
                _tell(why.of_campaign(web_session(), chosen, everybody=everybody), as_json=as_json)
            else:
                _tell_of_person(chosen, person, as_json=as_json)
    except NotFound as fault:
        click.echo(str(fault), err=True)
        sys.exit(NOT_FOUND)


def _tell(found: Why, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(why.as_json(found), ensure_ascii=False))
        return
    binding = f"{found.binding.label}: " if found.binding else ""
    click.echo(f"{found.name} ({found.state}), as of {format_datetime(found.as_of)}\n{binding}{found.sentence}\n")
    for limit in found.limits:
        click.echo(f"{limit.state:>6}  {limit.label}: {limit.sentence}")
    outlook = found.outlook
    about = f"estimated from {outlook.looked_at} of" if outlook.is_estimate else "counted, all of"
    click.echo(f"\nWho may be called when ({about} {outlook.waiting} who wait):")
    for group in outlook.groups:
        when = f"from {format_datetime(group.opens_at)}" if group.opens_at else "now"
        click.echo(f"{group.people:>9}  {why.zone_names(group)}: {when}")
    for rest in outlook.rests:
        words = why.rest_label(rest.reason)
        click.echo(f"{rest.people:>9}  {words} The first: {format_datetime(rest.first_at)}")
    for code, people in outlook.refused.items():
        click.echo(f"{people:>9}  left out: {code}")


def _tell_of_person(campaign: CallCampaign, person: int, *, as_json: bool) -> None:
    session, queue = web_session(), campaign.queue
    simulated = trunks.reach_invented(session, queue.carrier)
    wait = person_waits.in_queue(session, queue, contacts.get(session, person), simulated=simulated)
    if as_json:
        click.echo(json.dumps(why.wait_as_json(wait), ensure_ascii=False))
        return
    until = f" Until {format_datetime(wait.until)}." if wait.until else ""
    click.echo(" ".join(filter(None, [str(wait.sentence), wait.detail])) + until)


commands = (calling_group,)
