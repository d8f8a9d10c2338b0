#!/usr/bin/env python3
"""A short soak; see tools/soak.py for one of an hour.

Under a sanitizer memory is not judged (it keeps what is freed for a while), but a leak ends the
server with an error.
"""
import os
import sys

from harness import run_driver

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", os.path.join(ROOT, "build/asan/slipway")))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from soak import Soak  # noqa: E402

SECONDS, SEED, CPU_SHARE = 20, 3, 0.5


def main():
    soak = Soak(SLIPWAY, SEED, CPU_SHARE)
    try:
        soak.set_up()
        soak.run(SECONDS)
        soak.look_and_stop()
        soak.judge(with_memory=False)
        done = sum(soak.actions().values())
        assert done > 50 and len(soak.samples) > 3, f"{done} actions, {len(soak.samples)} looks"
    finally:
        soak.close()
    print("0 passed, 1 failed" if soak.problems else "1 passed, 0 failed")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    run_driver(main)
