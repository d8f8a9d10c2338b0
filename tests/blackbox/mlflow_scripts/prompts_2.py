"""Prompts as MLflow 2 has them: models of the registry with a tag, versions, an alias, texts filled in, runs that used them."""
import mlflow

first = mlflow.register_prompt(name="summary", template="Summarize {{ text }}", commit_message="first", tags={"team": "risk"},
                               version_metadata={"by": "ada"})
second = mlflow.register_prompt(name="summary", template="In one line: {{ text }}")
assert (int(first.version), int(second.version)) == (1, 2)
mlflow.set_prompt_alias("summary", "production", 1)
champion = mlflow.load_prompt("prompts:/summary@production")
assert champion.format(text="this") == "Summarize this" and champion.commit_message == "first"
assert champion.tags == {"team": "risk"} and champion.version_metadata == {"by": "ada"}
assert mlflow.load_prompt("prompts:/summary/2").template == mlflow.load_prompt("summary").template == "In one line: {{ text }}"
try:
    mlflow.load_prompt("nobody")
except mlflow.MlflowException as error:
    assert error.error_code == "RESOURCE_DOES_NOT_EXIST", error
else:
    raise AssertionError("a prompt that is not there was loaded")
client = mlflow.MlflowClient()
run_id = client.create_run("0").info.run_id
client.log_prompt(run_id, "prompts:/summary/2")
assert [int(one.version) for one in client.list_logged_prompts(run_id)] == [2]
client.detach_prompt_from_run(run_id, "prompts:/summary/2")
assert client.list_logged_prompts(run_id) == []
mlflow.delete_prompt_alias("summary", "production")
assert mlflow.search_registered_models() == []
mlflow.delete_prompt("summary", 1)
mlflow.delete_prompt("summary", 2)
assert mlflow.register_prompt(name="summary", template="{{ text }}").version in (1, "1")
