"""Webhooks: made, changed, listed, tested and deleted, and what a receiver at RECEIVER hears; the test behind it looks at that."""
import os
import time

import mlflow
from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException


def refused(code, call, *args, **more):
    try:
        call(*args, **more)
    except MlflowException as error:
        assert error.error_code == code, error
        return str(error)
    raise AssertionError(f"{call} took {args} {more}")


client, url = MlflowClient(), os.environ["RECEIVER"]
events = ["registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.deleted",
          "model_version_alias.created", "model_version_alias.deleted", "prompt.created", "prompt_version.created",
          "prompt_tag.set", "prompt_tag.deleted", "prompt_version_tag.set", "prompt_version_tag.deleted",
          "prompt_alias.created", "prompt_alias.deleted"]
made = client.create_webhook(name="all", url=url, events=events, description="everything", secret=os.environ["SECRET"])
assert (made.name, made.url, made.description, made.status) == ("all", url, "everything", WebhookStatus.ACTIVE)
assert made.secret is None and {str(one) for one in made.events} == set(events)
assert made.creation_timestamp > 1_600_000_000_000 and made.last_updated_timestamp >= made.creation_timestamp
other = client.create_webhook(name="other", url=url, events=[WebhookEvent("budget_policy", "exceeded")], status="DISABLED")
assert other.status == WebhookStatus.DISABLED

assert client.get_webhook(made.webhook_id).name == "all"
assert {one.name for one in client.list_webhooks()} == {"all", "other"}
first = client.list_webhooks(max_results=1)
second = client.list_webhooks(max_results=1, page_token=first.token)
assert {first[0].name, second[0].name} == {"all", "other"} and not second.token

changed = client.update_webhook(other.webhook_id, name="some", description="few",
                                events=[WebhookEvent(WebhookEntity.PROMPT, WebhookAction.CREATED)])
assert (changed.name, changed.description, [str(one) for one in changed.events]) == ("some", "few", ["prompt.created"])
assert changed.status == WebhookStatus.DISABLED and changed.url == url
assert client.update_webhook(other.webhook_id, status="ACTIVE").status == WebhookStatus.ACTIVE
assert client.update_webhook(other.webhook_id, status="DISABLED").status == WebhookStatus.DISABLED

result = client.test_webhook(made.webhook_id)
assert (result.success, result.response_status, result.response_body, result.error_message) == (True, 200, "ok", None)
result = client.test_webhook(made.webhook_id, event="prompt_version.created")
assert result.success
result = client.test_webhook(made.webhook_id)  # the receiver answers 500 now
assert (result.success, result.response_status) == (False, 500)

for name in "", "-a", "a b", "a" * 64, "a/b":
    refused("INVALID_PARAMETER_VALUE", client.create_webhook, name=name, url=url, events=events)
for wrong in "ftp://example.com/", "example.com", "":
    refused("INVALID_PARAMETER_VALUE", client.create_webhook, name="wrong", url=wrong, events=events)
refused("RESOURCE_DOES_NOT_EXIST", client.get_webhook, "none")
refused("RESOURCE_DOES_NOT_EXIST", client.delete_webhook, "none")
refused("INVALID_PARAMETER_VALUE", client.list_webhooks, max_results=1001)

client.create_registered_model("leavers", tags={"team": "risk"}, description="who leaves")
client.create_model_version("leavers", "s3://bucket/model", run_id=None, tags={"k": "v"}, description="first")
client.set_model_version_tag("leavers", "1", "stage", "ready")
client.delete_model_version_tag("leavers", "1", "stage")
client.set_registered_model_alias("leavers", "champion", "1")
client.delete_registered_model_alias("leavers", "champion")
client.set_registered_model_tag("leavers", "not", "told")
prompt = mlflow.genai.register_prompt(name="summary", template="Summarize {{ text }}", commit_message="first", tags={"lang": "en"})
deadline = time.monotonic() + 60
while "_mlflow_experiment_ids" not in client.get_prompt("summary").tags:  # a thread of the client sets it
    assert time.monotonic() < deadline
    time.sleep(0.05)
mlflow.genai.set_prompt_alias("summary", "production", 1)
client.set_prompt_tag("summary", "owner", "ada")
client.delete_prompt_tag("summary", "owner")
client.set_prompt_version_tag("summary", "1", "good", "yes")
client.delete_prompt_version_tag("summary", "1", "good")
mlflow.genai.delete_prompt_alias("summary", "production")

client.delete_webhook(other.webhook_id)
refused("RESOURCE_DOES_NOT_EXIST", client.get_webhook, other.webhook_id)
assert [one.name for one in client.list_webhooks()] == ["all"]
