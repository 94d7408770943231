"""python -m scripts.simulated_carrier: listens on 127.0.0.1 until it is told to stop."""

import argparse
import logging
import os
from pathlib import Path
from urllib.parse import urlsplit

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
    parser.add_argument(
        "--parts-per-second", "--messages-per-second", type=float, default=50.0,
        help="what each sender carries (default 50; 0: no limit)",
    )  # fmt: skip
    parser.add_argument("--smtp-port", type=int, help="take mail there (default: nowhere)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting, as /control/settings knows"
    )
    return parser.parse_args(arguments)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # its lines would show phone numbers
    arguments = parse_arguments()
    options = Options(
        seed=arguments.seed,
        speed=arguments.speed,
        parts_per_second=arguments.parts_per_second,
        auth_token=os.environ.get("CONVOCA_SIMULATED_TOKEN") or AUTH_TOKEN,
    )
    try:
        options.change_by_words(arguments.set)
    except ValueError as error:
        raise SystemExit(f"--set {error}") from None
    web.run_app(
        create_app(_exchange(arguments, options), arguments.smtp_port),
        host="127.0.0.1", port=arguments.port, print=None, access_log=None,
    )  # fmt: skip


def _exchange(arguments: argparse.Namespace, options: Options) -> Exchange:
    var, public = os.environ.get("CONVOCA_VAR"), os.environ.get("CONVOCA_PUBLIC_URL", "").rstrip("/")
    journal = Journal(arguments.journal or (Path(var) / "simulated_carrier.jsonl" if var else None))
    exchange = Exchange(options, journal, public) if public else Exchange(options, journal)
    if public:
        exchange.texts.media.hosts.add(urlsplit(public).hostname or "")
        for number in exchange.numbers.values():  # until somebody points them elsewhere
            number.voice_url = f"{public}/hooks/voice/inbound"
            number.status_callback = f"{public}/hooks/voice/inbound-status"
    exchange.base_url = f"http://127.0.0.1:{arguments.port}"
    inbound = arguments.inbound_url or (public and public + "/hooks/messages/inbound")
    if inbound:
        exchange.set_inbound_url(inbound)
    return exchange


if __name__ == "__main__":
    main()
