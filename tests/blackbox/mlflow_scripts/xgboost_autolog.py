"""XGBoost's autolog: a metric a round, importances as files, the booster back."""
import mlflow
import numpy
import xgboost
from sklearn.datasets import load_breast_cancer

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
mlflow.xgboost.autolog()
with mlflow.start_run() as run:
    train = xgboost.DMatrix(X, label=y)
    booster = xgboost.train({"max_depth": 3, "objective": "binary:logistic", "eval_metric": "logloss"}, train,
                            num_boost_round=12, evals=[(train, "train")], verbose_eval=False)
client = mlflow.MlflowClient()
seen = client.get_run(run.info.run_id)
assert seen.data.params["max_depth"] == "3" and seen.data.params["num_boost_round"] == "12"
points = client.get_metric_history(run.info.run_id, "train-logloss")
assert [point.step for point in points] == list(range(12)) and points[0].value > points[-1].value > 0
assert {"feature_importance_weight.json", "feature_importance_weight.png"} <= \
    {one.path for one in client.list_artifacts(run.info.run_id)}
loaded = mlflow.xgboost.load_model(f"runs:/{run.info.run_id}/model")
assert numpy.allclose(loaded.predict(train), booster.predict(train))
