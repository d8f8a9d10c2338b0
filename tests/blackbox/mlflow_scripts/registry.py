"""The registry by the client: models, versions, aliases, tags, stages, searches, what is refused."""
import mlflow
from mlflow.exceptions import MlflowException

client = mlflow.MlflowClient()


def refused(code, call, *arguments, **more):
    try:
        call(*arguments, **more)
    except MlflowException as error:
        assert error.error_code == code, (call, error)
    else:
        raise AssertionError(f"{call} {arguments} was not refused")


client.create_registered_model("churn", tags={"team": "risk"}, description="who leaves")
refused("RESOURCE_ALREADY_EXISTS", client.create_registered_model, "churn")
refused("INVALID_PARAMETER_VALUE", client.create_registered_model, "")
refused("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "nobody")
model = client.get_registered_model("churn")
assert (model.description, model.tags) == ("who leaves", {"team": "risk"}) and not model.latest_versions
client.set_registered_model_tag("churn", "stage", "trial")
client.delete_registered_model_tag("churn", "team")
client.update_registered_model("churn", description="who will leave")
model = client.get_registered_model("churn")
assert (model.description, model.tags) == ("who will leave", {"stage": "trial"})

run = client.create_run("0")
client.log_text(run.info.run_id, "weights", "model/weights.txt")
source = f"{run.info.artifact_uri}/model"
for number in range(1, 4):
    version = client.create_model_version("churn", source, run.info.run_id, tags={"number": str(number)},
                                          description=f"version {number}")
    assert (str(version.version), version.status, version.run_id) == (str(number), "READY", run.info.run_id), version
    assert version.source == source and version.current_stage in ("None", None)
assert client.get_model_version_download_uri("churn", "2") == source
client.update_model_version("churn", "2", "the second")
client.set_model_version_tag("churn", "2", "checked", "yes")
client.delete_model_version_tag("churn", "2", "number")
version = client.get_model_version("churn", "2")
assert (version.description, version.tags) == ("the second", {"checked": "yes"})
refused("RESOURCE_DOES_NOT_EXIST", client.get_model_version, "churn", "9")
refused("INVALID_PARAMETER_VALUE", client.create_model_version, "churn", "file:///etc", run.info.run_id)

client.set_registered_model_alias("churn", "champion", "1")
client.set_registered_model_alias("churn", "champion", "2")
client.set_registered_model_alias("churn", "challenger", "3")
assert str(client.get_model_version_by_alias("churn", "champion").version) == "2"
assert {alias: str(number) for alias, number in client.get_registered_model("churn").aliases.items()} == \
    {"champion": "2", "challenger": "3"}
assert client.get_model_version("churn", "2").aliases == ["champion"]
client.delete_registered_model_alias("churn", "challenger")
refused("INVALID_PARAMETER_VALUE", client.get_model_version_by_alias, "churn", "challenger")
refused("INVALID_PARAMETER_VALUE", client.set_registered_model_alias, "churn", "latest", "1")

assert client.transition_model_version_stage("churn", "1", "Production").current_stage == "Production"
client.transition_model_version_stage("churn", "2", "Production", archive_existing_versions=True)
assert client.get_model_version("churn", "1").current_stage == "Archived"
assert [str(one.version) for one in client.get_latest_versions("churn", ["Production"])] == ["2"]
refused("INVALID_PARAMETER_VALUE", client.transition_model_version_stage, "churn", "1", "Nowhere")

for name in ("apple", "Apple pie", "banana"):
    client.create_registered_model(name)
assert [one.name for one in client.search_registered_models("name ILIKE 'apple%'", order_by=["name ASC"])] == \
    ["Apple pie", "apple"]
assert [one.name for one in client.search_registered_models("tags.stage = 'trial'")] == ["churn"]
first = client.search_registered_models(max_results=3)
rest = client.search_registered_models(max_results=3, page_token=first.token)
assert (len(first), len(rest), rest.token or None) == (3, 1, None)
found = client.search_model_versions("name = 'churn'", order_by=["version_number ASC"])
assert [str(one.version) for one in found] == ["1", "2", "3"]
assert [str(one.version) for one in client.search_model_versions("tags.checked = 'yes'")] == ["2"]
assert len(client.search_model_versions(f"run_id = '{run.info.run_id}'")) == 3

client.rename_registered_model("churn", "leavers")
assert str(client.get_model_version("leavers", "3").version) == "3"
assert str(client.get_model_version_by_alias("leavers", "champion").version) == "2"
refused("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "churn")
client.delete_model_version("leavers", "1")
refused("RESOURCE_DOES_NOT_EXIST", client.get_model_version, "leavers", "1")
client.delete_registered_model("banana")
refused("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "banana")
