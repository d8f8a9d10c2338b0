#!/usr/bin/env python3
"""Some disk writes fail; see tools/faults.py for all of them.

The library that makes them fail cannot share a process with a sanitizer: this takes the release
build, and makes it where it is missing.
"""
import os
import subprocess
import sys
import traceback

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from faults import Driver  # noqa: E402

BUILD = os.path.join(ROOT, "build", "release")
FIRST, STRIDE = 3, 60


def main():
    subprocess.run(["make", "--no-print-directory", "-s", "MODE=release", "build",
                    "build/release/fault.so"], cwd=ROOT, check=True)
    driver = Driver(os.path.join(BUILD, "slipway"), os.path.join(BUILD, "fault.so"))
    try:
        driver.walk(FIRST, STRIDE)
        driver.tell()
        assert driver.felt > driver.passed // 2, "most faults were not felt"
    finally:
        driver.close()
    return 1 if driver.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:
        traceback.print_exc()
        print("0 passed, 1 failed")
        sys.exit(1)
