"""Every page a role may open in the running demonstration, for the tests that look at them and for the screenshots."""

import re
from dataclasses import dataclass
from importlib import import_module

from flask import Flask

from callcenter.base.auth import ROLES
from wsgi import BLUEPRINTS

# Not pages of the frame: parts of pages, streams, files, pictures.
NOT_PAGES = re.compile(
    r"\.(static|standing|trunk|test_state|targets|live|running|board|state|when|times|training_when|progress|preview"
    r"|refused_csv|refused_xlsx|rows|export|chart|table|events|snapshot|suggest|frozen|verdict|warning|faults"
    r"|work|healthz|interview_state|call_page|start|recording|sound|download|hear_prompt|hear_voice"
    r"|panel|of_person|reach|forecast|trial_state|brief|groups|checks|certificate_rows|message_whys\.show|enclosed"
    r"|download_draft|download_version|picture|quality_table|verify_call|outcome_file|sample_file"
    r"|tables_file|map_file|trend_chart|trend_table|weight_file|survey_web\.page|survey_web\.stop_page"
    r"|lines\.card|lines\.news|recorded_survey_webhooks\.prompt"
    r"|study_links\.page|study_links\.file|study_packages_part|study_file|package_file"
    r"|show_media|public_messages\.media|way_out|thread|pane|message_acts\.tests|sending\.header|sending\.listed|links\.follow)$"
)


@dataclass(frozen=True)
class PageOf:
    """One page: who opens it, and its address with ids of the demonstration."""

    endpoint: str
    address: str
    roles: tuple[str, ...]  # empty: everybody


def pages() -> list[PageOf]:
    """Every page the application has, from its own map of addresses. Needs no database."""
    app = Flask("pages", static_folder=None)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).blueprint)
    adapter = app.url_map.bind("")
    found = [PageOf("security.login", "/login", ()), PageOf("security.change_password", "/change", ROLES)]
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or NOT_PAGES.search("." + rule.endpoint):
            continue
        view = app.view_functions[rule.endpoint]
        roles = tuple(role for role in ROLES if role in getattr(view, "access_roles", ()))
        if not roles and not getattr(view, "access_public", None):
            continue
        address = adapter.build(rule.endpoint, {name: _sample(rule.endpoint, name) for name in rule.arguments})
        found.append(PageOf(rule.endpoint, address, roles))
    return sorted(found, key=lambda page: page.address)


def _sample(endpoint: str, name: str) -> object:
    """An id that the demonstration has: its rows are numbered from 1; its sections are Minatitlán's."""
    step = "wording" if "message" in endpoint else "pace"
    if endpoint == "campaigns.channels.rule":
        return "whatsapp"
    return {"state": 30, "number": 2301, "key": "escolaridad", "item": "why", "step": step}.get(name, 1)
