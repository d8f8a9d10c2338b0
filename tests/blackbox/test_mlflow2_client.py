#!/usr/bin/env python3
"""The scripts of test_mlflow_client.py with the last client of MLflow 2 (tests/requirements-mlflow2.txt)."""
from test_mlflow_client import ClientTest, run_where_installed


class Client2Test(ClientTest):
    CLIENT = "mlflow2"
    SCRIPTS = {"prompts": "prompts_2", "traces": "traces_2"}  # whose functions have other names there
    test_logged_models = test_webhooks = None  # begin with MLflow 3


if __name__ == "__main__":
    run_where_installed(Client2Test)
