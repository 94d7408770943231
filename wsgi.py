"""The composition root: what stands on which floor is put together here, and only here."""

import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask

from callcenter import carriers, recording_files, suppression_key, suppressions
from callcenter.base import auth, clock, db, outbox, sealed, sign_in, web
from callcenter.base.settings import Settings, read_settings, var_folder
from campaigns import channels, link_addresses, people_columns, receipt_door, rehearsal_wire
from scripts import commands, embedded, rehearsal_carrier
from surveys import link_codes, speech, transcription

MODELS = (
    "callcenter.arco", "callcenter.person_exports", "callcenter.public_requests", "callcenter.retention",
    "callcenter.retention_policy", "callcenter.suppression_key",
    "callcenter.base.audit", "callcenter.base.auth", "callcenter.base.clock", "callcenter.base.flags",
    "callcenter.base.leases", "callcenter.attempts", "callcenter.attributes", "callcenter.calls", "callcenter.consent",
    "callcenter.console_acts", "callcenter.contact_notes", "callcenter.dial_decisions",
    "callcenter.duplicate_runs", "callcenter.duplicates",
    "callcenter.merges", "callcenter.contacts", "callcenter.import_undo", "callcenter.imports", "callcenter.operators",
    "callcenter.queue_order", "callcenter.queue_spending", "callcenter.queues", "callcenter.softphones",
    "callcenter.switches", "callcenter.call_legs",
    "callcenter.supervision", "callcenter.transfer_targets", "callcenter.trunk_book", "callcenter.trunk_tests",
    "callcenter.recording_ledger", "callcenter.trial_calls",
    "callcenter.do_not_call", "callcenter.elections", "callcenter.house_rules", "callcenter.removed_rows",
    "callcenter.saved_mappings", "callcenter.signoffs",
    "callcenter.floor_notes", "callcenter.operator_log", "callcenter.outcome_corrections", "callcenter.pause_reasons",
    "callcenter.past_results", "callcenter.pledges", "callcenter.posts", "callcenter.previews", "callcenter.structure",
    "callcenter.territory", "callcenter.territory_batches",
    "surveys.drafts",
    "surveys.interviews", "surveys.prompt_trials", "surveys.prompts", "surveys.questionnaire", "surveys.quotas",
    "surveys.silence", "surveys.studies", "surveys.study_files", "surveys.study_links", "surveys.study_packages",
    "surveys.link_ledger", "surveys.recorded_calls", "surveys.sample_tables", "surveys.voice_answers",
    "surveys.weight_recipes",
    "surveys.vote_recipes", "surveys.code_frames", "surveys.coding_tables", "surveys.quality_tables",
    "surveys.verification_tables",
    "campaigns.apology_messages", "campaigns.call_drafts", "campaigns.calling", "campaigns.canned_replies",
    "campaigns.clicks", "campaigns.conversation_campaigns", "campaigns.conversations",
    "campaigns.channel_addresses", "campaigns.channel_checks", "campaigns.channel_rules",
    "campaigns.daily_people", "campaigns.enclosures",
    "campaigns.message_media", "campaigns.message_templates",
    "campaigns.frozen_segments", "campaigns.inbox", "campaigns.message_links", "campaigns.message_prices",
    "campaigns.messages", "campaigns.rehearsals",
    "campaigns.message_approvals", "campaigns.message_breaker", "campaigns.message_drafts", "campaigns.peer_batches",
    "campaigns.wordings",
    "campaigns.segment_drafts", "campaigns.segment_versions", "campaigns.segments",
    "campaigns.survey_chats",
)  # fmt: skip
BLUEPRINTS = (
    "callcenter.calendar_views", "callcenter.consent_views", "callcenter.rule_views", "callcenter.trunk_views",
    "callcenter.base.account", "callcenter.base.health", "callcenter.base.people", "callcenter.base.audit_views",
    "callcenter.base.live",
    "callcenter.attribute_views", "callcenter.console", "callcenter.call_act_views", "callcenter.phone_views",
    "callcenter.supervision_views", "callcenter.transfer_target_views", "callcenter.contact_views",
    "callcenter.duplicate_views", "callcenter.note_views", "callcenter.person_views", "callcenter.floor",
    "callcenter.import_views", "callcenter.refused_views", "callcenter.saved_mapping_views",
    "callcenter.structure_views", "callcenter.territory_import_views", "callcenter.territory_views",
    "callcenter.webhooks",
    "callcenter.attendance_views", "callcenter.floor_note_views", "callcenter.outcome_views",
    "callcenter.pause_reason_views", "callcenter.preview_views",
    "callcenter.recording_acts", "callcenter.recording_views",
    "callcenter.arco_views", "callcenter.public_page", "callcenter.retention_views",
    "surveys.study_link_views", "surveys.views", "surveys.web_pages",
    "campaigns.link_views", "campaigns.segment_views", "campaigns.views", "campaigns.webhooks",
    "campaigns.public_messages", "campaigns.telegram_hooks",
)  # fmt: skip
# Modules whose `commands` are commands of `flask`.
COMMANDS: tuple[str, ...] = (
    "callcenter.gate_cli", "callcenter.privacy_cli",
    "scripts.commands", "scripts.demo.cli", "callcenter.base.cli", "callcenter.cli",
    "callcenter.territory_cli", "surveys.cli", "surveys.study_cli", "campaigns.cli", "campaigns.why_cli",
)  # fmt: skip
# Modules whose `compose()` tells a floor below what they offer it: scripts of calls, live topics.
COMPOSED: tuple[str, ...] = (
    "callcenter.rule_views", "callcenter.trunk_views",
    "callcenter.person_keeping", "callcenter.retention", "surveys.person_keeping", "campaigns.person_keeping",
    "callcenter.recording_keeping",
    "callcenter.contact_deeds", "callcenter.import_undo", "callcenter.merge_moves", "campaigns.person_moves",
    "surveys.person_moves",
    "callcenter.trial_calls",
    "callcenter.console", "callcenter.phone_views", "callcenter.floor", "callcenter.import_views",
    "callcenter.structure_views",
    "callcenter.territory_import_views", "surveys.views", "surveys.verification_views", "campaigns.call_views",
    "campaigns.apology_messages", "campaigns.inbox_views", "campaigns.message_views", "campaigns.sample_campaigns",
    "campaigns.survey_chats",
)  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The whole web application. Connects this process to the database and Redis of `settings`.

    Without settings it reads the environment, where the embedded services stand in for what is not named; raises
    BadSettings with every fault. A `flask …` command gets services of its own when none are running."""
    is_command = settings is None and commands.is_command()
    settings = settings or (commands.read_command_settings() if is_command else _settings())
    import_models()
    app = Flask("convoca", root_path=str(Path(__file__).parent), template_folder=None, static_folder=None)
    app.config["SETTINGS"] = settings
    if not db.is_connected(settings.database_url):
        db.connect(settings.database_url, pool_size=10)
    if is_command:
        commands.start_services_on_demand(db.engine(), settings.suppression_key)
    outbox.connect(settings.redis_url)
    compose(settings)
    db.init_app(app)
    sign_in.init_app(app, settings)
    auth.guard(app)
    web.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).blueprint)
    for name in COMMANDS:
        for command in import_module(name).commands:
            app.cli.add_command(command)
    receipt_door.init_app(app, settings)
    return app


def start_process() -> Settings:
    """Make a daemon of this process: its settings, its database and Redis, and all floors put together."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("twilio").setLevel(logging.WARNING)  # at INFO it tells every request, with its phones
    settings = _settings()
    import_models()
    db.connect(settings.database_url)
    outbox.connect(settings.redis_url)
    compose(settings)
    return settings


