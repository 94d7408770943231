"""The web processes: gunicorn's threads over `wsgi:app`. Two of them run: one for pages, one (--live) for /events."""

import argparse
import gc
import signal
import socket
from typing import Any

from gunicorn.app.base import BaseApplication
from sqlalchemy.orm import configure_mappers

from scripts.parents import die_with_parent

# A callback holds its thread for some milliseconds while it waits for its group's commit, and costs next to nothing
# then: with a thread for each of two groups, a burst of them leaves threads for pages (dispatch.receipt_commits).
PAGES = {"workers": 2, "threads": 24, "graceful_timeout": 2}
# A stream of events holds its thread for as long as the page is open.
LIVE = {"workers": 1, "threads": 300, "graceful_timeout": 1}


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from wsgi import create_app

        app = create_app()
        configure_mappers()
        gc.collect()
        gc.freeze()  # the workers share it, and no collection looks through it (25 ms) while somebody waits
        return app


def _bind_to_arbiter(_arbiter: object, _worker: object) -> None:
    die_with_parent(signal.SIGKILL)


def serve(listener: socket.socket, *, is_live: bool = False) -> None:
    """Answer on a bound socket until TERM. The application is built once and shared by the workers' memory."""
    options = {
        "bind": f"fd://{listener.fileno()}",
        "worker_class": "gthread",
        "preload_app": True,
        "loglevel": "warning",
        "control_socket_disable": True,
        "backlog": 512,
        # Longer than any client keeps an idle connection: who closes first is never the one who is being written to. At
        # gunicorn's two seconds a burst of the carrier's callbacks lost some to connections closed under it.
        "keepalive": 75,
        "post_fork": _bind_to_arbiter,
        **(LIVE if is_live else PAGES),
    }
    _Server(options).run()


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port`, not listening yet; raises OSError when it is taken or not ours."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(512)
    except OSError:
        bound.close()
        raise
    bound.set_inheritable(True)
    return bound


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.web", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--live", action="store_true", help="serve /events: many threads, one worker")
    options = parser.parse_args(argv)
    serve(listen(options.host, options.port), is_live=options.live)


if __name__ == "__main__":
    main()
