"""What the rows of MLflow's journeys are made of (mlflow_journeys.py)."""
RUN = {"run": "run.info.run_id"}
EXPERIMENT = {"experiment": "experiment_id"}
NOBODY = "0" * 32
# Names of differences: test_mlflow_compare.py has what each of them means.
MISTAKE, CUT, TAKEN, AGAIN, SQL = "mistake", "cut", "taken", "again", "sql"
SCRAP = {"scrap": "run.info.run_id"}  # a run that the two servers may have different things of


def pairs(**values):
    return [{"key": key.replace("__", "."), "value": value} for key, value in values.items()]


def point(key, value, timestamp=5, step=0, **more):
    return {"key": key, "value": value, "timestamp": timestamp, "step": step, **more}