def compose(settings: Settings) -> None:
    """Give the rooms their settings, and tell each floor what the floors above offer it. Harmless when repeated."""
    clock.configure(is_drill=settings.is_drill)
    suppressions.configure(settings.suppression_key)
    sealed.configure(settings.secret_key)
    carriers.configure(settings)
    recording_files.configure(settings)
    channels.configure(settings)
    link_addresses.configure(settings)
    link_codes.configure(settings)
    rehearsal_wire.configure(rehearsal_carrier.running)
    people_columns.configure(settings.var)
    speech.configure(settings.var / "speech", settings.voices)
    transcription.configure(settings.transcription_model)
    for name in COMPOSED:
        import_module(name).compose()


def import_models() -> None:
    """Import every module that declares a table, so that Base.metadata is whole."""
    for name in MODELS:
        import_module(name)


def import_everything() -> None:
    """Import whatever the web and the daemons will need, for processes that are about to be forked."""
    for name in (*MODELS, *BLUEPRINTS, *COMMANDS, *COMPOSED):
        import_module(name)


def _settings() -> Settings:
    settings = read_settings(embedded.environment(os.environ, var_folder()))
    suppression_key.check_at(settings.database_url, settings.suppression_key)
    return settings


def __getattr__(name: str) -> Any:
    # `wsgi:app` is built when it is asked for, so that importing this module reads no settings.
    if name == "app":
        globals()["app"] = app = create_app()
        return app
    raise AttributeError(name)
