"""Try to break searchkit: `python -m breaking SECONDS [--seed N] [--only NAME …]`, in `tests/`.

Prints a report for each breaker, and ends with exit code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from random import SystemRandom

# The parts of the time that each gets. Each has run(seed, count=None, seconds=…) -> Report.
SHARES = {"kills": 6, "readers": 3, "damage": 3, "inputs": 4, "where": 2, "requests": 2}


def main() -> int:
    """Run the breakers; return the exit code."""
    parser = argparse.ArgumentParser("breaking", description="Try to break searchkit.")
    parser.add_argument("seconds", type=float, help="for all of them together")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    parser.add_argument("--only", nargs="+", choices=SHARES, default=list(SHARES), metavar="NAME")
    options = parser.parse_args()
    total = sum(SHARES[name] for name in options.only)
    sound = True
    for name in options.only:
        sound &= _is_sound(name, options.seed, options.seconds * SHARES[name] / total)
    again = f"--seed {options.seed} --only {' '.join(options.only)}"
    print("nothing broke" if sound else f"something broke; again: {again}", flush=True)
    return 0 if sound else 1


def _is_sound(name: str, seed: int, seconds: float) -> bool:
    """Run one breaker and print what it found; return whether all promises were kept."""
    print(f"{name}: seed {seed}, {seconds:,.0f} s …", flush=True)
    start = time.monotonic()
    try:
        report = importlib.import_module(f"breaking.{name}").run(seed, seconds=seconds)
    except Exception:  # it must not keep the others from running
        print(f"{name}: ended by an error\n{traceback.format_exc()}", flush=True)
        return False
    print(f"{name}: {time.monotonic() - start:,.0f} s, {report}\n", flush=True)
    return not report.failures


if __name__ == "__main__":
    sys.exit(main())
