"""Run the network of invented telephones until it is interrupted; what a number does is said by its last two digits."""

import argparse
import signal
import sys

from scripts import simulated_telephones


def main(argv: list[str] | None = None) -> int:
    """0 after a stop that was asked for; 2 when the port is taken."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.simulated_telephones", description=__doc__,
        epilog="; ".join(f"{digits} {says.about}" for digits, says in simulated_telephones.BEHAVIOURS.items())
        + "; every other number answers at once and hums.",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=0, help="the UDP port (default: a free one, which is printed)")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with simulated_telephones.running(options.port) as network:
            print(f"Invented telephones: 127.0.0.1:{network.port}", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(f"It cannot listen on 127.0.0.1 port {options.port}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
