"""python -m scripts.demo: load the demonstration, or with --truth compare results with what people really think."""

import argparse
import json
import sys
import time

from callcenter.base import db
from callcenter.base.settings import BadSettings, read_settings
from scripts.demo import load, truth
from wsgi import create_app


def main(arguments: list[str] | None = None) -> int:
    """0 when the demonstration is there; 2 when it may not be loaded, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("--truth", action="store_true", help="print the hidden vote beside the results, as JSON")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    if not settings.is_drill:
        print("The demonstration belongs to drill mode: CONVOCA_CARRIER must be simulated.", file=sys.stderr)
        return 2
    began = time.monotonic()
    with create_app(settings).app_context(), db.open_session() as session:
        if options.truth:
            print(json.dumps(truth.compare(session), ensure_ascii=False))
        elif load.is_loaded(session):
            print("demo: there are people here already; nothing was loaded")
        else:
            counts = load.load(session, settings)
            session.commit()
            said = ", ".join(f"{number} {name}" for name, number in counts.items())
            print(f"demo: loaded in {time.monotonic() - began:.1f} s: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
