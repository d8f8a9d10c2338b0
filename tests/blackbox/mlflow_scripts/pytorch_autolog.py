"""PyTorch's autolog with a small Lightning model: a metric an epoch, params, the model back; and a plain network by hand."""
import mlflow
import torch
from torch.utils.data import DataLoader, TensorDataset

try:
    import lightning.pytorch as lightning
except ImportError:
    import pytorch_lightning as lightning

IS_2 = mlflow.__version__.startswith("2.")
torch.manual_seed(7)
X = torch.randn(64, 4)
y = X @ torch.tensor([1.0, -2.0, 0.5, 0.0])


class Line(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x).squeeze(-1)

    def training_step(self, batch, _):
        loss = torch.nn.functional.mse_loss(self(batch[0]), batch[1])
        self.log("loss", loss, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.05)


mlflow.set_experiment("lines")
mlflow.pytorch.autolog()
model = Line()
trainer = lightning.Trainer(max_epochs=5, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
with mlflow.start_run() as run:
    trainer.fit(model, DataLoader(TensorDataset(X, y), batch_size=16))
mlflow.pytorch.autolog(disable=True)

client = mlflow.MlflowClient()
seen = client.get_run(run.info.run_id)
assert seen.data.params["epochs"] == "5" and seen.data.params["optimizer_name"] == "Adam" and seen.data.params["lr"] == "0.05", seen.data.params
points = client.get_metric_history(run.info.run_id, "loss_epoch")
assert len(points) == 5 and points[0].value > points[-1].value > 0, points
assert "model_summary.txt" in {one.path for one in client.list_artifacts(run.info.run_id)}
model.eval()


def same(uri, made):
    loaded = mlflow.pytorch.load_model(uri)
    with torch.no_grad():
        assert torch.equal(loaded(X), made(X)), uri


same(f"runs:/{run.info.run_id}/model", model)

net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)).eval()
with mlflow.start_run():
    info = mlflow.pytorch.log_model(net, "by_hand", input_example=X[:2].numpy(), registered_model_name="line")
same(info.model_uri, net)
same("models:/line/1", net)
client.set_registered_model_alias("line", "champion", 1)
same("models:/line@champion", net)
assert mlflow.pyfunc.load_model("models:/line/1").predict(X.numpy()).shape == (64, 1)
if not IS_2:
    assert len(seen.outputs.model_outputs) == 1
