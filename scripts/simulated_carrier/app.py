"""The carrier put together: REST interface and control page over one exchange."""

from collections.abc import AsyncIterator

from aiohttp import web

from scripts.simulated_carrier import api, api_messages, control
from scripts.simulated_carrier.exchange import Exchange


def create_app(exchange: Exchange) -> web.Application:
    app = web.Application(middlewares=[api.guard], client_max_size=1 << 20)
    app[api.EXCHANGE] = exchange
    app.add_routes([*api.routes, *api_messages.routes, *control.routes])

    async def run(_: web.Application) -> AsyncIterator[None]:
        exchange.recover()
        yield
        await exchange.close()

    app.cleanup_ctx.append(run)
    return app
