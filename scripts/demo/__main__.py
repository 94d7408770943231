"""python -m scripts.demo: load the demonstration, or with --truth compare results with what people really think."""

import argparse
import json
import sys

from callcenter.base import db
from callcenter.base.settings import BadSettings
from scripts.demo import load, truth
from wsgi import create_app


def main(arguments: list[str] | None = None) -> int:
    """0 when done or nothing was to do; 2 with every fault of the environment on stderr."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("--truth", action="store_true", help="print the hidden vote beside the results, as JSON")
    options = parser.parse_args(arguments)
    try:
        app = create_app()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    with app.app_context(), db.open_session() as session:
        if options.truth:
            print(json.dumps(truth.compare(session), ensure_ascii=False))
        else:
            print(load.load_once(session, app.config["SETTINGS"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
