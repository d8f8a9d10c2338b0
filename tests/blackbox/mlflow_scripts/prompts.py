"""Prompts, which are models of the registry with a tag: versions, an alias, texts filled in."""
import mlflow

first = mlflow.genai.register_prompt(name="summary", template="Summarize {{ text }}", commit_message="first", tags={"team": "risk"})
second = mlflow.genai.register_prompt(name="summary", template="In one line: {{ text }}")
assert (int(first.version), int(second.version)) == (1, 2)
mlflow.genai.set_prompt_alias("summary", "production", 1)
champion = mlflow.genai.load_prompt("prompts:/summary@production")
assert champion.format(text="this") == "Summarize this" and champion.commit_message == "first"
assert champion.tags["team"] == "risk"
assert mlflow.genai.load_prompt("prompts:/summary/2").template == "In one line: {{ text }}"
assert mlflow.genai.load_prompt("summary", allow_missing=True).template == "In one line: {{ text }}"
assert mlflow.genai.load_prompt("nobody", allow_missing=True) is None
assert [one.name for one in mlflow.genai.search_prompts()] == ["summary"]
assert mlflow.search_registered_models() == []
