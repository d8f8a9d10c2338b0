"""Tokens as MLflow's clients send them. SECRET and NAME are a contributor's, VIEWER is a viewer's secret."""
import os
import time

import mlflow

NAMES = "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
client = mlflow.MlflowClient()


def sign_in(token=None, user=None, password=None):
    for name, value in zip(NAMES, (token, user, password)):
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def log_run():
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "loss", 0.5)
    client.set_terminated(run_id)
    return client.get_run(run_id)


def refused(code, words, **credentials):
    """At once: a client that tries again would sleep at least a second."""
    sign_in(**credentials)
    began = time.monotonic()
    try:
        log_run()
    except mlflow.MlflowException as error:
        assert error.error_code == code and words in str(error), error
    else:
        raise AssertionError(f"{credentials} were not refused")
    assert time.monotonic() - began < 20


secret, name, viewer = os.environ["SECRET"], os.environ["NAME"], os.environ["VIEWER"]
sign_in(token=secret)
assert log_run().data.metrics == {"loss": 0.5}
sign_in(user=name, password=secret)
run_id = log_run().info.run_id
refused("UNAUTHENTICATED", "token")
refused("UNAUTHENTICATED", "token", token="wrong")
refused("UNAUTHENTICATED", "token", token=secret[:-1] + ("a" if secret[-1] != "a" else "b"))
refused("UNAUTHENTICATED", "token", user=name, password="wrong")
refused("UNAUTHENTICATED", "token", user="another", password=secret)
refused("PERMISSION_DENIED", "contributor", token=viewer)
sign_in(token=viewer)
assert client.get_run(run_id).info.status == "FINISHED"
