"""Run one Asterisk of ours by hand until it is interrupted: for experiments, or on a machine of its own."""

import argparse
import json
import signal
import sys
from pathlib import Path

from scripts import asterisk
from scripts.embedded import CannotStart


def main(argv: list[str] | None = None) -> int:
    """0 after a stop that was asked for; 2 when it cannot start, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m scripts.asterisk", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where its configuration, log and recordings are")
    parser.add_argument("--sip-address", default="127.0.0.1", help="where trunks are spoken to (default: 127.0.0.1)")
    parser.add_argument("--public-address", help="how the world sees this machine, when a router stands between")
    options = parser.parse_args(argv)
    wishes = asterisk.Wishes(options.sip_address, options.public_address)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with asterisk.running(options.folder.absolute(), wishes) as instance:
            print(json.dumps(_about(instance)), flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (asterisk.NotInstalled, asterisk.NoPorts, CannotStart) as error:
        print(f"Asterisk is not started: {error}", file=sys.stderr)
        return 2
    return 0


def _about(instance: asterisk.Instance) -> dict[str, object]:
    """What one needs to talk to it; the secrets are in its folder, in instance.json."""
    ports = instance.ports
    return {
        "version": instance.version, "ami_port": ports.ami, "ws_url": instance.ws_url, "sip_port": ports.sip,
        "folder": str(instance.folder),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
