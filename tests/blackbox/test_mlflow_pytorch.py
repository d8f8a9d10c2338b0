#!/usr/bin/env python3
"""PyTorch's autologging, with a Python that has torch, lightning and mlflow: SLIPWAY_TORCH_PYTHON names it.

No torch without a GPU's libraries is small enough to be installed for a test. Debian 13's is 0.9 GB:

    apt-get install --no-install-recommends python3-torch
    python3 -m venv --system-site-packages build/torch-venv
    build/torch-venv/bin/pip install mlflow==3.17.2 pandas==2.3.3 lightning==2.5.6
    SLIPWAY_TORCH_PYTHON=build/torch-venv/bin/python make test F=pytorch

It passed there with Python 3.13, torch 2.6.0, lightning 2.5.6 and mlflow 3.17.2 (27 November 2026).

Lightning does not work with Debian 12's torch 1.13, whose data classes Python 3.11 refuses.
"""
import os
import sys

from harness import run
from test_mlflow_client import ScriptTest

PYTHON = os.path.abspath(os.environ["SLIPWAY_TORCH_PYTHON"]) if "SLIPWAY_TORCH_PYTHON" in os.environ else None


class PytorchTest(ScriptTest):
    def python(self):
        return PYTHON

    def test_autolog(self):
        self.play_alone("pytorch_autolog")
        self.assertIn("champion", self.command("model", "show", "line"))


if __name__ == "__main__":
    if not PYTHON:
        print("SKIP PyTorch's autologging: SLIPWAY_TORCH_PYTHON names no Python with torch, lightning and mlflow")
        print("0 passed, 0 failed")
        sys.exit(0)
    run(PytorchTest)
