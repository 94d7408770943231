"""The carrier put together: Twilio's interface, Telegram's, a mailbox and the control pages over one exchange."""

from collections.abc import AsyncIterator

from aiohttp import web

from scripts.simulated_carrier import (
    api,
    api_account,
    api_calls,
    api_conferences,
    api_content,
    api_messages,
    api_recordings,
    api_services,
    api_telegram,
    control,
    control_messages,
    control_page,
    control_voice,
    received,
)
from scripts.simulated_carrier.exchange import Exchange

MODULES = (
    api_calls, api_conferences, api_recordings, api_account, api_messages, api_content, api_services, api_telegram,
    control, control_page, control_voice, control_messages, received,
)  # fmt: skip


def create_app(exchange: Exchange, smtp_port: int | None = None) -> web.Application:
    """`smtp_port`: where mail is taken; None: nowhere."""
    app = web.Application(middlewares=[api.guard], client_max_size=64 << 20)
    app[api.EXCHANGE] = exchange
    # The one address that a bench asks thousands of times a second is found without looking at patterns.
    messages = api.ROOT.format(account=exchange.options.account_sid) + "/Messages.json"
    app.router.add_post(messages, api_messages.create_message)
    for module in MODULES:
        app.add_routes(module.routes)

    async def run(_: web.Application) -> AsyncIterator[None]:
        server = await exchange.mail.listen(smtp_port) if smtp_port is not None else None
        exchange.recover()
        yield
        if server is not None:
            server.close()
        await exchange.close()

    app.cleanup_ctx.append(run)
    return app
