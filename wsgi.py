"""The composition root of the web: what stands on which floor is put together here, and only here."""

from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask

from callcenter.base import auth, db, outbox, sign_in, web
from callcenter.base.settings import Settings, read_settings


MODELS = (
    "callcenter.base.audit", "callcenter.base.auth", "callcenter.base.clock", "callcenter.base.flags",
    "callcenter.base.leases", "callcenter.attempts", "callcenter.calls", "callcenter.consent", "callcenter.contacts",
    "callcenter.imports", "callcenter.operators", "callcenter.queues", "callcenter.territory",
    "surveys.interviews", "surveys.questionnaire",
    "campaigns.calling", "campaigns.inbox", "campaigns.messages", "campaigns.segments",
)  # fmt: skip


def import_models() -> None:
    """Import every module that declares a table, so that Base.metadata is whole."""
    for name in MODELS:
        import_module(name)


BLUEPRINTS = (
    "callcenter.base.account", "callcenter.base.health", "callcenter.base.users", "callcenter.base.live",
    "callcenter.console", "callcenter.contact_views", "callcenter.floor", "callcenter.import_views", "callcenter.webhooks",
    "surveys.views",
    "campaigns.segment_views", "campaigns.views", "campaigns.webhooks",
)  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The whole web application. Connects this process to the database and Redis of `settings`.

    Raises BadSettings with every fault of the environment when no settings are given and it has any."""
    settings = settings or read_settings()
    import_models()
    app = Flask("convoca", root_path=str(Path(__file__).parent), template_folder=None, static_folder=None)
    app.config["SETTINGS"] = settings
    if not db.is_connected(settings.database_url):
        db.connect(settings.database_url, pool_size=10)
    outbox.connect(settings.redis_url)
    db.init_app(app)
    sign_in.init_app(app, settings)
    auth.guard(app)
    web.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).blueprint)
    return app


def __getattr__(name: str) -> Any:
    # `wsgi:app` is built when it is asked for, so that importing this module reads no settings.
    if name == "app":
        globals()["app"] = app = create_app()
        return app
    raise AttributeError(name)
