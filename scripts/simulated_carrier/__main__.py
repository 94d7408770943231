"""python -m scripts.simulated_carrier: listens on 127.0.0.1 until it is told to stop."""

import argparse
import logging
import os
from pathlib import Path

from aiohttp import web

from scripts.simulated_carrier.app import create_app
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.journal import Journal
from scripts.simulated_carrier.options import AUTH_TOKEN, Options


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.simulated_carrier", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1, help="which citizens live here (default 1)")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="how fast people ring, talk and lose patience (default 1)"
    )
    parser.add_argument(
        "--journal",
        type=Path,
        help="append every accepted call and message to this file (default: simulated_carrier.jsonl in CONVOCA_VAR)",
    )
    parser.add_argument("--inbound-url", help="where citizens' messages are posted (default: CONVOCA_PUBLIC_URL's)")
    parser.add_argument("--messages-per-second", type=float, default=50.0)
    return parser.parse_args(arguments)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # its lines would show phone numbers
    arguments = parse_arguments()
    options = Options(
        seed=arguments.seed,
        speed=arguments.speed,
        messages_per_second=arguments.messages_per_second,
        auth_token=os.environ.get("CONVOCA_SIMULATED_TOKEN") or AUTH_TOKEN,
    )
    var = os.environ.get("CONVOCA_VAR")
    exchange = Exchange(options, Journal(arguments.journal or (Path(var) / "simulated_carrier.jsonl" if var else None)))
    public = os.environ.get("CONVOCA_PUBLIC_URL")
    inbound = arguments.inbound_url or (public and public.rstrip("/") + "/hooks/messages/inbound")
    if inbound:
        exchange.set_inbound_url(inbound)
    web.run_app(create_app(exchange), host="127.0.0.1", port=arguments.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
