"""A database of MLflow with 10,000 runs, and what is searched in it.

MLflow's server makes the tables, the experiments and some of the runs; the others are rows as it would have written them.
"""
import random
import sqlite3

COUNT = 10_000
SEED = 7
MOST = 1.7976931348623157e308  # what infinity is stored as
START = 1_690_000_000_000
MODELS = ["forest", "Forest", "logistic", "net", "svm", "süß", "100% linear", "it's", 'a "b"', ""]
TEAMS = ["risk", "Risk", "fraud", "a b", "x_y", ""]
USERS = ["ada", "bo", "eve", "", "ünï"]
STATUSES = ["FINISHED"] * 6 + ["FAILED", "KILLED", "RUNNING", "SCHEDULED"]


class Dice(random.Random):
    def some(self, share):
        return self.random() < share


def metric(run_id, key, value, step, timestamp):
    is_nan = value is None
    return (key, 0.0 if is_nan else value, timestamp, run_id, step, is_nan)


def history(dice, run_id, key, started_at):
    """A few points; the latest of them is the one of the last step."""
    points = []
    for step in range(dice.choice((1, 1, 1, 2, 5))):
        value = dice.choice((dice.random(), dice.random(), round(dice.random(), 1), dice.gauss(0, 100), None if dice.some(0.3) else 0.5,
                             MOST if dice.some(0.1) else -MOST if dice.some(0.1) else 1e-300))
        points.append(metric(run_id, key, value, step, started_at + step))
    return points


