#!/usr/bin/env python3
"""Some damaged model packages; see tools/damage.py for a hundred thousand of them."""
import os
import subprocess
import sys

from harness import run_driver

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", os.path.join(ROOT, "build/asan/slipway")))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from damage import Driver  # noqa: E402

PACKAGES = ["comments", "topics", "numbers"]
COUNT, ON_SERVER, SEED = 2000, 25, 5


def damage_program():
    """Beside the server's binary, from the same build."""
    folder = os.path.dirname(SLIPWAY)
    mode = os.path.basename(folder)
    subprocess.run(["make", "--no-print-directory", "-s", f"MODE={mode}", f"build/{mode}/damage"],
                   cwd=ROOT, check=True)
    return os.path.join(folder, "damage")


def main():
    driver = Driver(SLIPWAY, damage_program())
    try:
        driver.make_packages(PACKAGES)
        driver.try_many(COUNT, SEED, 0)
        driver.try_on_server(ON_SERVER, SEED)
        driver.tell()
        refused = sum(number for row in driver.counts.values() for outcome, number in row.items()
                      if outcome.startswith("refused"))
        assert refused > COUNT // 2, "most damage was not felt"
        assert driver.total(driver.deployed) == ON_SERVER and driver.asked > 0
    finally:
        driver.close()
    return 1 if driver.wrong else 0


if __name__ == "__main__":
    run_driver(main)
