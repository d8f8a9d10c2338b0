"""MLflow's own tracking server, started as its documentation says, and large tables put into its database."""
import os
import random
import sqlite3
import time

import server

RUN_BATCH = 10000


def start(bench):
    """With SQLite in a folder of its own and its default number of workers."""
    folder = os.path.join(bench.work, "mlflow-tracking")
    os.makedirs(folder, exist_ok=True)
    port = server.free_port()
    bin_folder = os.path.dirname(bench.python)
    command = [os.path.join(bin_folder, "mlflow"), "server", "--host", "127.0.0.1", "--port", port, "--backend-store-uri",
               "sqlite:///mlflow.db", "--artifacts-destination", "./artifacts"]
    environment = {**os.environ, "PATH": bin_folder + ":" + os.environ["PATH"]}
    running = server.Server("mlflow server", command, port, "/", env=environment, cwd=folder)
    running.database = os.path.join(folder, "mlflow.db")
    return running


def insert_all(database, rows_of):
    """rows_of: {table: [row as an object, ...]}, all in one transaction."""
    connection = sqlite3.connect(database, timeout=60)
    with connection:
        for table, rows in rows_of.items():
            names = ", ".join(f'"{name}"' for name in rows[0])
            values = ", ".join(f":{name}" for name in rows[0])
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", rows)
    connection.close()


def run_row(run_id, number, experiment_id):
    return {"run_uuid": run_id, "name": f"run {number}", "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "",
            "user_id": "ada", "status": "RUNNING", "start_time": 1_700_000_000_000, "source_version": "",
            "lifecycle_stage": "active", "artifact_uri": f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts",
            "experiment_id": experiment_id}


def metric_row(run_id, key, value, step):
    return {"key": key, "value": value, "timestamp": 1_710_000_000_000 + step, "run_uuid": run_id, "step": step, "is_nan": 0}


def fill_experiment(database, experiment_id, count, models):
    """Runs as tracking_load.FILLED_RUN logs them; returns their ids."""
    dice = random.Random(count)
    ids = [f"{dice.getrandbits(128):032x}" for _ in range(count)]
    for start_at in range(0, count, RUN_BATCH):
        runs, params, tags, metrics = [], [], [], []
        for number in range(start_at, min(start_at + RUN_BATCH, count)):
            run_id = ids[number]
            runs.append(run_row(run_id, number, experiment_id))
            own = {"model": models[number % len(models)], "depth": str(number), "rate": "0.1"}
            params += [{"key": key, "value": value, "run_uuid": run_id} for key, value in own.items()]
            tags += [{"key": key, "value": value, "run_uuid": run_id}
                     for key, value in (("mlflow.user", "ada"), ("mlflow.runName", f"run {number}"))]
            metrics += [metric_row(run_id, key, dice.uniform(0.1, 1), 1) for key in ("auc", "f1", "loss")]
        insert_all(database, {"runs": runs, "params": params, "tags": tags, "metrics": metrics, "latest_metrics": metrics})
    return ids


def fill_history(database, run_id, count):
    for start_at in range(0, count, 10 * RUN_BATCH):
        insert_all(database, {"metrics": [metric_row(run_id, "long", step / count, step)
                                          for step in range(start_at, min(start_at + 10 * RUN_BATCH, count))]})
    insert_all(database, {"latest_metrics": [metric_row(run_id, "long", 1 - 1 / count, count - 1)]})


def wait(running, ask):
    """Until all of its workers answer: each of them loads for seconds."""
    running.wait_until(ask, 120)
    time.sleep(10)