def rows_of_a_run(dice, number, experiment_id):
    run_id = f"{dice.getrandbits(128):032x}"
    started_at = START + dice.randrange(COUNT // 2) * 1000  # some begin at the same time
    status = dice.choice(STATUSES)
    ended_at = None if status in ("RUNNING", "SCHEDULED") else started_at + dice.randrange(5) * 1000
    name, user = f"{dice.choice(('Calm', 'bold', 'odd'))} run {number % 700}", dice.choice(USERS)
    params = {"model": dice.choice(MODELS), "depth": str(dice.randrange(30)), "rate": f"{dice.random():.2f}", "a/b c.d": str(number)}
    tags = {"mlflow.runName": name, "mlflow.user": user, "mlflow.source.name": f"train_{number % 3}.py", "team": dice.choice(TEAMS),
            "note": f"{number} of 100% \\ {number % 7}"}
    metrics = [point for key in ("f1", "loss", "val/acc 5") if dice.some(0.8) for point in history(dice, run_id, key, started_at)]
    latest = {point[0]: point for point in metrics}
    return {
        "runs": [(run_id, name, "LOCAL", "", "", user, status, started_at, ended_at, "", "deleted" if dice.some(0.03) else "active",
                  f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts", experiment_id, None)],
        "metrics": metrics, "latest_metrics": [(key, value, at, step, is_nan, run) for key, value, at, run, step, is_nan in latest.values()],
        "params": [(key, value, run_id) for key, value in params.items() if dice.some(0.9)],
        "tags": [(key, value, run_id) for key, value in tags.items() if key == "mlflow.runName" or dice.some(0.9)],
        "inputs": [(f"{dice.getrandbits(128):032x}", "DATASET", f"data {experiment_id} {number % 4}", "RUN", run_id, 0)]
        if dice.some(0.1) else [],
    }


def datasets(experiment_ids):
    return [(f"data {id_} {number}", id_, f"set {number}", f"digest{number}", "local", "{}", None, None)
            for id_ in experiment_ids for number in range(4)]


def fill(database, experiment_ids):
    """Into a database that MLflow's server made and serves, or is about to."""
    dice, tables = Dice(SEED), {"datasets": datasets(experiment_ids)}
    for number in range(COUNT):
        for table, rows in rows_of_a_run(dice, number, experiment_ids[number % 10 == 0]).items():
            tables.setdefault(table, []).extend(rows)
    tables["input_tags"] = [(row[0], "mlflow.data.context", ("training", "test")[number % 2]) for number, row in enumerate(tables["inputs"])]
    base = sqlite3.connect(database, timeout=60)
    with base:
        for table, rows in tables.items():
            base.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    base.close()


FILTERS = [
    "", "metrics.f1 > 0.9", "metrics.f1 >= 0.5 AND metrics.f1 < 0.51", "metrics.f1 = 0.5", "metrics.f1 != 0.5", "metrics.loss < -200",
    "metrics.`val/acc 5` > 250", "metrics.loss > 1e300", "metrics.loss <= -1e300", "metrics.f1 = 0", "metrics.f1 > 0.2 AND metrics.loss < 0.1",
    "params.model = 'forest'", "params.model != 'forest'", "params.model LIKE 'Fo%'", "params.model ILIKE 'fo%'", "params.model LIKE '%s_'",
    "params.model LIKE '100\\%%'", "params.model = \"it's\"", "params.model = ''", "params.model = 'süß'", "params.model IS NULL",
    "params.depth > '29'", "params.`a/b c.d` = '4321'", "params.`a/b c.d` LIKE '99%'", "params.rate LIKE '%7' AND params.depth = '3'",
    "tags.team = 'risk'", "tags.team ILIKE 'risk'", "tags.team != 'risk'", "tags.team LIKE 'x_y'", "tags.team IS NULL", "tags.team IS NOT NULL",
    "tags.note LIKE '% 3'", "tags.note LIKE '7_3 of%'", "tags.mlflow.source.name = 'train_1.py'", "tags.`mlflow.user` = 'ünï'",
    "attributes.run_name = 'odd run 77'", "run_name LIKE 'Calm run 1%'", "run_name ILIKE 'BOLD%9'", "attributes.status = 'FAILED'",
    "status != 'FINISHED'", "attributes.status LIKE 'K%'", "attributes.user_id = 'eve'", "user_id = ''", "user_id LIKE 'ü%'",
    f"attributes.start_time > {START + 4_900_000}", f"start_time <= {START + 40_000}", f"attributes.start_time = {START + 77_000}",
    f"attributes.end_time < {START + 60_000}", f"end_time >= {START + 4_990_000}", "attributes.artifact_uri LIKE '%/00%'",
    "dataset.name = 'set 2'", "dataset.name LIKE 'set%' AND dataset.context = 'test'", "datasets.digest IN ('digest0', 'digest3')",
    "metrics.f1 > 0.5 AND params.model = 'net' AND tags.team = 'fraud' AND attributes.status = 'FINISHED'",
    "metrics.f1 > 0.1 AND metrics.f1 < 0.9 AND metrics.loss > 0.1 AND params.model LIKE '%o%' AND tags.team LIKE '%r%'",
    "metrics.none > 0", "params.none = 'x'", "tags.none != 'x'",
]
ORDERS = [
    [], ["attributes.run_name"], ["run_name DESC", "start_time"], ["attributes.status", "attributes.start_time"], ["status DESC"],
    ["attributes.start_time ASC"], ["start_time DESC"], ["attributes.end_time"], ["end_time DESC", "run_name"],
    ["attributes.user_id"], ["attributes.artifact_uri"], ["attributes.run_id DESC"],
]
# MLflow's server takes seconds for each of these where there are 9,000 runs: they are of the experiment with 1,000.
SLOW_ORDERS = [
    ["metrics.f1"], ["metrics.f1 DESC"], ["metrics.loss ASC"], ["metrics.loss DESC"], ["metrics.`val/acc 5` DESC", "metrics.f1"],
    ["params.model"], ["params.model DESC"], ["params.depth", "params.rate DESC"], ["params.`a/b c.d`"], ["tags.team"],
    ["tags.note DESC"], ["attributes.user_id", "metrics.loss"], ["end_time DESC", "metrics.f1 DESC"], ["metrics.none", "params.none DESC"],
]
