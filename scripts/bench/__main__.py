"""Measure the product: `python -m scripts.bench --list`, `… PART --json`, `… --quick` for all parts."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from typing import cast

from scripts.bench import PARTS, Figure, Part


def main(argv: Sequence[str] | None = None) -> int:
    """0 although a target was missed; the figures say so."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS, help="the part to run (default: all)")
    parser.add_argument("--list", action="store_true", help="name the parts with their sizes and seeds")
    parser.add_argument("--json", action="store_true", help="one line of JSON a part on stdout")
    parser.add_argument("--quick", action="store_true", help="at quick size")
    parser.add_argument("--rows", type=int, help="another number of people than the part's own")
    parser.add_argument("--seed", type=int, help="another seed than the part's own")
    parser.add_argument("--hours", type=int, help="another length of a simulated day than the part's own")
    parser.add_argument("--seeds", type=int, help="another number of simulated days than the part's own")
    parser.add_argument("--recipients", type=int, help="another number of people to write to than the part's own")
    options = parser.parse_args(argv)
    for name in [options.part] if options.part else PARTS:
        part = cast(Part, import_module(f"scripts.bench.{PARTS[name]}"))
        if options.list:
            print(f"{name}: {part.ABOUT}; full {part.FULL}, quick {part.QUICK}, seed {part.SEED}")
            continue
        begun = time.monotonic()
        seed = part.SEED if options.seed is None else options.seed
        size = dict(part.QUICK if options.quick else part.FULL)
        asked = {"rows": options.rows, "hours": options.hours, "seeds": options.seeds,
                 "recipients": options.recipients}  # fmt: skip
        size |= {what: value for what, value in asked.items() if value and what in size}
        figures = part.measure(size, seed)
        if options.json:
            print(json.dumps({"part": name, "figures": [asdict(figure) for figure in figures]}), flush=True)
        else:
            _print(name, figures, time.monotonic() - begun)
    return 0


def _print(name: str, figures: list[Figure], seconds: float) -> None:
    print(f"{name} ({seconds:.0f} s)")
    for figure in figures:
        target = "" if figure.target is None else f"  target {figure.target:g}"
        ratio = "" if figure.ratio is None else f"  {figure.ratio:.2f} of {figure.ratio_to}"
        value = f"{figure.value:.{1 if abs(figure.value) >= 10 else 3}f}"
        print(f"  {figure.name:<20}{value:>12} {figure.unit}{target}{ratio}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
