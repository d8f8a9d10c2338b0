#!/usr/bin/env python3
"""Some disk writes fail; see tools/faults.py for all of them.

The library that makes them fail cannot share a process with a sanitizer: this takes the release
build, and makes it where it is missing.
"""
import os
import sys

from harness import build_faults, run_driver

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from faults import Driver  # noqa: E402

FIRST, STRIDE = 3, 60


def main():
    driver = Driver(*build_faults())
    try:
        driver.walk(FIRST, STRIDE)
        driver.tell()
        assert driver.felt > driver.passed // 2, "most faults were not felt"
    finally:
        driver.close()
    return 1 if driver.failed else 0


if __name__ == "__main__":
    run_driver(main)
