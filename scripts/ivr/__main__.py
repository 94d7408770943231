"""`python -m scripts.ivr [SWITCH]`: hold the recorded surveys of one switch. A second one stands by."""

import argparse
import sys
from threading import Event

import wsgi
from scripts.daemon import LEASE_SECONDS, Daemon
from scripts.ivr.hall import Hall

SECONDS = 1.0
SWITCH_INTERVAL = 0.001  # seconds: a key must not wait for a neighbour's questionnaire


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.ivr", description=__doc__)
    parser.add_argument("switch", nargs="?", default="local", help="the switch's name (default: local)")
    options = parser.parse_args(argv)
    wsgi.start_process()
    sys.setswitchinterval(SWITCH_INTERVAL)
    hall = Hall(options.switch)

    def wait(seconds: float, stopping: Event) -> None:
        hall.stand_back(LEASE_SECONDS)
        stopping.wait(seconds)

    Daemon(f"ivr/{options.switch}", hall.turn, wait).run(SECONDS)
    hall.close()


if __name__ == "__main__":
    main()
