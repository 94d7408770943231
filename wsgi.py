"""The composition root: what stands on which floor is put together here, and only here."""

import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask

from callcenter import carriers, suppressions
from callcenter.base import auth, clock, db, outbox, sealed, sign_in, web
from callcenter.base.settings import Settings, read_settings, var_folder
from callcenter.gate import suppression_key
from callcenter.seats import one_time_codes
from callcenter.sound import recording_files
from callcenter.telephony import account_checks, call_news
from campaigns import channels
from campaigns.dispatch import receipt_door
from campaigns.rehearsal import rehearsal_wire
from campaigns.snapshot import people_columns
from campaigns.texts import link_addresses
from scripts import commands, embedded, rehearsal_carrier
from surveys.coding import transcription
from surveys.fieldwork import link_codes
from surveys.voice import speech

MODELS = (
    "callcenter.privacy.arco", "callcenter.privacy.person_exports", "callcenter.privacy.public_requests",
    "callcenter.privacy.retention", "callcenter.privacy.retention_policy", "callcenter.gate.suppression_key",
    "callcenter.base.audit", "callcenter.base.auth", "callcenter.base.clock", "callcenter.base.flags",
    "callcenter.base.leases", "callcenter.attempts", "callcenter.people.attributes", "callcenter.calls",
    "callcenter.consent", "callcenter.seats.console_acts", "callcenter.people.contact_notes",
    "callcenter.queueing.dial_decisions", "callcenter.people.duplicate_runs", "callcenter.people.duplicates",
    "callcenter.people.merges", "callcenter.contacts", "callcenter.lists.import_undo", "callcenter.imports",
    "callcenter.operators", "callcenter.queueing.queue_order", "callcenter.queueing.queue_spending",
    "callcenter.queues", "callcenter.telephony.softphones", "callcenter.seats.operator_lines",
    "callcenter.seats.one_time_codes", "callcenter.switches", "callcenter.ledger.call_legs",
    "callcenter.supervision.supervision", "callcenter.ledger.transfer_targets", "callcenter.telephony.trunk_book",
    "callcenter.telephony.trunk_tests", "callcenter.telephony.account_checks", "callcenter.telephony.call_prices",
    "callcenter.sound.recording_ledger",
    "callcenter.sound.voice_messages", "callcenter.ledger.trial_calls",
    "callcenter.gate.do_not_call", "callcenter.gate.elections", "callcenter.gate.house_rules",
    "callcenter.people.removed_rows", "callcenter.lists.saved_mappings", "callcenter.gate.signoffs",
    "callcenter.supervision.floor_notes", "callcenter.seats.operator_log", "callcenter.ledger.outcome_corrections",
    "callcenter.seats.pause_reasons", "callcenter.places.past_results", "callcenter.people.pledges",
    "callcenter.people.posts", "callcenter.queueing.previews", "callcenter.people.structure", "callcenter.territory",
    "callcenter.places.territory_batches", "surveys.forms.drafts", "surveys.interviews",
    "surveys.voice.prompt_trials", "surveys.voice.prompts", "surveys.questionnaire", "surveys.quotas",
    "surveys.publishing.silence", "surveys.studies", "surveys.publishing.study_files",
    "surveys.publishing.study_links", "surveys.publishing.study_packages", "surveys.fieldwork.link_ledger",
    "surveys.fieldwork.carried_talks", "surveys.fieldwork.recorded_calls", "surveys.sampling.sample_tables",
    "surveys.voice.voice_answers",
    "surveys.weighting.weight_recipes", "surveys.vote.vote_recipes", "surveys.coding.code_frames",
    "surveys.coding.coding_tables", "surveys.checks.quality_tables", "surveys.checks.verification_tables",
    "campaigns.telephoning.apology_messages", "campaigns.telephoning.call_drafts", "campaigns.calling",
    "campaigns.correspondence.canned_replies", "campaigns.texts.clicks",
    "campaigns.correspondence.conversation_campaigns", "campaigns.correspondence.conversations",
    "campaigns.channels.channel_addresses", "campaigns.channels.channel_checks", "campaigns.channels.channel_rules",
    "campaigns.dispatch.daily_people", "campaigns.texts.enclosures", "campaigns.texts.message_media",
    "campaigns.texts.message_templates", "campaigns.segmenting.frozen_segments", "campaigns.inbox",
    "campaigns.texts.message_links", "campaigns.figures.message_prices", "campaigns.messages",
    "campaigns.rehearsal.rehearsals", "campaigns.mailings.message_approvals", "campaigns.mailings.message_breaker",
    "campaigns.mailings.message_drafts", "campaigns.mailings.peer_batches", "campaigns.texts.wordings",
    "campaigns.segmenting.segment_drafts", "campaigns.segmenting.segment_versions", "campaigns.segments",
    "campaigns.correspondence.survey_chats",
)  # fmt: skip
BLUEPRINTS = (
    "callcenter.gate.calendar_views", "callcenter.gate.consent_views", "callcenter.gate.rule_views",
    "callcenter.telephony.account_views", "callcenter.telephony.account_hooks",
    "callcenter.telephony.trunk_views", "callcenter.base.account", "callcenter.base.health",
    "callcenter.base.people", "callcenter.base.audit_views", "callcenter.base.live",
    "callcenter.people.attribute_views", "callcenter.console", "callcenter.ledger.call_act_views",
    "callcenter.telephony.phone_views", "callcenter.seats.line_views", "callcenter.supervision.supervision_views",
    "callcenter.ledger.transfer_target_views", "callcenter.people.contact_views",
    "callcenter.people.duplicate_views", "callcenter.people.note_views", "callcenter.people.person_views",
    "callcenter.floor", "callcenter.lists.import_views", "callcenter.lists.refused_views",
    "callcenter.lists.saved_mapping_views", "callcenter.people.structure_views",
    "callcenter.places.territory_import_views", "callcenter.places.territory_views", "callcenter.webhooks",
    "callcenter.room_webhooks",
    "callcenter.seats.attendance_views", "callcenter.supervision.floor_note_views",
    "callcenter.ledger.outcome_views", "callcenter.seats.pause_reason_views", "callcenter.queueing.preview_views",
    "callcenter.sound.recording_acts", "callcenter.sound.recording_views",
    "callcenter.sound.voice_message_views", "callcenter.sound.recording_webhooks",
    "callcenter.ledger.machine_webhooks", "callcenter.privacy.arco_views",
    "callcenter.privacy.public_page", "callcenter.privacy.retention_views", "surveys.publishing.study_link_views",
    "surveys.views", "surveys.fieldwork.carried_hooks", "surveys.voice.reception_hooks", "surveys.fieldwork.web_pages",
    "campaigns.texts.link_views",
    "campaigns.segmenting.segment_views", "campaigns.views", "campaigns.webhooks", "campaigns.texts.public_messages",
    "campaigns.correspondence.telegram_hooks",
)  # fmt: skip
# Modules whose `commands` are commands of `flask`.
COMMANDS: tuple[str, ...] = (
    "callcenter.gate.gate_cli", "callcenter.privacy.privacy_cli", "scripts.commands", "scripts.demo.cli",
    "callcenter.base.cli", "callcenter.cli", "callcenter.places.territory_cli",
    "callcenter.telephony.twilio_cli", "surveys.cli",
    "surveys.publishing.study_cli", "campaigns.cli", "campaigns.telephoning.why_cli",
)  # fmt: skip
# Modules whose `compose()` tells a floor below what they offer it: scripts of calls, live topics.
COMPOSED: tuple[str, ...] = (
    "callcenter.telephony.account_views",
    "callcenter.gate.rule_views", "callcenter.telephony.trunk_views", "callcenter.privacy.person_keeping",
    "callcenter.privacy.retention", "surveys.person_keeping", "campaigns.person_keeping",
    "callcenter.sound.recording_keeping", "callcenter.sound.voice_message_keeping",
    "callcenter.people.contact_deeds", "callcenter.lists.import_undo",
    "callcenter.people.merge_moves", "campaigns.person_moves", "surveys.person_moves",
    "callcenter.ledger.trial_calls", "callcenter.console", "callcenter.telephony.phone_views", "callcenter.floor",
    "callcenter.lists.import_views", "callcenter.people.structure_views", "callcenter.places.territory_import_views",
    "surveys.views", "surveys.checks.verification_views", "campaigns.telephoning.call_views",
    "campaigns.telephoning.apology_messages", "campaigns.correspondence.inbox_views",
    "campaigns.mailings.message_views", "campaigns.telephoning.sample_campaigns",
    "campaigns.correspondence.survey_chats",
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
    call_news.init_app(app, settings)
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
    one_time_codes.configure(settings.secret_key)
    carriers.configure(settings)
    account_checks.configure(settings)
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
