#!/usr/bin/env python3
"""PyTorch's autologging, with both of MLflow's clients, in a Python of Debian 13 with its torch (tools/torch.sh)."""
from test_mlflow_client import ScriptTest, run_where_installed


class PytorchTest(ScriptTest):
    CLIENT = "torch"
    INSTALL = "torch.sh"

    def test_autolog(self):
        self.play_alone("pytorch_autolog")
        self.assertIn("champion", self.command("model", "show", "line"))


class Pytorch2Test(PytorchTest):
    CLIENT = "torch2"


if __name__ == "__main__":
    run_where_installed(PytorchTest, Pytorch2Test)
